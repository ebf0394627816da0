"""A grammar of random methods: all the ways in which a method may change its receiver, signal, alias, and leave.

Used by the amnesia oracle. Every method is valid Python, ends by itself on small inputs, and touches nothing but its
receiver, its arguments and its own names: `a` is a number, `b` a list, `c` a context manager that swallows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from bench.oracle.phrases import CHANGES, READS, SENDS

SIGNAL: Final = "self._p_changed = True"

_EXITS: Final = (
    *("return x", "return", "return self.n", "return self.items.pop()", "raise ValueError(a)"),
    *("return put", "return [put]", "return g"),
)
_LAST: Final = ("return x", "return self.n", "return self.items.pop()", "return put", "return g")
_HEADS: Final = ("a", "self.n > 1", "x", "not a", "len(self.items) > 1", "a == 2", "True", "self.items and a", "False")
_FAILS: Final = (
    *(
        "x = y[9]",
        "int('z')",
        "1 / a",
        "p, q = x",
        "d['w']",
        "list(map(int, 'z'))",
        "raise ValueError(x)",
        "raise KeyError(self.items)",
        "n = q2",
        "assert a",
    ),
    *("", "", ""),
)
_HANDLERS: Final = (
    *("except Exception as e:", "except IndexError:", "except (ValueError, KeyError) as e:", "except:"),
    *("except TypeError:", "except LookupError:", "except ArithmeticError:", "except AttributeError:"),
)
_START: Final = (
    "t = n = 0",
    "x, y, w = [], [], []",
    "d, h = {}, {'k': []}",
    "x2, g, calls = [], [], []",
    "put = lambda z: self.items.append(z)",
    "mk = lambda v: lambda z: v.append(z)",
    "def keep(z, v): v.append(1)",
    "def many(*v, **k): return [*v, *k.values()]",
)
_LOOPS: Final = (
    *(("y", "self.rows"), ("x", "[self.items, y]"), ("k, y", "self.table.items()"), ("i, x", "enumerate(self.rows)")),
    *(("x", "[x, y]"), ("y", "self.table.values()"), ("x, *y", "[[self.items, 1]]"), ("i", "self.items"), ("i", "g")),
    *(("i", "map(put, b)"), ("f", "[put, len]"), ("self.n", "b"), ("y", "reversed(self.rows)"), ("k", "self.table")),
    *(("d['i']", "b"), ("d", "[{'k': []}, h, dict(self.table)]"), ("d['k']", "self.rows")),
    *(("y", "filter(None, self.rows)"), ("[y, *x]", "zip(self.rows, b)"), ("y", "(r for r in self.rows)")),
)
_PATTERNS: Final = (
    *(("a", "0"), ("self.items", "[_, *y]"), ("self.items", "[*_] as x"), ("self.rows", "[y, *_]")),
    *(("self.table", "{'k': x}"), ("self.table", "{'m': {'z': [*_] as y}, **w}"), ("[self.items, a]", "[x, int()]")),
    *(("x", "list(y) if a"), ("a", "int(n) if self.items.append(n)"), ("self.rows", "[[*x], [_, *_] as y] | [x, y]")),
)

Lines = list[str]


class Grammar:
    """Draws methods from `random`; the same seed draws the same methods."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._compounds: tuple[Callable[[int], Lines], ...] = (
            self._if,
            self._if,
            self._if_else,
            self._for,
            self._for_over,
            self._for_else,
            self._while,
            self._try,
            self._try,
            self._finally,
            self._with,
            self._match,
            self._def,
        )

    def method(self) -> str:
        """One method's source. Two in three end with the signal, so that many are accepted."""
        body = self._block(2, 5)
        if self._random.random() < 0.65:
            body.append(SIGNAL)
            if self._random.random() < 0.3:
                body.append(self._pick(_LAST))
        return "def m_(self, a, b, c):\n" + "".join(f"    {line}\n" for line in [*_START, *body])

    def _block(self, depth: int, longest: int) -> Lines:
        lines: Lines = []
        for _ in range(self._random.randint(1, longest)):
            lines += self._statement(depth)
        return lines

    def _statement(self, depth: int) -> Lines:
        roll = self._random.random()
        if depth and roll < 0.28:
            return self._random.choice(self._compounds)(depth - 1)
        if roll < 0.36:
            return [self._pick(SENDS)]
        if roll < 0.56:
            return [self._pick(READS)]
        if roll < 0.80:
            change = [self._pick(CHANGES)]
            return [*change, SIGNAL] if self._random.random() < 0.5 else change
        if roll < 0.95:
            return [SIGNAL]
        return [self._pick(_EXITS)]

    def _pick(self, choices: Sequence[str]) -> str:
        return self._random.choice(choices)

    def _inner(self, depth: int, *more: str) -> Lines:
        return _indented([*self._block(depth, 3), *more])

    def _if(self, depth: int) -> Lines:
        return [f"if {self._pick(_HEADS)}:", *self._inner(depth)]

    def _if_else(self, depth: int) -> Lines:
        return [*self._if(depth), "else:", *self._inner(depth)]

    def _for(self, depth: int) -> Lines:
        leave = self._random.choice(
            ([], ["    break"], ["    if i:", "        continue"], ["    if i:", "        break"])
        )
        body = self._inner(depth)
        at_end = self._random.random() < 0.5
        return ["for i in range(a):", *(body + leave if at_end else leave + body)]

    def _for_over(self, depth: int) -> Lines:
        target, source = self._random.choice(_LOOPS)
        # A list that grows under its loop would never end.
        return [f"for {target} in {source}:", "    t += 1", "    if t > 5: break", *self._inner(depth)]

    def _for_else(self, depth: int) -> Lines:
        return ["for i in b:", *self._inner(depth), "    if a: break", "else:", *self._inner(depth)]

    def _while(self, depth: int) -> Lines:
        head = self._random.choice(("t < a", "t < 2", "True", "self.items and t < 3"))
        return [f"while {head}:", "    t += 1", "    if t > 4: break", *self._inner(depth)]

    def _try(self, depth: int) -> Lines:
        fails = [f"    {fail}" for fail in [self._pick(_FAILS)] if fail]
        body = self._inner(depth)
        tail = ["else:", *self._inner(depth)] if self._random.random() < 0.3 else []
        tail += ["finally:", *self._inner(depth)] if self._random.random() < 0.15 else []
        guarded = fails + body if self._random.random() < 0.3 else body + fails
        return ["try:", *guarded, self._pick(_HANDLERS), *self._inner(depth), *tail]

    def _finally(self, depth: int) -> Lines:
        return ["try:", *self._inner(depth), "finally:", *self._inner(depth)]

    def _with(self, depth: int) -> Lines:
        return [self._pick(("with c:", "with c as w:", "with c, c as self.o:")), *self._inner(depth)]

    def _match(self, depth: int) -> Lines:
        subject, pattern = self._random.choice(_PATTERNS)
        rest = ["    case _:", *_indented(self._inner(depth))] if self._random.random() < 0.6 else []
        return [f"match {subject}:", f"    case {pattern}:", *_indented(self._inner(depth)), *rest]

    def _def(self, depth: int) -> Lines:
        head = self._pick(("def put(z):", "def put(z, v=x):", "def put(*z):", "def put(z=0, *, k=y, **m):"))
        calls = ("", "put(1)", "put(a)", "list(map(put, b))", "f = put; f(0)", "x = put(1)", "sorted(b, key=put)")
        # What the closure names itself is local to it, unless it says otherwise.
        outer = self._pick(("nonlocal x, y, t", "nonlocal x, y, t, w, x2, g, n", "x = y = t = n = 0"))
        # A closure that calls itself from a `finally` would take for ever to fail.
        few = ["    calls.append(1)", "    if len(calls) > 12: return"]
        called = [call for call in (self._pick(calls), self._pick(calls)) if call]
        return [head, f"    {outer}", *few, *self._inner(depth), *called]


def _indented(lines: Lines) -> Lines:
    return [f"    {line}" for line in lines]
