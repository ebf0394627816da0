"""Examples: a mandate's contract, read and checked for sense before anything is done with it, and what came of a trial.

The command checks them to answer at once, the orchestrator because it trusts no client, and both it and the guardian
compare outcomes with them by the same equality; hence one file for all three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final, NoReturn

import msgspec

from protocol import codec, names
from protocol.brief import MOST, brief
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Case, Done, Effect, Example, Failed, OtherObject, Outcome

RULES: Final[dict[str, str]] = {
    "TRIAL_SEND": "an example asks for an outcome, and the method sent a message first",
    "TRIAL_RESULT": "the method returned something else",
    "TRIAL_SLOTS": "the method left the slots otherwise",
    "TRIAL_FAILED": "the method failed",
}
"""What a case of a trial can fail of."""

_HINT: Final = 'An example looks like {"slots":{"width":3,"height":4},"args":[],"returns":12}.'


_QUESTION: Final = ("slots", "args", "kwargs", "objects", "replies")
"""The parts of an example that say what is asked; the others say what must come of it."""


def same_value(one: Value, other: Value) -> bool:
    """Whether two values are equal as outcomes: 2 is 2.0, True is never 1, the order of keys says nothing."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_value(value, other[key]) for key, value in one.items())
    return bool(one == other)


def read_example(value: Value, where: str = "the example") -> Example:
    """The example that the decoded JSON `value` states; BAD_EXAMPLE says what is wrong with it."""
    if not isinstance(value, dict):
        _refuse(f"{where} is no object")
    unknown = [key for key in value if key not in Example.__struct_fields__]
    if unknown:
        _refuse(f"{where} has the unknown key {unknown[0]!r}")
    try:
        return codec.convert(value, Example)
    except BatosError as error:
        raise BatosError("BAD_EXAMPLE", f"{where}: {error.message}", _HINT) from error


def example_value(example: Example) -> Value:
    """An example as a plain value, as methods see it and the world keeps it: absent keys, and no others to send to, stay absent."""
    fields = {name: value for name, value in msgspec.structs.asdict(example).items() if value is not msgspec.UNSET}
    others = {name: {"slots": other.slots} for name, other in fields.pop("objects").items()}
    replies = [msgspec.structs.asdict(reply) for reply in fields.pop("replies")]
    return {**fields, **({"objects": others} if others else {}), **({"replies": replies} if replies else {})}


def check_examples(examples: Sequence[Example]) -> None:
    """BAD_EXAMPLE unless each example asks for an outcome, names sensible slots, and none contradicts another."""
    for n, example in enumerate(examples, 1):
        if example.returns is msgspec.UNSET and example.slots_after is msgspec.UNSET:
            _refuse(f"example {n} asks for nothing: it has neither 'returns' nor 'slots_after'")
        try:
            for slot in (*example.slots, *_after(example)):
                names.check_slot(slot)
            for parameter in example.kwargs:
                names.check_parameter(parameter)
            for name, beside in example.objects.items():
                _check_other(name, beside)
            for reply in example.replies:
                _check_answered(reply.selector)
        except BatosError as error:
            raise BatosError("BAD_EXAMPLE", f"example {n}: {error.message}", error.hint) from error
    for (n, one), (m, other) in combinations(enumerate(examples, 1), 2):
        if contradict(one, other):
            _refuse(f"examples {n} and {m} have the same slots and arguments, and different outcomes")


def _check_other(name: str, other: OtherObject) -> None:
    if not names.is_oid(name):
        names.check_object(name)
    for slot in other.slots:
        names.check_slot(slot)


def _check_answered(selector: str) -> None:
    if not names.is_selector(selector):
        raise BatosError("BAD_EXAMPLE", f"a reply to {selector[: names.MAX_NAME]!r}, which is no message", _HINT)


