"""A command to be pasted: it fits the terminal, and a shell reads the very words."""

from __future__ import annotations

import json
import shlex
import subprocess

from hypothesis import given
from hypothesis import strategies as st

from cli import values
from cli.render.pasting import WIDTH, pasteable

TEXTS = st.text(st.sampled_from("ab \"'\\\n{}[],:é"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
WORDS = st.lists(st.sampled_from(["--again", "--example", "a word"]) | JSON.map(values.line), min_size=1, max_size=8)


def read(pasted):
    """The words as a shell reads them: what JSON says counts, not its white space."""
    return [meant(word) for word in shlex.split(pasted.replace(" \\\n", " "))]


def meant(word):
    try:
        return ["json", json.loads(word)]
    except ValueError:
        return word


@given(WORDS)
def test_the_words_are_the_same_and_the_lines_fit(words):
    command = shlex.join(["batos", "learn", "box", "area_", *words])
    pasted = pasteable(command)
    assert read(pasted) == [meant(word) for word in shlex.split(command)]
    longest = max((len(shlex.quote(part)) for word in words for part in word.split(",")), default=0)
    if longest < 40:
        assert all(len(each) <= WIDTH for each in pasted.split("\n"))


def test_a_real_shell_reads_it():
    example = values.line(
        {"slots": {"lines": [{"price": 2, "count": 3}] * 6, "text": "it's"}, "args": [], "returns": 36}
    )
    command = shlex.join(["printf", r"%s\0", "--intent", "what it is for " * 4, "--example", example])
    pasted = pasteable(command)
    assert all(len(each) <= WIDTH for each in pasted.split("\n"))
    told = subprocess.run(["sh", "-c", pasted], capture_output=True, text=True, check=True).stdout.split("\0")
    assert told[1] == "what it is for " * 4
    assert json.loads(told[3]) == json.loads(example)
