"""What a mandate was told: the prompts and seeds of the texts that were drawn for it, and the passages that memory found.

The journal keeps replies, and of what was asked only the digest of all of it, which is the reply's key. So the thought is thought
again (`rethinking`): what it asks, and the journal has a reply to, is what was asked then, to the byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from actors.orchestrator.journal.journal import MandateRow
from actors.orchestrator.reasons.replaying import Asked
from actors.orchestrator.reasons.rethinking import Rethinking
from protocol.errors import BatosError
from protocol.messages import Found, Infer, Inferred, Row, Search
from protocol.messages.reasons import DrawnTexts, ToldPassage

MOST_PROMPT: Final = 20_000
MOST_PASSAGE: Final = 500
"""Characters that are told."""
MOST_TEXTS: Final = 100
MOST_PASSAGES: Final = 200


class Heard(msgspec.Struct, frozen=True):
    """What a mandate was told, or a cycle of it, in the moment `read`; `missing` says why that is not known, where it is not."""

    texts: list[DrawnTexts] = []
    passages: list[ToldPassage] = []
    missing: list[str] = []
    read: str | None = None


async def heard(rethinking: Rethinking, row: MandateRow, within: Within | None = None) -> Heard:
    """All that a mandate was told, each time that it was thought, or what was told within a cycle of it."""
    asked: list[Asked] = []
    missing: list[str] = []
    read = row.read
    cycles: list[str | None] = [*await rethinking.waited(row), None] if within is None else [within.cycle]
    for cycle in cycles:
        try:
            found = await rethinking.think(row, cycle=cycle)
        except BatosError as error:
            if error.is_away or error.code == "CANCELLED":
                raise
            missing.append(f"the prompts and the passages: {error.code}: {error.message}")
            continue
        read = found.row.read
        asked += [one for one in found.asked if within is None or within.has(one)]
        if found.stopped is not None:
            missing.append(f"what follows {found.stopped.path}: it asks {found.stopped.now}")
    texts, passages = _texts(asked)[:MOST_TEXTS], _passages(asked)[:MOST_PASSAGES]
    return Heard(texts=texts, passages=passages, missing=missing, read=read)


class Within(msgspec.Struct, frozen=True):
    """A cycle, its place in the trace, and the places of cycles that it has caused."""

    cycle: str
    path: str
    nested: Sequence[str]

    def has(self, one: Asked) -> bool:
        """Whether something was asked in the cycle itself. Texts that several lanes share are those of each that draws."""
        if one.ask.drawing is not None and one.ask.drawing.cycle == self.cycle:
            return True
        path = one.ask.path
        return _is_in(path, self.path) and not any(_is_in(path, nested) for nested in self.nested)


def _is_in(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}.")


def _texts(asked: Iterable[Asked]) -> list[DrawnTexts]:
    found: list[DrawnTexts] = []
    for one in asked:
        if not (isinstance(one.ask.request, Infer) and isinstance(one.reply, Inferred)):
            continue
        rows = one.ask.request.rows
        groups: dict[tuple[str, str | None], list[int]] = {}
        for number, row in enumerate(rows):
            groups.setdefault((_prompt(row), row.expert), []).append(number)
        for (prompt, expert), numbers in groups.items():
            replies = one.reply.rows
            found.append(
                DrawnTexts(
                    path=one.ask.path,
                    prompt=prompt[:MOST_PROMPT],
                    prompt_sha256=hashlib.sha256(prompt.encode()).hexdigest(),
                    seeds=[rows[number].seed for number in numbers],
                    temperatures=[rows[number].sampling.temperature for number in numbers],
                    tokens=sum(replies[number].tokens for number in numbers if number < len(replies)),
                    model=one.reply.model,
                    expert=expert,
                    reply=one.key,
                )
            )
    return found


def _prompt(row: Row) -> str:
    """All turns, as a person reads them."""
    return row.prompt or "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in row.turns)


def _passages(asked: Iterable[Asked]) -> list[ToldPassage]:
    """Each passage once, with the first query that found it. What memory knows of methods is told elsewhere."""
    found: dict[str, ToldPassage] = {}
    for one in asked:
        if not (isinstance(one.ask.request, Search) and isinstance(one.reply, Found)):
            continue
        for hit in one.reply.hits:
            if hit.metadata.get("kind") != "method":
                told = ToldPassage(
                    doc_id=hit.doc_id,
                    chunk_index=hit.chunk_index,
                    chunk_oid=hit.chunk_oid,
                    score=hit.score,
                    query=one.ask.request.query,
                    text=hit.text[:MOST_PASSAGE],
                )
                found.setdefault(hit.chunk_oid, told)
    return list(found.values())
