"""Which of several methods is chosen by what they do, and where that choice may be wrong.

All of them hold the examples. Those that did the same on every input are a *group*, whose weight is that of its members. A
group stands for more than itself: another that does the same on most inputs supports it by that share. So a group with more
than half of the weight always wins, and where none has that, the one in the middle does.

A method that raises where others answer loses, and so does one that has its answers by heart: it says nothing but what the
examples say, where others say something new. Nothing of this depends on the order of the candidates.

Where a single text was drawn that holds the examples, no other confirms it. Then the examples must: they do where nothing that is
a little less than that text (`simplifying.py`) holds them too, and does something else.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import fsum
from typing import Any, Final

import msgspec

from actors.orchestrator.primitives.behaviour.inputs import Input, Moved, Place
from actors.orchestrator.primitives.behaviour.keys import RAISES, key_of, outcome_key
from protocol.codec import Value
from protocol.messages import Example

MOST_DOUBTS: Final = 3
MOST_ANSWERS: Final = 4
ASKED, FAMILIAR, EDGE = 0.25, 1 / 3, 1 / 2
"""The weight against the chosen group's, with which others that answer otherwise are a doubt: on the message itself, on an
input like the examples', and on an edge, where also right methods differ."""
BY_HEART: Final = 0.25
"""What is left of the word against others of a method that has its answers by heart."""
BLIND: Final = 0.75
"""What is left of the word of one that makes nothing of something on which others depend, as with a literal for a slot."""
_NEW: Final = 3
"""So many different answers that no example has are more than a default."""


class Candidate(msgspec.Struct, frozen=True):
    """A method with what it did, input by input. `count`: how many of the candidates had this very source."""

    source: str
    sha256: str
    weight: float
    count: int
    outcomes: list[dict[str, Value]]


class Group(msgspec.Struct, frozen=True):
    """Candidates that did the same, the likeliest first, and what that was."""

    members: list[Candidate]
    keys: tuple[Hashable, ...]

    @property
    def first(self) -> Candidate:
        return self.members[0]

    @property
    def weight(self) -> float:
        return fsum(member.weight for member in self.members)

    @property
    def count(self) -> int:
        return sum(member.count for member in self.members)

    def answers(self, place: int) -> bool:
        return self.keys[place] != RAISES


class Choice(msgspec.Struct, frozen=True):
    """`groups`, the chosen one first, and the places in the inputs of what is in doubt, with the groups by answer.

    `is_rote`: the chosen one says nothing but what the examples say, though nobody has shown that more is to be said.
    """

    groups: list[Group]
    doubts: list[tuple[int, list[Group]]]
    is_rote: bool

    @property
    def is_alone(self) -> bool:
        """A single text was drawn, and once."""
        return sum(group.count for group in self.groups) == 1


def choose(candidates: Sequence[Candidate], inputs: Sequence[Input], examples: Sequence[Example]) -> Choice:
    """Group the candidates, order the groups, and find the doubts. There must be a candidate."""
    groups = _grouped(candidates)
    said = [_saying(group, examples) for group in groups]
    rote = [_is_rote(n, groups, said, examples) for n in range(len(groups))]
    words = [group for group, is_rote in zip(groups, rote, strict=True) if not is_rote] or groups
    blind = {group.first.sha256 for group in groups if _is_blind(group, words, inputs)}
    ranks: dict[str, tuple[Any, ...]] = {}
    for group, is_rote in zip(groups, rote, strict=True):
        sha256 = group.first.sha256
        support = _support(group, words) * (BLIND if sha256 in blind else 1.0)
        ranks[sha256] = (is_rote, _faults(group, groups, inputs), -support, *_likeliest(group.first)[1:])
    ordered = sorted(groups, key=lambda group: ranks[group.first.sha256])
    discounts = dict.fromkeys(blind, BLIND)
    discounts |= {group.first.sha256: BY_HEART for group, is_rote in zip(groups, rote, strict=True) if is_rote}
    chosen = said[groups.index(ordered[0])]
    is_rote = chosen.is_tame and chosen.answered >= _NEW and _could_be_rote(examples)
    return Choice(ordered, _doubts(ordered, discounts, inputs), is_rote)


