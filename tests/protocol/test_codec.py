"""The codec's laws: what goes in comes out, equal means equal bytes, and a frame has one reading."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import codec
from protocol.codec import Ref, decode, encode, normalize
from protocol.errors import BatosError

INTS64 = st.integers(-(2**63), 2**64 - 1)
BIG = st.one_of(st.integers(max_value=-(2**63) - 1), st.integers(min_value=2**64))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
REFS = st.integers(0, 2**64 - 1).map(lambda number: Ref(f"{number:016x}"))
PLAIN_ATOMS = st.one_of(st.none(), st.booleans(), INTS64, FLOATS, TEXTS, st.binary(max_size=40))


def nested(atoms: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.lists(inner, max_size=5), st.dictionaries(st.one_of(TEXTS, INTS64), inner, max_size=5)
        ),
        max_leaves=20,
    )


PLAIN = nested(PLAIN_ATOMS)
VALUES = nested(st.one_of(PLAIN_ATOMS, BIG, REFS))


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1, 1.0 and True apart, and sees the order of keys."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return all(map(same, left, right)) and len(left) == len(right) and all(map(same, left.values(), right.values()))
    return bool(left == right) and (
        left != 0 or math.copysign(1, left) == math.copysign(1, right) if isinstance(left, float) else True
    )


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    data = encode(value)
    assert same(decode(data), value)
    assert encode(decode(data)) == data


@given(PLAIN)
def test_msgspec_reads_and_writes_the_same_bytes(value: Any) -> None:
    data = encode(value)
    assert same(msgspec.msgpack.decode(data, strict=True), value)
    # A float that an integer equals stays a float in both; both write the shortest form.
    assert msgspec.msgpack.encode(value) == data


@given(VALUES, VALUES)
def test_equal_bytes_mean_equal_values(left: Any, right: Any) -> None:
    assert (encode(left) == encode(right)) == same(left, right)


def read_strictly(data: bytes) -> None:
    """Either these bytes are the encoding of one value, or they are refused with BAD_MESSAGE."""
    codes = []
    try:
        assert encode(decode(data)) == data
    except BatosError as error:
        codes.append(error.code)
    assert set(codes) <= {"BAD_MESSAGE"}


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    read_strictly(data)


@given(VALUES, st.data())
def test_a_damaged_frame_is_refused_or_another_value_never_an_ambiguous_one(value: Any, data: st.DataObject) -> None:
    frame = bytearray(encode(value))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    read_strictly(bytes(frame))


@given(VALUES, st.binary(min_size=1, max_size=5))
def test_trailing_bytes_are_refused(value: Any, tail: bytes) -> None:
    with pytest.raises(BatosError, match="BAD_MESSAGE"):
        decode(encode(value) + tail)


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("duplicate keys", b"\x82\xa1a\x01\xa1a\x02"),
        ("NaN", b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"),
        ("infinity", b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"),
        ("an integer longer than it needs", b"\xcd\x00\x01"),
        ("a text longer than it needs", b"\xd9\x01a"),
        ("a single-precision float", b"\xca\x3f\x80\x00\x00"),
        ("a key that is neither text nor integer", b"\x81\xc0\x01"),
        ("a float key", b"\x81\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\x01"),
        ("an unknown extension", ormsgpack.packb(ormsgpack.Ext(9, b"x"))),
        ("a short reference", ormsgpack.packb(ormsgpack.Ext(1, b"x"))),
        ("a small integer as a large one", ormsgpack.packb(ormsgpack.Ext(2, b"\x05"))),
        ("an integer with a needless byte", ormsgpack.packb(ormsgpack.Ext(2, b"\x00\x00" + b"\xff" * 9))),
        ("text that is not UTF-8", b"\xa2\xff\xfe"),
        ("nothing", b""),
        ("an unused type", b"\xc1"),
        ("a promise of much", b"\xdf\xff\xff\xff\xff"),
        ("a deep nest", b"\x91" * 2000 + b"\xc0"),
    ],
)
def test_what_has_two_readings_or_none_is_refused(what: str, data: bytes) -> None:
    with pytest.raises(BatosError) as caught:
        decode(data)
    assert caught.value.code == "BAD_MESSAGE", what


class _Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ({1, 2}, "set"),
        ([1, [object()]], r"value\[1\]\[0\]: a object"),
        ({"a": {(1, 2): 3}}, "tuple"),
        ({True: 1}, "bool"),
        ({None: 1}, "NoneType"),
        (float("nan"), "finite"),
        ([float("-inf")], "finite"),
        (1j, "complex"),
        ("\ud800", "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        (bytearray(b"x"), "bytearray"),
        (_Text("x"), "_Text"),
        (range(3), "range"),
    ],
)
def test_what_cannot_cross_is_named(value: Any, word: str) -> None:
    with pytest.raises(BatosError, match=word) as caught:
        encode(value)
    assert caught.value.code == "BAD_VALUE"


def test_an_integer_without_end_is_refused() -> None:
    assert decode(encode((1 << codec.MAX_INT_BITS) - 1)) == (1 << codec.MAX_INT_BITS) - 1
    with pytest.raises(BatosError, match="bits"):
        encode(1 << codec.MAX_INT_BITS)


def test_tuples_become_lists_and_a_cycle_ends() -> None:
    assert normalize({"a": (1, ("b",))}) == {"a": [1, ["b"]]}
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(BatosError, match="deeper"):
        encode(cycle)


def test_depth_is_bounded_where_it_says() -> None:
    def nest(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    assert decode(encode(nest(codec.MAX_DEPTH))) == nest(codec.MAX_DEPTH)
    with pytest.raises(BatosError):
        encode(nest(codec.MAX_DEPTH + 1))


@given(st.integers(0, 300))
def test_size_is_bounded_where_it_says(size: int) -> None:
    data = encode("x" * size)
    assert encode("x" * size, limit=len(data)) == data
    assert decode(data, limit=len(data)) == "x" * size
    for refused in (lambda: encode("x" * size, limit=len(data) - 1), lambda: decode(data, limit=len(data) - 1)):
        with pytest.raises(BatosError) as caught:
            refused()
        assert caught.value.code == "TOO_LARGE"


def test_a_reference_is_a_value() -> None:
    one, same_one, other = Ref("00000000000000aa"), Ref("00000000000000aa"), Ref("00000000000000ab")
    assert one == same_one != other
    assert len({one, same_one, other}) == 2
    assert one != "00000000000000aa"
    with pytest.raises(AttributeError):
        one.oid = "0"


@pytest.mark.parametrize("many", [1, 100])
@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({1}, "set"),
        (1 << codec.MAX_INT_BITS, "bits"),
        (math.nan, "nan is not a finite"),
        ("\ud800", "surrogate"),
        ({1 << 64: 1}, "64 bits"),
        ({-(1 << 63) - 1: 1}, "64 bits"),
        ({1 << 70000: 1}, "bits"),
        ({"\ud800": 1}, "surrogate"),
        ({1.5: 1}, "float"),
    ],
)
def test_what_cannot_cross_is_found_among_many_and_named_in_few_words(many: int, bad: Any, word: str) -> None:
    """Whether the parts are looked at one by one or all at once, and however long the names of their places are."""
    good = {"set": 1, "nan": 1.5, "surrogate": "ü"}.get(word.split(maxsplit=1)[0], 7)
    for around in ([*[good] * many, bad], {**{str(n): good for n in range(many)}, "k" * 10**5: bad}):
        with pytest.raises(BatosError, match=word) as caught:
            encode({"k" * 10**5: around, 1: 2})
        assert caught.value.code == "BAD_VALUE"
        assert len(caught.value.message) < 250


@given(st.integers(-(2**63), 2**64 - 1), st.integers(9, 30))
def test_keys_of_all_sizes_cross_many_or_few(key: int, many: int) -> None:
    value = {key: 1, **{f"ü{n}": (n, -0.0) for n in range(many)}, **dict.fromkeys(range(1000, 1000 + many), None)}
    assert same(decode(encode(value)), normalize(value))


def test_a_frame_that_nobody_would_read_is_not_packed() -> None:
    parts = ["x" * (1 << 20)] * 9
    with pytest.raises(BatosError, match="over the limit") as caught:
        codec.pack(parts)
    assert caught.value.code == "TOO_LARGE"
    assert codec.unpack(codec.pack(parts[:7]), list) == parts[:7]


def nobody(name: str) -> Ref:
    raise AssertionError(f"{name} was taken for a name")


SIGNS = st.sampled_from(["$ref", "$dict", "a"])
LIKE_NAMES = st.recursive(
    st.one_of(TEXTS, SIGNS, REFS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(SIGNS, inner, max_size=2),
        st.tuples(SIGNS, inner).map(lambda pair: {"$dict": [list(pair)]}),
    ),
    max_leaves=10,
)


@given(st.one_of(VALUES, LIKE_NAMES))
def test_what_is_given_as_data_is_taken_for_no_name(value: Any) -> None:
    assert same(codec.resolved(codec.literal(value), nobody), value)


def test_a_name_becomes_a_reference_wherever_it_stands() -> None:
    found = {"pen": Ref("2a".zfill(16))}
    value = {"a": [codec.named("pen"), {"b": {"$ref": "pen"}}], "$ref": 7, "c": {"$ref": "pen", "more": 1}}
    expected = {"a": [found["pen"], {"b": found["pen"]}], "$ref": 7, "c": {"$ref": "pen", "more": 1}}
    assert codec.resolved(value, found.__getitem__) == expected
