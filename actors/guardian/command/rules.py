"""The rules of the gates, each with its reason, a source that it refuses, and one beside it that passes.

`docs/rules.md` is made of this (`python -m actors.guardian rules`), and a test judges every example: so the page is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from actors.guardian.command.rule_examples import EXAMPLES, TRIALS
from actors.guardian.covenant import covenant
from actors.guardian.policy import bounds, policy
from protocol import examples

_MAX_SHOWN: Final = 400


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`title` is what a verdict says. `case` is the example of a trial that tells `refused` from `accepted`."""

    id: str
    title: str
    why: str
    refused: str
    accepted: str
    case: dict[str, Any] | None = None


_WAY: Final = """No way through a method that changes its receiver may leave without `self._p_changed = True` after the
last change. The message names the way by its lines, where the state was changed, where the way turned off, and how it
left: `line 4 → 7 → return`, or `line 4 → end` where it left at the method's end."""

_GATES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "Bounds": ("Measured on the raw text, before anything parses it.", bounds.RULES),
    "Policy": ("The language that a method is written in.", policy.RULES),
    "Covenant": (_WAY, covenant.RULES),
    "Trial": ("What a method did on an example, in the jail: here, on the case that is named.", examples.RULES),
}


def rules() -> dict[str, list[Rule]]:
    """Every rule, by gate; KeyError where one has no example."""
    return {gate: [_rule(id_, title) for id_, title in titles.items()] for gate, (_, titles) in _GATES.items()}


def page() -> str:
    """`docs/rules.md`."""
    lines = [
        "# Rules of the guardian",
        "",
        "Made from the code by `python -m actors.guardian rules`; a test judges every example on this page.",
        "A verdict names a rule by its id. Ids are stable: one that is given up is not given to another rule.",
    ]
    for gate, found in rules().items():
        lines += ["", f"## {gate}", "", _GATES[gate][0]]
        for rule in found:
            lines += ["", f"### {rule.id}: {rule.title}", "", rule.why, ""]
            if rule.case is not None:
                lines += [f"Case: `{rule.case}`", ""]
            lines += ["Refused:", "", *_code(rule.refused), "", "Accepted:", "", *_code(rule.accepted)]
    return "\n".join(lines) + "\n"


def _rule(id_: str, title: str) -> Rule:
    if id_ in TRIALS:
        why, case, refused, accepted = TRIALS[id_]
        return Rule(id=id_, title=title, why=why, refused=refused, accepted=accepted, case=case)
    why, refused, accepted = EXAMPLES[id_]
    return Rule(id=id_, title=title, why=why, refused=refused, accepted=accepted)


def _code(source: str) -> list[str]:
    """`source` in a fence: long ones cut, what cannot be seen escaped."""
    shown = source if len(source) <= _MAX_SHOWN else f"{source[: _MAX_SHOWN // 4]}…  # {len(source)} characters"
    seen = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in shown)
    return ["```python", seen.rstrip("\n"), "```"]
