"""The envelope: whole, of our version, and tolerant of a newer peer's fields only."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import codec
from protocol.envelope import VERSION, Envelope, Kind, check_key, open_frame, seal
from protocol.errors import BatosError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BODIES = st.one_of(st.none(), TEXTS, st.lists(st.integers(-5, 5)), st.dictionaries(TEXTS, st.binary(max_size=9)))
ENVELOPES = st.builds(
    Envelope,
    id=TEXTS,
    kind=st.sampled_from(get_args(Kind)),
    service=TEXTS,
    verb=TEXTS,
    sender=TEXTS,
    idem=TEXTS,
    causation=TEXTS,
    traceparent=TEXTS,
    deadline=st.floats(0, 1e12),
    body=BODIES,
)
PLAIN: dict[str, Any] = {"id": "1", "kind": "request", "service": "inference", "v": VERSION}


@given(ENVELOPES)
def test_it_arrives_as_it_was_sent(envelope: Envelope) -> None:
    assert open_frame(seal(envelope)) == envelope


@given(ENVELOPES)
def test_msgspec_reads_the_same_envelope(envelope: Envelope) -> None:
    assert msgspec.msgpack.decode(seal(envelope), type=Envelope) == envelope


def test_only_what_must_be_there_must_be_there() -> None:
    assert open_frame(codec.pack(PLAIN)) == Envelope(id="1", kind="request", service="inference")


def test_a_field_of_a_newer_peer_is_ignored_and_its_major_version_is_not() -> None:
    assert open_frame(codec.pack({**PLAIN, "colour": "blue"})).id == "1"
    with pytest.raises(BatosError, match=f"only {VERSION}"):
        open_frame(codec.pack({**PLAIN, "v": VERSION + 1}))


@pytest.mark.parametrize(
    "change",
    [
        {"id": 1},
        {"id": None},
        {"kind": "shout"},
        {"service": b"inference"},
        {"v": "1"},
        {"v": 1.0},
        {"v": True},
        {"deadline": "soon"},
        {"deadline": True},
    ],
)
def test_a_field_of_another_type_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BatosError) as caught:
        open_frame(codec.pack({**PLAIN, **change}))
    assert caught.value.code == "BAD_MESSAGE"


@pytest.mark.parametrize("missing", ["id", "kind", "service"])
def test_a_missing_field_is_refused(missing: str) -> None:
    with pytest.raises(BatosError, match=missing):
        open_frame(codec.pack({key: value for key, value in PLAIN.items() if key != missing}))


@pytest.mark.parametrize("frame", [b"", b"\xc0", b"\x80", codec.pack([1, 2]), codec.pack("hello"), b"MDPC02"])
def test_what_is_no_envelope_is_refused(frame: bytes) -> None:
    with pytest.raises(BatosError) as caught:
        open_frame(frame)
    assert caught.value.code == "BAD_MESSAGE"


def test_too_large_is_said_before_sending_and_on_arrival() -> None:
    envelope = Envelope(id="1", kind="request", service="inference", body="x" * 1000)
    for refused in (lambda: seal(envelope, limit=1000), lambda: open_frame(b"x" * (codec.MAX_FRAME_BYTES + 1))):
        with pytest.raises(BatosError) as caught:
            refused()
        assert caught.value.code == "TOO_LARGE"


def test_values_keep_their_references_and_large_integers() -> None:
    body = {"ref": codec.Ref("00000000000000aa"), "large": 1 << 90}
    assert open_frame(seal(Envelope(id="1", kind="final", service="s", body=body))).body == body


@pytest.mark.parametrize("key", ["", "k", "k" * 200])
def test_a_key_is_short_or_none(key: str) -> None:
    assert check_key(key) == key


def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(BatosError, match="at most 200") as caught:
        check_key("k" * 201)
    assert caught.value.code == "BAD_ARGUMENT"
