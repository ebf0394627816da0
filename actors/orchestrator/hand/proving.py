"""The gates of the guardian, which a source that a person has written must pass like any other."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from actors.orchestrator.hand.splitting import Part
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.thought import Thought
from protocol import names, verbs
from protocol.errors import BatosError
from protocol.messages import DefinedMethod, Judge, Verdict
from world.method import digest


class Gated(msgspec.Struct, frozen=True):
    """A part of a source that has passed the gates."""

    selector: str
    parameters: list[str]
    source: str
    sha256: str


def gated(thought: Thought, oid: str, parts: Sequence[Part], path: str) -> Thinking[list[Gated]]:
    """The methods that `parts` are, for the object `oid`; REFUSED with the verdict on each where one is refused."""
    told: list[DefinedMethod] = []
    found: list[Gated] = []
    for number, part in enumerate(parts):
        selector = named(part.source)
        request = Judge(source=part.source, kernel=thought.overlay.is_privileged(oid, selector))
        verdict = yield from call(verbs.JUDGE, request, path=f"{path}.judge{number}", keep=True)
        judged = _told(verdict, part, selector)
        if verdict.accepted:
            names.check_selector(judged.selector)
            found.append(Gated(judged.selector, verdict.parameters, part.source, judged.sha256))
        told.append(judged)
    refused = [method for method in told if method.violations]
    if refused:
        raise _refused(told, refused)
    return found


def named(source: str) -> str:
    """The name after the first `def`, whether the source is a method or not."""
    found = re.search(r"(?m)^(?:async\s+)?def\s+(\w+)", source)
    return found[1] if found is not None else ""


def _told(verdict: Verdict, part: Part, selector: str) -> DefinedMethod:
    shift = part.line - 1
    violations = [
        msgspec.structs.replace(one, line=one.line + shift if one.line else part.line) for one in verdict.violations
    ]
    return DefinedMethod(
        selector=verdict.selector or selector,
        sha256=digest(part.source),
        verdict=verdict.verdict,
        violations=violations,
    )


def _refused(told: list[DefinedMethod], refused: list[DefinedMethod]) -> BatosError:
    first = refused[0].violations[0]
    count = sum(len(method.violations) for method in refused)
    more = f" (and {count - 1} more)" if count > 1 else ""
    return BatosError(
        "REFUSED",
        f"line {first.line}: {first.rule} {first.message}{more}",
        "Nothing has changed. docs/rules.md explains each rule, and `batos guard FILE` judges without a world.",
        rule=first.rule,
        line=first.line,
        methods=[msgspec.to_builtins(method) for method in told],
    )
