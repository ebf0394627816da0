"""A form is compiled in a process of its own before it is compiled here.

A short schema can keep llguidance busy for minutes (thirty patterns that must all hold), and a long chain of rules ends the
process that compiles it, because its stack does. Neither can be caught from within: so whoever asks here has a child that
may be killed by it, with limits of its own on time, stack and memory. What the child has compiled, this process can too.
Verdicts are kept by content, so the same form is not tried again.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import re
import resource
import select
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from llguidance import LLMatcher, LLParserLimits, LLTokenizer

from protocol.errors import BatosError

CPU_S: Final = 2.0
"""Seconds of computing for one form, whatever else the machine does."""
WALL_S: Final = 60.0
MEMORY_BYTES: Final = 2 << 30
LIMITS: Final = LLParserLimits(max_items_in_row=65_000, step_max_items=500_000, verbose_errors=False)
"""A choice may have as many alternatives as a grammar can have symbols; by default it ends at 2,000 of them."""

_VERDICTS: Final = 256
_MEANINGS: Final = {
    "NoExtension": "nothing can follow here",
    "recursion limit exceeded": "it nests too deep: JSON is read to 127 levels",
    "too many expressions": "its patterns, or their repetitions, are too large",
    "increase limits.": "its patterns are too large",
    "fuel exhausted": "its patterns are too large",
    "lexer configuration (grammar) too big": "its patterns and literals are too large together",
    "Unable to determine if regex is empty": "its patterns are too hard to hold together",
    "Too many items": "too much is repeated, or may be read in too many ways",
}
"""What llguidance says against a form, by a part of it, where it says it in words of its own."""
_ENDS: Final = {
    signal.SIGPROF: f"to compile it takes more than {CPU_S:.0f} seconds",
    signal.SIGSEGV: "its parts stand within each other, or refer to each other, too deep",
    signal.SIGABRT: f"to compile it takes more than {MEMORY_BYTES >> 30} GB of memory",
}


class UnfitError(Exception):
    """A form cannot be kept; its text says why."""


def compiled(tokens: LLTokenizer, schema: str | None, grammar: str | None, options: Mapping[str, Any]) -> LLMatcher:
    """A fresh matcher for the form (`schema` as JSON), which has at least a first step; UnfitError."""
    try:
        if grammar is not None:
            form = LLMatcher.grammar_from_lark(grammar)
        else:
            form = LLMatcher.grammar_from_json_schema(schema or "", overrides=options)  # type: ignore[arg-type]
        matcher = LLMatcher(tokens, form, log_level=0, limits=LIMITS)
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise UnfitError(_plain(str(error)) or type(error).__name__) from error
    if matcher.is_error():
        raise UnfitError(words_of(matcher))
    first = matcher.deep_copy()
    forced = first.compute_ff_tokens()
    if forced:
        first.consume_tokens(forced)
    if not first.is_error() and not first.is_stopped():
        first.compute_bitmask()
    if first.is_error():
        raise UnfitError(f"it allows no text at all: {words_of(first)}")
    return matcher


def words_of(matcher: LLMatcher) -> str:
    """Why the matcher has given up, without the state and the stack that llguidance tells after it."""
    return _plain(matcher.get_error().partition("\n<")[0].strip())


def _plain(said: str) -> str:
    if said.startswith("panic: "):
        return f"it is too large for llguidance ({said.removeprefix('panic: ')[:200]})"
    for sign, meaning in _MEANINGS.items():
        if sign in said:
            return meaning
    # It quotes the lines around the place too, however long they are.
    return re.split(r"\n *\d+ \| ", said, maxsplit=1)[0][:500]


class Prover:
    """The child, which comes with the first form and is replaced where a form has ended it."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._verdicts: OrderedDict[bytes, str] = OrderedDict()
        self._lock = threading.Lock()
        atexit.register(self.close)

    def why_not(self, schema: str | None, grammar: str | None, options: Mapping[str, Any]) -> str:
        """Why the form cannot be kept, in words; empty where it can. NOT_READY where no child says it in time."""
        request = json.dumps([schema, grammar, dict(options)]).encode()
        key = hashlib.sha256(request).digest()
        with self._lock:
            if key not in self._verdicts:
                self._verdicts[key] = self._asked(request)
                if len(self._verdicts) > _VERDICTS:
                    self._verdicts.popitem(last=False)
            self._verdicts.move_to_end(key)
            return self._verdicts[key]

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def _asked(self, request: bytes) -> str:
        try:
            child = self._started()
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(request + b"\n")
            child.stdin.flush()
            answer = child.stdout.readline() if select.select([child.stdout], [], [], WALL_S)[0] else None
        except OSError as error:
            self.close()
            raise _unheard(str(error)) from error
        if answer:
            return str(json.loads(answer))
        if answer is None:
            self.close()
            raise _unheard(f"it has not answered for {WALL_S:.0f} seconds")
        ended = -child.wait()
        self.close()
        if ended in _ENDS:
            return _ENDS[signal.Signals(ended)]
        raise _unheard(f"it has ended ({ended})")

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "actors.inference.forms.proving"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._child


def _unheard(why: str) -> BatosError:
    return BatosError("NOT_READY", f"the form could not be tried: {why}", "Try again.")


def _serve() -> None:
    """Answer each line of the input with one: an empty text, or why the form cannot be kept. Until the input ends."""
    tokens = LLTokenizer("byte")
    for line in sys.stdin:
        schema, grammar, options = json.loads(line)
        said = ""
        signal.setitimer(signal.ITIMER_PROF, CPU_S)
        try:
            compiled(tokens, schema, grammar, options)
        except UnfitError as error:
            said = str(error)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def main() -> None:
    """The child's life, on a thread with a small stack: what fits there fits into the actor's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started the house; the input ends then
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # Half of what a thread has here, which is two MB where there is no limit.
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    threading.stack_size((2 << 20 if stack == resource.RLIM_INFINITY else min(stack, 8 << 20)) // 2)
    serving = threading.Thread(target=_serve)
    serving.start()
    serving.join()


if __name__ == "__main__":
    main()
