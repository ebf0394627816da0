"""The demo: the main jobs, a missing method and a question, in a world of its own that is thrown away afterwards.

Each step does what a person would do with the commands, on the real system, and looks at what came of it. Nothing is
prepared: what the model writes is written now, and another model or another seed writes another text.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from cli import lifecycle
from cli.calls import asking, experts, facts, guard, mandate, memory, objects, sending
from cli.calls.documents import planning, remembering
from cli.calls.documents.folders import Wanted
from cli.console import Invocation
from cli.render import experts as render_experts
from cli.render import render
from cli.render import thought as render_thought
from cli.stories import throwaway
from cli.stories.throwaway import expect, wrong
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Created, Event, ExpertView, Hit, Looked, MandateReply, Search

NOTE: Final = (
    "The embedded model has 135 million parameters and is not clever. It can write one line of arithmetic, and needs an "
    "example to be held to; it can fill in the form of a plan, and finish a facet's prompt. Asked a question, it mostly "
    "repeats what is remembered, and often misses the point, though its experts help it to find the line that was asked "
    "for. What is shown here is what stands around it: no method lands that fails its gate, an answer says which facets "
    "spoke, through which expert, and what it was based on, and nothing that was accepted is lost. Another model is one "
    "line of configuration."
)
WAIT_S: Final = 120.0
NEAR: Final = 10
"""Passages among which the answer must be when its own question is searched for."""

_BOX: Final = {"width": 5, "height": 6}
_CRATE: Final = {"width": 2, "height": 3, "depth": 4}
_UNSIGNALLED: Final = "def widen_(self, by):\n    self.width = self.width + by\n    return self.width\n"
_SIGNALLED: Final = (
    "def widen_(self, by):\n    self.width = self.width + by\n    self._p_changed = True\n    return self.width\n"
)


async def run(invocation: Invocation) -> dict[str, Any]:
    """Show all steps; `{"ok", "seconds", "steps", "note"}`. Whatever happens, nothing keeps running."""
    with throwaway.home() as home:
        return await _show(Demo(home, invocation))


class Demo:
    """The steps, in order; each gives what it saw in one sentence, or raises what went wrong."""

    def __init__(self, home: Home, invocation: Invocation) -> None:
        self.home = home
        self.tell = invocation.progress
        self.finished = invocation.event
        self.asked: asking.Answer | None = None

    @property
    def steps(self) -> list[Callable[[], Awaitable[str]]]:
        thinking = [self.synthesize, self.reuse, self.refuse, self.remember, self.ask, self.recall, self.swap]
        return [*thinking, self.crash, self.restart]

    async def synthesize(self) -> str:
        await self.create("box", _BOX)
        self.tell('$ batos send box area_ --example \'{"slots":{"width":3,"height":4},"args":[],"returns":12}\'')
        reply = await self.send("box", "area_", '{"slots":{"width":3,"height":4},"args":[],"returns":12}')
        expect(reply.result == 30, f"area_ of a box of 5 by 6 came out as {reply.result!r}, not 30")
        if not reply.synthesized or reply.method is None:
            raise wrong("the answer came without a synthesised method")
        found = await objects.source(self.home, "box", "area_")
        self.tell(_indented(render.source(found, terminal=True)))
        tries = render.attempts(reply.method.attempts)
        return f"box did not understand area_; after {tries} it has a method of its own, and answers 30"

    async def reuse(self) -> str:
        reply = await self.send("box", "area_")
        expect(reply.result == 30, f"area_ came out as {reply.result!r}, not 30")
        expect(reply.cycle is None and not reply.synthesized, f"it took another cycle, {reply.cycle}")
        return "the second area_ is answered by the method, without a cycle"

    async def refuse(self) -> str:
        before = await objects.look(self.home, "box")
        code, (line,) = await asyncio.to_thread(guard.judge, _UNSIGNALLED)
        expect(code == 4 and line["verdict"] == "reject", "a change of state without its signal was accepted")
        good, (other,) = await asyncio.to_thread(guard.judge, _SIGNALLED)
        expect(good == 0 and other["verdict"] == "accept", "the same method with its signal was refused")
        after = await objects.look(self.home, "box")
        expect(after.slots == before.slots, f"the slots have moved from {before.slots} to {after.slots}")
        expect("widen_" not in after.methods, "the refused method was installed")
        broken = line["violations"][0]
        return f"widen_ without its signal is refused: {broken['rule']} in line {broken['line']}, {broken['message']}"

    async def remember(self) -> str:
        file = self.home.root / f"{facts.DOCUMENT}.txt"
        file.touch(mode=0o600)
        file.write_text(facts.FACTS)
        self.tell(f"$ batos remember {file.name} --id {facts.DOCUMENT}")
        self.tell(_indented(facts.FACTS))
        kept = await remembering.remember(
            self.home, await planning.plan(self.home, Wanted([str(file)], facts.DOCUMENT))
        )
        (document,) = kept.documents
        expect(kept.tid is not None, "the document was remembered without a commit")
        hits = await self.search()
        expect(any(hit.doc_id == facts.DOCUMENT for hit in hits), "the document is not found by the question")
        passages = "passage" if document.chunks == 1 else "passages"
        return f"{document.doc_id} is remembered, as {document.chunks} {passages}"

    async def ask(self) -> str:
        answer = await self.question()
        self.asked = answer
        facets = ", ".join(f"{part.persona}.{part.facet} ({part.expert or 'base model'})" for part in answer.facets)
        sources = ", ".join(f"{source['doc_id']} #{source['chunk_index']}" for source in answer.sources)
        return f"from {facets} and {sources}: {answer.answer}"

    async def recall(self) -> str:
        first = self._first()
        self._expect_found(await self.search(), first)
        before = await self.personas()
        answer = await self.question()
        after = await self.personas()
        for name, seen in before.items():
            for selector, method in seen.methods.items():
                expect(after[name].methods.get(selector) == method, f"{name}.{selector} is not what it was")
        made = {f"{name}.{new}" for name, seen in after.items() for new in seen.methods.keys() - before[name].methods}
        lacked = {
            f"{part.persona}.{part.facet}" for part in answer.facets if part.facet not in before[part.persona].methods
        }
        expect(made == lacked, f"the second answer needed {sorted(lacked)} and wrote {sorted(made)}")
        written = (
            f"and wrote {', '.join(sorted(made))}, which it had not asked before" if made else "and wrote no method"
        )
        return f"search finds the answer; the same question again used the facets' methods as they stand, {written}"

    async def swap(self) -> str:
        """The same facet, asked the same through two experts: a persona takes up another's, and its own again."""
        part = self._first().facets[0]
        before = {view.name: view for view in await self.experts()}
        name = part.expert or "the base model"
        expect(name in before, f"{part.persona} speaks through {name}, and there are {sorted(before)}")
        other = next(one for one in before if one != name)
        own = await self.facet(part)
        await self.send(part.persona, experts.ADOPT, value=other)
        swapped = await experts.activate(self.home, other)
        foreign = await self.facet(part)
        await self.send(part.persona, experts.ADOPT, value=name)
        expect(await self.facet(part) == own, f"through {name} again, {part.persona} says something else")
        after = {view.name: view for view in await self.experts()}
        self.tell(_indented(render_experts.experts(list(after.values()))))
        for used in (name, other):
            expect((after[used].last_used or 0) > (before[used].last_used or 0), f"the expert {used} was not used")
        expect(own != foreign, f"through {name} and through {other} {part.persona} says the same: {own}")
        return (
            f"{part.persona} says through {name}: {own} Through {other}: {foreign} The swap took "
            f"{1000 * swapped.seconds:.1f} ms, and through {name} again it says the first, to the letter"
        )

    async def crash(self) -> str:
        made = await self.create("crate", _CRATE)
        pid = (await lifecycle.status(self.home))["actors"]["orchestrator"]["pid"]
        killed: list[str] = []
        kept: dict[str, str | None] = {}
        written: str | None = made.tid

        def kill(event: Event) -> None:
            if event.state == "SYNTHESIZING" and not killed:
                killed.append(event.mandate)
                os.kill(pid, signal.SIGKILL)
                self.tell(f"  kill -9 {pid}: the orchestrator, in the middle of its cycle")

        example = '{"slots":{"width":5,"height":6,"depth":7},"args":[],"returns":210}'
        try:
            reply = await self.send("crate", "volume_", example, on_event=kill)
        except BatosError as error:
            if error.code != "NOT_SYNTHESIZED":
                raise
            ended = f"it failed honestly ({error.message})"
        else:
            expect(reply.result == 24, f"volume_ of a crate of 2 by 3 by 4 came out as {reply.result!r}, not 24")
            ended = "volume_ answers 24"
            kept, written = {"volume_": reply.cycle}, reply.tid
        expect(bool(killed), "the cycle had ended before the orchestrator could be killed")
        now = (await lifecycle.status(self.home))["actors"]["orchestrator"]["pid"]
        expect(now != pid, "the orchestrator was not restarted")
        cycles = [one for one in await objects.cycles(self.home, 1000) if one.mandate in killed]
        expect(len(cycles) == 1, f"the mandate has {len(cycles)} cycles")
        seen = await objects.look(self.home, "crate")
        expect(seen.methods.keys() == kept.keys(), f"crate has the methods {sorted(seen.methods)}")
        expect(seen.tid == written, f"crate was last written by {seen.tid}, the mandate published {written}")
        if seen.tid != made.tid:
            # No transaction has this number, so this is the moment before the one that published.
            before = await objects.look(self.home, "crate", f"{int(seen.tid, 16) - 1:016x}")
            expect(before.tid == made.tid, f"crate was written more than once, at {before.tid} and {seen.tid}")
        for selector, cycle in kept.items():
            author = seen.methods[selector].author
            expect(author == cycle == cycles[0].cycle, f"{selector} was written by {author}, the cycle was {cycle}")
        return f"killed -9 (pid {pid}, now {now}), the mandate still ended, once: one cycle, one commit, {ended}"

    async def restart(self) -> str:
        before, thinkers = await objects.look(self.home, "box"), await self.personas()
        await lifecycle.down(self.home, self.tell)
        await self.up()
        after = await objects.look(self.home, "box")
        expect("area_" in before.methods and after.methods == before.methods, "the methods are not what they were")
        reply = await self.send("box", "area_")
        expect(reply.result == 30 and reply.cycle is None, f"area_ came out as {reply.result!r}, cycle {reply.cycle}")
        expect(await self.personas() == thinkers, "the personas are not what they were")
        self._expect_found(await self.search(), self._first())
        return (
            "after down and up the method is there, the same to the letter, and answers 30 without a cycle; so are the "
            "facets, and search finds the answer"
        )

    async def up(self) -> None:
        """Start the system. From then on SIGTERM ends the demo as Ctrl-C does, with nothing left behind."""
        await lifecycle.up(self.home, self.tell)
        task = asyncio.current_task()
        if task is not None and threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    async def question(self) -> asking.Answer:
        """The answer to the demo's question: facets spoke, the document was a source, and memory has it."""
        self.tell(f'$ batos ask --deep "{facts.QUESTION}"')
        told = render_thought.Follower(lambda _: None)
        manner = asking.Manner(way="deep")
        one = asking.Asking(self.home, facts.QUESTION, detach=False, key=None, seconds=WAIT_S, manner=manner)
        answer = await one.run(lambda event: self._told(told.tell(event)))
        self.tell(_indented(render_thought.answer(answer)))
        expect(answer.state == "COMPLETE" and bool(answer.answer), f"the question ended in {answer.state}")
        asked = len(answer.facets) + len(answer.dropped)
        expect(bool(answer.facets) and asked > 1, f"{asked} facets were asked, two are the least")
        sources = [str(source["doc_id"]) for source in answer.sources]
        expect(facts.DOCUMENT in sources, f"the answer is based on {sources}, not on {facts.DOCUMENT}")
        expect(answer.remembered, "memory does not have the answer yet")
        return answer

    async def search(self) -> list[Hit]:
        return (await memory.search(self.home, Search(query=facts.QUESTION, top_k=NEAR))).hits

    async def experts(self) -> list[ExpertView]:
        return await experts.listed(self.home)

    async def facet(self, part: asking.Facet) -> str:
        """What the facet says to its query, with the document before it, as the mind would put it."""
        asked = f"What is known:\n{facts.FACTS}\nFrom this text, answer the question: {part.query}"
        return str((await self.send(part.persona, part.facet, value=asked)).result)

    async def personas(self) -> dict[str, Looked]:
        names = (await objects.codex(self.home, None)).personas
        return {name: await objects.look(self.home, name) for name in names}

    def _first(self) -> asking.Answer:
        if self.asked is None:
            raise wrong("there is no answer, because the step before has failed")
        return self.asked

    def _expect_found(self, hits: list[Hit], answer: asking.Answer) -> None:
        found = [hit for hit in hits if hit.metadata.get("cycle") == answer.cycle and hit.metadata["kind"] == "answer"]
        expect(bool(found), "search does not find the answer")
        expect(len({(hit.doc_id, hit.chunk_index) for hit in found}) == len(found), "the answer is there twice")
        for hit in found:
            part = hit.text.strip() in f"{facts.QUESTION}\n\n{answer.answer}"
            expect(part, f"search finds another answer: {hit.text}")

    def _told(self, line: str) -> None:
        if line:
            self.tell(line)

    async def create(self, name: str, slots: dict[str, int]) -> Created:
        words = [f"{slot}={value}" for slot, value in slots.items()]
        self.tell(f"$ batos new {name} {' '.join(words)}")
        return await objects.create(self.home, name, words)

    async def send(
        self,
        name: str,
        selector: str,
        *examples: str,
        value: str | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> MandateReply:
        """The reply to a message; `value` is its one argument, a text."""
        args = [] if value is None else [json.dumps(value)]
        wanted = mandate.read_mandate(name, selector, args, cases=examples)

        def told(event: Event) -> None:
            self._told(render_thought.event(event))
            if on_event is not None:
                on_event(event)

        return await sending.Sending(self.home, wanted, None, WAIT_S).run(told)


async def _show(demo: Demo) -> dict[str, Any]:
    started = time.perf_counter()
    demo.tell(NOTE)
    steps = []
    try:
        await demo.up()
        for step in demo.steps:
            found = await throwaway.attempt(step.__name__, step)
            steps.append(found)
            demo.finished({"event": "step", **found}, render.step(found))
    finally:
        await lifecycle.down(demo.home, demo.tell)
    return throwaway.told(steps, started, note=NOTE)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
