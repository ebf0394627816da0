"""Where something comes from, as text at 80 columns: what it is, what it came of, what was drawn and told, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from cli.render.past.lines import cut, when
from cli.render.past.log import changes
from cli.values import shown
from protocol.messages import Reasons
from protocol.messages.reasons import (
    Cause,
    DocumentReason,
    DrawnTexts,
    MandateReason,
    MethodReason,
    ToldPassage,
    UsedBy,
)

T = TypeVar("T")

HASH: Final = 12
MOST: Final = 8
"""Of each list so many are told; the rest is in --json."""
_WORD: Final = 11


def told(found: Reasons) -> str:
    """All of it, a thing a line."""
    lines: list[str] = []
    if found.method is not None:
        lines += _method(found.method)
    if found.mandate is not None:
        lines += _mandate(found.mandate, found.causes)
    if found.document is not None:
        lines += _document(found.document)
    if found.causes and found.mandate is None:
        lines += ["it came of", *_some(found.causes, _cause)]
    if found.texts:
        texts = sum(len(one.seeds) for one in found.texts)
        tokens = sum(one.tokens for one in found.texts)
        lines += [f"drawn: {_count(texts, 'text')}, {tokens} tokens (prompts: --json)", *_some(found.texts, _text)]
    if found.passages:
        lines += [f"told: {_count(len(found.passages), 'passage')}", *_some(found.passages, _passage)]
    lines += [line for told_not in found.missing for line in ("not known any more:", f"  {told_not}")]
    if found.used_by is not None:
        lines += _used_by(found.used_by)
    return "\n".join(cut(part) for line in lines for part in line.split("\n"))


def _method(one: MethodReason) -> Iterator[str]:
    head = f"{one.name}.{one.selector}({', '.join(one.parameters)})"
    yield head if one.stands else f"{head}, which stands no more"
    yield _line("sha256", one.sha256 or "none: it is done by the system itself")
    yield _line("since", f"{when(one.time)}, commit {one.tid}, version {one.versions}")
    yield _line("written by", _writer(one))
    if one.put_by not in {one.author, one.cycle}:
        yield _line("put by", f"{one.put_by}: {one.why}")
    if one.asked_by:
        yield _line("asked by", one.asked_by)
    if one.intent:
        yield _line("for", one.intent)
    if one.origin:
        yield _line("adopted", f"from {one.origin}")
    if one.model:
        yield _line("model", f"{one.model[:HASH]}{f', expert {one.expert[:HASH]}' if one.expert else ''}")
    if one.verdict != "primitive":
        tried = f", of {_count(one.candidates, 'candidate')}" if one.candidates else ""
        yield _line("verdict", f"{one.verdict}{tried}; it owes {_count(len(one.examples), 'example')}")
    for example in one.examples[:MOST]:
        yield _line("", shown(_asked(example)))
    if one.replaced:
        yield _line("replaced", f"{one.replaced[:HASH]}, which `batos history {one.name} {one.selector}` has")


def _writer(one: MethodReason) -> str:
    return (
        f"cycle {one.author}"
        if one.cycle
        else "the system, which the world began with"
        if one.author == "awakening"
        else one.author
    )


def _asked(example: object) -> object:
    if not isinstance(example, dict):
        return example
    return {part: value for part, value in example.items() if value and part not in {"objects", "replies"}}


def _mandate(one: MandateReason, causes: Sequence[Cause]) -> Iterator[str]:
    (asked, *_) = causes
    yield f"mandate {one.mandate}: {_said(asked)}"
    yield _line("asked by", f"{asked.asked_by}, {when(asked.time)}")
    if asked.intent:
        yield _line("for", asked.intent)
    if one.ending is not None:
        end = one.ending
        result = f"{end.code}: {end.message}" if end.code else shown(end.result)
        yield _line("ended", f"{end.state} {result}")
    for word, digest in one.digests.items():
        yield _line(word, f"sha256 {digest[:32]}…, of which no more is kept")
    if one.read:
        yield _line("read", f"the world after commit {one.read}")
    for cycle in one.cycles[:MOST]:
        yield _line("cycle", f"{cycle.cycle}: {cycle.said}, {cycle.state}")
    for method in one.wrote[:MOST]:
        put = "" if method.installed else ", which was not put there"
        yield _line("wrote", f"{method.name or method.oid}.{method.selector} ({method.sha256[:HASH]}){put}")
    if one.tid:
        yield _line("published", f"commit {one.tid}")
    yield from changes(one.changed)
    for doc_id in one.documents[:MOST]:
        yield _line("remembered", doc_id)


def _document(one: DocumentReason) -> Iterator[str]:
    yield f"document {one.doc_id}"
    yield _line("sha256", one.sha256)
    yield _line("remembered", f"{when(one.time)}, {_count(one.passages, 'passage')}")
    for key, value in one.metadata.items():
        if key not in {"sources", "source", "text"} or isinstance(value, str):
            yield _line(key, value.strip().split("\n")[0] if isinstance(value, str) else shown(value))
    for doc_id in one.sources[:MOST]:
        yield _line("made from", doc_id)
    if len(one.sources) > MOST:
        yield _line("", f"… and {len(one.sources) - MOST} more (--json)")


def _used_by(one: UsedBy) -> Iterator[str]:
    parts: list[tuple[str, Sequence[str]]] = [
        ("method", one.methods),
        ("mandate", [_answered(each) for each in one.mandates]),
        ("document", one.documents),
        ("proposal", one.proposals),
        ("thread", one.threads),
    ]
    if not any(found for _, found in parts):
        yield "nothing came of it, as far as is known"
    else:
        yield "what came of it"
    for word, found in parts:
        yield from (_line(word if number == 0 else "", each) for number, each in enumerate(found[:MOST]))
        if len(found) > MOST:
            yield _line("", f"… and {len(found) - MOST} more (--json)")
    if one.unknown:
        number = len(one.unknown)
        yield _line("not known", f"of {_count(number, 'other thing')} nobody can say any more what they came of")


def _cause(one: Cause) -> str:
    name = f"cycle {one.cycle}" if one.cycle else f"mandate {one.mandate}"
    by = f", by {one.asked_by}" if one.asked_by else ""
    return f"  {name}{by}, {one.state}\n    {_said(one)}"


def _answered(one: Cause) -> str:
    return f"{one.mandate} {_said(one)}"


def _said(one: Cause) -> str:
    return one.said or "what it asked for is not kept any more"


def _text(one: DrawnTexts) -> str:
    expert = f", expert {one.expert}" if one.expert else ""
    seeds = str(one.seeds[0]) if len(one.seeds) == 1 else f"{one.seeds[0]} to {one.seeds[-1]}"
    return f"  prompt {one.prompt_sha256[:HASH]}, seed {seeds}, model {one.model[:HASH]}{expert}"


def _passage(one: ToldPassage) -> str:
    text = " ".join(one.text.split())
    return f"  {one.doc_id} #{one.chunk_index}: {text}"


def _some(found: Sequence[T], line: Callable[[T], str]) -> list[str]:
    more = [f"  … and {len(found) - MOST} more (--json)"] if len(found) > MOST else []
    return [*(line(one) for one in found[:MOST]), *more]


def _line(word: str, text: str) -> str:
    return f"  {word:<{_WORD}} {text}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
