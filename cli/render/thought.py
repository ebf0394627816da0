"""Thinking, as text for a person: what is told on the way, a cycle's story, an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cli.calls.asking import Answer, Citation
from cli.console import Invocation
from cli.live import Doing, cut
from cli.render import learned as render_learned
from cli.render.render import table
from cli.values import printable, shown
from protocol.messages import Cancelled, CodexReply, CycleStory, CycleSummary, Event, Step, Watched

WIDTH: Final = 80
_CANDIDATE: Final = 100
"""Characters of a candidate on its line while it is told; `batos cycle show` has all of it."""
ID: Final = 12
"""Characters of an id in a list: enough to be the only one that begins so."""

_DOING: Final = {
    "IDLE": "takes up the mission",
    "DECOMPOSING": "recalls, and divides the mission",
    "DELEGATING": "asks the facets",
    "SYNTHESIZING": "makes one of it",
    "COMPLETE": "is done",
    "FAILED": "has failed",
}
_LANES: Final = {
    "plain": ", in the base model's words",
    "woven": ", woven of all lanes",
    "facets": ", in the facets' words",
    "passages": ", in the passages' own words",
}
_TOGETHER: Final = {"trial": "judges and tries the methods"}


def event(found: Event) -> str:
    """One line of progress: the state that is reached, the candidate that was judged; "" for what is too small to tell."""
    match found.event:
        case "judged":
            return "  " + candidate(found.detail)
        case "drawing":
            return "  " + _drawing(found.detail)
        case "joined":
            return f"  mandate {found.detail['mandate']} is at this already, waiting for it"
        case "sent" | "piece" | "progress":
            return ""
        case _:
            return "  " + (found.state or found.event)


def telling(invocation: Invocation) -> Callable[[Event], None]:
    """Tells a mandate's events: a line for each that is worth one, and what is done meanwhile."""
    return lambda found: invocation.event(found, event(found), doing(found))


def doing(found: Event) -> Doing | None:
    """What a mandate does from this event on, in plain words; None where that is as before."""
    detail = found.detail
    match found.event:
        case "accepted":
            return Doing("is accepted, and waits for its turn")
        case "state":
            return Doing(_DOING.get(found.state or "", found.state or ""))
        case "joined":
            return Doing("waits for another mandate, which is at this already")
        case "drawing":
            return Doing(_writing(detail))
        case "judged":
            return Doing("tries the candidates")
        case "progress":
            return Doing(_TOGETHER.get(str(detail["what"]), str(detail["what"])), detail["done"], detail["of"])
        case "piece" if detail.get("voice"):
            return Doing(f"{printable(str(detail['voice']))} speaks")
    return None


def _writing(detail: Mapping[str, Any]) -> str:
    rows = "1 row" if detail.get("rows") == 1 else f"{detail['rows']} rows" if "rows" in detail else ""
    pace = f"{detail['tokens_per_s']:.3g} tokens/s" if detail.get("tokens_per_s") else ""
    what = "tries the forms of methods" if detail.get("round") == 0 else "writes candidates"
    told = ", ".join(part for part in (rows, pace) if part)
    return f"{what}: {told}" if told else what


def _drawing(detail: Mapping[str, Any]) -> str:
    """`round 2: 4 rows, open form, 12.5 tokens/s; 9000 tokens and 170 s are left`, as far as it is told."""
    told = [f"{detail['rows']} rows" if detail.get("rows") != 1 else "1 row"] if "rows" in detail else []
    told += [f"{printable(str(detail['form']))} form"] if detail.get("form") else []
    told += [f"{detail['tokens_per_s']:.3g} tokens/s"] if detail.get("tokens_per_s") else []
    left = [f"{detail['tokens_left']} tokens"] if detail.get("tokens_left") is not None else []
    left += [f"{detail['seconds_left']:.0f} s"] if detail.get("seconds_left") is not None else []
    what = "finding the form that suits the model" if detail.get("round") == 0 else f"round {detail.get('round', '?')}"
    return f"{what}: {', '.join(told)}" + (f"; {' and '.join(left)} are left" if left else "")


def candidate(judged: Mapping[str, Any]) -> str:
    """A candidate method on one line, and what speaks against it."""
    _, _, body = str(judged.get("source", "")).partition("\n")
    told = printable("; ".join(line.strip() for line in body.splitlines()))
    if len(told) > _CANDIDATE:
        told = told[: _CANDIDATE - 1] + "…"
    problem = printable(str(judged.get("problem", "")))
    return f"  {told}    # {problem}" if problem else f"  {told}    # passed"


def cycles(found: Sequence[CycleSummary]) -> str:
    if not found:
        return "no cycles yet"
    now = time.time()
    rows = [(one.cycle[:ID], one.state, "", age(now - one.started), f"{one.seconds:.1f} s") for one in found]
    room = WIDTH - max(map(len, table(("cycle", "state", "", "age", "took"), rows).split("\n")))
    rows = [(*row[:2], cut(message(one), room), *row[3:]) for one, row in zip(found, rows, strict=True)]
    return table(("cycle", "state", "message", "age", "took"), rows)


