"""What the words of `bisect` and `replay` state, and which words state nothing."""

from __future__ import annotations

import pytest

from cli.calls.past import bisect, replay
from protocol.codec import named
from protocol.errors import BatosError

TID = "03f1000000000001"


def test_a_bisection_is_read_with_references_and_moments():
    wanted = bisect.wanted("till", "cost_(of)", ["@box", "2"], ["by=3"], good=TID, bad="now", expect='{"a": [1]}')
    assert (wanted.target, wanted.selector, wanted.args, wanted.kwargs) == (
        "till",
        "cost_",
        [named("box"), 2],
        {"by": 3},
    )
    assert (wanted.good, wanted.bad, wanted.expect) == (TID, None, {"a": [1]})
    assert len(bisect.wanted("till", "cost_", [], [], good=TID, bad="1 hour ago", expect="1").bad or "") == 16


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"good": "sometime"}, "USAGE"),
        ({"bad": "sometime"}, "USAGE"),
        ({"expect": "{"}, "BAD_JSON"),
        ({"args": ["{"]}, "BAD_JSON"),
        ({"selector": "cost"}, "BAD_SELECTOR"),
        ({"kwargs": ["by"]}, "USAGE"),
    ],
)
def test_a_bisection_that_cannot_be_read(words, code):
    said = {
        "name": "till",
        "selector": "cost_",
        "args": [],
        "kwargs": [],
        "good": TID,
        "bad": "now",
        "expect": "1",
        **words,
    }
    name, selector, args, kwargs = (said.pop(word) for word in ("name", "selector", "args", "kwargs"))
    with pytest.raises(BatosError) as caught:
        bisect.wanted(name, selector, args, kwargs, **said)
    assert caught.value.code == code


def test_a_replay_is_read_with_the_sources_of_files(tmp_path):
    file = tmp_path / "area.py"
    file.write_text("def area_(self):\n    return 1\n")
    wanted = replay.wanted("c3aa", [f"box.v2.area_={file}"])
    (other,) = wanted.sources
    assert (wanted.id, other.name, other.selector, other.source) == ("c3aa", "box.v2", "area_", file.read_text())
    assert replay.wanted("c3aa", []).sources == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["box.area_"], "USAGE"),
        (["area_=FILE"], "USAGE"),
        (["box.area_="], "USAGE"),
        (["box.area=FILE"], "BAD_SELECTOR"),
        (["box.area_=/nowhere"], "UNREADABLE"),
        (["box.area_=FILE", "box.area_=FILE"], "USAGE"),
    ],
)
def test_a_replay_that_cannot_be_read(tmp_path, words, code):
    file = tmp_path / "area.py"
    file.write_text("def area_(self):\n    return 1\n")
    with pytest.raises(BatosError) as caught:
        replay.wanted("c3aa", [word.replace("FILE", str(file)) for word in words])
    assert caught.value.code == code
