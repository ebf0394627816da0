"""The tools' schemas are true: what they admit is carried or refused with a code, and what they do not admit is refused."""

from __future__ import annotations

import asyncio
import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batos.line import Line
from bus.stub import StubBus
from cli.doors.mcp import arguments
from cli.doors.mcp.offered import TOOLS
from cli.doors.mcp.schemas import read_arguments, schema_of
from cli.doors.mcp.visit import Visit
from protocol.codec import Ref
from protocol.errors import CODES, BatosError
from protocol.verbs import VERBS

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
SENSIBLE = st.sampled_from(["box", "area_", "increment_(by)", "000000000000002a", "", "_x_", "5 minutes ago", "a/b"])


def values_of(schema, parts):
    """Values that a schema admits, as far as a strategy can tell; a few are at its edge."""
    if "$ref" in schema:
        return values_of(parts[schema["$ref"].rsplit("/", 1)[1]], parts)
    if "anyOf" in schema:
        whole = {key: value for key, value in schema.items() if key != "anyOf"}
        return st.one_of(*(values_of({**whole, **part}, parts) for part in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "string":
            return SENSIBLE | st.text(max_size=8)
        case "integer":
            return st.integers(schema.get("minimum", -3), schema.get("maximum", 3))
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False) | st.integers(-3, 3)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array":
            return st.lists(values_of(schema.get("items", {}), parts), max_size=2)
        case "object":
            return objects_of(schema, parts)
    return JSON


def objects_of(schema, parts):
    fields = schema.get("properties")
    if fields is None:
        return st.dictionaries(SENSIBLE | st.text(max_size=6), JSON, max_size=3)
    needed = set(schema.get("required", ()))
    made = {name: values_of(field, parts) for name, field in fields.items()}
    return st.fixed_dictionaries(
        {name: made[name] for name in needed}, optional={name: made[name] for name in made if name not in needed}
    )


class Recording(StubBus):
    """Every verb is refused with a code of its own, so that an answer needs no truth."""

    def __init__(self):
        def refused(request):
            raise BatosError("BUSY", "the stub carries nothing out")

        verbs = [verb for service in VERBS.values() for verb in service.values()]
        super().__init__({(verb.service, verb.name): refused for verb in verbs})


async def carried(tool, given, home):
    """Whether the call has reached the bus; the code with which it was refused."""
    bus = Recording()
    line = Line(home, None)
    line._bus = lambda: bus
    line._answered = dict.fromkeys(VERBS, float("inf"))
    try:
        await tool.act(
            Visit(line, lambda *_: None, lambda _: None), read_arguments(given, tool.takes, by_name=tool.names)
        )
    except BatosError as error:
        return bool(bus.calls), error.code
    raise AssertionError("the stub carries nothing out")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@settings(max_examples=60)
@given(data=st.data())
def test_what_a_schema_admits_is_carried_or_refused_with_a_code(tool, data):
    schema = schema_of(tool.takes)
    given = data.draw(values_of(schema, schema.get("$defs", {})))
    reached, code = asyncio.run(carried(tool, given, None))
    assert code in CODES
    assert reached == (code == "BUSY")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@settings(max_examples=60)
@given(data=st.data())
def test_what_a_schema_does_not_admit_is_refused(tool, data):
    schema = schema_of(tool.takes)
    given = data.draw(st.dictionaries(st.sampled_from([*schema["properties"], "more"]), JSON, max_size=4))
    if jsonschema.Draft202012Validator(schema).is_valid(given):
        return
    with pytest.raises(BatosError) as refused:
        read_arguments(given, tool.takes, by_name=tool.names)
    assert refused.value.is_input


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_schemas_are_schemas_and_say_what_each_argument_is(tool):
    offered = tool.offered()
    for schema in (offered.input_schema, offered.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert json.loads(json.dumps(schema)) == schema
    described = {"question", "query", "text", "doc_id", "top_k", "because"}
    fields = offered.input_schema["properties"]
    assert [name for name, field in fields.items() if "description" not in field and name not in described] == []


def test_references_may_be_names_where_they_go_into_the_world():
    given = {"name": "box", "slots": {"lid": {"$ref": "lid"}, "own": {"$ref": "000000000000002a"}}}
    found = read_arguments(given, arguments.New, by_name=True)
    assert found.slots["own"] == Ref("000000000000002a")
    with pytest.raises(BatosError, match="a reference is 16 hexadecimal digits"):
        read_arguments(given, arguments.New, by_name=False)


@pytest.mark.parametrize(
    "given", [{"name": "box", "slots": {"n": float("nan")}}, {"name": "box", "slots": {"n": 1e999}}]
)
def test_numbers_that_cannot_be_kept_are_refused(given):
    with pytest.raises(BatosError, match="BAD_JSON"):
        read_arguments(given, arguments.New, by_name=True)


def test_what_is_nested_too_deeply_is_refused():
    deep = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BatosError) as refused:
        read_arguments({"name": "box", "slots": {"deep": deep}}, arguments.New, by_name=True)
    assert refused.value.is_input
