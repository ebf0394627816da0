"""The amnesia oracle: does anything that the covenant accepts forget what it has changed?

    python -m bench.amnesia [--methods N] [--seed S] [--json]

Random methods of a grammar of our own are judged by the covenant, and each one that it accepts is run three times on two
receivers. One is a `UvmObject` in a database, with plain lists and dicts in its slots, whose changes nothing tracks;
it is committed, thrown out of memory, loaded again, and compared with a twin that was never stored. The other is as
unforgiving as a receiver can be: it keeps what its state was at the last signal, and nothing of what came after. The
first shows what the world does, the second what the covenant promises on any store.

Every method, accepted or not, is run on a third one too, whose sends change it, as they do in the jail (`bench.oracle.remote`):
there a change is kept, or the run fails by name.

The methods are harmless, since their grammar is ours; no text from elsewhere is ever run here. Rejected ones are run on
the unforgiving receiver too: how many of those have truly forgotten something is what the covenant's caution costs.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import functools
import itertools
import json
import operator
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import transaction
import ZODB
from ZODB.MappingStorage import MappingStorage

from actors.guardian.covenant import covenant
from bench.oracle.methods import Grammar
from bench.oracle.remote import Ended, Refused, Remote
from protocol import names
from world.uvm import UvmObject

ARGUMENTS: Final = (0, 1, 2)
MODULES: Final[dict[str, Any]] = {
    "copy": copy,
    "functools": functools,
    "itertools": itertools,
    "operator": operator,
    "devnull": open(os.devnull, "w"),  # noqa: PTH123, SIM115 - open as long as the process lives
}
"""What the grammar's methods find beside the built-ins. The policy would refuse them; the covenant must follow them."""
BATCH: Final = 400
"""Receivers in one commit."""
MEMORY: Final = 512 << 20
DEEPEST: Final = 50
"""Containers in containers that a state may have to be compared."""
SECONDS: Final = 0.01
"""Processor time of one run; a method that takes longer says nothing."""


Method = Callable[..., Any]


class Count(msgspec.Struct):
    """What one run of the oracle saw. `changing`: accepted methods that changed their receiver at least once.

    `amnesic` are accepted methods that forgot, `forgetful` rejected ones that did: the other rejected ones are the price
    of caution. `replaced` runs were those in which a send has changed the receiver; `told` of them failed because a change
    would have been lost, and `silent` lost one without a word.
    """

    methods: int = 0
    accepted: int = 0
    changing: int = 0
    runs: int = 0
    rejected: int = 0
    forgetful: int = 0
    seconds: float = 0.0
    replaced: int = 0
    told: int = 0
    amnesic: list[str] = []
    silent: list[str] = []


class Unforgiving:
    """A receiver that is stored by its signal alone: `stored` is its state at the last one."""

    stored: str

    def __init__(self, slots: dict[str, Any]) -> None:
        vars(self).update(slots)
        self.__dict__["stored"] = text_of(slots)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == names.SIGNAL:
            self.__dict__["stored"] = text_of(slots_of(self))
        else:
            self.__dict__[name] = value

    def ask_(self, value: Any = None) -> Any:
        """A send: what crosses is a copy."""
        return copy.deepcopy(value)


def slots_of(receiver: Unforgiving) -> dict[str, Any]:
    return {name: value for name, value in vars(receiver).items() if name != "stored"}


def text_of(slots: dict[str, Any]) -> str:
    """A state as text, by which two are compared: equal texts are equal states."""
    return repr(sorted(slots.items()))


def fresh() -> dict[str, Any]:
    """The state that every run starts from."""
    return {"n": 1, "items": [1, 2], "table": {"k": [0], "m": {"z": [5]}}, "rows": [[1], [2, 3]]}


def answer(value: Any = None) -> Any:
    """What `ask_` answers on a stored receiver."""
    return copy.deepcopy(value)


def stored_receiver() -> UvmObject:
    """A `UvmObject` whose slots hold plain containers, as one finds them who fills `_slots` by hand."""
    made = UvmObject()
    for name, value in fresh().items():
        made._slots[name] = value
    made._slots["ask_"] = answer
    return made


def state_of(receiver: UvmObject) -> str:
    return text_of({name: plain(value) for name, value in receiver._slots.items() if name != "ask_"})


def plain(value: Any, around: tuple[Any, ...] = ()) -> Any:
    """Persistent containers as plain ones, for comparing. What holds itself, or is too deep, is no value: `<deep>`."""
    if any(value is outer for outer in around) or len(around) > DEEPEST:
        return "<deep>"
    kind = type(value).__name__
    if kind == "PersistentList":
        return [plain(item, (*around, value)) for item in value]
    if kind == "PersistentMapping":
        return {key: plain(item, (*around, value)) for key, item in value.items()}
    return value