def message(one: CycleSummary | CycleStory) -> str:
    """What a cycle is for: `box area_`, or the question."""
    asked = " ".join(one.question.split())
    return printable(by(one.asked_by) + (f"“{asked}”" if asked else f"{one.name or one.target} {one.selector}"))


def by(asked_by: str) -> str:
    """Who has asked for it, where that is another than the user of the home: `by mcp:claude-code: `."""
    return f"by {asked_by}: " if asked_by and not asked_by.startswith("user:") else ""


def age(seconds: float) -> str:
    """How long ago, as it is said: `40 s`, `5 min`, `3 h`, `12 d`."""
    whole = max(0, int(seconds))
    for most, each, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if whole < most:
            return f"{whole // each} {unit}"
    return f"{whole // 86_400} d"


def story(found: CycleStory) -> str:
    """A cycle from its beginning to its end: each state, each send in it, the verdicts, and how it ended."""
    lines = [f"cycle {found.cycle}, mandate {found.mandate}", message(found)]
    for stay in found.states:
        lines.append(f"{stay.state}  {stay.seconds:.2f} s")
        lines += _sends([step for step in found.steps if step.state == stay.state])
        if stay.state == "SYNTHESIZING":
            lines += [line for verdict in found.verdicts for line in _whole(verdict)]
    lines += _sends([step for step in found.steps if step.state not in {stay.state for stay in found.states}])
    lines += [f"  caused cycle {cycle}" for cycle in found.caused]
    tokens = sum(step.tokens for step in found.steps if step.path.count(".") == _top(found.steps))
    lines.append(f"{found.state} after {found.seconds:.1f} s, {tokens} tokens")
    if found.is_expired:
        lines.append(
            "  EXPIRED: its message, its end and its candidates' sources are kept no longer (`keep` in batos.toml)"
        )
    if found.error is not None:
        lines.append(f"  {found.error.code}: {printable(found.error.message)}")
    return "\n".join(lines)


def _whole(verdict: Mapping[str, Any]) -> list[str]:
    """A candidate with all of its source, what speaks against it, and a mark on the one that the cycle has come to."""
    mark = "*" if verdict.get("chosen") else " "
    end = "installed" if verdict.get("installed") else "chosen, not installed" if verdict.get("chosen") else "passed"
    said = printable(str(verdict.get("problem", ""))) or end
    lines = printable(str(verdict.get("source", "")).rstrip("\n")).split("\n")
    if len(lines) == 2 and len(lines[1]) <= _CANDIDATE:
        return [f"  {mark} {lines[1].strip()}    # {said}"]
    return [f"  {mark} # {said}", *(f"      {line}" for line in lines)]


def _top(steps: Sequence[Step]) -> int:
    """How deep the sends of the states themselves stand; what is deeper is counted in them."""
    return min((step.path.count(".") for step in steps), default=0)


def _sends(steps: Sequence[Step]) -> list[str]:
    rows = [
        (
            "  " * (step.path.count(".") - _top(steps)) + printable(step.send),
            f"{step.seconds:.2f} s",
            f"{step.size} bytes",
            f"{step.tokens} tokens" if step.tokens else "",
        )
        for step in steps
    ]
    return [table((), rows)] if rows else []


