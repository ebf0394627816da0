"""What was remembered and forgotten, and what is there, as text at 80 columns."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Final

from cli.calls.documents.deriving import Forgotten
from cli.calls.documents.outcomes import Forecast, Forgetting, Memories, RefusedFile, Remembered
from cli.calls.documents.remembering import Stage
from cli.calls.documents.wholes import WholeDocument
from cli.live import Doing
from cli.values import printable
from protocol.messages import DerivedMethod, Lineage

EACH: Final = 20
"""So many documents are named, each with its passages; of more there are counts."""
NAMED: Final = 10
"""Files that are named of those which are refused for one reason; `--json` has all."""
INDENT: Final = 36
"""Where the id of a document begins in a list."""
UNTIL_PACK: Final = "The world's history has it: `batos pack --purge` takes it out of that too."


class Lines:
    """What is told on the way where no line lives: each document of a few, a line for each twentieth of many."""

    def __init__(self) -> None:
        self._told: tuple[str, int] | None = None

    def line(self, stage: Stage) -> str:
        if stage.of > 1 and stage.sentences is None:
            reached = ("", 20 * stage.done // stage.of if stage.of > EACH else stage.done)
            name = f": {printable(stage.doc_id)}" if stage.of <= EACH else ""
            text = f"  {stage.done:,} of {stage.of:,} files{name}"
        elif stage.of == 1 and stage.sentences is not None:
            found = stage.sentences
            reached = (found.doc_id, 10 * found.done // max(1, found.total))
            text = f"  {printable(found.doc_id)}: {found.done} of {found.total} sentences"
        else:
            return ""
        if reached == self._told:
            return ""
        self._told = reached
        return text


def doing(stage: Stage) -> Doing:
    """The line that lives: files where there are several, else the sentences of the one."""
    name = printable(os.path.basename(stage.doc_id))  # noqa: PTH119 - an id need be no path
    if stage.of > 1 or stage.sentences is None:
        return Doing(f"remembers {name}", stage.done, stage.of)
    part = stage.sentences.doc_id.removeprefix(stage.doc_id).removeprefix("//")
    return Doing(f"remembers {name}{f', part {part}' if part else ''}", stage.sentences.done, stage.sentences.total)


def remembered(found: Memories) -> str:
    changed = [one for one in found.documents if one.change != "same"]
    lines: list[str] = []
    if len(found.documents) <= EACH:
        lines += [_remembered(one) for one in found.documents]
    else:
        lines += [_counts(found.documents)]
        lines += [f"  {printable(one.was)} → {printable(one.doc_id)}" for one in changed if one.was]
    lines += _notes(found.documents)
    lines += [f"{printable(one.doc_id)}  is forgotten, {passages(one.chunks)}" for one in found.forgotten[:EACH]]
    if len(found.forgotten) > EACH:
        lines.append(f"… {len(found.forgotten):,} documents are forgotten")
    if found.forgotten:
        lines.append(UNTIL_PACK)
    if found.documents and not changed and not found.forgotten:
        lines.append("all of it was remembered already")
    lines += refused(found.refused)
    return "\n".join(lines) or "there is nothing to remember"


def forecast(found: Forecast) -> str:
    """What would be done, a line for each file but for those that are the same."""
    rows = [
        f"{one.change:<8} {one.format:<9} {one.characters:>11,}  {printable(one.doc_id)}"
        + (f"  (was {printable(one.was)})" if one.was else "")
        for one in found.documents
        if one.change != "same"
    ]
    same = sum(one.change == "same" for one in found.documents)
    head = [f"{'':<8} {'read as':<9} {'characters':>11}"] if rows else []
    rest = [f"{same:,} are remembered already"] if same else []
    rest += [f"{'forget':<8} {printable(doc_id)}" for doc_id in found.forgets]
    notes = [f"  {printable(one.doc_id)}: {printable(note)}" for one in found.documents for note in one.notes]
    return "\n".join([*head, *rows, *rest, *notes, *refused(found.refused)]) or "there is nothing to remember"


def refused(found: Sequence[RefusedFile]) -> list[str]:
    """The files that are not remembered, by the reason, each reason with its next step."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in found:
        reasons.setdefault((one.message, one.hint), []).append(one.path)
    lines = [f"not remembered: {len(found):,}"] if found else []
    for (message, hint), paths in reasons.items():
        lines.append(f"  {printable(message)}")
        lines += [f"    {printable(' '.join(path.splitlines()))}" for path in paths[:NAMED]]
        lines += [f"    … and {len(paths) - NAMED:,} more"] if len(paths) > NAMED else []
        lines += [f"  → {printable(hint)}"] if hint else []
    return lines


