"""Every wall is needed: with one rule, one mechanism or one layer taken away, a named probe passes that must not.

So no rule can be lost unseen: what is disabled here one at a time, the other tests of this folder would miss in earnest.
"""

from __future__ import annotations

import ast
import asyncio
from typing import Any

import pytest

from actors.guardian import gates
from actors.guardian.command import rules
from actors.guardian.confinement import confine
from actors.guardian.covenant import conditions, covenant, loops, targets
from actors.guardian.covenant.knowledge import aliasing, facts, failing, known, recency, scopes
from actors.guardian.covenant.reading import closures, comprehensions, doubts, lazies, outside, reading
from actors.guardian.jail.jail import Jail
from actors.guardian.policy import bounds, policy, tree
from actors.guardian.runtime import run
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Answer, Failed, Run, Send

STATIC = [rule for gate, found in rules.rules().items() if gate != "Trial" for rule in found]
NOT_OURS = {"BND007", "BND008", "POL018"}
"""What Python's parser itself refuses: there is no rule of ours to take away."""
TWICE = {"POL006", "POL007"}
"""What RestrictedPython refuses too, behind our own rule."""
SIGNAL = "self._p_changed = True"


def method(*lines: str) -> str:
    return "def m_(self, a, b=None):\n" + "".join(f"    {line}\n" for line in lines)


def accepted(source: str) -> bool:
    return gates.judge(source, gate="covenant").accepted


# Rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [rule for rule in STATIC if rule.id not in NOT_OURS], ids=lambda rule: rule.id)
def test_without_its_rule_the_example_passes(monkeypatch: pytest.MonkeyPatch, rule: rules.Rule):
    gate = "covenant" if rule.id.startswith("COV") else "policy"
    assert not gates.judge(rule.refused, gate=gate).accepted
    without(monkeypatch, rule.id)
    left = {violation.rule for violation in gates.judge(rule.refused, gate=gate).violations}
    assert left == ({"POL018"} if rule.id in TWICE else set())