def _grouped(candidates: Sequence[Candidate]) -> list[Group]:
    """The groups in an order of their own."""
    found: dict[tuple[Hashable, ...], list[Candidate]] = {}
    for candidate in sorted(candidates, key=_likeliest):
        found.setdefault(tuple(map(outcome_key, candidate.outcomes)), []).append(candidate)
    return [Group(members, keys) for keys, members in found.items()]


def _likeliest(candidate: Candidate) -> tuple[float, int, str]:
    return (-candidate.weight, len(candidate.source), candidate.sha256)


def _support(group: Group, groups: Sequence[Group]) -> float:
    """The weight of every group times the share of inputs on which it answers as `group` does."""
    places = [n for n in range(len(group.keys)) if any(other.answers(n) for other in groups)]
    if not places:
        return group.weight
    return fsum(
        other.weight * sum(group.answers(n) and group.keys[n] == other.keys[n] for n in places) / len(places)
        for other in groups
    )


def _is_blind(group: Group, groups: Sequence[Group], inputs: Sequence[Input]) -> bool:
    """Whether others of comparable weight depend on a place that this one never does."""
    wanted = set[Place]()
    for other in groups:
        if other.weight >= group.weight / 2:
            wanted |= _needs(other, inputs)
    return not wanted <= _needs(group, inputs)


def _needs(group: Group, inputs: Sequence[Input]) -> set[Place]:
    """The places on which it depends: where nothing else was changed, it has answered one thing and another."""
    found: dict[Moved, set[Hashable]] = {}
    for n, given in enumerate(inputs):
        if given.moved is not None and group.answers(n):
            found.setdefault(given.moved, set()).add(group.keys[n])
    return {place for (_, place), keys in found.items() if len(keys) > 1}


def _faults(group: Group, groups: Sequence[Group], inputs: Sequence[Input]) -> int:
    """On how many inputs it raises, and others of comparable weight answer, or one that otherwise does all that it does."""
    wider = [other for other in groups if _extends(other, group)]
    faults = 0
    for n, given in enumerate(inputs):
        if group.answers(n):
            continue
        answering = fsum(other.weight for other in groups if other.answers(n))
        raising = fsum(other.weight for other in groups if not other.answers(n))
        comparable = answering >= raising * (1.0 if given.is_edge else 0.5)
        faults += comparable or any(other.answers(n) for other in wider)
    return faults


def _extends(wide: Group, narrow: Group) -> bool:
    same = all(one == other for one, other in zip(wide.keys, narrow.keys, strict=True) if other != RAISES)
    return same and wide.keys != narrow.keys


class _Saying(msgspec.Struct, frozen=True):
    """How much of what a group answers is new: not the outcome of any example."""

    kinds: int
    share: float
    answered: int

    @property
    def is_tame(self) -> bool:
        """Nothing is new, but for one default."""
        return self.kinds <= 1

    @property
    def is_inventive(self) -> bool:
        return self.kinds >= _NEW and self.share >= 1 / 2


def _saying(group: Group, examples: Sequence[Example]) -> _Saying:
    answered = [n for n in range(len(group.keys)) if group.answers(n)]
    new = [n for n in answered if not any(_repeats(group.first.outcomes[n], example) for example in examples)]
    return _Saying(len({group.keys[n] for n in new}), len(new) / len(answered) if answered else 0.0, len(answered))


def _repeats(outcome: Mapping[str, Value], example: Example) -> bool:
    if not {"returns", "changed"} & outcome.keys() or "removed" in outcome:
        return False
    if example.returns is not msgspec.UNSET and key_of(outcome["returns"]) != key_of(example.returns):
        return False
    changed: dict[str, Any] = outcome.get("changed", {})
    if not isinstance(example.slots_after, dict):
        return not changed
    after = example.slots_after
    return all(slot in after and key_of(value) == key_of(after[slot]) for slot, value in changed.items())


def _is_rote(n: int, groups: Sequence[Group], said: Sequence[_Saying], examples: Sequence[Example]) -> bool:
    """Whether a group has learned the examples by heart, measured by the others.

    Where two examples have the same outcome, that outcomes repeat is shown, and the others must outweigh it.
    """
    if not said[n].is_tame or not examples or _is_plain(examples):
        return False
    inventive = fsum(group.weight for group, saying in zip(groups, said, strict=True) if saying.is_inventive)
    return inventive > (0.0 if _could_be_rote(examples) else groups[n].weight)


