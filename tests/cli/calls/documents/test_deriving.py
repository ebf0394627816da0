"""What came of a document is named by `forget`, and goes along with --derived once its user has said so."""

from __future__ import annotations

import click
import pytest

from cli.main import main
from protocol.messages import CaughtUp, DerivedMethod, DerivedTurns, ForgottenDerived, Lineage

CAME = Lineage(
    documents=["wings"],
    answers=["answer:c1"],
    methods=[DerivedMethod(oid="0" * 16, name="box", selector="fly_", sha256="ab" * 32, stands=False)],
    threads=[DerivedTurns(oid="1" * 16, name="talk", turns=2)],
    unknown=["answer:old"],
)


@pytest.fixture
def derived(system, memory, batos, write):
    """The requests that the orchestrator got; what came of each document is always the same."""
    asked = []

    async def came_of(request, _call):
        asked.append(request)
        return CAME

    async def forget_derived(request, _call):
        asked.append(request)
        return ForgottenDerived(derived=request.derived, tid="7" * 16)

    system.handlers |= {"came_of": came_of, "forget_derived": forget_derived}
    memory.replies["catch_up"] = CaughtUp(cursor=1)
    system.start_orchestrator()
    batos("remember", write("a.txt", "A wing."), "--id", "wings")
    return asked


def test_what_came_of_it_is_named_and_stays(derived, memory, batos, system, capsys):
    code, (found,) = batos("forget", "wings", "--dry-run")
    assert (code, found["derived"]["answers"], found["derived_tid"]) == (0, ["answer:c1"], None)
    assert list(memory.kept) == ["wings"]
    assert main(["--home", str(system.home.root), "forget", "wings"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    for said in (
        "3 things that came of it, and stay",
        "answer:c1",
        "box.fly_ (an earlier version",
        "talk, 2 turns",
        "of 1 older",
    ):
        assert said in out
    assert [request.walk for request in derived] == [True, False]


def test_with_derived_it_goes_along_before_the_document(derived, memory, batos):
    code, (found,) = batos("forget", "wings", "--derived", "--yes")
    assert (code, found["derived_tid"], memory.kept) == (0, "7" * 16, {})
    assert derived[1].derived == CAME, "what is forgotten is what was named"
    assert "catch_up" in [verb for verb, _ in memory.asked]


def test_nobody_is_there_to_ask(derived, memory, batos, failure):
    code, lines = batos("forget", "wings", "--derived")
    assert (code, failure(lines)["code"], "--yes" in failure(lines)["hint"]) == (2, "USAGE", True)
    assert (len(derived), list(memory.kept)) == (1, ["wings"])


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.usefixtures("derived")
def test_a_person_is_asked(memory, system, capsys, monkeypatch, yes):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: yes)
    code = main(["--home", str(system.home.root), "forget", "wings", "--derived"])
    out, err = capsys.readouterr()
    assert "3 things that came of it" in err
    assert (code, "forgotten too" in out, bool(memory.kept)) == ((0, True, False) if yes else (130, False, True))
