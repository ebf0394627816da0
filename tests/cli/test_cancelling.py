"""`cycle cancel` over a real broker, with an orchestrator of ours."""

from __future__ import annotations

import pytest

from cli.main import main
from protocol.errors import BatosError
from protocol.messages import Cancelled


@pytest.fixture
def ended(system):
    """Start an orchestrator that ends everything so, and give what it was asked."""

    def start(reply):
        asked = []

        async def cancel(request, _call):
            asked.append(request.id)
            if isinstance(reply, BatosError):
                raise reply
            return reply

        system.handlers["cancel"] = cancel
        system.start()
        return asked

    return start


def test_a_mandate_is_cancelled(ended, batos, home, capsys):
    asked = ended(Cancelled(mandate="M1", cycle="C1", state="FAILED", cancelled=True))
    code, lines = batos("cycle", "cancel", "C1")
    assert (code, lines) == (0, [{"mandate": "M1", "cycle": "C1", "state": "FAILED", "cancelled": True}])
    assert asked == ["C1"]
    assert main(["--home", str(home.root), "cycle", "cancel", "M1"]) == 0
    assert capsys.readouterr().out == "mandate M1 is cancelled\n"


def test_what_had_ended_is_said_to_have_ended(ended, batos, home, capsys):
    ended(Cancelled(mandate="M1", cycle=None, state="COMPLETE", cancelled=False))
    code, lines = batos("cycle", "cancel", "M1")
    assert (code, lines[-1]["cancelled"]) == (0, False)
    assert main(["--home", str(home.root), "cycle", "cancel", "M1"]) == 0
    assert "had ended before: COMPLETE" in capsys.readouterr().out


def test_what_nobody_knows_cannot_be_cancelled(ended, batos):
    ended(BatosError("UNKNOWN_CYCLE", "no cycle and no mandate is called 'x'", "See `batos cycle ls`."))
    code, lines = batos("cycle", "cancel", "x")
    assert (code, lines[-1]["error"]["code"]) == (2, "UNKNOWN_CYCLE")


def test_nothing_runs_nothing_is_cancelled(batos):
    code, lines = batos("cycle", "cancel", "M1")
    assert (code, lines[-1]["error"]["code"]) == (3, "NOT_RUNNING")
