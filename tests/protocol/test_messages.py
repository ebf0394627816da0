"""The list of verbs: each message can be made empty-handed of defaults, and travels unchanged."""

from __future__ import annotations

import typing

import msgspec
import pytest

from protocol import codec
from protocol.codec import Ref
from protocol.messages import ActorStatus, Done, Effect, Failed, Ran, Send, StatusQuery
from protocol.names import SERVICES
from protocol.verbs import VERBS, Verb

ALL = [(service, name, verb) for service, verbs in VERBS.items() for name, verb in verbs.items()]
STRUCTS = sorted(
    {kind for _, _, verb in ALL for kind in (verb.request, verb.reply, verb.partial) if kind is not None},
    key=lambda kind: kind.__name__,
)


def test_every_actor_has_verbs_and_says_how_it_is() -> None:
    assert set(SERVICES) | {"broker"} == set(VERBS)
    for service, verbs in VERBS.items():
        assert verbs["status"] == Verb(service, "status", None, StatusQuery, ActorStatus)


@pytest.mark.parametrize("kind", STRUCTS)
def test_messages_are_frozen_and_named_by_keyword(kind: type[msgspec.Struct]) -> None:
    config = kind.__struct_config__
    assert config.frozen
    assert not config.forbid_unknown_fields, "a newer peer may add a field"
    assert kind.__doc__ is None or "Struct" not in kind.__doc__
    assert typing.get_type_hints(kind) is not None
    with pytest.raises(TypeError):
        kind(*[0] * (len(config.__class__.__mro__) + 20))


@pytest.mark.parametrize(
    "outcome",
    [
        Done(result=[1, Ref("00000000000000aa")], changed={"n": 1 << 80}, signalled=True),
        Effect(
            n=2,
            digest="d",
            send=Send(kind="send", receiver=Ref("00000000000000aa"), selector="area_", args=[1.5], kwargs={"k": None}),
        ),
        Failed(code="METHOD_FAILED", error="ValueError", message="no", line=3),
    ],
)
def test_an_outcome_keeps_its_kind_on_the_wire(outcome: Done | Effect | Failed) -> None:
    assert codec.unpack(codec.pack(Ran(outcome=outcome)), Ran).outcome == outcome


def test_a_struct_of_another_kind_is_refused() -> None:
    frame = codec.pack(StatusQuery())
    with pytest.raises(codec.BatosError, match="ActorStatus"):
        codec.unpack(frame, ActorStatus)
