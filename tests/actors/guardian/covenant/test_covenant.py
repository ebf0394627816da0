from __future__ import annotations

import ast
import textwrap

import pytest

from actors.guardian.covenant import covenant


def judged(text: str) -> list[tuple[str, int, str]]:
    return covenant.check(ast.parse(textwrap.dedent(text)))


def method(*lines: str) -> list[tuple[str, int, str]]:
    return judged("def m_(self, a, b=None):\n" + "".join(f"    {line}\n" for line in lines))


SIGNAL = "self._p_changed = True"
OUT = ["except Exception:", "    return None"]

KEPT = {
    "nothing": ["return self.x"],
    "a return that only reads may follow": ["self.x = a", SIGNAL, "return self.x + 1"],
    "guard clause": ["if self.x == a:", "    return False", "self.x = a", SIGNAL, "return True"],
    "each branch": ["if a:", "    self.x = 1", f"    {SIGNAL}", "else:", "    del self.x", f"    {SIGNAL}"],
    "loop, then signal": ["for row in a:", "    self.rows.append(row)", SIGNAL],
    "signal in each turn": ["for self.x in a:", f"    {SIGNAL}"],
    "endless loop with one exit": [
        "while True:",
        "    self.x = a",
        "    if a:",
        f"        {SIGNAL}",
        "        return a",
    ],
    "never ends": ["self.x = a", "while True:", "    pass"],
    "raises": ["self.x = a", "raise ValueError(a)"],
    "finally signals": ["try:", "    self.x = a", "    return int(a)", "finally:", f"    {SIGNAL}"],
    "nothing can break off between": [
        "try:",
        "    n = int(a)",
        "    self.x = n",
        f"    {SIGNAL}",
        "except ValueError:",
        "    return None",
    ],
    "signal after with": ["with a:", "    self.x = b", SIGNAL],
    "irrefutable match": [
        "match a:",
        "    case 1:",
        "        pass",
        "    case _:",
        "        self.x = 1",
        f"        {SIGNAL}",
    ],
    "a fresh list": ["out = [x for x in self.items]", "out.append(a)", "return out"],
    "a slice is a copy": ["part = self.items[1:]", "part.append(a)", "return part"],
    "a sorted copy": ["t = sorted(self.items)", "t.sort()", "return t"],
    "rebound before the change": ["t = self.items", "t = []", "t.append(a)", "return t"],
    "a number of our own": ["n = self.count", "n += 1", "return n"],
    "a send is the callee's": ["self.put_(a)", "a.take_(self.items)", "return self.child.grow_(1)"],
    "closure, then signal": ["def put():", "    self.x = a", "put()", SIGNAL],
    "closure that signals": ["def put():", "    self.x = a", f"    {SIGNAL}", "put()"],
    "closure that nobody calls": ["def put():", "    self.x = a", "return a"],
    "recursion without change": ["def fib(n):", "    return n if n < 2 else fib(n - 1) + fib(n - 2)", "return fib(a)"],
    "key function that reads": ["return sorted(self.rows, key=lambda row: row['n'])"],
    "generator, then signal": ["list(self.items.append(x) for x in a)", SIGNAL],
    "nothing can break off between a value and its slot": [
        "try:",
        "    self.x = a",
        "    y = b",
        f"    {SIGNAL}",
        *OUT,
    ],
    "a number of our own, of state": ["n = self.n", "n += 1", "n += a", "n -= 2", "n /= 3", "n *= 1.5", "return n"],
    "a text of our own": ["t = self.name", "t += 'x'", "t += f'{a}'", "t += str(b)", "return t"],
    "sums of state": ["t = self.n", "t += sum(self.items)", "for i in range(a):", "    t += i", "return t"],
    "a difference": ["n = self.count", "n -= a", "return n"],
    "groups of state": ["g = {}", "for w in self.words:", "    g.setdefault(w['k'], []).append(w)", "return g"],
    "groups of state, by hand": [
        "g = {}",
        "for r in self.rows:",
        "    k = r['k']",
        "    if k not in g:",
        "        g[k] = []",
        "    g[k].append(r)",
        "return g",
    ],
    "imported and pure": [
        "import json",
        "from copy import deepcopy",
        "from collections import deque",
        "q = deque(self.items)",
        "q.append(a)",
        "return json.dumps(deepcopy(self.table))",
    ],
    "copies below a fresh dict": ["t = {k: list(v) for k, v in self.table.items()}", "t[a].append(1)", "return t"],
    "a closure that calls itself and fills our own": [
        "seen = {}",
        "def visit(n):",
        "    if n not in seen:",
        "        seen[n] = True",
        "        for k in self.graph.get(n, []):",
        "            visit(k)",
        "visit(a)",
        "return list(seen)",
    ],
    "parts of a text": ["p = self.path.split('/')", "p.append(a)", "p += b.split()", "return '/'.join(p)"],
    "a copy": ["t = copy.copy(self.items)", "t.append(1)", "return copy.deepcopy(self.table)"],
    "asked for its length": ["return self.items.__len__()"],
    "map, then signal": ["m = map(self.items.append, a)", "list(m)", SIGNAL],
    "our argument is ours": ["a.append(1)", "a[0] = 2", "return a"],
}

