"""Answers about documents, beside a plain prompt.

    python -m bench.asking [--model PATH] [--keep FOLDER] [--documents FOLDER --questions FILE] [--no-peer] [--json]

Ours is `ask` in a throw-away home that remembers the documents. The peer is one plain prompt over the same passages, to the same model
with the same limit of tokens, taking the likeliest token. What is right is told by rule (`bench.asking.rules`). What is measured is kept
in the folder, a line a question, so that a run that was ended goes on where it was; a thread is asked anew from its first question.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from ulid import ULID

from bench.asking.rules import DOCUMENTS, QUESTIONS, Question, is_refusal, is_right, read
from bench.claims import Claim, processor, report
from bus.client import Client
from cli import lifecycle
from protocol import verbs
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Cycles, Index, Infer, Mandate, New, Row, Sampling, Search, Turn

TOKENS: Final = 180
"""Of the peer's text: as many as the codex gives an answer."""
KNOWN: Final = 1600
"""Characters of passages in the peer's prompt."""
SECONDS: Final = 900.0


class Ours(msgspec.Struct, frozen=True):
    answer: str
    way: str
    lane: str
    refused: bool
    tokens: int
    seconds: float
    ending: str = "COMPLETE"


class Peer(msgspec.Struct, frozen=True):
    answer: str
    tokens: int
    seconds: float


class Measured(msgspec.Struct, frozen=True):
    id: str
    ours: Ours
    peer: Peer | None


class Asked:
    """One system that is asked, and what was said in its threads."""

    def __init__(self, bus: Client) -> None:
        self._bus = bus
        self._threads: dict[str, Ref] = {}
        self._said: dict[str, list[Turn]] = {}

    async def remember(self, documents: dict[str, str]) -> None:
        for doc_id, text in documents.items():
            request = Index(doc_id=doc_id, text=text, metadata={"kind": "document"})
            await self._bus.call(verbs.INDEX, request, seconds=120)

    async def ours(self, question: Question) -> tuple[Ours, list[str]]:
        """The answer, and the passages that it is from."""
        kwargs: dict[str, Any] = {}
        if question.thread:
            if question.thread not in self._threads:
                new = New(name=f"thread-{question.thread}", parent="thread_traits", slots={"turns": []})
                made = await self._bus.call(verbs.NEW, new, seconds=30, idem=str(ULID()))
                self._threads[question.thread] = Ref(made.oid)
            kwargs["thread"] = self._threads[question.thread]
        mandate = Mandate(
            target="orchestrator_obj", selector="ask_", args=[question.ask], kwargs=kwargs, seconds=SECONDS
        )
        began = time.monotonic()
        try:
            reply = await self._bus.call(verbs.MANDATE, mandate, seconds=SECONDS + 5, idem=str(ULID()))
        except BatosError as error:
            return Ours("", "", "", False, 0, time.monotonic() - began, error.code), []
        seconds = time.monotonic() - began
        found: Any = reply.result
        tokens = 0
        if reply.cycle is not None:
            story = (await self._bus.call(verbs.CYCLES, Cycles(id=reply.cycle), seconds=30)).story
            tokens = sum(step.tokens for step in story.steps if step.send == "infer_") if story is not None else 0
        mine = Ours(
            found["answer"],
            found.get("way") or "",
            found.get("lane") or "",
            bool(found.get("refused")),
            tokens,
            seconds,
        )
        return mine, [source["text"] for source in found["sources"]]

    async def peer(self, question: Question, passages: Sequence[str]) -> Peer:
        """The plain prompt: passages, nearest first, and the question; in a thread after what was said in it."""
        if not passages:
            hits = (await self._bus.call(verbs.SEARCH, Search(query=question.ask, top_k=4), seconds=60)).hits
            passages = [hit.text for hit in hits if hit.metadata.get("kind") == "document"]
        known = ""
        for passage in passages[:4]:
            if len(known) + len(passage) < KNOWN:
                known += passage.strip() + "\n\n"
        said = self._said.setdefault(question.thread, []) if question.thread else []
        prompt = f"What is known:\n{known}Question: {question.ask}" if known else question.ask
        row = Row(
            turns=[*said[-4:], Turn(role="user", content=prompt)],
            sampling=Sampling(temperature=0.0, top_p=1.0),
            max_tokens=TOKENS,
        )
        began = time.monotonic()
        text = (await self._bus.call(verbs.INFER, Infer(rows=[row]), seconds=SECONDS)).rows[0]
        said += [Turn(role="user", content=question.ask), Turn(role="assistant", content=text.text)]
        return Peer(text.text, text.tokens, time.monotonic() - began)