def listed(found: Sequence[WholeDocument], others: int = 0) -> str:
    """A line for each document, and below it where it is from, where its name does not say so; `others` are not shown."""
    left = f"the mind has left {_documents(others)} of its own: --all" if others else ""
    if not found:
        nothing = "nothing like that is remembered; remember a file or a folder: batos remember PATH"
        return f"{nothing}\n{left}".rstrip()
    lines = [line for one in found for line in _listed(one)]
    chunks = sum(one.chunks for one in found)
    return "\n".join([*lines, f"{_documents(len(found))}, {passages(chunks)}", left]).rstrip()


def forgotten(gone: Forgotten) -> str:
    """One document, and what came of it."""
    lines = [
        f"{printable(gone.doc_id)} is forgotten, {passages(gone.chunks)}",
        *came_of(gone.derived, "came of it, and stay"),
    ]
    return "\n".join([*lines, UNTIL_PACK])


def came_of(derived: Lineage | None, what: str) -> list[str]:
    """What came of documents, a line each, under what is done with it."""
    if derived is None:
        return ["what came of it is not known while the orchestrator is away"]
    found = [
        *(f"  answer   {printable(doc_id)}" for doc_id in derived.answers),
        *(f"  method   {printable(one.name or one.oid)}.{one.selector}" + _version(one) for one in derived.methods),
        *(f"  proposal {id_}" for id_ in derived.proposals),
        *(f"  thread   {printable(one.name or one.oid)}, {one.turns} turns" for one in derived.threads),
    ]
    lines = [f"{len(found)} things that {what}:", *found[:EACH]] if found else []
    lines += [f"  … and {len(found) - EACH:,} more"] if len(found) > EACH else []
    if derived.unknown:
        lines.append(f"of {len(derived.unknown)} older ones nobody knows any more what they came of")
    return lines


def _version(method: DerivedMethod) -> str:
    return "" if method.stands else f" (an earlier version, {method.sha256[:12]})"


def forgetting(found: Forgetting) -> str:
    """What is forgotten, or would be."""
    if not found.documents:
        return "nothing like that is remembered"
    lines = [f"{printable(one.doc_id)}  {passages(one.chunks)}" for one in found.documents[:EACH]]
    lines += [f"… and {len(found.documents) - EACH:,} more"] if len(found.documents) > EACH else []
    chunks = passages(sum(one.chunks for one in found.documents))
    count = _documents(len(found.documents))
    if found.dry_run:
        return "\n".join([*lines, f"{count}, {chunks}, would be forgotten", *came_of(found.derived, "came of it")])
    went = "came of it, and are forgotten too" if found.derived_tid else "came of it, and stay"
    return "\n".join([*lines, f"{count}, {chunks}: forgotten", *came_of(found.derived, went), UNTIL_PACK])


def forgets(found: Sequence[WholeDocument]) -> str:
    """What a sync is about to forget."""
    lines = [f"  {printable(one.doc_id)}" for one in found[:NAMED]]
    lines += [f"  … and {len(found) - NAMED:,} more"] if len(found) > NAMED else []
    return "\n".join([f"{_documents(len(found))} of files that are gone, or have no text any more:", *lines])


def passages(number: int) -> str:
    return "1 passage" if number == 1 else f"{number:,} passages"


def _documents(number: int) -> str:
    return "1 document" if number == 1 else f"{number:,} documents"


def _remembered(one: Remembered) -> str:
    renamed = f"  (was {printable(one.was)})" if one.was else ""
    return f"{printable(one.doc_id)}  {passages(one.chunks)}{renamed}"


def _counts(found: Sequence[Remembered]) -> str:
    told = {change: sum(one.change == change for one in found) for change in ("new", "changed", "renamed", "same")}
    parts = [f"{number:,} {change}" for change, number in told.items() if number]
    return f"{_documents(len(found))}, {passages(sum(one.chunks for one in found))}: {', '.join(parts)}"


def _notes(found: Sequence[Remembered]) -> list[str]:
    notes = [f"  {printable(one.doc_id)}: {printable(note)}" for one in found for note in one.notes]
    return notes[:EACH] + ([f"  … and {len(notes) - EACH:,} more such"] if len(notes) > EACH else [])


def _listed(one: WholeDocument) -> list[str]:
    said = one.metadata
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created))
    kind = printable(str(said.get("format") or said.get("kind") or ""))
    source, *more = str(said.get("source") or "").splitlines() or [""]
    whence = [f"from {printable(source)}{' …' if more else ''}"] if source and source != one.doc_id else []
    whence += [f"cycle {printable(str(said['cycle']))}"] if said.get("cycle") else []
    lines = [f"{when}  {kind:<9} {one.chunks:>6,}  {printable(one.doc_id)}"]
    return [*lines, " " * INDENT + ", ".join(whence)] if whence else lines