class Oracle:
    """Judges and runs methods; stored receivers are committed and reread `BATCH` at a time."""

    def __init__(self, seed: int, accepts: Callable[[str], bool] | None = None) -> None:
        self._accepts = accepts or keeps_covenant
        self._seed = seed
        self._grammar = Grammar(random.Random(seed))
        self._manager = transaction.TransactionManager(explicit=True)
        self._waiting: list[tuple[str, Method, int, UvmObject, str]] = []
        self.count = Count()

    def run(self, methods: int) -> Count:
        began = time.monotonic()
        for _ in range(methods):
            self.one(self._grammar.method())
        self._flush()
        self.count.seconds = round(time.monotonic() - began, 1)
        return self.count

    def one(self, source: str) -> None:
        """Judge one method and see what it does."""
        count = self.count
        count.methods += 1
        accepted = self._accepts(source)
        scope = dict(MODULES)
        exec(compile(source, "<method>", "exec"), scope)
        method = scope["m_"]
        forgot, changed = False, False
        if "ask_" in source:
            self._send(source, method)
        for argument in ARGUMENTS:
            receiver = Unforgiving(fresh())
            if not finishes(method, receiver, argument):
                continue
            count.runs += 1
            after = text_of(slots_of(receiver))
            forgot = forgot or after != receiver.stored
            changes = after != text_of(fresh())
            changed = changed or changes
            if accepted and changes:
                self._store(source, method, argument)
        if accepted:
            count.accepted += 1
            count.changing += changed
            if forgot:
                count.amnesic.append(source)
        else:
            count.rejected += 1
            count.forgetful += forgot

    def _send(self, source: str, method: Method) -> None:
        """Run it where its sends change the receiver."""
        for argument in ARGUMENTS:
            receiver = Remote(fresh(), random.Random(f"{self._seed} {self.count.methods} {argument}"))
            if not finishes(method, receiver, argument):
                continue
            ended = Ended(receiver)
            self.count.replaced += ended.sends > 0
            self.count.told += ended.told
            if ended.lost and not ended.refused:
                self.count.silent.append(source)

    def _store(self, source: str, method: Method, argument: int) -> None:
        twin = stored_receiver()
        if not finishes(method, twin, argument) or "<" in state_of(twin):
            # (What is no value, no store takes.)
            return
        self._waiting.append((source, method, argument, stored_receiver(), state_of(twin)))
        if len(self._waiting) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        """Store the receivers, run the methods on them as a later transaction, commit, forget, load, compare."""
        waiting, self._waiting = self._waiting, []
        manager = self._manager
        manager.begin()
        # A database of its own for each batch: one that keeps every batch would fill the memory.
        database = ZODB.DB(MappingStorage())
        connection = database.open(manager)
        root = connection.root()
        root["receivers"] = [receiver for _, _, _, receiver, _ in waiting]
        manager.commit()
        manager.begin()
        ended = []
        for _, method, argument, receiver, _ in waiting:
            # Whoever sends a message has looked its method up, in the receiver's slots.
            receiver._slots._p_activate()
            receiver._p_activate()
            ended.append(finishes(method, receiver, argument))
        manager.commit()
        connection.cacheMinimize()  # type: ignore[attr-defined]
        manager.begin()
        for (source, _, _, receiver, expected), again, whole in zip(waiting, root["receivers"], ended, strict=True):
            assert again is receiver
            if whole and state_of(again) != expected:
                self.count.amnesic.append(source)
        del root["receivers"]
        manager.commit()
        connection.close()
        database.close()


class _TooLongError(BaseException):
    """A random method that calls itself over and over; no handler of it is meant to see this."""


_running: list[bool] = []
_late: list[bool] = []


def _stop(*_: Any) -> None:
    if _running:
        _late.append(True)
        raise _TooLongError


def finishes(method: Method, receiver: Any, argument: int) -> bool:
    """Whether the method came to a normal end by itself. (An exception undoes everything: nothing is owed.)"""
    _late.clear()
    _running[:] = [True]
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, SECONDS)
    try:
        try:
            method(receiver, argument, [7], contextlib.suppress(Exception))
        finally:
            _running.clear()
    except (Exception, _TooLongError, Refused):  # noqa: BLE001 - whatever a random method raises
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return not _late


def keeps_covenant(source: str) -> bool:
    return not covenant.check(ast.parse(source))


def prepare() -> None:
    """Let methods that call themselves fail soon, those that go on be stopped, and those that fill the memory fail."""
    sys.setrecursionlimit(300)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    signal.signal(signal.SIGVTALRM, _stop)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.amnesia", description=__doc__)
    parser.add_argument("--methods", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    prepare()
    count = Oracle(options.seed).run(options.methods)
    if options.json:
        print(json.dumps(msgspec.to_builtins(count)))
        return
    print(
        f"{count.methods} methods, {count.accepted} accepted ({count.changing} of them change state), {count.runs} runs:"
        f" {len(count.amnesic)} accepted ones are amnesic; of {count.rejected} rejected {count.forgetful} truly forget;"
        f" {count.replaced} runs in which a send changed the receiver: {len(count.silent)} lost a change silently,"
        f" {count.told} failed by that name; {count.seconds:.0f} s"
    )
    for source in (*count.amnesic[:5], *count.silent[:5]):
        print(source)


if __name__ == "__main__":
    main()