async def measure(options: argparse.Namespace, questions: list[Question], kept: Path) -> list[Measured]:
    """Every question by ours, then by the peer, in a home that is thrown away, by SIGTERM too."""
    done = {one.id: one for one in _read(kept)}
    whole = {question.thread for question in questions if question.thread and question.id not in done}
    done = {
        question.id: done[question.id] for question in questions if question.id in done and question.thread not in whole
    }
    running = asyncio.current_task()
    assert running is not None
    if len(done) < len(questions):
        folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
        home = Home(folder / "home")
        home.root.mkdir()
        (home.root / "batos.toml").write_text(f"[inference]\nmodel = {json.dumps(options.model)}\n")
        try:
            await lifecycle.up(home, lambda line: print(line, file=sys.stderr))
            # Starting, it minds SIGTERM by itself.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
            async with Client(home.bus, "bench") as bus:
                await _ask_all(Asked(bus), options, questions, done, kept)
        finally:
            await lifecycle.down(home, lambda line: print(line, file=sys.stderr))
            shutil.rmtree(folder, ignore_errors=True)
    return [done[question.id] for question in questions]


async def _ask_all(
    asked: Asked, options: argparse.Namespace, questions: list[Question], done: dict[str, Measured], kept: Path
) -> None:
    await asked.remember(options.texts)
    for question in questions:
        if question.id not in done:
            mine, passages = await asked.ours(question)
            theirs = None if options.no_peer else await asked.peer(question, passages)
            done[question.id] = Measured(question.id, mine, theirs)
            with kept.open("ab") as file:
                file.write(msgspec.json.encode(done[question.id]) + b"\n")
        print(_line(question, done[question.id]), flush=True)


def _read(kept: Path) -> list[Measured]:
    return (
        [msgspec.json.decode(line, type=Measured) for line in kept.read_bytes().splitlines()] if kept.exists() else []
    )


def _line(question: Question, one: Measured) -> str:
    mine, theirs = one.ours, one.peer
    verdict = (
        "right" if right(question, one) else "refused" if mine.refused else mine.ending if not mine.answer else "wrong"
    )
    peer = (
        ""
        if theirs is None
        else f" | peer {'right' if is_right(question, theirs.answer) else 'wrong'} {theirs.tokens} {theirs.seconds:.1f} s"
    )
    return f"{one.id} {question.kind:6} {mine.way:5} {mine.lane[:18]:18} {verdict:8} {mine.tokens:4} tokens {mine.seconds:5.1f} s{peer}"


def right(question: Question, one: Measured) -> bool:
    """Whether ours is right; what is refused is right only where nothing is to be found."""
    mine = one.ours
    return (
        mine.refused or is_refusal(mine.answer)
        if question.kind == "none"
        else not mine.refused and is_right(question, mine.answer)
    )


def claims_of(questions: Sequence[Question], results: Sequence[Measured]) -> list[Claim]:
    """What the results come to."""
    pairs = list(zip(questions, results, strict=True))
    claims = [
        _accuracy("right, all questions", pairs, lambda _: True, "at least the plain prompt", 0.0),
        _accuracy(
            "right, two parts", pairs, lambda question: question.kind == "two", "10 points over the plain prompt", 0.1
        ),
        _accuracy(
            "right, one fact", pairs, lambda question: question.kind == "single", "at least the plain prompt", 0.0
        ),
        _accuracy(
            "right, follow-ups in threads",
            pairs,
            lambda question: question.kind == "follow",
            "at least the plain prompt",
            0.0,
        ),
    ]
    for name, is_half in (("calibrated", True), ("other", False)):
        half = [(question, one) for question, one in pairs if question.is_calibration is is_half]
        refused = [(question, one) for question, one in half if question.kind == "none"]
        claims.append(_accuracy(f"unanswerable, refused, {name} half", refused, lambda _: True, "at least 80 %", None))
        answerable = [(question, one) for question, one in half if question.kind != "none"]
        lost = sum(one.ours.refused for _, one in answerable)
        claims.append(Claim(f"answerable, refused, {name} half", lost, {}, f"of {len(answerable)}", "printed", True))
    for way in ("plain", "deep"):
        taken = [(question, one) for question, one in pairs if one.ours.way == way and not one.ours.refused]
        claims.append(
            _accuracy(
                f"right, {way} way ({len(taken)} of {len(pairs)} questions)", taken, lambda _: True, "printed", None
            )
        )
    return [*claims, *_lanes(pairs), *_costs(results)]


