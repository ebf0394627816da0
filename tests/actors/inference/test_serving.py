"""What both generators share, with one that is made of letters: rows, waves, admission, failures and counts."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.inference.decoding.pace import Pace
from actors.inference.serving import Outcome, Serving, failed
from protocol.errors import BatosError
from protocol.messages import MAX_ROWS, Abilities, Generated, Row, Sampling

from .small_house import BASE, SIZE, House, refused


class Letters:
    """Says a row's prompt in capitals and the letter of its expert, a token a letter, and notes what it was asked."""

    vocabulary_size = None
    abilities = Abilities(grammar="native", lora="native")

    def __init__(self, bank):
        self.bank = bank
        self.pace = Pace()
        self.read = []
        self.compiled = []
        self.waves = []
        self.errors = {}
        self.inside = lambda: None

    def accepts(self, invocation):
        if invocation:
            raise BatosError("BAD_EXPERT", "it begins within a prompt", "Train it without that.")

    def prompt(self, row):
        self.read.append(row.prompt)
        if row.prompt.startswith("unreadable"):
            raise BatosError("BAD_ARGUMENT", f"nobody reads {row.prompt}", "Write better.")
        return row.prompt.upper()

    def form(self, row):
        self.compiled.append(row.grammar)
        if row.grammar in {"BAD_CONSTRAINT", "NOT_READY"}:
            raise BatosError(row.grammar, "no such form", "Another.")
        return row.grammar

    def run(self, wave, slots):
        self.waves.append([asked.row.prompt for asked in wave.rows])
        self.inside()
        return [self._said(wave, place, slots) for place in range(len(wave.rows))], len(wave.rows)

    def stats(self):
        return {"device": "paper"}

    def _said(self, wave, place, slots):
        asked = wave.rows[place]
        error = self.errors.get(asked.row.prompt)
        if error is not None:
            return failed(error, tokens=1)
        name = asked.content.name if asked.content else "-"
        if asked.content:
            assert asked.content.sha256 in slots
        said = [letter for letter in asked.prompt + name if not wave.should_stop()]
        for letter in said if wave.on_piece else ():
            wave.on_piece(place, letter)
        return Outcome(Generated(text="".join(said), tokens=len(said), finish="stop"))


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture
def letters(house):
    return Letters(house.bank)


@pytest.fixture
def serving(letters):
    return Serving(letters, BASE, 10**9)


@pytest.fixture
def known(house):
    return {name: house.content(name) for name in "abc"}


def row(prompt="x", expert=None, **more):
    return Row(prompt=prompt, expert=expert, **more)


def texts(inferred):
    return [one.text for one in inferred.rows]


def test_texts_come_in_the_order_of_the_rows_however_few_the_slots_are(serving, letters, known):
    rows = [row("r", "a"), row("s"), row("t", "b"), row("u", "c"), row("v", "a")]
    inferred = serving.generate(rows, experts=known)
    assert texts(inferred) == ["Ra", "S-", "Tb", "Uc", "Va"]
    assert letters.waves == [["r", "s", "t", "v"], ["u"]]


def test_what_was_said_and_read_is_counted(serving, known):
    inferred = serving.generate([row("hi", "a"), row("you", "b"), row("there", "c")], experts=known)
    assert (inferred.prompt_tokens, [one.tokens for one in inferred.rows]) == (3, [3, 4, 6])
    serving.generate([row("more")])
    stats = serving.stats()
    assert (stats["generated_tokens"], stats["prompt_tokens"]) == (18, 4)
    assert stats["busy_seconds"] >= inferred.seconds > 0
    assert stats["device"] == "paper"


def test_a_wave_holds_the_slots_of_its_experts_until_its_end(serving, letters, known):
    busy = []
    letters.inside = lambda: busy.append(refused(lambda: serving.tiers.evict(known["a"])).code)
    serving.generate([row("r", "a")], experts=known)
    assert busy == ["BUSY"]
    serving.tiers.evict(known["a"])
    assert serving.tiers.place(known["a"].sha256).tier == "cold"


