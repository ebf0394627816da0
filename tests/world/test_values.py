from __future__ import annotations

import pytest
from BTrees.OOBTree import OOBTree
from hypothesis import given
from hypothesis import strategies as st
from ZODB.blob import Blob

from protocol.codec import Ref
from world.store import commit, snapshot
from world.uvm import UvmObject
from world.values import NotPlain, oid_of, persistent, plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
)


def nothing(_):
    raise AssertionError("no reference is expected")


@given(VALUES)
def test_there_and_back(value):
    met = []
    assert plain(persistent(value, nothing), met.append) == value


@pytest.mark.parametrize("value", [OOBTree(), Blob()])
def test_what_has_no_plain_form_says_so(value):
    with pytest.raises(NotPlain):
        plain(value, lambda _: None)


def test_objects_are_references(db):
    with commit(db, user="test", description="objects") as connection:
        connection.root()["one"] = UvmObject(other=UvmObject("other"))
    with snapshot(db) as connection:
        one = connection.root()["one"]
        other = one.other
        assert plain(one._slots["other"], lambda _: None) == Ref(oid_of(other))
        assert persistent([Ref(oid_of(other))], lambda ref: connection.get(bytes.fromhex(ref.oid)))[0] is other


def test_an_object_that_is_not_stored_has_no_oid():
    with pytest.raises(ValueError, match="no OID"):
        oid_of(UvmObject())
