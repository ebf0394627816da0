"""What is said while a question is thought about, and a cycle's story."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batos.asking import Answer, Nearest
from cli.render import thought as render_thought
from protocol.failure import Failure
from protocol.messages import CycleStory, CycleSummary, Event, Stay, Step


class Told:
    """A follower, what it has written of the answer, and the lines it gave."""

    def __init__(self):
        self.out = ""
        self.lines = []
        self.follower = render_thought.Follower(self.write)

    def write(self, text):
        self.out += text

    def state(self, name, cycle="C1"):
        self.tell(Event(event="state", mandate="M1", cycle=cycle, state=name))

    def piece(self, text, at=0, *, row=0, voice="", state="SYNTHESIZING", cycle="C1"):
        detail = {"voice": voice, "row": row, "at": at, "text": text}
        self.tell(Event(event="piece", mandate="M1", cycle=cycle, state=state, detail=detail))

    def says(self, voice, text, at=0, *, row=0):
        self.piece(text, at, row=row, voice=voice, state="DELEGATING")

    def sent(self, send, state="DELEGATING", cycle="C1"):
        self.tell(Event(event="sent", mandate="M1", cycle=cycle, state=state, detail={"send": send}))

    def tell(self, event):
        line = self.follower.tell(event)
        if line:
            self.lines += line.split("\n")


@pytest.fixture
def told():
    return Told()


def test_the_answer_grows_on_one_line(told):
    told.state("SYNTHESIZING")
    for at, text in [(0, "The pump"), (8, " is"), (11, " broken.")]:
        told.piece(text, at)
    assert (told.out, told.follower.written) == ("The pump is broken.", "The pump is broken.")
    assert told.lines == ["  makes one of it"]
    told.state("COMPLETE")
    assert told.out == "The pump is broken.\n"
    told.follower.rest()
    assert told.out == "The pump is broken.\n"


def test_a_text_that_begins_again_gets_a_new_line(told):
    told.state("SYNTHESIZING")
    told.piece("The lamp")
    told.piece("The pump")
    told.piece(" is broken.", 8)
    assert (told.out, told.follower.written) == ("The lamp\nThe pump is broken.", "The pump is broken.")


@given(
    texts=st.lists(st.text(st.characters(codec="ascii", categories=["L", "Z"]), min_size=1), min_size=1),
    cuts=st.lists(st.integers(1, 9), min_size=1),
)
def test_however_a_text_comes_in_pieces_it_is_the_text(texts, cuts):
    """The last text stands on a line of its own, whatever was begun before it."""
    told = Told()
    told.state("SYNTHESIZING")
    for text in texts:
        at = turn = 0
        while at < len(text):
            size = cuts[turn % len(cuts)]
            told.piece(text[at : at + size], at)
            at, turn = at + size, turn + 1
        assert told.follower.written == text
        assert told.out.split("\n")[-1] == text


def test_a_terminal_obeys_nothing_that_the_model_says(told):
    told.state("SYNTHESIZING")
    told.piece("\x1b[2J\u202e")
    told.says("BRICK", "\x1b[2J")
    told.state("SYNTHESIZING")
    assert "\x1b" not in told.out + "".join(told.lines)
    assert "\u202e" not in told.out


def test_facets_are_told_when_all_have_spoken(told):
    told.state("DELEGATING")
    told.says("BRICK", "A pump", row=0)
    told.says("BABS", "Heron", row=1)
    told.says("BRICK", " moves water.", 6, row=0)
    told.says("BABS", " had one.", 5, row=1)
    assert told.lines == ["  asks the facets"]
    told.state("SYNTHESIZING")
    assert told.lines[1:] == ["    BRICK: A pump moves water.", "    BABS: Heron had one.", "  makes one of it"]
    told.state("SYNTHESIZING")  # after a restart
    assert told.lines[4:] == ["  makes one of it"]
    assert told.out == ""


def test_a_facet_that_begins_again_is_told_once(told):
    told.state("DELEGATING")
    told.says("BRICK", "A lamp")
    told.says("BRICK", "A pump")
    told.state("SYNTHESIZING")
    assert told.lines[1] == "    BRICK: A pump"
    assert len(told.lines) == 3


def test_a_later_batch_does_not_speak_over_the_first(told):
    """A facet that is known speaks at once; one that must be written first speaks in the next batch, from row 0 again."""
    told.state("DELEGATING")
    told.says("BRICK", "A pump.")
    told.sent("infer_")
    told.sent("infer_", "SYNTHESIZING", "C2")
    told.says("BABS", "Heron had one.")
    told.sent("infer_")
    told.state("SYNTHESIZING")
    assert told.lines[1:3] == ["    BRICK: A pump.", "    BABS: Heron had one."]


def test_a_facets_own_cycle_stands_apart(told):
    told.state("DELEGATING")
    for name in ("IDLE", "SYNTHESIZING", "COMPLETE"):
        told.state(name, "C2")
    told.piece("def", cycle="C2")
    told.state("SYNTHESIZING")
    assert told.lines == [
        "  asks the facets",
        "    a facet's own cycle takes up the mission",
        "    a facet's own cycle makes one of it",
        "    a facet's own cycle is done",
        "  makes one of it",
    ]
    assert told.out == ""


def test_what_is_too_small_to_tell_is_not_told(told):
    told.sent("become_")
    told.tell(Event(event="accepted", mandate="M1"))
    told.tell(Event(event="joined", mandate="M1", detail={"mandate": "M0"}))
    judged = {"source": "def a_(self):\n    return 1\n", "problem": ""}
    told.tell(Event(event="judged", mandate="M1", cycle="C1", detail=judged))
    assert told.lines == [
        "  accepted",
        "  mandate M0 is at this already, waiting for it",
        "    return 1    # passed",
    ]


def test_a_story_tells_each_state_its_sends_and_how_it_ended():
    story = CycleStory(
        cycle="C1",
        mandate="M1",
        state="FAILED",
        target="orchestrator_obj",
        selector="ask_",
        seconds=7.5,
        states=[
            Stay(state="IDLE", seconds=0.1),
            Stay(state="SYNTHESIZING", seconds=7.0),
            Stay(state="FAILED", seconds=0.0),
        ],
        steps=[
            Step(path="m.0.IDLE.0", send="become_", seconds=0.1, tokens=0, state="IDLE", size=1),
            Step(path="m.0.SYNTHESIZING.0.0", send="infer_", seconds=6.5, tokens=51, state="SYNTHESIZING", size=241),
            Step(path="m.0.SYNTHESIZING.0", send="weave_", seconds=6.9, tokens=51, state="SYNTHESIZING", size=1),
            Step(path="m.0.FAILED.0", send="doom_", seconds=0.0, tokens=0, state="FAILED", size=1),
        ],
        verdicts=[{"verdict": "reject", "problem": "COV001", "source": "def a_(self):\n    return 1\n"}],
        error=Failure("CYCLE_FAILED", "not good enough"),
        caused=["C2"],
    )
    assert render_thought.story(story).splitlines() == [
        "cycle C1, mandate M1",
        "orchestrator_obj ask_",
        "IDLE  0.10 s",
        "  become_  0.10 s  1 bytes",
        "SYNTHESIZING  7.00 s",
        "    infer_  6.50 s  241 bytes  51 tokens",
        "  weave_    6.90 s  1 bytes    51 tokens",
        "    return 1    # COV001",
        "FAILED  0.00 s",
        "  doom_  0.00 s  1 bytes",
        "  caused cycle C2",
        "FAILED after 7.5 s, 51 tokens",
        "  CYCLE_FAILED: not good enough",
    ]


def test_a_story_shows_candidates_whole_and_marks_the_one_that_it_came_to():
    loop = "def sum_(self):\n    total = 0\n    for n in self.all:\n        total = total + n\n    return total\n"
    verdicts = [
        {"problem": "it returned 3", "source": "def sum_(self):\n    return 3\n", "chosen": False, "installed": False},
        {"problem": "", "source": loop, "chosen": True, "installed": True},
        {"problem": "", "source": "def sum_(self):\n    return sum(self.all)\n", "chosen": False, "installed": False},
    ]
    stays = [Stay(state="SYNTHESIZING", seconds=1.0)]
    story = CycleStory(cycle="C1", mandate="M1", state="COMPLETE", steps=[], verdicts=verdicts, states=stays)
    assert render_thought.story(story).splitlines()[3:-1] == [
        "    return 3    # it returned 3",
        "  * # installed",
        *(f"      {line}" for line in loop.splitlines()),
        "    return sum(self.all)    # passed",
    ]


@pytest.mark.parametrize(
    ("detail", "line"),
    [
        (
            {"round": 2, "form": "open", "rows": 4, "tokens_left": 9000, "seconds_left": 170.4},
            "  round 2: 4 rows, open form; 9000 tokens and 170 s are left",
        ),
        ({"round": 1, "rows": 1, "tokens_per_s": 12.345}, "  round 1: 1 row, 12.3 tokens/s"),
        ({"round": 0, "rows": 1, "form": "open"}, "  finding the form that suits the model: 1 row, open form"),
    ],
)
def test_a_round_of_candidates_says_what_is_left(detail, line):
    assert render_thought.event(Event(event="drawing", mandate="M1", cycle="C1", detail=detail)) == line


def test_a_story_without_states_or_steps_is_told_too():
    story = CycleStory(cycle="C1", mandate="M1", state="IDLE", steps=[], verdicts=[], target="box", selector="area_")
    assert render_thought.story(story).splitlines() == [
        "cycle C1, mandate M1",
        "box area_",
        "IDLE after 0.0 s, 0 tokens",
    ]


def test_a_candidate_is_one_line():
    long = "def a_(self):\n    " + "x" * 300 + "\n"
    assert len(render_thought.candidate({"source": long, "problem": "no"})) < 120
    assert render_thought.candidate({}) == "      # passed"


def test_cycles_are_a_table():
    assert render_thought.cycles([]) == "no cycles yet"
    summary = CycleSummary(
        cycle="c8e695005c326423f42a5",
        mandate="M1",
        target="00000000000000ab",
        selector="area_",
        state="FAILED",
        started=time.time() - 400,
        seconds=1.5,
        name="box",
    )
    asked = msgspec.structs.replace(summary, selector="ask_", state="DECOMPOSING", question="Who\nkeeps it? " * 20)
    lines = render_thought.cycles([summary, asked]).splitlines()
    assert lines[1].split()[:4] == ["c8e695005c32", "FAILED", "box", "area_"]
    assert "6 min" in lines[1]
    assert "“Who keeps it? Who" in lines[2]
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize(
    ("seconds", "told"), [(-3, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (2e5, "2 d")]
)
def test_an_age_is_said_as_people_say_it(seconds, told):
    assert render_thought.age(seconds) == told


def test_who_has_asked_by_a_door_is_told_and_the_user_is_not():
    one = CycleSummary(
        cycle="c" * 20,
        mandate="m",
        target="0" * 16,
        selector="area_",
        state="COMPLETE",
        started=0.0,
        seconds=1.0,
        name="box",
    )
    assert render_thought.message(one) == "box area_"
    assert render_thought.message(msgspec.structs.replace(one, asked_by="user:lena")) == "box area_"
    assert render_thought.message(msgspec.structs.replace(one, asked_by="mcp:agent")) == "by mcp:agent: box area_"
    assert "\x1b" not in render_thought.message(msgspec.structs.replace(one, asked_by="mcp:\x1b[2J"))


def test_where_the_documents_do_not_say_it_what_comes_nearest_stands_beneath():
    near = Nearest(text="It came \x1bon Monday.", doc_id="log", chunk_oid="aa", chunk_index=2, start=3, end=20)
    found = Answer(
        mandate="M1", cycle="C1", state="COMPLETE", answer="The documents do not say.", refused=True, nearest=near
    )
    *_, nearest, place = render_thought.answer(found).splitlines()
    assert nearest.startswith("The nearest that stands there: “It came ")
    assert "\x1b" not in nearest
    assert place == "log #2, characters 3 to 20"