def test_pieces_are_told_by_the_number_of_the_row_in_the_request(serving, known):
    said = {}
    rows = [row("r", "a"), row("unreadable"), row("s", "b"), row("t", "c"), row("u", "a")]
    serving.generate(rows, lambda number, piece: said.__setitem__(number, said.get(number, "") + piece), None, known)
    assert said == {0: "Ra", 2: "Sb", 3: "Tc", 4: "Ua"}


def test_a_stop_reaches_the_rows(serving):
    left = iter([False, False, True])
    assert texts(serving.generate([row("long")], None, lambda: next(left, True))) == ["LO"]


def test_no_rows_give_no_texts(serving):
    assert serving.generate([]).rows == []


def test_prompts_and_forms_are_read_once_for_all_rows_that_share_them(serving, letters):
    rows = [row("x", grammar="g", seed=seed) for seed in range(3)] + [row("y", grammar="g"), row("x")]
    rows += [row("unreadable"), row("unreadable", seed=1)]
    inferred = serving.generate(rows)
    assert (letters.read, letters.compiled) == (["x", "y", "unreadable"], ["g", None])
    assert [one.code for one in inferred.rows] == [""] * 5 + ["BAD_ARGUMENT"] * 2


@pytest.mark.parametrize(
    "bad", [row("unreadable", "b"), row("x", "b", grammar="BAD_CONSTRAINT")], ids=["prompt", "form"]
)
def test_a_row_that_cannot_be_read_costs_nobody_anything(serving, letters, known, bad):
    first, failure, last = serving.generate([row("r", "a"), bad, row("s")], experts=known).rows
    assert (first.text, last.text) == ("Ra", "S-")
    assert (failure.text, failure.tokens, failure.finish) == ("", 0, "failed")
    assert (failure.code in {"BAD_ARGUMENT", "BAD_CONSTRAINT"}, bool(failure.reason), bool(failure.hint)) == (True,) * 3
    assert letters.waves == [["r", "s"]]
    assert serving.tiers.place(known["b"].sha256).tier == "cold"


def test_a_row_that_fails_under_way_costs_its_tokens(serving, letters):
    letters.errors["worse"] = BatosError("GENERATION_FAILED", "it came to nothing", "Look.")
    fine, worse = serving.generate([row("fine"), row("worse")]).rows
    assert (fine.text, worse.text, worse.code, worse.tokens) == ("FINE-", "", "GENERATION_FAILED", 1)
    assert serving.stats()["generated_tokens"] == 6


def test_where_no_row_is_left_the_first_error_is_that_of_the_request(serving, letters):
    letters.errors["worse"] = BatosError("GENERATION_FAILED", "it came to nothing", "Look.", status=500)
    assert refused(lambda: serving.generate([row("unreadable 1"), row("unreadable 2")])).message == (
        "nobody reads unreadable 1"
    )
    assert letters.waves == []
    error = refused(lambda: serving.generate([row("worse"), row("unreadable")]))
    assert (error.code, error.data) == ("GENERATION_FAILED", {"status": 500})
    assert refused(lambda: serving.generate([row("unreadable"), row("worse")])).code == "BAD_ARGUMENT"
    assert serving.stats()["generated_tokens"] == 0


def test_a_failed_text_without_an_error_is_told_as_it_is(serving, letters):
    text = Generated(text="ab", tokens=2, finish="failed", reason="its numbers are none")
    letters.run = lambda wave, _slots: ([Outcome(text)] * len(wave.rows), 0)
    assert serving.generate([row(), row()]).rows == [text, text]


