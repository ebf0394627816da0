"""The law of versions and proposals: whatever a person and the mind do one after the other, a model says what stands."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors.orchestrator.hand import reading
from protocol.errors import BatosError
from protocol.messages import History

NUMBERED = [f"def area_(self):\n    return self.width * {number}\n" for number in range(3)]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["define", "learn", "learn"]), st.integers(0, 2)),
        st.tuples(st.sampled_from(["accept", "accept", "reject", "revert", "drop", "crash"]), st.none()),
    ),
    max_size=10,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[("learn", 0), ("reject", None), ("learn", 0)])
def test_any_sequence_leaves_what_a_model_of_versions_and_proposals_says(event_loop_policy_free_house, steps):
    run, house, hand = event_loop_policy_free_house
    hand.names = getattr(hand, "names", 0) + 1
    run(_Model(house, hand, f"box{hand.names}").follow(steps))


class _Model:
    """`versions` are the sources that stood, None where none did; `waits` is the one that is proposed, with its key and id."""

    def __init__(self, house, hand, name):
        self.house, self.hand, self.name = house, hand, name
        self.versions, self.waits, self.rejected, self.sent = [], None, None, 0

    @property
    def standing(self):
        return self.versions[-1] if self.versions else None

    async def follow(self, steps):
        self.house.new(self.name, width=5)
        for step, number in steps:
            await getattr(self, step)(*([] if number is None else [NUMBERED[number]]))
            standing = self.house.look(self.name).methods.get("area_")
            assert (standing.source if standing else None) == self.standing
        found = reading.versions(self.house.store, History(name=self.name)).versions
        assert [one.source for one in reversed(found)] == self.versions
        await self.hand.set(self.name, done=True)
        oid = self.house.look(self.name).oid
        assert [one.id for one in await self.hand.proposals() if one.oid == oid] == [
            *([] if self.waits is None else [self.waits[2]])
        ]

    def stands(self, source):
        if source != self.standing:
            self.versions.append(source)

    async def define(self, source):
        await self.hand.define(self.name, source)
        self.stands(source)

    async def learn(self, source):
        """A message without an example; it is done where it is understood, and else its method waits."""
        self.sent += 1
        key = f"{self.name} {self.sent}"
        self.house.played.rounds = [[source] * 2]
        if self.standing is None and self.waits is None and source == self.rejected:
            with pytest.raises(BatosError, match="none of 1 candidate"):
                await self.house.send(self.name, "area_", key=key)
            return
        reply = await self.house.send(self.name, "area_", key=key)
        if self.standing is not None:
            assert reply.result == self.value(self.standing)
        elif self.waits is None:
            assert (reply.state, reply.method.source) == ("PROPOSED", source)
            self.waits = (source, key, reply.proposal)
        else:
            assert reply.proposal == self.waits[2]

    def value(self, source):
        return 5 * NUMBERED.index(source)

    async def accept(self):
        if self.waits is None:
            return
        source, key, id_ = self.waits
        await self.hand.accept(id_)
        self.stands(source)
        self.waits = None
        assert (await self.house.send(self.name, "area_", key=key)).result == self.value(source)

    async def reject(self):
        if self.waits is None:
            return
        self.rejected, key, id_ = self.waits
        await self.hand.reject(id_, "no")
        self.waits = None
        with pytest.raises(BatosError) as caught:
            await self.house.send(self.name, "area_", key=key)
        assert caught.value.code == "REJECTED"

    async def revert(self):
        earlier = [one for one in self.versions if one is not None and one != self.standing]
        if not earlier:
            assert (await self.hand.refused(self.hand.revert(self.name, "area_"))).exit_code == 2
            return
        await self.hand.revert(self.name, "area_")
        self.versions.append(earlier[-1])

    async def drop(self):
        if self.standing is not None:
            await self.hand.drop(self.name, "area_")
            self.versions.append(None)

    async def crash(self):
        await self.house.crash()
        await self.house.mandates.recover()