def _could_be_rote(examples: Sequence[Example]) -> bool:
    """Whether each example has an outcome of its own, which no short word such as True or 0 stands for."""
    return (
        bool(examples) and not _is_plain(examples) and len({_outcome(example) for example in examples}) == len(examples)
    )


def _is_plain(examples: Sequence[Example]) -> bool:
    """Whether all outcomes are truths or nothing: to answer yes, or to empty a list, is no feat of memory."""
    said = [value for example in examples for value in _values(example)]
    return all(isinstance(value, bool) or not value for value in said)


def _values(example: Example) -> list[Value]:
    after = example.slots_after
    changed = (
        [value for slot, value in after.items() if key_of(value) != key_of(example.slots.get(slot))]
        if isinstance(after, dict)
        else []
    )
    return [*changed, *([] if example.returns is msgspec.UNSET else [example.returns])]


def _outcome(example: Example) -> Hashable:
    return key_of(list(map(_absent, (example.returns, example.slots_after))))


def _absent(value: Any) -> Value:
    return [] if value is msgspec.UNSET else [value]


def _doubts(
    ordered: Sequence[Group], discounts: Mapping[str, float], inputs: Sequence[Input]
) -> list[tuple[int, list[Group]]]:
    """Inputs on which enough weight is against the chosen group, the smallest first, each parting the groups anew."""
    chosen, *others = ordered
    found: list[tuple[int, list[Group]]] = []
    parted: set[frozenset[frozenset[str]]] = set()
    for n in sorted(range(len(inputs)), key=lambda n: (inputs[n].size, inputs[n].is_edge, n)):
        answers: dict[Hashable, list[Group]] = {}
        for other in others:
            if chosen.answers(n) and other.answers(n) and other.keys[n] != chosen.keys[n]:
                answers.setdefault(other.keys[n], []).append(other)
        against = fsum(
            other.weight * discounts.get(other.first.sha256, 1.0) for groups in answers.values() for other in groups
        )
        bound = ASKED if inputs[n].is_asked else EDGE if inputs[n].is_edge else FAMILIAR
        if not answers or against < bound * chosen.weight:
            continue
        parts = frozenset(frozenset(group.first.sha256 for group in groups) for groups in answers.values())
        if parts in parted:
            continue
        parted.add(parts)
        heaviest = sorted(
            answers.values(), key=lambda groups: (-fsum(group.weight for group in groups), groups[0].first.sha256)
        )
        found.append((n, [chosen, *(groups[0] for groups in heaviest[: MOST_ANSWERS - 1])]))
        if len(found) == MOST_DOUBTS:
            break
    return found


def confirm(
    choice: Choice, simpler: Sequence[Candidate] | None, inputs: Sequence[Input], examples: Sequence[Example]
) -> Choice:
    """A choice that stands alone, with the doubts about it: on what inputs those that are `simpler`, and hold the examples, do
    something else. None: which they are was not to be found out, and what the method does elsewhere is a doubt by itself.
    """
    [alone] = choice.groups
    if simpler is None:
        doubts = _unconfirmed(alone, inputs, examples)
    else:
        equals = [msgspec.structs.replace(one, weight=alone.weight) for one in simpler]
        others = [group for group in _grouped(equals) if group.keys != alone.keys]
        doubts = _doubts([alone, *others], {}, inputs)
    return msgspec.structs.replace(choice, doubts=doubts)


def _unconfirmed(alone: Group, inputs: Sequence[Input], examples: Sequence[Example]) -> list[tuple[int, list[Group]]]:
    """What a method that stands alone does on the smallest input, if possible something that no example says."""

    def rank(n: int) -> tuple[bool, float, int]:
        return any(_repeats(alone.first.outcomes[n], example) for example in examples), inputs[n].size, n

    told = sorted((n for n, did in enumerate(alone.first.outcomes) if {"returns", "changed"} & did.keys()), key=rank)
    return [(n, [alone]) for n in told[:1]]
