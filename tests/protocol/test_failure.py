"""What travels of an error is all of it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import codec
from protocol.errors import BatosError
from protocol.failure import Failure, failure_of, raised_from


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.dictionaries(st.sampled_from(["message", "code", "hint", "self", "failure", "pid"]), st.integers(0, 9)),
)
def test_a_failure_is_raised_again_as_it_was(text: str, data: dict[str, int]) -> None:
    failure = Failure("BUSY", text, text, data)
    frame = codec.pack(failure)
    again = raised_from(codec.unpack(frame, Failure))
    assert (again.code, again.message, again.hint, again.data) == ("BUSY", text, text, data)
    assert failure_of(again) == failure
    assert str(again) == f"BUSY: {text}"


def test_an_error_carries_its_facts() -> None:
    error = BatosError("TOO_LARGE", "too much", "Send less.", bytes=7)
    assert msgspec.structs.asdict(failure_of(error)) == {
        "code": "TOO_LARGE",
        "message": "too much",
        "hint": "Send less.",
        "data": {"bytes": 7},
    }
    with pytest.raises(BatosError, match=r"^TOO_LARGE: too much$"):
        raise error