Pairs = Sequence[tuple[Question, Measured]]


def _accuracy(name: str, pairs: Pairs, which: Callable[[Question], bool], target: str, ahead: float | None) -> Claim:
    """How many are right, beside the peer; the paired difference stands in the name."""
    chosen = [(question, one) for question, one in pairs if which(question)]
    mine = [right(question, one) for question, one in chosen]
    theirs = [is_right(question, one.peer.answer) for question, one in chosen if one.peer is not None]
    number = max(1, len(chosen))
    peers = {"plain prompt": float(sum(theirs))} if theirs else {}
    if theirs and len(theirs) == len(mine):
        won = sum(own and not other for own, other in zip(mine, theirs, strict=True))
        lost = sum(other and not own for own, other in zip(mine, theirs, strict=True))
        name += f", {won} won and {lost} lost"
    if ahead is None:
        ok = target == "printed" or sum(mine) >= 0.8 * len(chosen)
    else:
        ok = not theirs or (sum(mine) - sum(theirs)) / number >= ahead
    return Claim(name, float(sum(mine)), peers, f"of {len(chosen)}", target, ok)


def _lanes(pairs: Pairs) -> list[Claim]:
    """Whose words are given, and how often they are right."""
    lanes = sorted({one.ours.lane.split(" ")[0] for _, one in pairs if one.ours.lane})
    claims = []
    for lane in lanes:
        given = [(question, one) for question, one in pairs if one.ours.lane.split(" ")[0] == lane]
        sound = sum(right(question, one) for question, one in given)
        claims.append(Claim(f"right where the words are of: {lane}", sound, {}, f"of {len(given)}", "printed", True))
    return claims


def _costs(results: Sequence[Measured]) -> list[Claim]:
    claims = []
    peers = [one.peer for one in results if one.peer is not None]
    for way in ("plain", "deep"):
        taken = [one for one in results if one.ours.way == way and not one.ours.refused]
        beside = [one.peer for one in taken if one.peer is not None]
        for unit, of_mine, of_peer in (
            ("tokens", [float(one.ours.tokens) for one in taken], [float(peer.tokens) for peer in beside]),
            ("s", [one.ours.seconds for one in taken], [peer.seconds for peer in beside]),
        ):
            theirs = {"plain prompt": round(statistics.mean(of_peer), 1)} if of_peer else {}
            mean = round(statistics.mean(of_mine or [0.0]), 1)
            claims.append(Claim(f"{way} way, mean of a question", mean, theirs, unit, "printed", True))
    spent = sum(one.ours.tokens for one in results)
    claims.append(
        Claim(
            "all tokens",
            spent,
            {"plain prompt": sum(peer.tokens for peer in peers)} if peers else {},
            "tokens",
            "printed",
            True,
        )
    )
    return claims


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.asking", description=__doc__)
    parser.add_argument(
        "--model", default="", help="a GGUF file or a Hugging Face folder (default: the embedded model)"
    )
    parser.add_argument("--documents", type=Path, default=DOCUMENTS, help="a folder of texts")
    parser.add_argument("--questions", type=Path, default=QUESTIONS, help="JSONL as in bench/asking/questions.jsonl")
    parser.add_argument("--keep", type=Path, help="a folder for what is measured (default: one that is thrown away)")
    parser.add_argument("--first", type=int, help="the first so many questions only")
    parser.add_argument("--no-peer", action="store_true", help="measure ours alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    questions = read(options.questions)[: options.first]
    options.texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(options.documents.iterdir())}
    with tempfile.TemporaryDirectory() as passing:
        folder: Path = options.keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"asking-{Path(options.model).stem or 'embedded'}.jsonl"
        results = asyncio.run(measure(options, questions, kept))
    print(f"{options.questions.name}, {Path(options.model).stem or 'embedded'}")
    report("asking", claims_of(questions, results), device=processor(), as_json=options.json)


if __name__ == "__main__":
    main()
