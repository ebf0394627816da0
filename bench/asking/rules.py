"""What is asked, and when an answer is right: by rule, with no model as judge.

A fact is right where one of its spellings stands in the answer, word by word; numbers are compared as numbers, however they are written.
An answer to a question of two parts needs the facts of both. A question that the documents do not answer is right where it is refused.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final, Literal

import msgspec

HERE: Final = Path(__file__).parent
QUESTIONS: Final = HERE / "questions.jsonl"
DOCUMENTS: Final = HERE / "documents"

_COUNTED: Final = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
_NUMBERS: Final = {word: str(number) for number, word in enumerate(_COUNTED.split())} | {"thirty-one": "31"}
_TOKEN: Final = re.compile(r"\d+(?:[.:]\d+|,\d{3}(?!\d))*|[^\W\d_]+(?:-\w+)*|\w+")
_THOUSANDS: Final = re.compile(r"^\d{1,3}(?:,\d{3})+$")
_REFUSALS: Final = (
    "do not say", "does not say", "doesn't say", "don't say", "not mentioned", "no mention", "not mention", "not specified", "not specify",
    "not provided", "not provide", "no information", "not stated", "not state", "not given", "do not know", "don't know", "cannot be determined",
    "not known", "not possible to", "unknown", "not contain", "cannot answer", "can't answer", "not explicitly", "not included", "not include",
)  # fmt: skip


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """`facts`: for each fact its spellings. Questions of one `thread` follow one another."""

    id: str
    kind: Literal["single", "two", "none", "follow"]
    ask: str
    facts: list[list[str]]
    thread: str = ""

    @property
    def is_calibration(self) -> bool:
        """Whether it is of the half on which the thresholds of the image were set."""
        return int(self.id.lstrip("q")) % 2 == 0


def read(path: Path = QUESTIONS) -> list[Question]:
    return [msgspec.json.decode(line, type=Question) for line in path.read_bytes().splitlines()]


def words(text: str) -> list[str]:
    """A text as it is compared: folded, without accents, with numbers as digits."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    found = _TOKEN.findall("".join(letter for letter in folded if not unicodedata.combining(letter)))
    return [_number(_NUMBERS.get(word, word)) for word in found]


def _number(word: str) -> str:
    if _THOUSANDS.match(word):
        return word.replace(",", "")
    if re.fullmatch(r"\d+\.\d+", word):
        return word.rstrip("0").rstrip(".")
    return word


def is_refusal(text: str) -> bool:
    """Whether a text says, in whichever words, that it is not to be known."""
    said = " ".join(text.casefold().replace("\u2019", "'").split())
    return any(phrase in said for phrase in _REFUSALS)


def has(text: str, spelling: str) -> bool:
    """Whether the words of `spelling` follow one another in the text."""
    return f" {' '.join(words(spelling))} " in f" {' '.join(words(text))} "


def is_right(question: Question, answer: str) -> bool:
    if question.kind == "none":
        return is_refusal(answer)
    return all(any(has(answer, spelling) for spelling in fact) for fact in question.facts)
