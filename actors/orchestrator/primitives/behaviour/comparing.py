"""Candidates beside each other: the primitive `compare_`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum, isfinite
from typing import Final

import msgspec

from actors.orchestrator.primitives import arguments
from actors.orchestrator.primitives.behaviour import inputs as made
from actors.orchestrator.primitives.behaviour.choosing import Candidate, Choice, Group, choose, confirm
from actors.orchestrator.primitives.behaviour.inputs import Asked, Input
from actors.orchestrator.primitives.behaviour.keys import outcome_key
from actors.orchestrator.primitives.behaviour.simplifying import simpler
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.thought import Sender
from protocol import codec, verbs
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Probe, ProbeInput
from world.method import digest

MOST_SOURCES: Final = 16
MOST_RUNS: Final = 240
MOST_TRIALS: Final = 1000
"""Runs of what is simpler on the examples, of which there may be any number; the guardian takes no more at once."""
MOST_GROUPS: Final = 8
MOST_CASES: Final = 6


class Drawn(msgspec.Struct, frozen=True):
    """A candidate as a method hands it over. `weight` is the likelihood that the model gives it, where one is known, for each of
    the `count` times that it was drawn.
    """

    source: str
    weight: float = 1.0
    count: int = 1


def compare(sender: Sender, target: Value, candidates: Value, message: Value) -> Thinking[Value]:
    """Run candidates that hold the examples of `message` on inputs like those, and tell them apart by what they do.

    `candidates` are [{"source", "weight"?, "count"?}]. Returns {"groups", "doubts", "is_rote"}: groups and doubts as in
    `protocol.messages.Learned`, the chosen group first; `is_rote` says that the chosen source, wherever it was run, says
    nothing but what the examples say, so that more candidates are worth their price.
    """
    sender.running()
    thought = sender.thought
    oid = arguments.reference(target)
    kernel = thought.overlay.is_kernel(oid)
    asked = codec.convert(message, Asked)
    drawn = _merged(_drawn(candidates))
    inputs = made.generate(asked, [source for source, _, _ in drawn], min(made.MOST, MOST_RUNS // len(drawn)))
    probe = Probe(
        sources=[source for source, _, _ in drawn],
        receiver=Ref(oid),
        slots=thought.overlay.visible(oid, kernel=kernel),
        inputs=[ProbeInput(slots=given.slots, args=given.args, kwargs=given.kwargs) for given in inputs],
        kernel=kernel,
    )
    probed = yield from call(verbs.PROBE, probe, path=sender.path, keep=True)
    inputs = inputs[: probed.inputs]
    ran = [
        Candidate(source, digest(source), weight, count, did.outcomes)
        for (source, weight, count), did in zip(drawn, probed.sources, strict=True)
        if did.verdict == "accept"
    ]
    if not ran:
        raise BatosError("METHOD_FAILED", "compare_: the guardian refuses all of the candidates")
    choice = choose(ran, inputs, asked.examples)
    if choice.is_alone:
        less = yield from _simpler(sender, probe, ran[0], inputs, asked)
        choice = confirm(choice, less, inputs, asked.examples)
    return _told(choice, inputs)


def _simpler(
    sender: Sender, probe: Probe, alone: Candidate, inputs: Sequence[Input], asked: Asked
) -> Thinking[list[Candidate] | None]:
    """The methods that are simpler than the only candidate, and do the same on every example; None where that needs a trial that
    the orchestrator drives, or there are more examples than can be tried.
    """
    if any(example.objects or example.replies for example in asked.examples):
        return None
    cases = [ProbeInput(slots=example.slots, args=example.args, kwargs=example.kwargs) for example in asked.examples]
    most = MOST_TRIALS // max(len(cases), 1)
    if most < 2:
        return None
    sources = [alone.source, *simpler(alone.source, _meant(asked, probe.slots))][:most]
    holding = sources[1:]
    if cases:
        told = msgspec.structs.replace(probe, sources=sources, inputs=cases)
        probed = yield from call(verbs.PROBE, told, path=sender.path, keep=True)
        first, *others = probed.sources
        if probed.inputs < len(cases) or any("sends" in outcome for outcome in first.outcomes):
            return None
        seen = list(map(outcome_key, first.outcomes))
        holding = [
            source
            for source, did in zip(holding, others, strict=True)
            if did.verdict == "accept" and list(map(outcome_key, did.outcomes)) == seen
        ]
    holding = holding[: MOST_RUNS // max(len(inputs), 1)]
    if not holding:
        return []
    probed = yield from call(verbs.PROBE, msgspec.structs.replace(probe, sources=holding), path=sender.path, keep=True)
    return [
        Candidate(source, digest(source), alone.weight, 1, _padded(did.outcomes, len(inputs)))
        for source, did in zip(holding, probed.sources, strict=True)
        if did.verdict == "accept"
    ]


def _meant(asked: Asked, slots: Mapping[str, Value]) -> dict[str, list[str]]:
    """The expressions that have a value in the first example, by that value as `repr` writes it."""
    found: dict[str, list[str]] = {}
    for example in asked.examples[:1]:
        values = {f"self.{slot}": value for slot, value in {**slots, **example.slots}.items()}
        values |= dict(zip(asked.parameters, example.args, strict=False)) | example.kwargs
        for expression, value in values.items():
            found.setdefault(repr(value), []).append(expression)
    return found


def _padded(outcomes: list[dict[str, Value]], number: int) -> list[dict[str, Value]]:
    """What was not run says nothing, as what raises does."""
    return [*outcomes[:number], *[{"raises": ""}] * (number - len(outcomes))]


def _drawn(candidates: Value) -> list[Drawn]:
    try:
        drawn = codec.convert(candidates, list[Drawn])
    except BatosError as error:
        raise BatosError("METHOD_FAILED", f"compare_: {error.message}") from error
    if not drawn or any(not isfinite(one.weight) or one.weight <= 0 or one.count < 1 for one in drawn):
        raise BatosError("METHOD_FAILED", "compare_: it takes at least one candidate, of weights and counts above 0")
    return drawn


def _merged(drawn: Sequence[Drawn]) -> list[tuple[str, float, int]]:
    """The heaviest sources, each once, with its whole weight and how often it was drawn, in an order of their own."""
    same: dict[str, list[Drawn]] = {}
    for one in drawn:
        same.setdefault(one.source, []).append(one)
    merged = [
        (source, fsum(one.weight for one in found), sum(one.count for one in found)) for source, found in same.items()
    ]
    return sorted(merged, key=lambda one: (-one[1], len(one[0]), one[0]))[:MOST_SOURCES]


def _told(choice: Choice, inputs: Sequence[Input]) -> dict[str, Value]:
    parting = sorted(
        range(len(inputs)), key=lambda n: (len({group.keys[n] for group in choice.groups}) == 1, inputs[n].is_edge, n)
    )
    return {
        "groups": [
            {
                "count": group.count,
                "sha256": group.first.sha256,
                "source": group.first.source,
                "cases": _cases(group, inputs, parting),
            }
            for group in choice.groups[:MOST_GROUPS]
        ],
        "doubts": [
            {
                **_shown(inputs[n]),
                "answers": [{"outcome": group.first.outcomes[n], "sha256": group.first.sha256} for group in groups],
            }
            for n, groups in choice.doubts
        ],
        "is_rote": choice.is_rote,
    }


def _shown(given: Input) -> dict[str, Value]:
    return {"slots": given.slots, "args": given.args, "kwargs": given.kwargs}


def _cases(group: Group, inputs: Sequence[Input], parting: Sequence[int]) -> list[Value]:
    """What a group did, as examples; only where an example can say it."""
    cases: list[Value] = []
    for n in parting:
        outcome = group.first.outcomes[n]
        if "returns" in outcome and "removed" not in outcome and inputs[n].size <= made.MAX_BYTES:
            case = {**_shown(inputs[n])}
            if "changed" in outcome:
                case["slots_after"] = outcome["changed"]
            if "changed" not in outcome or outcome["returns"] is not None:
                case["returns"] = outcome["returns"]
            cases.append(case)
    return cases[:MOST_CASES]