BROKEN = {
    "plain": ["self.x = a"],
    "signal first": [SIGNAL, "self.x = a"],
    "change in the return": [SIGNAL, "return self.items.pop()"],
    "one branch only": ["self.x = a", "if a:", f"    {SIGNAL}"],
    "early return": ["self.x = a", "if a:", "    return 1", SIGNAL],
    "loop that may not turn": ["self.x = a", "for x in b:", f"    {SIGNAL}"],
    "break past the signal": ["for x in a:", "    self.x = x", "    if x:", "        break", f"    {SIGNAL}"],
    "continue past the signal": ["for x in a:", "    self.x = x", "    if x:", "        continue", f"    {SIGNAL}"],
    "for else": ["for x in a:", "    self.x = x", "    if x:", "        break", "else:", f"    {SIGNAL}"],
    "handler returns": [
        "try:",
        "    self.x = a",
        "    self.y = b[a]",
        f"    {SIGNAL}",
        "except KeyError:",
        "    return 0",
    ],
    "handler changes": ["try:", "    int(a)", "except ValueError as e:", "    self.error = str(e)"],
    "finally changes": ["try:", f"    {SIGNAL}", "finally:", "    self.x = a"],
    "finally swallows": ["self.x = a", "try:", "    raise ValueError", "finally:", "    return 1"],
    "with swallows": ["with a:", "    self.x = b", "    int(b)", f"    {SIGNAL}"],
    "dead signal": ["self.x = a", "if False:", f"    {SIGNAL}"],
    "wrong value": ["self.x = a", "self._p_changed = False"],
    "signal taken back": ["self.x = a", SIGNAL, "self._p_changed = False"],
    "wrong object": ["self.x = a", "self = b", SIGNAL],
    "tuple target": ["self.x, b = a"],
    "starred target": ["b, *self.items = a"],
    "augmented": ["self.x += 1"],
    "item": ["self.table[a] = b"],
    "slice": ["self.items[1:] = []"],
    "nested item": ["self.table['a']['b'] = 1"],
    "delete": ["del self.items[0]"],
    "walrus alias": ["(t := self.items).append(a)"],
    "conditional alias": ["t = self.items if a else []", "t.append(b)"],
    "alias in a list": ["t = [self.items]", "t[0].append(a)"],
    "alias of an item": ["for row in self.rows:", "    row.append(a)"],
    "alias by unpacking": ["x, y = self.items, 1", "x.append(a)"],
    "alias by get": ["self.table.get(a, []).append(b)"],
    "alias in place": ["t = self.items", "t += a"],
    "bound method": ["push = self.items.append", "push(a)"],
    "mapped method": ["list(map(self.items.append, a))"],
    "unbound method": ["list.append(self.items, a)"],
    "put in, then changed": ["out = []", "self.items = out", SIGNAL, "out.append(a)"],
    "put in deep, then changed": ["row = []", "self.rows.append([row])", SIGNAL, "row.append(a)"],
    "argument put in, then changed": ["self.items = a", SIGNAL, "a.append(1)"],
    "short circuit": ["a and self.items.append(b)"],
    "lambda": ["return (lambda: self.items.append(a))()"],
    "key function": ["return sorted(a, key=lambda x: self.items.append(x))"],
    "comprehension": ["return [self.items.append(x) for x in a]"],
    "late generator": ["g = (self.items.append(x) for x in a)", SIGNAL, "return list(g)"],
    "closure after the signal": ["def put():", "    self.x = a", SIGNAL, "put()"],
    "recursive closure": ["def put(n):", "    if n:", "        put(n - 1)", "    self.x = n", "put(a)"],
    "setattr": ["setattr(self, 'x', a)"],
    "match": ["match a:", "    case [x, y]:", "        self.x = x"],
    "a sum of lists holds what they hold": ["sum([[self.items]], [])[0].append(a)"],
    "the largest with a key": ["x = max(self.rows, key=len)", "x.append(1)"],
    "comprehension that sets": ["return [0 for self.n in a]"],
    "times in place": ["t = self.items", "t *= 2"],
    "union in place": ["t = self.table", "t |= a"],
    "lazy map": ["m = map(self.items.append, a)", SIGNAL, "return list(m)"],
    "lazy zip of a generator": ["z = zip((self.items.append(x) for x in a), b)", SIGNAL, "for p in z:", "    pass"],
    "asked whether it is in": ["g = (self.items.append(x) for x in a)", SIGNAL, "return 5 in g"],
    "the second of two closures": ["mk = lambda v: lambda: v.append(1)", "f, g = mk(self.items), mk([])", "f()"],
    "keywords in another order": ["def put(z, v):", "    v.append(1)", "put(v=self.items, z=[])"],
    "starred arguments": ["def put(z, v):", "    v.append(1)", "put([], *[self.items])"],
    "an exception's cargo": ["e = ValueError(self.items)", "e.args[0].append(1)"],
    "an exception's cargo, put in": [
        "x = []",
        "self.items.append(x)",
        SIGNAL,
        "e = ValueError(x)",
        "e.args[0].append(a)",
    ],
    "put in by a slice": ["w = [1]", "w[0:1] = [self.items]", "w[0].append(a)"],
    "put in by a slice of another's": ["w = [1]", "s = slice(0, 1)", "w[s] = [self.items]", "w[0].append(a)"],
    "by a global name": ["global x", "x = self.items", "x.append(a)"],
    "by an imported function": ["from random import shuffle", "shuffle(self.items)"],
    "a dict of keywords": ["x = []", "self.table.update(k=x)", SIGNAL, "min([x], key=len).append(3)"],
    "a dict of pairs": ["d = dict([('k', self.items)])", "d['k'].append(a)"],
    "updated with pairs": ["d = {}", "d.update([('k', self.items)])", "d['k'].append(a)"],
    "a caught exception's cargo": [
        "try:",
        "    raise ValueError(self.items)",
        "except ValueError as e:",
        "    e.args[0].append(1)",
    ],
    "an unbound name breaks off": ["if b:", "    y = 1", "try:", "    self.x = a", "    z = y", f"    {SIGNAL}", *OUT],
    "an item breaks off": ["try:", "    self.x = [self.items.pop(), b[9]]", f"    {SIGNAL}", *OUT],
    "a deletion breaks off": ["try:", "    del self.x, self.y", f"    {SIGNAL}", *OUT],
    "a context manager breaks off": ["try:", "    with a:", "        self.x = 1", f"    {SIGNAL}", *OUT],
    "an operator's function": ["operator.setitem(self.table, a, b)"],
    "a chain of state": ["next(itertools.chain(self.rows)).append(1)"],
    "the type's method": ["t = self.items", "type(t).append(t, 1)"],
    "a callback in a container": ["a([lambda: self.items.append(1)])"],
    "recursion that changes at its end": [
        "def put(n, v):",
        "    if n:",
        "        return put(n - 1, v)",
        "    v.append(1)",
        "put(a, self.items)",
    ],
    "a decorator runs it": ["run = lambda f: f()", "@run", "def put():", "    self.items.append(1)"],
    "self in a list": ["for thing in [self]:", "    thing.x = 1"],
}