def test_a_form_that_could_not_be_tried_is_to_be_asked_for_again(serving, letters):
    assert refused(lambda: serving.generate([row(), row(grammar="NOT_READY")])).code == "NOT_READY"
    assert letters.waves == []


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row()] * (MAX_ROWS + 1), "TOO_LARGE"),
        ([row(), Row()], "BAD_ARGUMENT"),
        ([row(), row(max_tokens=0)], "BAD_ARGUMENT"),
        ([row(), row(sampling=Sampling(temperature=float("nan")))], "BAD_ARGUMENT"),
        ([row(), row(sampling=Sampling(top_p=1.5))], "BAD_ARGUMENT"),
        ([row(), row("x", "nobody")], "UNKNOWN_EXPERT"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(serving, letters, known, rows, code):
    with pytest.raises(BatosError) as caught:
        serving.generate(rows, experts=known)
    assert caught.value.code == code
    assert "row 1" in caught.value.message or code == "TOO_LARGE"
    assert (letters.read, letters.compiled, letters.waves) == ([], [], [])


def test_an_expert_that_the_generator_does_not_accept_is_nowhere_on_the_device(serving, letters, known):
    late = known["a"]._replace(invocation=(1, 2))
    for work in (
        lambda: serving.generate([row(), row("x", "late")], experts={"late": late}),
        lambda: serving.tiers.activate(late),
        lambda: serving.tiers.activate(late, pin=True),
        lambda: serving.tiers.repin(late),
        lambda: serving.tiers.warm(late),
    ):
        assert refused(work).code == "BAD_EXPERT"
    assert "begins within a prompt" in serving.tiers.place(late.sha256).reason
    assert (letters.read, letters.waves) == ([], [])
    serving.tiers.prefetch("plan", [late, known["b"]])
    assert [serving.tiers.place(one.sha256).tier for one in (late, known["b"])] == ["cold", "hot"]


def test_a_spoiled_expert_of_a_later_wave_is_found_before_the_first_has_spoken(serving, letters, known):
    known["c"].path.write_bytes(b"rotten")
    assert refused(lambda: serving.generate([row("x", name) for name in "abc"], experts=known)).code == "BAD_EXPERT"
    assert letters.waves == []
    assert texts(serving.generate([row("x", name) for name in "ab"], experts=known)) == ["Xa", "Xb"]


def test_a_wave_that_comes_to_nothing_gives_its_slots_back(serving, letters, known):
    def full():
        raise BatosError("OUT_OF_MEMORY", "there is no room", "Ask for less.")

    letters.inside = full
    assert refused(lambda: serving.generate([row("x", "a")], experts=known)).code == "OUT_OF_MEMORY"
    letters.inside = lambda: None
    serving.tiers.evict(known["a"])
    assert (serving.stats()["generated_tokens"], serving.stats()["busy_seconds"]) == (0, 0)
    assert texts(serving.generate([row("x", "a")], experts=known)) == ["Xa"]


@pytest.mark.parametrize("beneath", ["bank", "generator"])
@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("a kernel is missing"), "GENERATION_FAILED"), (MemoryError(), "OUT_OF_MEMORY")],
)
def test_what_fails_beneath_is_told_in_words_and_it_serves_on(serving, known, beneath, error, code):
    generator = serving.generator

    def broken(*_):
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*((generator.bank, "fill") if beneath == "bank" else (generator, "inside")), broken)
        assert refused(lambda: serving.generate([row("x", "a")], experts=known)).code == code
    assert texts(serving.generate([row("x", "a")], experts=known)) == ["Xa"]


def test_the_bank_is_tidied_once_an_expert_has_left_it(serving, house, known, monkeypatch):
    seen = []
    monkeypatch.setattr(house.bank, "tidy", lambda: seen.append(serving.tiers.place(known["a"].sha256).tier))
    serving.tiers.activate(known["a"])
    serving.tiers.evict(known["a"])
    serving.tiers.activate(known["a"])
    serving.tiers.release(known["a"].sha256, "it was replaced")
    assert seen == ["cold", "cold"]


def test_the_bytes_in_memory_are_bounded_as_the_settings_say(letters, known):
    serving = Serving(letters, BASE, SIZE)
    serving.generate([row("x", name) for name in "abc"], experts=known)
    places = [serving.tiers.place(known[name].sha256) for name in "abc"]
    assert sorted(place.tier for place in places).count("hot") == 2
    assert serving.tiers.layout.base_model == BASE


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abc-"), st.sampled_from(["x", "yy", "unreadable"])), min_size=1, max_size=9))
def test_every_row_is_told_its_own(serving, known, asked):
    rows = [row(prompt, None if name == "-" else name) for name, prompt in asked]
    if all(prompt == "unreadable" for _, prompt in asked):
        assert refused(lambda: serving.generate(rows, experts=known)).code == "BAD_ARGUMENT"
        return
    wanted = ["" if prompt == "unreadable" else prompt.upper() + name for name, prompt in asked]
    assert texts(serving.generate(rows, experts=known)) == wanted
