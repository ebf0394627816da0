"""The kernel's methods that shape candidates: for any message the grammar stands, and whatever it allows is a method."""

from __future__ import annotations

import ast
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from actors.guardian import gates
from bench.writing.image import cycle
from protocol import names
from protocol.errors import BatosError

CYCLE = cycle()
GRAMMAR = CYCLE.candidate_grammar_
PROMPT = CYCLE._construct_architectural_covenant_prompt
SAMPLING = CYCLE.candidate_sampling_


def allowed(check, name):
    try:
        check(name)
    except BatosError:
        return False
    return True


IDENTIFIER = st.from_regex(r"[a-zé][a-z0-9_é]{0,8}", fullmatch=True)
SLOT = st.one_of(st.sampled_from(["n", "item", "width", "text"]), IDENTIFIER).filter(
    lambda n: allowed(names.check_slot, n)
)
PARAMETER = SLOT.filter(lambda name: allowed(names.check_parameter, name))
SELECTOR = SLOT.map(lambda name: name + "_").filter(lambda name: allowed(names.check_selector, name))
ATOM = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=6)
)
VALUE = st.one_of(
    ATOM, st.binary(max_size=3), st.lists(ATOM, max_size=3), st.dictionaries(st.text(max_size=3), ATOM, max_size=2)
)


@st.composite
def messages(draw):
    slots = draw(st.dictionaries(SLOT, VALUE, max_size=4))
    parameters = draw(st.lists(PARAMETER, max_size=3, unique=True))
    args = draw(st.lists(VALUE, min_size=len(parameters), max_size=len(parameters)))
    examples = []
    for _ in range(draw(st.integers(0, 2))):
        example = {
            "slots": {name: draw(VALUE) for name in slots},
            "args": [draw(VALUE) for _ in parameters],
            "kwargs": {},
        }
        if draw(st.booleans()):
            example["returns"] = draw(VALUE)
        if draw(st.booleans()) or "returns" not in example:
            example["slots_after"] = {name: draw(VALUE) for name in slots}
        examples.append(example)
    selector = draw(SELECTOR)
    return {
        "selector": selector, "parameters": parameters, "args": args, "kwargs": {}, "slots": slots, "examples": examples
    }  # fmt: skip


@pytest.fixture(scope="module")
def letters():
    """A tokenizer of single bytes."""
    alphabet = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<end>"]
    words = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate(alphabet)}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens(["<end>"])
    return LLTokenizer(words.to_str(), eos_token=256, slices=[])


def matcher(letters, grammar):
    found = LLMatcher(letters, LLMatcher.grammar_from_lark(grammar), log_level=0)
    assert not found.is_error(), found.get_error()
    return found


def wander(letters, found, luck, most=600):
    """A random text of the grammar, or None where it has not ended after `most` bytes."""
    tokens: list[int] = []
    while not found.is_stopped() and len(tokens) < most:
        forced = found.compute_ff_tokens()
        bits = np.unpackbits(np.frombuffer(found.compute_bitmask(), np.uint8), bitorder="little")
        fresh = forced or [int(luck.choice(np.flatnonzero(bits[:257])))]
        if fresh == [256]:
            break
        assert found.consume_tokens(fresh), found.get_error()
        tokens += fresh
    return letters.decode_bytes(tokens).decode(errors="replace") if len(tokens) < most else None


@settings(max_examples=60)
@given(messages(), st.integers(0, 2), st.integers())
def test_whatever_the_grammar_allows_is_a_method_that_the_gates_accept(letters, message, round_, seed):
    found = matcher(letters, GRAMMAR(message, round_))
    luck = random.Random(seed)
    for _ in range(3):
        text = wander(letters, found.deep_copy(), luck)
        if text is None:
            continue
        [function] = ast.parse(text).body
        assert isinstance(function, ast.FunctionDef)
        assert function.name == message["selector"]
        assert [argument.arg for argument in function.args.args] == ["self", *message["parameters"]]
        assert gates.judge(text).violations == []


def box(**changes):
    message = {"selector": "act_", "parameters": [], "args": [], "kwargs": {}, "slots": {}, "examples": []}
    return {**message, **changes}