def without(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """Take one rule away, as if nobody had written it."""
    measure, check, add = bounds.measure, covenant.check, policy._Checker._add

    def added(self: Any, id_: str, node: Any, detail: str) -> None:
        if id_ != rule:
            add(self, id_, node, detail)

    monkeypatch.setattr(bounds, "measure", lambda source: [one for one in measure(source) if one.rule != rule])
    monkeypatch.setattr(covenant, "check", lambda module: [one for one in check(module) if one[0] != rule])
    monkeypatch.setattr(policy._Checker, "_add", added)


# Mechanisms of the covenant -----------------------------------------------------------------------------------------


def nothing(*_: Any, **__: Any) -> Any:
    return aliasing.NOTHING


def none(*_: Any, **__: Any) -> None:
    return None


def _without_outer(scope: Any, name: str) -> Any:
    """Every variable as the method's own, bound once: closures' calls not told apart."""
    found: Any = scope
    while found is not None and name not in found._bound:
        found = found.outer
    if found is None or found.outer is None:
        return found
    twin = object.__new__(scopes.Scope)
    twin.id, twin.outer, twin._bound = found.id, None, found._bound
    return twin


class Everything(frozenset):
    """Every variable there is, whatever is added or taken away."""

    def __contains__(self, _: object) -> bool:
        return True

    def _same(self, _: object) -> Everything:
        return self

    __or__ = __and__ = __sub__ = _same
    __ior__ = __iand__ = __isub__ = _same


_init = aliasing.State.__init__


def _all_certain(state: aliasing.State) -> None:
    _init(state)
    state.certain = Everything()


MECHANISMS: dict[str, tuple[Any, str, Any, list[str]]] = {
    "mutating methods": (known, "MUTATORS", frozenset(), ["x = []", "b.append(x)", "self.y = b", SIGNAL, "x.append(1)"]),
    "what put in is owned": (aliasing.State, "own", none, ["x = []", "self.items = x", SIGNAL, "x.append(a)"]),
    "what containers hold": (aliasing.State, "hold", none, ["x = [*self.rows]", "x[0].append(a)"]),
    "items of state": (aliasing.State, "contents", nothing, ["for row in self.rows:", "    row.append(a)"]),
    "reach": (aliasing.State, "reach", lambda _, value: set(value), ["x = []", "self.y = [x]", SIGNAL, "x.append(a)"]),
    "joining of ways": (aliasing.State, "absorb", none, ["t = []", "if a[0]:", "    t = b", "else:", "    t = self.items", "t.append(b)"]),
    "breaking off": (reading.Reader, "may_raise", none, ["try:", "    self.x = a", "    int(b)", f"    {SIGNAL}",
                                                         "except ValueError:", "    return 1"]),
    "certain names": (aliasing.State, "__init__", _all_certain, ["if b:", "    y = 1", "try:", "    self.x = a",
                                                               "    z = y", f"    {SIGNAL}", "except NameError:", "    return 1"]),
    "callbacks": (reading.Reader, "_repeat", nothing, ["return sorted(a, key=lambda x: self.items.append(x))"]),
    "lazy maps": (lazies, "pull", nothing, ["m = map(self.items.append, a)", SIGNAL, "return list(m)"]),
    "generators": (comprehensions, "consume", nothing, ["g = (self.items.append(x) for x in a)", SIGNAL, "list(g)"]),
    "closures": (closures, "follow", nothing, ["def put():", "    self.x = a", "put()"]),
    "escaping closures": (reading.Reader, "escape", none, ["return lambda: self.items.append(a)"]),
    "recursion": (closures, "_again", nothing, ["def put(n, v):", "    if n:", "        put(0, self.items)", "    else:",
                                                "        v.append(1)", "put(a, [])"]),
    "own variables of each call": (scopes.Scope, "holder", _without_outer,
                                   ["k = lambda v: lambda: v.append(1)", "f, g = k(self.items), k([])", "f()"]),
    "unknown code": (outside, "hand_over", nothing, ["a(self.items)"]),
    "attribute targets": (targets, "write", none, ["self.x = a"]),
    "item targets": (reading.Reader, "mutate", none, ["self.table[a] = b"]),
    "deletions": (targets, "delete", none, ["del self.items[0]"]),
    "augmented names": (targets, "augment", lambda read, state, node: [state], ["t = self.items", "t += a"]),
    "what is taken in place": (targets, "_in_place", nothing, ["t = self.items", "t += a"]),
    "arithmetic": (aliasing, "arithmetic", lambda *_: True, ["t = self.rows + []", "t[0].append(a)"]),
    "exceptions' cargo": (known, "raises_things", lambda _: False, ["try:", "    raise ValueError(self.items)",
                                                                    "except ValueError as e:", "    e.args[0].append(1)"]),
    "with that swallows": (covenant.Walk, "_with", lambda self, node, ways, exits: self.block(node.body, ways, exits),
                           ["with a:", "    self.x = b", "    int(b)", f"    {SIGNAL}"]),
    "loops that turn": (loops, "MAX_TURNS", 0, []),
    "half-way": (known, "GRADUAL", frozenset(), ["try:", "    self.items.sort()", "except TypeError:", "    return 1", SIGNAL]),
    "keys": (known, "hashable", nothing, ["d = {self.items.append: 0}", "for f in d:", "    f(1)"]),
    "methods as values": (known, "METHODS", frozenset(), ["get = self.table.get", "get(a).append(1)"]),
    "places that are not known any more": (aliasing.State, "put", lambda state, thing, value, _, **__: state.hold(thing, value),
                                           ["x = [{}, self.table]", "x.reverse()", "x[0]['k'] = 1"]),
    "earlier turns": (recency, "_named", lambda thing, _: thing, [
        "last = {}", "for x in a:", "    last['k'] = 1", "    if x:", "        return x", "    last = {}",
        "    self.rows.append(last)", f"    {SIGNAL}"]),
    "one object or many": (aliasing.State, "many", property(lambda _: frozenset(), none), [
        "t = [{'k': self.items} for x in a]", "t[0]['k'] = []", "t[1]['k'].append(1)"]),
    "what fails, and how": (failing, "ITEM", frozenset(), [
        "try:", "    self.x = a", "    b[0]", f"    {SIGNAL}", "except IndexError:", "    return 1"]),
    "who catches": (failing, "_catches", lambda *_: False, [
        "try:", "    self.x = a", "    b[0]", f"    {SIGNAL}", "except IndexError:", "    return 1"]),
    "a list that a sum may be": (doubts, "_plain", lambda _: True, ["t = self.items", "t += a", "return min(t, b)"]),
    "what is bound anew": (facts.Facts, "bind", none, ["f = a in b", "if f:", "    self.x = a", "f = b", "if f:", f"    {SIGNAL}"]),
    "what is changed in place": (reading.Reader, "disturb", none, ["if b:", "    self.x = a", "    b.clear()", "if b:", f"    {SIGNAL}"]),
    "what holds in one call": (facts.Facts, "keep", none, [
        "fs = {}", "def mk(v):", "    if isinstance(v, (list, dict)):", "        fs['f'] = lambda: v.append(1)", "    else:",
        "        fs['f']()", "mk(self.items)", "mk(5)"]),
    "conditions that change": (conditions, "quiet", lambda *_: True, ["f = [1]", "if f and f.pop():", "    self.x = a", "if f:", f"    {SIGNAL}"]),
    "iterators that are spent": (conditions, "_may_be_spent", lambda _: False, [
        "g = (x for x in b)", "self.x = a", "for y in g:", f"    {SIGNAL}", "if not g:", f"    {SIGNAL}"]),
    "branches": (covenant.Walk, "_if", lambda self, node, ways, exits: self.block(node.body, ways, exits),
                 ["self.x = a", "if a:", f"    {SIGNAL}"]),
    "matches": (covenant.Walk, "_match", lambda self, node, ways, exits: self.block(node.cases[0].body, ways, exits),
                ["self.x = a", "match a:", "    case 1:", f"        {SIGNAL}"]),
    "finally": (covenant.Walk, "_finally", lambda self, body, after, *_: after, ["try:", "    return a", "finally:", "    self.x = a"]),
    "dead code": (conditions, "truth", none, []),
    "the signal's receiver": (covenant.Walk, "_is_signal", lambda *_: True, ["self.x = a", "b = 1"]),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, found in MECHANISMS.items() if found[3]])
