"""The static gates in their order: bounds, policy, covenant. It runs where the parse may cost the process its life.

Bounds guard the parse, so they and the parse belong to every judgement; `gate` chooses what is asked beyond them.
`probe` is the boot check: each gate must refuse its own example of what it is there for, and let the sound one pass.
"""

from __future__ import annotations

import ast
from typing import Final, Literal

from actors.guardian.covenant import covenant
from actors.guardian.policy import bounds, policy, tree
from protocol.errors import BatosError
from protocol.messages import Verdict, Violation

Gate = Literal["covenant", "policy", "all"]

_SOUND: Final = (
    "def grow_(self, by):\n    self.size = self.size + by\n    self._p_changed = True\n    return self.size\n"
)
_PROBES: Final[tuple[tuple[str, Gate, str, str], ...]] = (
    ("bounds", "all", "def deep_(self):\n    return " + "(" * 100 + ")" * 100 + "\n", "BND"),
    ("policy", "policy", "def leave_(self):\n    import os\n    return os\n", "POL"),
    ("covenant", "covenant", "def forget_(self, value):\n    self.value = value\n", "COV"),
)


def judge(source: str, *, kernel: bool = False, gate: Gate = "all") -> Verdict:
    """The verdict of the static gates on `source`."""
    found = bounds.measure(source)
    if found:
        return _verdict(found)
    module = tree.parse(source)
    if not isinstance(module, ast.Module):
        return _verdict([module])
    selector, parameters = _signature(module)
    try:
        if gate != "policy":
            found.extend(Violation(rule=rule, line=line, message=text) for rule, line, text in covenant.check(module))
        if gate != "covenant":
            # Last, because it uses the tree up. Violations are listed by line in the end.
            found.extend(_policed(module, kernel=kernel))
    except (MemoryError, RecursionError) as error:
        return _verdict([bounds.unparsed(error)])
    if found:
        return _verdict(sorted(found, key=lambda violation: (violation.line, violation.rule)))
    return Verdict(verdict="accept", selector=selector, parameters=parameters)


def probe() -> None:
    """NO_JAIL unless every static gate stands and refuses what it is there for."""
    for name, gate, source, prefix in _PROBES:
        verdict = judge(source, gate=gate)
        if verdict.accepted or not verdict.violations[0].rule.startswith(prefix):
            raise BatosError("NO_JAIL", f"the gate {name!r} does not refuse its probe", "Reinstall batos.", gate=name)
    if not judge(_SOUND).accepted:
        raise BatosError("NO_JAIL", "the gates refuse a sound method", "Reinstall batos.")


def _policed(module: ast.Module, *, kernel: bool) -> list[Violation]:
    code = policy.compile_method(module, kernel=kernel)
    return code if isinstance(code, list) else []


def _signature(module: ast.Module) -> tuple[str, list[str]]:
    """The method's name and its parameters' names, `self` not among them."""
    match module.body:
        case [ast.FunctionDef(name=name, args=args)]:
            named = [*args.posonlyargs, *args.args][1:] + args.kwonlyargs
            return name, [parameter.arg for parameter in named]
        case _:
            return "", []


def _verdict(found: list[Violation]) -> Verdict:
    return Verdict(verdict="reject" if found else "accept", violations=found)