class Follower:
    """What is said while a question is thought about. The answer's own text goes to `write` as it grows.

    Facets speak at once, so each is told when all have spoken; the answer is one text, told piece by piece. A text that
    had to be generated again begins at 0 again.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self.written = ""
        self._write = write
        self._is_open = False
        self._cycle: str | None = None
        self._speaking: dict[int, tuple[str, str]] = {}
        self._said: list[tuple[str, str]] = []

    def tell(self, found: Event) -> str:
        """The line of progress for an event, or "" for none."""
        if found.event == "piece":
            self._grow(found)
            return ""
        if found.event == "sent":
            self._settle(found)
        line = self._state(found) if found.event == "state" else event(found)
        if line:
            self.rest()
        return line

    def rest(self) -> None:
        """End the line on which the answer stands, where there is one: something else comes next."""
        if self._is_open:
            self._write("\n")
            self._is_open = False

    def _state(self, found: Event) -> str:
        self._cycle = self._cycle or found.cycle
        lines = []
        if found.cycle == self._cycle and found.state == "SYNTHESIZING":
            spoken = [*self._said, *self._speaking.values()]
            lines = [f"    {voice}: {printable(text.strip())}" for voice, text in spoken]
            self._said, self._speaking = [], {}
        indent = "  " if found.cycle == self._cycle else "    a facet's own cycle "
        return "\n".join([*lines, f"{indent}{_DOING.get(found.state or '', found.state or '')}"])

    def _settle(self, found: Event) -> None:
        """A facet has its text, so the batch of the texts that grew is whole; the next batch counts its rows anew."""
        if found.state == "DELEGATING" and found.cycle == self._cycle and found.detail.get("send") == "infer_":
            self._said += self._speaking.values()
            self._speaking = {}

    def _grow(self, found: Event) -> None:
        row, at, text = found.detail["row"], found.detail["at"], found.detail["text"]
        if found.state == "DELEGATING":
            _, said = self._speaking.get(row, ("", ""))
            self._speaking[row] = (str(found.detail["voice"]), said[:at] + text)
        elif found.state == "SYNTHESIZING" and found.cycle == self._cycle:
            if at < len(self.written):
                self.rest()
            self.written = self.written[:at] + text
            self._is_open = True
            self._write(printable(text))


def about(found: Answer) -> str:
    """Where an answer comes from: the facets that spoke, and the passages that were known."""
    if found.state == "accepted":
        return f"mandate {found.mandate} is accepted and goes on by itself"
    if found.proposal is not None:
        return "a facet waits for your word, and the question with it"
    if found.bypassed:
        return "a simple question: answered at once by the base model, without a cycle"
    way = f", the {found.way} way" if found.way else ""
    lines = [f"cycle {found.cycle}, {found.seconds:.1f} s{way}{_LANES.get(found.lane or '', '')}"]
    rows = [
        (f"{part.persona} {part.facet}", part.expert or "base model", printable(part.query)) for part in found.facets
    ]
    if rows:
        lines.append(table(("facet", "voice", "was asked"), rows))
    lines += [f"  dropped: {printable(each.lane)}: {printable(each.why)}" for each in found.dropped]
    if found.unknown:
        lines.append(f"  in no passage: {printable(', '.join(found.unknown))}")
    lines += [f"  source: {_source(each)}" for each in found.sources]
    return "\n".join(lines)


def _source(each: Mapping[str, Any]) -> str:
    """A passage; what the mind has said itself is told with the cycle that it came from."""
    metadata = each.get("metadata") or {}
    said = (
        f", an answer of cycle {printable(str(metadata.get('cycle', '?')))}" if metadata.get("kind") == "answer" else ""
    )
    return f"{printable(str(each['doc_id']))} #{each['chunk_index']}{said}"


def answer(found: Answer) -> str:
    """The answer with a mark at each sentence, and beneath it where that stands; `[?]` marks what no passage supports."""
    if found.answer is None:
        return found.proposal or found.mandate
    text, numbers = found.answer, _numbers(found)
    for citation in sorted(found.citations, key=lambda each: -each.to):
        mark = f"[{numbers[_place(citation)]}]" if citation.supported else "[?]"
        text = f"{text[: citation.to]} {mark}{text[citation.to :]}"
    beneath = places(found)
    return printable(text) + (f"\n\n{beneath}" if beneath else "")


def places(found: Answer) -> str:
    """Where the sentences of an answer stand, by their marks."""
    lines = [
        f"[{number}] {printable(doc_id or '')} #{index}, characters {start} to {end}"
        for (doc_id, index, start, end), number in _numbers(found).items()
    ]
    if found.nearest is not None:
        near = found.nearest
        place = f"{printable(near.doc_id)} #{near.chunk_index}, characters {near.start} to {near.end}"
        lines.append(f"The nearest that stands there: “{printable(near.text)}”\n{place}")
    if any(not citation.supported for citation in found.citations):
        lines.append("[?] no passage supports this")
    return "\n".join(lines)


_Place = tuple[str | None, int | None, int | None, int | None]


def _place(citation: Citation) -> _Place:
    return citation.doc_id, citation.chunk_index, citation.start, citation.end


def _numbers(found: Answer) -> dict[_Place, int]:
    """The places in the order of the sentences, numbered from 1."""
    supported = [_place(citation) for citation in found.citations if citation.supported]
    return {place: number for number, place in enumerate(dict.fromkeys(supported), 1)}


def watched(found: Watched) -> str:
    """The result, as who asked would have seen it, or how it ended without one."""
    if found.state == "COMPLETE" and found.learned is not None and not found.is_sent:
        return render_learned.watched(found.learned)
    if found.state == "COMPLETE":
        is_answer = isinstance(found.result, dict) and isinstance(found.result.get("answer"), str)
        return printable(found.result["answer"]) if is_answer else shown(found.result)
    if found.proposal is not None:
        return f"mandate {found.mandate} waits for your word: batos proposals {found.proposal}"
    return f"mandate {found.mandate}: {found.state}" + (f" ({found.error.message})" if found.error else "")


def cancelled(found: Cancelled) -> str:
    if found.cancelled:
        return f"mandate {found.mandate} is cancelled"
    return f"mandate {found.mandate} had ended before: {found.state}; nothing has changed"


def codex(found: CodexReply) -> str:
    lines = [f"the codex has {len(found.personas)} personas: {', '.join(found.personas)}"]
    lines += [f"  {facet} will be written again when it is needed" for facet in found.forgotten]
    return "\n".join(lines if found.tid else [*lines, "nothing has changed"])