def test_without_its_mechanism_the_covenant_lets_it_pass(monkeypatch: pytest.MonkeyPatch, name: str):
    place, attribute, mutant, lines = MECHANISMS[name]
    source = method(*lines)
    assert not accepted(source)
    monkeypatch.setattr(place, attribute, mutant)
    assert accepted(source)


def test_what_keeps_the_covenant_precise_is_needed(monkeypatch: pytest.MonkeyPatch):
    """Two mechanisms let sound methods pass: without them these would be refused."""
    loop, endless = method("for x in a:", "    pass"), method("self.x = a", "while True:", "    pass")
    assert accepted(loop)
    assert accepted(endless)
    with monkeypatch.context() as patch:
        patch.setattr(loops, "MAX_TURNS", 0)
        assert not accepted(loop)
    with monkeypatch.context() as patch:
        patch.setattr(conditions, "truth", none)
        assert not accepted(endless)


def test_the_depth_of_the_tree_is_bounded(monkeypatch: pytest.MonkeyPatch):
    source = method("return " + "not " * 100 + "1")
    assert isinstance(tree.parse(source), bounds.Violation)
    monkeypatch.setattr(bounds, "MAX_DEPTH", 1000)
    assert isinstance(tree.parse(source), ast.Module)


# Walls of a run --------------------------------------------------------------------------------------------------

ME = Ref("00000000000000aa")
OTHER_SENT = run.digest_of(Send(kind="send", receiver=ME, selector="other_"))

RUNTIME: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "no text shows an address": ("facades.shown = lambda v: v; ", "x = lambda: 1\n    return f'{x}'", {}, "TypeError"),
    "attributes are a list": (
        "facades.attribute = getattr; ",
        "return ValueError(1).with_traceback",
        {},
        "AttributeError",
    ),
    "exhaustion reaches no handler": (
        "run._Play._guard = lambda self: None; ",
        "def f(n):\n        return f(n + 1)\n    try:\n        f(0)\n    except:\n        return 1",
        {},
        "LIMIT_RECURSION",
    ),
    "the covenant holds at run time": (
        "slots.Slots._touched = lambda self, now: []; ",
        "self.items.append(1)",
        {"slots": {"items": []}},
        "COVENANT_BREACH",
    ),
    "what a send has replaced is remembered": (
        "slots.Slots.lost = lambda self: None; ",
        "row = self.items[0]\n    self.other_()\n    row.append(1)\n    self._p_changed = True",
        {"slots": {"items": [[]]}, "answers": [Answer(digest=OTHER_SENT, changed={"items": [[2]]})]},
        "LOST_CHANGE",
    ),
    "a replay sends the same": (
        "run.digest_of = lambda send: 'x'; ",
        "return self.ask_(2)",
        {"answers": [Answer(digest="x", value=1)]},
        "REPLAY_DIVERGED",
    ),
    "a list takes no text": (
        "facades.add = lambda a, b: a.__iadd__(b); ",
        "x = self.items\n    x += 'ab'\n    return 1",
        {"slots": {"items": []}},
        "TypeError",
    ),
    "a field repeats no list": (
        "facades.multiply = lambda a, b: a.__imul__(b); ",
        "x = dict(self.row)\n    x['k'] *= 2\n    return 1",
        {"slots": {"row": {"k": [1]}}},
        "TypeError",
    ),
    "an answer is bounded": (
        "child.MAX_OUTCOME = 1 << 40; ",
        "self.a = self.b = self.c = self.d = self.e = 'y' * 1000000\n    self._p_changed = True",
        {},
        "TOO_LARGE",
    ),
    "values are weighed": (
        "weight.weigh = lambda value: None; ",
        "x = []\n    for i in range(30):\n        x = [x, x]\n    return x",
        {},
        "TOO_LARGE",
    ),
    "memory is limited": ("confine.MEMORY = 4 << 30; ", "return len(bytes(300000000))", {}, "LIMIT_MEMORY"),
    "time is limited": (
        "confine.signal.setitimer = lambda *a: None; ",
        "return sum(range(2 * 10 ** 7))",
        {"seconds": 0.05},
        "LIMIT_TIME",
    ),
}