READS = {"slots": {"a": 2, "b": 5}, "args": [], "kwargs": {}, "returns": 7}
WRITES = {"slots": {"a": 2, "b": 5}, "args": [], "kwargs": {}, "slots_after": {"a": 5}}
BODIES = {
    "reads": "return self.a + self.b",
    "writes": "self.a = self.b\n    self._p_changed = True",
    "writes_another": "self.b = self.a\n    self._p_changed = True",
    "forgets": "self.a = self.b",
}


def accepts(letters, found, body):
    here = found.deep_copy()
    return here.consume_tokens(letters.tokenize_str(f"def act_(self):\n    {body}\n")) and here.is_accepting()


@pytest.mark.parametrize(
    ("examples", "possible"),
    [([READS], {"reads"}), ([WRITES], {"writes"}), ([], {"reads", "writes", "writes_another"})],
)
def test_the_examples_decide_between_reading_and_writing(letters, examples, possible):
    found = matcher(letters, GRAMMAR(box(slots={"a": 2, "b": 5}, examples=examples), 0))
    taken = set()
    for name, body in BODIES.items():
        if accepts(letters, found, body):
            taken.add(name)
    assert taken == possible


def test_no_literal_quotes_an_example(letters):
    example = {"slots": {"word": "moon"}, "args": [], "kwargs": {}, "returns": "moonlight"}
    found = matcher(letters, GRAMMAR(box(slots={"word": "moon"}, examples=[example]), 2))
    for body, taken in {'return self.word + "light"': True, 'return self.word + "moonlight"': False}.items():
        assert accepts(letters, found, body) is taken


@settings(max_examples=60)
@given(messages())
def test_the_prompt_shows_the_message_and_stays_short(message):
    [turn] = PROMPT(message, "narrow", [{"source": "s", "problem": "p"}])
    assert turn["role"] == "assistant"
    assert turn["content"].endswith("\n")
    assert message["examples"] == [] or message["selector"] in turn["content"]
    huge = {**message, "slots": {f"s{n}": "x" * 10_000 for n in range(100)}}
    assert len(PROMPT(huge, "narrow", [])[0]["content"]) < 20_000


@pytest.mark.parametrize("form", ["narrow", "open", "free"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_row_has_its_own_manner(form, number):
    manner = SAMPLING(form, number, 400)
    rows = [row for portion in manner["portions"] for row in portion]
    assert all(manner["portions"])
    assert all(0 <= row["temperature"] <= 2 and 0 < row["top_p"] <= 1 for row in rows)
    assert manner["seed_offset"] >= len(rows) * number
    assert (manner["portions"][0] == [{"temperature": 0.0, "top_p": 1.0}]) == (number == 0), "the likeliest alone first"


NAMED = box(
    slots={"first": "Ada", "mail": "ada@mill.example"},
    examples=[
        {"slots": {}, "args": [], "returns": "Dear Ada!"},
        {"slots": {"first": "Bo"}, "args": [], "returns": "Dear Bo!"},
    ],
)


@pytest.mark.parametrize(
    ("line", "first", "later"),
    [
        ('return "Dear " + self.first + "!"', True, True),
        ('return f"Dear {self.first}!"', True, True),
        ('return "Lord " + self.first + "!"', False, True),
        ('return f"Lord {self.first}!"', False, True),
        ('return self.mail.split("@")[0]', True, True),
        ('return self.mail.split("mill")[0]', False, True),
        ('return ", ".join(self.first.split()[::-1])', True, True),
        ('return "xyz".join(self.first.split()[::-1])', False, True),
    ],
)
def test_literals_are_first_those_that_the_examples_leave_room_for(letters, line, first, later):
    assert accepts(letters, matcher(letters, GRAMMAR(NAMED, 0)), line) is first
    assert accepts(letters, matcher(letters, GRAMMAR(NAMED, 1)), line) is later


def test_where_results_have_nothing_in_common_no_literal_is_put_in_between(letters):
    examples = [
        {"slots": {}, "args": [], "returns": "AB"},
        {"slots": {"first": "Max", "last": "Noll"}, "args": [], "returns": "MN"},
    ]
    found = matcher(letters, GRAMMAR(box(slots={"first": "Ada", "last": "Byron"}, examples=examples), 0))
    assert accepts(letters, found, "return self.first[0] + self.last[0]")
    assert not accepts(letters, found, 'return self.first[0] + "x" + self.last[0]')