@pytest.mark.parametrize("lines", KEPT.values(), ids=KEPT.keys())
def test_what_keeps_the_covenant_is_accepted(lines: list[str]):
    assert method(*lines) == []


@pytest.mark.parametrize("lines", BROKEN.values(), ids=BROKEN.keys())
def test_what_breaks_the_covenant_is_refused(lines: list[str]):
    assert "COV001" in {rule for rule, _, _ in method(*lines)}


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ("COV002", ["a.x = 1"]),
        ("COV002", ["self.child.x = 1", SIGNAL]),
        ("COV003", ["type(self).x = 1", SIGNAL]),
        ("COV003", ["self.__class__.x = 1", SIGNAL]),
        ("COV004", ["self.x = a", "yield a", SIGNAL]),
        ("COV005", ["return lambda x: self.items.append(x)"]),
        ("COV005", ["return [[(self.items.append(x) for x in a)]]"]),
    ],
)
def test_the_other_rules(rule: str, lines: list[str]):
    assert rule in {found for found, _, _ in method(*lines)}


def test_the_verdict_names_the_way():
    ((rule, line, message),) = method(
        "try:", "    self.x = a", "    int(a)", "except ValueError:", "    return 1", SIGNAL
    )
    assert (rule, line) == ("COV001", 3)
    assert message.endswith("line 3 → 5 → 6 → return")


def test_the_way_names_where_it_turned_off():
    way = ["self.x = a", "if b:", "    for row in b:", "        if row:", "            return row", SIGNAL]
    ((_, line, message),) = method(*way)
    assert (line, message.partition(": ")[2]) == (2, "line 2 → 3 → 4 → 5 → 6 → return")
    ((_, line, message),) = method("if a:", "    self.x = 1")
    assert (line, message.partition(": ")[2]) == (3, "line 3 → end")


def test_what_cannot_be_decided_is_refused():
    nest = [f"{'    ' * n}for x{n} in a:" for n in range(18)]
    deep = "    " * 18
    text = "def m_(self, a):\n" + "".join(
        f"    {line}\n" for line in [*nest, f"{deep}self.x = {{}}", f"{deep}y = self.x"]
    )
    assert {rule for rule, _, _ in judged(text)} & {"COV001", "COV006"}


def test_every_method_of_a_module_is_followed():
    text = """
        class A:
            def one(self):
                self.x = 1
        async def two(this):
            this.x = 1
        def three(self):
            return 1
    """
    assert [line for _, line, _ in judged(text)] == [4, 6]
