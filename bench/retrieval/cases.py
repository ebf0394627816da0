"""The small cases: some documents of a sentence each, a question, and which of them has to come first.

A file has a line of JSON a case. What is no case of finding (a file to be read, a cost) is counted and left out.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from actors.memory.reader import PassageReader
from bench.claims import Claim
from bench.retrieval.ours import best_of, ours

_FORM: Final = re.compile(r"docs (?P<docs>\{.*\}) query (?P<query>'.*'|\".*\")", re.DOTALL)
_FIRST: Final = re.compile(r"(\w+) first\b")
UNPROMISED: Final = "not promised"


class Case(NamedTuple):
    """`first` is the document that has to come first."""

    id: str
    documents: dict[str, str]
    query: str
    first: str
    is_promised: bool


def read_case(line: str) -> Case | None:
    """The case of this line; None where it is about something else than finding."""
    told = json.loads(line)
    form, first = _FORM.fullmatch(told["input"]), _FIRST.match(told["expected"])
    if form is None or first is None:
        return None
    documents = ast.literal_eval(form["docs"])
    query = ast.literal_eval(form["query"])
    return Case(told["id"], documents, query, first[1], UNPROMISED not in told["expected"])


async def claim(name: str, lines: Sequence[str], maker: PassageReader) -> Claim:
    """How many of the promised cases memory finds; which ones it does not is said."""
    cases = [case for line in lines if (case := read_case(line))]
    missed = [case for case in cases if await _first(case, maker) != case.first]
    promised = sum(case.is_promised for case in cases)
    owed = [case.id for case in missed if case.is_promised]
    print(f"{name}: {len(cases)} of {len(lines)} are about finding; missed: {_named(missed)}")
    return Claim(
        id=f"{name}, promised",
        ours=promised - len(owed),
        peers={"of": promised},
        unit="cases",
        target=">= 0.9 of them",
        ok=promised - len(owed) >= 0.9 * promised,
    )


async def _first(case: Case, maker: PassageReader) -> str:
    names, texts = list(case.documents), list(case.documents.values())
    owner = np.arange(len(texts))
    vectors = await maker.vectors([*texts, case.query], lambda: False)
    scores = ours(texts, vectors[:-1], owner)(case.query, vectors[-1])
    return names[int(best_of(scores, owner, len(names)).argmax())]


def _named(missed: list[Case]) -> str:
    return ", ".join(each.id + ("" if each.is_promised else f" ({UNPROMISED})") for each in missed) or "none"