def check_calls(examples: Sequence[Example], parameters: Sequence[str]) -> None:
    """BAD_EXAMPLE where no method with these `parameters` could be called as an example says. Where none is named, any can."""
    if not parameters:
        return
    for n, example in enumerate(examples, 1):
        if len(example.args) > len(parameters):
            _refuse(
                f"example {n} gives {len(example.args)} arguments to {len(parameters)} parameters ({', '.join(parameters)})"
            )
        for name in example.kwargs:
            if name not in parameters[len(example.args) :]:
                why = "is given by its place already" if name in parameters else "is no parameter"
                _refuse(f"example {n}: the keyword {name} {why} ({', '.join(parameters)})")


def contradict(one: Example, other: Example) -> bool:
    """Whether two examples have the same inputs, and no method could do what both ask for."""
    return _same_question(one, other) and _other_outcomes(one, other)


def _same_question(one: Example, other: Example) -> bool:
    mine, theirs = example_value(one), example_value(other)
    return all(same_value(mine.get(part), theirs.get(part)) for part in _QUESTION)


def _other_outcomes(one: Example, other: Example) -> bool:
    """Whether of the same inputs no method could satisfy both. (One that only returns and one that only changes can stand together.)"""
    if one.returns is not msgspec.UNSET and other.returns is not msgspec.UNSET:  # noqa: SIM102
        if not same_value(one.returns, other.returns):
            return True
    if one.slots_after is msgspec.UNSET or other.slots_after is msgspec.UNSET:
        return False
    # A slot that is named by one only must stay as it was. Where `slots` does not give it, the receiver decides.
    mine, theirs = ({**one.slots, **_after(example)} for example in (one, other))
    return any(not same_value(mine[slot], theirs[slot]) for slot in mine.keys() & theirs.keys())


def _after(example: Example) -> Mapping[str, Value]:
    return example.slots_after if isinstance(example.slots_after, dict) else {}


def _refuse(message: str) -> NoReturn:
    raise BatosError("BAD_EXAMPLE", message, _HINT)


# What came of a trial -----------------------------------------------------------------------------------------


def compare(example: Example, slots: dict[str, Value], outcome: Outcome) -> Case:
    """Whether `outcome`, of a run on `slots`, is what `example` asks for."""
    if isinstance(outcome, Failed):
        line = f", line {outcome.line}" if outcome.line else ""
        return failed_case("TRIAL_FAILED", f"{outcome.error}: {outcome.message}{line}")
    if isinstance(outcome, Effect):
        return failed_case("TRIAL_SEND", f"it sent {outcome.send.selector}")
    if example.returns is not msgspec.UNSET and not same_value(example.returns, outcome.result):
        return failed_case("TRIAL_RESULT", f"expected {brief(example.returns)}, got {brief(outcome.result)}")
    if not isinstance(example.slots_after, dict):
        return Case(passed=True)
    return _compare_slots({**slots, **example.slots_after}, _left(slots, outcome))


def failed_case(rule: str, message: str) -> Case:
    """A case that failed of one of the `RULES`."""
    return Case(passed=False, rule=rule, message=f"{RULES[rule]}: {message[: 3 * MOST]}")


def _compare_slots(expected: dict[str, Value], got: dict[str, Value]) -> Case:
    for slot in sorted(expected.keys() | got.keys()):
        if slot not in got:
            return failed_case("TRIAL_SLOTS", f"slot {slot!r}: expected {brief(expected[slot])}, it is gone")
        if slot not in expected:
            return failed_case("TRIAL_SLOTS", f"slot {slot!r}: expected none, got {brief(got[slot])}")
        if not same_value(expected[slot], got[slot]):
            told = f"expected {brief(expected[slot])}, got {brief(got[slot])}"
            return failed_case("TRIAL_SLOTS", f"slot {slot!r}: {told}")
    return Case(passed=True)


def _left(slots: dict[str, Value], done: Done) -> dict[str, Value]:
    kept = {slot: value for slot, value in slots.items() if slot not in done.removed}
    return {**kept, **done.changed}
