"""The file: what is written is read back to the letter, and what is no whole bundle says so."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.bundles import document
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import BundledMethod, BundledObject, Exported

AREA = "def area_(self):\n    return self.width * self.height\n"
CASE = {"slots": {"width": 3, "height": 4}, "returns": 12}


def box(source=AREA, **rest):
    method = BundledMethod(
        selector="area_", source=source, sha256=hashlib.sha256(source.encode()).hexdigest(), examples=[CASE]
    )
    return BundledObject(name="box", parents={"parent*": "traits_obj"}, methods=[method], **rest)


SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5) | st.binary(max_size=5)
VALUES = st.recursive(
    SCALARS | st.just(codec.named("pen")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$ref", "$dict", "$int", "a"]) | st.integers(0, 3), inner, max_size=2).map(
            codec.literal_dict
        )
    ),
    max_leaves=8,
)


@given(value=VALUES, source=st.text(st.characters(codec="utf-8"), max_size=30))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(tmp_path, value, source):
    file = tmp_path / "b.json"
    found = Exported(objects=[box(source, slots={"given": value}), BundledObject(name="pen", owned=True)], needs=[])
    sha256 = document.write(str(file), found)
    read = document.read(str(file))
    assert (read.objects, read.name, read.sha256) == (found.objects, "b.json", sha256)


def test_a_person_can_read_it(tmp_path):
    file = tmp_path / "b.json"
    document.write(str(file), Exported(objects=[box(slots={"pen": codec.named("box")})], needs=["traits_obj"]))
    whole = json.loads(file.read_text())
    assert (whole["format"], whole["version"], whole["needs"]) == ("batos bundle", 1, ["traits_obj"])
    [each] = whole["objects"]
    assert each["methods"][0]["source"] == AREA.split("\n")
    assert each["slots"] == {"pen": {"$ref": "box"}}


def changed(**rest):
    return lambda whole: {**whole, **rest}


def other_source(whole):
    whole["objects"][0]["methods"][0]["source"][1] = "    return 0"
    return whole


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changed(format="zip"), "no bundle"),
        (changed(version=2), "version 2"),
        (changed(version=True), "version True"),
        (changed(version="1"), "version 1"),
        (changed(objects=3), "no bundle as"),
        (changed(objects=[3]), "no bundle as"),
        (changed(objects=[{"name": 3}]), "no bundle as"),
        (changed(objects=[{"name": "box", "methods": [{"source": 4}]}]), "no bundle as"),
        (changed(objects=[]), "no object"),
        (other_source, "sha256"),
        (lambda _: [], "no bundle"),
    ],
)
def test_what_is_no_bundle_is_named(tmp_path, change, told):
    file = tmp_path / "b.json"
    file.write_text(json.dumps(change(json.loads(document.written(Exported(objects=[box()]))))))
    with pytest.raises(BatosError) as caught:
        document.read(str(file))
    assert caught.value.code == "BAD_BUNDLE"
    assert told in caught.value.message
    assert caught.value.hint


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["$ref", "$dict", "name", "x"]), inner),
    max_leaves=4,
)


def places(value, path=()):
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_done_to_a_file_it_is_read_or_refused(tmp_path, data):
    file = tmp_path / "b.json"
    whole = json.loads(document.written(Exported(objects=[box(slots={"pen": codec.named("box"), "n": [1, {"a": 2}]})])))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([each for each in places(whole) if each]))
        here = whole
        for key in path[:-1]:
            here = here[key]
        here[path[-1]] = data.draw(ANYTHING)
    file.write_text(json.dumps(whole))
    try:
        read = document.read(str(file))
    except BatosError as error:
        came: object = error.exit_code
    else:
        came = {type(each) for each in read.objects}
    assert came in (2, {BundledObject})


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_file_that_is_cut_off_says_so(tmp_path, share):
    file = tmp_path / "b.json"
    whole = document.written(Exported(objects=[box()]))
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BatosError, match="is not JSON") as caught:
        document.read(str(file))
    assert (caught.value.code, "whole" in caught.value.hint) == ("BAD_BUNDLE", True)


def test_a_hundred_megabytes_are_not_read(tmp_path):
    file = tmp_path / "b.json"
    with file.open("wb") as opened:
        opened.truncate(100 << 20)
    with pytest.raises(BatosError) as caught:
        document.read(str(file))
    assert (caught.value.code, caught.value.exit_code) == ("TOO_LARGE", 2)


@pytest.mark.parametrize("content", [b"\xff\xfe{}", None])
def test_what_cannot_be_read_says_why(tmp_path, content):
    file = tmp_path / "b.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BatosError) as caught:
        document.read(str(file))
    assert caught.value.code == ("UNREADABLE" if content is None else "BAD_BUNDLE")


def test_where_nothing_can_be_written_the_old_file_stays(tmp_path, monkeypatch):
    with pytest.raises(BatosError) as caught:
        document.write(str(tmp_path / "none" / "b.json"), Exported(objects=[box()]))
    assert caught.value.code == "STORAGE"
    monkeypatch.chdir(tmp_path)
    for folder in (".", ""):
        with pytest.raises(BatosError) as caught:
            document.write(folder, Exported(objects=[box()]))
        assert (caught.value.code, list(tmp_path.iterdir())) == ("STORAGE", [])
    big = box(slots={f"text{n}": "x" * (1 << 19) for n in range(20)})
    file = tmp_path / "b.json"
    file.write_text("before")
    with pytest.raises(BatosError) as caught:
        document.write(str(file), Exported(objects=[big]))
    assert (caught.value.code, file.read_text(), len(list(tmp_path.iterdir()))) == ("TOO_LARGE", "before", 1)