async def _run(request: Run) -> Any:
    jail = Jail(workers=1, may_lack=confine.LAYERS)
    await jail.start()
    try:
        return await jail.run(request)
    finally:
        await jail.close()


def mutated(monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    """From here on templates start with `mutant` done to them."""
    from actors.guardian.jail import launching

    modules = (
        "from actors.guardian.confinement import confine, landlock, seccomp, survey, syscalls; "
        "from actors.guardian.jail import child; "
        "from actors.guardian.runtime import facades, run, slots, weight; "
    )
    start = launching._START.replace("from actors", f"{modules}from protocol import codec; {mutant}from actors", 1)
    monkeypatch.setattr(launching, "_START", start)


@pytest.mark.parametrize("name", RUNTIME)
def test_without_its_wall_the_run_ends_otherwise(monkeypatch: pytest.MonkeyPatch, name: str):
    mutant, body, more, expected = RUNTIME[name]
    request = Run(source=f"def m_(self):\n    {body}\n", receiver=ME, **more)
    outcome = asyncio.run(_run(request))
    assert isinstance(outcome, Failed)
    assert outcome.error == expected
    mutated(monkeypatch, mutant)
    outcome = asyncio.run(_run(request))
    assert not isinstance(outcome, Failed) or outcome.error != expected


# Layers of the jail ----------------------------------------------------------------------------------------------

LAYERS: dict[str, list[str]] = {
    "namespaces": [
        "syscalls.unshare = lambda flags: None; ",
        "confine._NAMESPACES &= ~syscalls.CLONE_NEWNET; ",
        "confine._NAMESPACES &= ~syscalls.CLONE_NEWIPC; ",
        "confine._NAMESPACES &= ~syscalls.CLONE_NEWPID; ",
        "confine.empty_root = lambda: (_ for _ in ()).throw(OSError(1, 'x')); ",
    ],
    "landlock": ["landlock.restrict = lambda: None; "],
    "nobody": ["syscalls.drop_capabilities = lambda: None; confine.os.setresuid = lambda *a: None; "],
    "rlimits": [
        "confine.resource.setrlimit = lambda *a: None; ",
        "confine.signal.setitimer = lambda *a: None; ",
    ],
    "seccomp": [
        "seccomp.install = lambda code: None; ",
        "seccomp._PROT_EXEC = 0; ",
        "seccomp._PLAIN['x86_64']['open'] = 257; seccomp._PLAIN['aarch64']['open'] = 56; ",
        "seccomp._PLAIN['x86_64']['read'] = 0; seccomp._PLAIN['aarch64']['read'] = 63; ",
        "seccomp._PLAIN['x86_64']['write'] = 1; seccomp._PLAIN['aarch64']['write'] = 64; ",
    ],
}


@pytest.mark.parametrize(("layer", "mutant"), [(layer, mutant) for layer, all_ in LAYERS.items() for mutant in all_])
def test_without_its_layer_the_jail_does_not_stand(monkeypatch: pytest.MonkeyPatch, layer: str, mutant: str):
    async def start() -> dict[str, str]:
        jail = Jail(workers=1, may_lack=set(confine.LAYERS) - {layer})
        try:
            await jail.start()
        finally:
            await jail.close()
        return jail.missing

    if layer in asyncio.run(_missing()):
        pytest.skip(f"this machine has no {layer}")
    mutated(monkeypatch, mutant)
    with pytest.raises(BatosError, match=layer) as caught:
        asyncio.run(start())
    assert caught.value.code == "NO_JAIL"


async def _missing() -> dict[str, str]:
    jail = Jail(workers=1, may_lack=confine.LAYERS)
    await jail.start()
    await jail.close()
    return jail.missing


def test_every_layer_is_taken_away_once():
    assert set(LAYERS) == set(confine.LAYERS)
