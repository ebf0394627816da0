from __future__ import annotations

import ast
from types import CodeType

import pytest

from actors.guardian.policy import policy


def rules(source: str, *, kernel: bool = False) -> set[str]:
    return {violation.rule for violation in policy.check(ast.parse(source), kernel=kernel)}


def body(*lines: str) -> str:
    return "def m_(self, a=None, b=None):\n" + "".join(f"    {line}\n" for line in lines)


REFUSED = {
    "POL001": ["x = 1", "", "def m_():\n    pass", "def m_(this):\n    pass", body("pass") + body("pass")],
    "POL002": [body("import os"), body("from os import path"), "import os\n" + body("pass")],
    "POL003": [body("class A:", "    pass")],
    "POL004": ["@staticmethod\n" + body("pass")],
    "POL005": [
        body("yield 1"),
        body("return [x async for x in a]"),
        "async def m_(self):\n    await self.x_()",
        body("def f():", "    yield from a", "return f"),
    ],
    "POL006": [body("global a1", "a1 = 2"), body("x = 1", "def f():", "    nonlocal x", "    x = 2")],
    "POL007": [body("try:", "    pass", "except* ValueError:", "    pass")],
    "POL008": [
        body("return self.__class__"),
        body("return self._slots"),
        body("return a._x"),
        body("_x = 1"),
        body("def _f():", "    pass"),
        body("return [1 for _getattr_ in a]"),
        body("return (_getattr_ := 1)"),
        body("match a:", "    case _write_:", "        pass"),
        body("try:", "    pass", "except ValueError as _guard_:", "    pass"),
        body("return self.x_(_y=1)"),
        body("x: __import__ = 1"),
        "def m_(self, x: __import__ = 1):\n    pass",
        "def m_(self, _getitem_=None):\n    pass",
        "def _m(self):\n    pass",
        body("return getattr(self, '__dict__')"),
        body("return lambda _shown_, /: 1"),
    ],
    "POL009": [
        body("self._p_changed = False"),
        body("self._p_changed = 1"),
        body("self._p_changed = a = True"),
        body("return self._p_changed"),
        body("a._p_changed = True"),
        body("del self._p_changed"),
        body("self._p_changed += True"),
        body("self._p_changed: bool = True"),
    ],
    "POL010": [body("return eval('1')"), body("return open"), body("return m_(1)"), body("raise SystemExit")],
    "POL011": [
        body("self = 1"),
        body("for self in a:", "    pass"),
        body("def f(self):", "    pass", "return f"),
        body("return [self for self in a]"),
        body("return (lambda self: 1)"),
    ],
    "POL012": [
        body("return '{0.__class__}'.format(self)"),
        body("return a.format(b)"),
        body("return '{}'.format_map(a)"),
        body("return str.format('{}', a)"),
        body("return '{:{}}'.format(a, b)"),
        body("f = '{}'.format", "return f(a)"),
    ],
    "POL013": [
        body("match a:", "    case object(x=c):", "        return c"),
        body("match a:", "    case a.b:", "        return 1"),
        body("match a:", "    case int(real=c):", "        return c"),
    ],
    "POL014": [body("self.x_ = 1"), body("del self.area_"), body("self.load_adapter = 1")],
    "POL015": [body("try:", "    pass", "except self.x_():", "    pass")],
    "POL016": [body("return getattr(self, a)"), body("f = getattr", "return f"), body("return hasattr(self, 'a b')")],
    "POL017": [body("def print(x):", "    pass"), body("return a.gi_frame"), body("return getattr(a, 'gi_code')")],
}

ALLOWED = [
    body("self.x += 1", "self.table[a] += 2", "self.y: int = 3", "z: int", "self._p_changed = True"),
    body("return sorted(zip(tuple(a), bytes(b), range(3)), key=lambda pair: pair[0])"),
    body("return math.floor(math.sqrt(a)) + math.pi"),
    body("return f'{a!r:>10} {self.name}' + '{} {:.2f} {name}'.format(1, 2.0, name=3) + '%s' % a"),
    body("return [x for x in a if x] + list({x: y for x, y in b}) + [*{z for z in a}] + list(i for i in a)"),
    body("match a:", "    case [int(x), *rest, {'k': -1, **more}] | (str() as x, rest, more):", "        return x"),
    body("if (n := len(a)) > 3:", "    return n", "for _ in range(n):", "    pass"),
    body("try:", "    return 1", "except (ValueError, SendFailed) as e:", "    return str(e)", "finally:", "    pass"),
    body("def helper(x, *rest, y=1, **more):", "    return helper(x)", "return helper(a)"),
    body("list = [1]", "sum = 0", "return list, sum"),
    body("return getattr(self, 'x', 0) if hasattr(self, 'y') else self.area_(*a, **b)"),
    "def total_(self, *rest: list[int], factor: int = 1) -> Optional[int]:\n    return sum(rest) * factor\n",
]


@pytest.mark.parametrize(("rule", "source"), [(rule, source) for rule, all_ in REFUSED.items() for source in all_])
def test_each_rule_refuses(rule: str, source: str):
    assert rule in rules(source)


@pytest.mark.parametrize("source", [source for all_ in REFUSED.values() for source in all_])
def test_what_is_refused_is_not_compiled(source: str):
    assert isinstance(policy.compile_method(ast.parse(source), kernel=False), list)


def test_every_rule_has_its_examples():
    assert set(REFUSED) == set(policy.RULES) - {"POL018"}


@pytest.mark.parametrize("source", ALLOWED)
def test_ordinary_python_passes(source: str):
    assert isinstance(policy.compile_method(ast.parse(source), kernel=False), CodeType)


def test_a_node_that_nobody_knows_is_refused():
    class Strange(ast.Pass):
        pass

    module = ast.parse(body("pass"))
    module.body[0].body[0] = Strange(lineno=2, col_offset=4, end_lineno=2, end_col_offset=8)
    violations = policy.compile_method(module, kernel=False)
    assert isinstance(violations, list)
    assert [(violation.rule, violation.line) for violation in violations] == [("POL018", 2)]


def test_the_kernel_has_its_closed_list_and_no_more():
    source = "def _process_synthesis_(self):\n    self._tmp_synthesis_data = 1\n    self._p_changed = True\n"
    assert rules(source) == {"POL008"}
    assert rules(source, kernel=True) == set()
    assert rules(source.replace("_tmp_synthesis_data", "_tmp_other"), kernel=True) == {"POL008"}


def test_violations_come_in_the_order_of_lines():
    found = policy.check(ast.parse(body("import os", "x = eval('1')", "class A: pass")), kernel=False)
    assert [violation.line for violation in found] == [2, 3, 4]
