"""`export` and `import` as commands: the file between two worlds, a verdict a line, and an answer that can be lost."""

from __future__ import annotations

import hashlib

import pytest

from cli.bundles import document
from cli.main import main
from protocol.errors import BatosError
from protocol.messages import (
    BundledMethod,
    BundledObject,
    Event,
    Exported,
    Imported,
    ImportedMethod,
    ImportedObject,
    Violation,
)

OID = "00000000000000ab"
AREA = "def area_(self):\n    return 1\n"
METHOD = BundledMethod(selector="area_", source=AREA, sha256=hashlib.sha256(AREA.encode()).hexdigest())
OBJECTS = [BundledObject(name="box", methods=[METHOD]), BundledObject(name="pen")]
JUDGED = ImportedMethod(name="box", selector="area_", sha256="ab" * 32, verdict="accept", cases=2)
BROKEN = Violation(rule="COV001", line=2, message="state change without signal " * 5)


@pytest.fixture
def asked(system):
    seen = []
    system.answers = {
        "export": Exported(objects=OBJECTS, needs=["traits_obj"]),
        "import": Imported(objects=[ImportedObject(name="shop.box", oid=OID)], methods=[JUDGED], tid=OID),
    }

    def answering(verb):
        async def handler(request, call):
            seen.append((verb, request, call.envelope.idem))
            if verb == "import":
                call.partial(Event(event="progress", mandate="M", detail={"what": "judge", "done": 1, "of": 1}))
            if isinstance(system.answers[verb], BatosError):
                raise system.answers[verb]
            return system.answers[verb]

        return handler

    system.handlers = {verb: answering(verb) for verb in system.answers}
    system.start()
    return seen


@pytest.fixture
def file(tmp_path):
    place = tmp_path / "shapes.json"
    document.write(str(place), Exported(objects=OBJECTS))
    return str(place)


def test_objects_are_written_into_a_file(asked, batos, tmp_path):
    file = tmp_path / "out.json"
    code, [made] = batos("export", "box", "-o", str(file))
    assert (code, made["objects"], made["along"], made["methods"]) == (0, ["box", "pen"], ["pen"], 1)
    assert made["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert document.read(str(file)).objects == OBJECTS


def test_a_file_is_taken_in_under_a_key(asked, batos, file):
    code, lines = batos("import", file, "--as", "shop", "--key", "k1")
    assert (code, lines[-1]["objects"], lines[-1]["methods"][0]["cases"]) == (0, [{"name": "shop.box", "oid": OID}], 2)
    [(verb, request, key)] = asked
    assert (verb, request.objects, request.prefix, request.name, key) == (
        "import",
        OBJECTS,
        "shop",
        "shapes.json",
        "k1",
    )


def test_every_method_has_a_line_where_one_is_refused(asked, system, home, capsys, file):
    bad = ImportedMethod(name="box", selector="widen_", sha256="cd" * 32, verdict="reject", violations=[BROKEN])
    system.answers["import"] = BatosError(
        "REFUSED", "1 of 2", "Nothing has changed.", methods=[vars_of(JUDGED), vars_of(bad)]
    )
    code = main(["--home", str(home.root), "import", file])
    told = capsys.readouterr()
    assert (code, told.out) == (4, "")
    assert "accept  box.area_  abababababab, 2 examples held" in told.err
    assert "reject  box.widen_" in told.err
    assert "line 2: COV001" in told.err


def vars_of(one):
    import msgspec

    return msgspec.to_builtins(one)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("export", "box"), "USAGE"),
        (("export", "-o", "x"), "USAGE"),
        (("export", "box", "-o", "-"), "USAGE"),
        (("export", "_box", "-o", "x"), "BAD_NAME"),
        (("import", "/no/such/file"), "UNREADABLE"),
        (("import", "{file}", "--as", "_x"), "BAD_NAME"),
    ],
)
def test_bad_words_are_refused_before_anything_is_sent(asked, batos, file, words, code):
    exit_code, lines = batos(*(word.format(file=file) for word in words))
    assert (exit_code, lines[-1]["error"]["code"]) == (2, code)
    assert lines[-1]["error"]["hint"]
    assert asked == []
