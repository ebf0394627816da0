"""The frame alone, under a reader that reads nothing: scope, bindings, changes, and what is called by others."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable

import pytest

from actors.guardian.covenant import frame
from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge.aliasing import MAX_TURNS, State, TooComplexError
from actors.guardian.covenant.knowledge.facts import UNKNOWN, Fact
from actors.guardian.covenant.knowledge.objects import (
    CLASS,
    NOTHING,
    RECEIVER,
    REST,
    STATE,
    Bound,
    Closure,
    Foreign,
    Object,
    Outside,
    Site,
    Value,
)
from actors.guardian.covenant.knowledge.scopes import OUTSIDE, Scope
from actors.guardian.covenant.reading.arguments import Arguments

SOURCE = """
def m_(self, a):
    x = a
    def inner(y):
        return x, y
    def rebinds(y):
        y = [y for y in a]
        return lambda: y
    return inner, unknown
"""
LIST, DICT = Site(1, "list"), Site(2, "dict")
PARAMETER = Foreign("a")
CALLBACK = Closure(3)
HERE = ast.Pass(lineno=7)
Deed = Callable[[State, Object, Arguments], Value]


class Blank(Frame):
    """A reader of nothing: whatever is invoked does `deed`."""

    def __init__(self, deed: Deed = lambda *_: NOTHING) -> None:
        self.reports: list[tuple[str, int, str]] = []
        super().__init__(lambda *_: NOTHING, lambda *told: self.reports.append(told))
        (method,) = ast.parse(SOURCE).body
        self.closed = {node.name: node for node in method.body if isinstance(node, ast.FunctionDef)}
        self.scope = Scope(method, None)
        self.root = self.scope.id
        self.deed = deed
        self.invoked: list[Object] = []

    def value(self, node, state):
        return NOTHING

    def items(self, state, value):
        return NOTHING

    def attribute(self, state, base, name):
        return NOTHING

    def invoke(self, state, thing, arguments, node):
        self.invoked.append(thing)
        return self.deed(state, thing, arguments)


def changes(state: State, *_: object) -> Value:
    state.change(5)
    return NOTHING


# One way -----------------------------------------------------------------------------------------------------------


def test_the_frame_loads_no_part_and_no_reader():
    script = (
        "import sys, actors.guardian.covenant.frame; "
        "print(*sorted(m.rpartition('covenant.')[2] for m in sys.modules if 'covenant.' in m))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert [one for one in told if not one.startswith("knowledge")] == ["frame", "reading", "reading.arguments"]


def test_only_a_reader_can_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Frame(lambda *_: NOTHING, lambda *_: None)
    assert Frame.__abstractmethods__ == {"value", "items", "attribute", "invoke"}


# Scope and bindings ------------------------------------------------------------------------------------------------


def test_a_name_is_its_scopes():
    read = Blank()
    assert read.key("x") == (read.root, "x")
    assert read.key("unknown") == (OUTSIDE, "unknown")
    read.scope = read.inner(read.closed["inner"], read.scope)
    assert read.key("x") == (read.root, "x")
    assert read.key("y") == (id(read.closed["inner"]), "y")


def test_a_function_has_one_scope_however_often_it_is_called():
    read = Blank()
    one = read.inner(read.closed["inner"], read.scope)
    assert read.inner(read.closed["inner"], read.scope) is one


def test_a_variable_of_the_method_is_bound_anew():
    read, state, fact = Blank(), State(), Fact(truth=True)
    read.bind(state, "x", frozenset({LIST}), fact)
    read.bind(state, "x", frozenset({DICT}), fact)
    assert state.env[read.key("x")] == {DICT}
    assert state.facts.of(read.key("x")) == fact
    assert read.has(state, "x")
    read.unbind(state, "x")
    assert not read.has(state, "x")
    assert state.facts.of(read.key("x")) == UNKNOWN


@pytest.mark.parametrize(
    ("again", "closure", "keeps"), [(False, "inner", False), (True, "inner", True), (False, "rebinds", True)]
)
def test_a_variable_of_a_closure_may_be_that_of_another_call(again, closure, keeps):
    read, state = Blank(), State()
    read.scope = read.inner(read.closed[closure], read.scope)
    read.bind(state, "y", frozenset({LIST}), Fact(truth=True))
    read.again = again
    read.bind(state, "y", frozenset({DICT}), Fact(truth=True))
    assert (LIST in state.env[read.key("y")]) is keeps
    assert state.facts.of(read.key("y")) == UNKNOWN


def test_what_is_always_the_same_is_asked_once_in_each_scope():
    read, asked = Blank(), []

    def question(of: Frame, node: ast.AST) -> int:
        asked.append(of.scope.id)
        return len(asked)

    assert [read.once(question, HERE), read.once(question, HERE)] == [1, 1]
    read.scope = read.inner(read.closed["inner"], read.scope)
    assert read.once(question, HERE) == 2
    assert asked == [read.root, id(read.closed["inner"])]


# What can happen to the state --------------------------------------------------------------------------------------


def test_steps_are_bounded(monkeypatch):
    monkeypatch.setattr(frame, "MAX_STEPS", 2)
    read = Blank()
    read.step()
    read.step()
    with pytest.raises(TooComplexError):
        read.step()


def test_breaking_off_is_noted_within_try_only_and_as_it_is_then():
    read, state = Blank(), State()
    read.may_raise(state)
    assert read.raises is None
    read.raises = []
    read.may_raise(state, frozenset({"KeyError"}))
    state.change(3)
    state.dead = True
    read.may_raise(state)
    ((then, kinds),) = read.raises
    assert (then.dirty, kinds) == (None, {"KeyError"})


def test_suspension_between_change_and_signal_is_reported():
    read, state = Blank(), State()
    read.suspend(state, 4)
    assert read.reports == []
    state.change(3)
    read.suspend(state, 4)
    assert read.reports == [("COV004", 4, "changed on line 3")]


@pytest.mark.parametrize("thing", [STATE, RECEIVER])
def test_a_change_of_state_is_one_and_owns_what_is_put(thing):
    read, state = Blank(), State()
    read.mutate(state, frozenset({thing}), frozenset({LIST}), 9)
    assert state.dirty == (9,)
    assert state.owned == {LIST}


def test_a_change_of_the_class_is_reported():
    read, state = Blank(), State()
    read.mutate(state, frozenset({CLASS}), NOTHING, 9)
    assert (read.reports, state.dirty) == ([("COV003", 9, "")], None)


def test_what_others_and_own_containers_hold_is_remembered():
    read, state = Blank(), State()
    made = state.make(ast.Dict(), NOTHING)
    read.mutate(state, frozenset({PARAMETER}), frozenset({LIST}), 9)
    read.mutate(state, made, frozenset({LIST}), 9, place="k", replaces=True)
    read.mutate(state, made, frozenset({DICT}), 9, place="k", replaces=True)
    assert state.dirty is None
    assert state.held[PARAMETER] == {LIST}
    assert state.part(made, "k") == {DICT}
    assert state.parts[next(iter(made))] == {"k": {DICT}, REST: NOTHING}


def test_what_may_be_either_of_two_replaces_nothing():
    read, state = Blank(), State()
    both = state.make(ast.Dict(), NOTHING) | state.make(ast.Dict(), NOTHING, role="other")
    read.mutate(state, both, frozenset({LIST}), 9, place="k", replaces=True)
    read.mutate(state, both, frozenset({DICT}), 9, place="k", replaces=True)
    assert state.part(both, "k") == {LIST, DICT}


@pytest.mark.parametrize(
    ("named", "changed", "forgets"),
    [(LIST, LIST, True), (LIST, DICT, False), (STATE, RECEIVER, True), (PARAMETER, Foreign("b"), True)],
)
def test_what_was_true_of_what_is_changed_is_forgotten(named, changed, forgets):
    read, state = Blank(), State()
    read.bind(state, "x", frozenset({named}), Fact(truth=True))
    read.disturb(state, frozenset({changed}), grows=True)
    assert state.facts.of(read.key("x")).truth is True
    read.disturb(state, frozenset({changed}), grows=False)
    assert state.facts.of(read.key("x")).truth is (None if forgets else True)


def test_the_first_hint_for_a_line_stays():
    read = Blank()
    read.hint(3, "one")
    read.hint(3, "another")
    assert read.hints == {3: "one"}


# What leaves, and what is called by others -------------------------------------------------------------------------


def test_a_closure_that_leaves_may_change_the_state_later():
    read, state = Blank(changes), State()
    state.hold(LIST, frozenset({CALLBACK}))
    read.escape(state, frozenset({LIST, Outside("len")}), None, 8)
    assert read.invoked == [CALLBACK]
    assert read.reports == [("COV005", 8, "a change on line 5")]
    assert state.dirty is None


def test_a_closure_put_into_the_state_has_left():
    read, state = Blank(changes), State()
    read.own(state, frozenset({CALLBACK, LIST}), 8)
    assert state.owned == {LIST}
    assert [rule for rule, _, _ in read.reports] == ["COV005"]


def test_only_what_can_be_invoked_is():
    read, state = Blank(), State()
    read.invoke_all(state, frozenset({LIST, PARAMETER, STATE, Outside("len"), Bound("append", NOTHING)}), NOTHING, HERE)
    assert read.invoked == [Bound("append", NOTHING)]


def test_a_callback_may_be_called_by_any_name_and_not_at_all():
    read, state = Blank(changes), State()
    read.raises = []
    read.callback(state, frozenset({Outside("len")}), NOTHING, HERE)
    assert set(read.invoked) == {Outside("len")}
    assert state.dirty == (5,)
    assert read.raises[0][0].dirty is None


def test_a_callback_gets_what_is_unknown_until_nothing_new_comes_out():
    def answers(_: State, __: Object, arguments: Arguments) -> Value:
        return arguments.everything

    read, state = Blank(answers), State()
    assert read.callback(state, frozenset({CALLBACK}), frozenset({LIST}), HERE) == {LIST}
    assert read.invoked == [CALLBACK, CALLBACK]


def test_a_callback_that_never_settles_is_too_complex():
    read = Blank(lambda *_: frozenset({Foreign(str(len(read.invoked)))}))
    with pytest.raises(TooComplexError):
        read.callback(State(), frozenset({CALLBACK}), NOTHING, HERE)
    assert len(read.invoked) == MAX_TURNS
