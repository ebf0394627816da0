"""The covenant's reading of calls of the method's own closures: their bodies are followed where they are called.

One that calls itself is followed until nothing new comes out: an inner call starts in what the body may start in, and
ends in what the body may end in.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from typing import Final

from actors.guardian.covenant.frame import ClosureCall, Frame
from actors.guardian.covenant.knowledge import recency
from actors.guardian.covenant.knowledge.aliasing import State, TooComplexError, joined
from actors.guardian.covenant.knowledge.objects import Closure, Value
from actors.guardian.covenant.knowledge.scopes import Function, parameters
from actors.guardian.covenant.reading.arguments import Arguments

MAX_CALLS: Final = 8
MAX_TURNS: Final = 8


def follow(read: Frame, state: State, thing: Closure, arguments: Arguments) -> Value:
    """Call the closure `thing` on `state`."""
    function, outer, defaults = read.closures[thing.made_at]
    defaults = recency.with_earlier(state, defaults)
    assert not isinstance(function, ast.GeneratorExp)
    caller, read.scope = read.scope, read.inner(function, outer)
    try:
        # What is known of the variables of a closure is known in one of its calls only.
        state.facts.keep(read.root)
        under_way = read.calls.get(thing.made_at)
        made_at = read.once(recency.within, function)
        apart = caller.id != read.root and not recency.made(state, made_at)
        read.again = under_way is not None
        _bind(read, state, function, arguments, defaults)
        read.again = False
        if under_way is not None:
            return _again(under_way, state)
        if len(read.calls) >= MAX_CALLS:
            raise TooComplexError
        call = read.calls[thing.made_at] = ClosureCall(state.copy())
        try:
            _run(read, function, call)
        finally:
            del read.calls[thing.made_at]
    finally:
        read.scope = caller
    if call.end is not None:
        state.become(call.end)
    state.facts.keep(read.root)
    if apart:
        # Called by a comprehension or another closure, perhaps often: what it has made is not to be taken for one object.
        value = recency.renamed(state, made_at, call.value)
        recency.turn(state, made_at)
        return value
    return call.value


def _run(read: Frame, function: Function, call: ClosureCall) -> None:
    for _ in range(MAX_TURNS):
        call.inner = call.grown = False
        end = call.begin.copy()
        value = read.run_body(function, end)
        settled = call.end is not None and call.end.knows(end) and value <= call.value and not call.grown
        call.end = joined([end] if call.end is None else [call.end, end])
        call.value |= value
        if settled or not call.inner:
            return
    raise TooComplexError


def _again(call: ClosureCall, state: State) -> Value:
    """An inner call: the body begins here too, and what it has been seen to end in may be what comes next."""
    call.inner = True
    if not call.begin.knows(state):
        call.begin.absorb(state)
        call.grown = True
    if call.end is not None:
        state.absorb(call.end)
    return call.value


def _bind(read: Frame, state: State, function: Function, arguments: Arguments, defaults: Value) -> None:
    a = function.args
    positional = [*a.posonlyargs, *a.args]
    value: Value
    for n, name in enumerate(parameters(function)):
        if name is a.vararg:
            value = state.make(name, arguments.spread.union(*arguments.placed[len(positional) :]), "tuple")
        elif name is a.kwarg:
            value = state.make(name, arguments.spread.union(*arguments.named.values()), "dict")
        elif n < len(arguments.placed) and n < len(positional):
            value = arguments.placed[n]
        elif name.arg in arguments.named:
            value = arguments.named[name.arg]
        else:
            value = arguments.spread | defaults
        read.bind(state, name.arg, value)
