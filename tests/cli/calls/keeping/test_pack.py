"""`pack`: what goes is said first, and nothing goes unasked."""

from __future__ import annotations

import click
import pytest

from protocol.messages import Packed, PackedJournal, PackedWorld


@pytest.fixture
def asked(system):
    """The requests that the orchestrator got; what it packs is always the same."""
    requests = []

    async def pack(request, _call):
        requests.append(request)
        after = 1 if request.really else 9
        return Packed(
            world=PackedWorld(before=1e9, bytes_before=9, bytes_after=after),
            journal=PackedJournal(before=1e9, mandates=12, bodies=34, bytes_before=9, bytes_after=after),
        )

    system.handlers["pack"] = pack
    system.start()
    return requests


def test_with_yes_it_is_done_and_told_in_one_shape(asked, batos):
    code, lines = batos("pack", "--yes", "--keep", "12h")
    assert [(request.keep, request.really) for request in asked] == [("12h", False), ("12h", True)]
    assert (code, lines) == (
        0,
        [
            {
                "world": {"before": 1e9, "bytes_before": 9, "bytes_after": 1},
                "journal": {"before": 1e9, "mandates": 12, "bodies": 34, "bytes_before": 9, "bytes_after": 1},
            }
        ],
    )


def test_where_nobody_can_be_asked_nothing_goes(asked, batos):
    code, lines = batos("pack")
    error = lines[-1]["error"]
    assert (code, error["code"], error["hint"]) == (2, "USAGE", "Say --yes.")
    assert error["data"]["forgets"]["journal"]["mandates"] == 12
    assert [request.really for request in asked] == [False]


@pytest.mark.parametrize("yes", [True, False])
def test_a_person_is_told_and_asked(asked, system, capsys, monkeypatch, yes):
    from cli.main import main

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: yes)
    code = main(["--home", str(system.home.root), "pack"])
    out, err = capsys.readouterr()
    assert "forgets 12 mandates" in err
    assert "Of 34 mandates" in err
    assert "history before 2001-09-0" in err
    assert [line for line in (out + err).splitlines() if len(line) > 80] == []
    assert [request.really for request in asked] == ([False, True] if yes else [False])
    assert (code, "12 mandates forgotten" in out) == ((0, True) if yes else (130, False))


@pytest.mark.parametrize("keep", ["", "soon", "0d", "30"])
def test_a_time_that_is_none_is_a_usage_error(asked, batos, keep):
    code, lines = batos("pack", "--yes", "--keep", keep)
    assert (code, lines[-1]["error"]["code"], asked) == (2, "USAGE", [])
