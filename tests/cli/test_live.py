"""The line that lives while a command waits, in a real terminal; and what is folded at the terminal's edge."""

from __future__ import annotations

import asyncio
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.live import Doing, Flow, Live, columns_of, cut, elapsed, folded, line
from protocol.errors import BatosError
from protocol.messages import Event, Looked, MandateReply

from .terminal import COLUMNS, Terminal

OID = "00000000000000ab"


@pytest.fixture
def terminal(home):
    opened = []

    def run(*words, **environment):
        opened.append(Terminal("--home", str(home.root), *words, **environment))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.fixture
def thinking(system):
    """An orchestrator that takes a while, and says what it does."""

    async def mandate(request, call):
        call.partial(Event(event="accepted", mandate="M1"))
        call.partial(Event(event="state", mandate="M1", cycle="C1", state="SYNTHESIZING"))
        detail = {
            "round": 1,
            "form": "narrow",
            "rows": 8,
            "tokens_left": 9000,
            "seconds_left": 50.0,
            "tokens_per_s": 11.2,
        }
        call.partial(Event(event="drawing", mandate="M1", cycle="C1", detail=detail))
        await asyncio.sleep(30 if request.selector == "forever_" else 1.5)
        source = "return " + " + ".join(["self.width"] * 30)
        judged = {"source": f"def area_(self):\n    {source}\n", "problem": "the method returned something else " * 5}
        call.partial(Event(event="judged", mandate="M1", cycle="C1", detail=judged))
        await asyncio.sleep(0.6)
        return MandateReply(mandate="M1", state="COMPLETE", cycle="C1", result=30)

    async def look(request, _call):
        slots = {"text": "long words " * 30, "short": 1, "wide": "寬" * 100}
        return Looked(name="box", oid=OID, tid=OID, slots=slots, parents=[], methods={})

    system.handlers = {"mandate": mandate, "look": look}
    system.start()


def lived(terminal):
    return [each for seen in terminal.seen for each in seen if re.match(r"^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ", each)]


def holds(terminal):
    assert [each for seen in terminal.seen for each in seen if columns_of(each) > COLUMNS] == []


def test_a_command_that_waits_says_what_is_done_and_for_how_long(thinking, terminal):
    shown = terminal("send", "box", "area_")
    shown.until("writes candidates: 8 rows, 11.2 tokens/s")
    assert shown.end() == 0
    assert any(each.endswith("  1 s") for each in lived(shown))
    assert any("tries the candidates" in each for each in lived(shown))
    holds(shown)
    last = shown.lines()
    assert last[-1] == "30"
    assert not any(re.match(r"^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ", each) for each in last)


def test_ctrl_c_leaves_a_clean_terminal(thinking, terminal):
    shown = terminal("send", "box", "forever_")
    shown.until("writes candidates")
    shown.until("  1 s")
    shown.type("\x03")
    assert shown.end() == 130
    holds(shown)
    assert not any(re.match(r"^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ", each) for each in shown.lines())
    assert shown.screen.cursor.x == 0
    assert not shown.screen.cursor.hidden
    assert shown.after == shown.before
    assert any("INTERRUPTED" in each for each in shown.lines())


def test_what_is_told_is_folded_at_the_edge(thinking, terminal):
    shown = terminal("look", "box")
    assert shown.end() == 0
    holds(shown)
    assert sum("long words" in each for each in shown.lines()) > 3


def test_json_has_one_line_on_a_terminal_too(thinking, terminal):
    shown = terminal("send", "box", "area_", "--json")
    assert shown.end() == 0
    assert lived(shown) == []
    assert '"result":30' in shown.lines()[-1]


def test_a_dumb_terminal_gets_lines_alone(thinking, terminal):
    shown = terminal("send", "box", "area_", TERM="dumb")
    assert shown.end() == 0
    assert lived(shown) == []
    assert b"\x1b" not in shown.raw


def test_json_says_events_beside_the_result(thinking, home, capsys):
    from cli.main import main

    assert main(["--home", str(home.root), "--json", "send", "box", "area_"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    assert '"event":"accepted"' in told.err.splitlines()[0]


# The line itself ------------------------------------------------------------------------------------------------


WORDS = st.text(st.sampled_from("ab 寬é̂-"), max_size=200)


@given(
    text=WORDS,
    spent=st.floats(0, 1e6),
    width=st.integers(30, 120),
    encoding=st.sampled_from(["utf-8", "ascii", None]),
    part=st.none() | st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)),
)
def test_the_line_never_reaches_the_edge(text, spent, width, encoding, part):
    doing = Doing(text, *(part or ()))
    drawn = line(doing, spent, 3, width, encoding)
    assert columns_of(drawn) < width
    if width >= 80:
        assert elapsed(spent) in drawn
    drawn.encode(encoding) if encoding == "utf-8" else None


@given(text=st.text(st.sampled_from("ab 寬\n"), max_size=300), width=st.integers(10, 100))
def test_folded_text_fits_and_loses_no_letter(text, width):
    shown = folded(text, width)
    assert all(columns_of(each) <= width for each in shown.split("\n"))
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)


@given(pieces=st.lists(st.text(st.sampled_from("ab 寬\n"), max_size=9), max_size=40), width=st.integers(10, 60))
def test_text_that_grows_is_folded_on_its_way(pieces, width):
    flow = Flow()
    shown = "".join(flow.take(piece, width) for piece in [*pieces, "\n"])
    words = "".join(pieces).split()
    assert shown.split() == words
    if all(columns_of(word) <= width for word in words):
        assert all(columns_of(each) <= width for each in shown.split("\n"))
    if columns_of("".join(pieces)) < width:
        assert shown == "".join(pieces) + "\n"


def test_what_fits_stays_as_it_is():
    text = "  a  b\n\n\tc "
    assert folded(text, 80) == text
    assert folded("寬 寬寬", 1).split() == ["寬"] * 3, "no terminal is too narrow to come to an end"
    assert {columns_of(each) for each in folded(" " * 30 + "寬" * 9, 20).split("\n")} == {20, 14}
    assert folded("  one two three", 8) == "  one\n  two\n  three"
    assert cut("abcdef", 4) == "abc…"
    assert (elapsed(59.9), elapsed(125), elapsed(7325)) == ("59 s", "2 min 05 s", "2 h 02 min")


def test_where_there_is_no_terminal_nothing_is_drawn():
    stream = io.StringIO()
    live = Live(stream)
    with live.shown("waits"):
        live.say(Doing("works"))
    assert (live.is_possible, stream.getvalue()) == (False, "")


def test_a_failure_within_leaves_no_line(monkeypatch):
    class Tty(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("cli.live.AFTER_S", 0.0)
    stream = Tty()
    live = Live(stream)

    def fail():
        with live.shown("waits"):
            while not stream.getvalue():
                pass
            raise BatosError("BUSY", "no")

    with pytest.raises(BatosError):
        fail()
    assert stream.getvalue().endswith("\r\x1b[2K")
