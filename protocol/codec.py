"""Values and frames: what may cross a process boundary, and its one encoding.

A *value* is None, bool, int, finite float, str, bytes, `Ref`, list, or dict with str or int keys. Tuples become
lists. Integers beyond 64 bits and references travel as msgpack extension types. The encoding keeps the order of
keys, because a method can see that order; equal values in equal order have equal bytes, which is what "a slot has
changed" means everywhere in this system.

A *frame* is one packed message. It is refused unless packing its content again gives the same bytes, so two readers can never
understand it differently (trailing bytes, duplicate keys, overlong integers). What is larger than a reader accepts is not
packed either.

What comes from outside (the values of a mandate and of a new object) may name an object where it would refer to it:
`{"$ref": NAME}`, a name or an OID, becomes that reference when the request is accepted. A dict of data that looks like that
is written as `{"$dict": [["$ref", NAME]]}`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterable
from itertools import chain, count
from typing import Any, Final, TypeVar

import msgspec
import ormsgpack

from protocol.errors import BatosError

MAX_DEPTH: Final = 64
MAX_VALUE_BYTES: Final = 1 << 20
MAX_FRAME_BYTES: Final = 8 << 20
MAX_INT_BITS: Final = 1 << 16

_FRAME_DEPTH: Final = 32
"""Levels that a frame may be deeper than the values in it."""
_NAMED: Final = "$ref"
_LITERAL: Final = "$dict"
_EXT_REF: Final = 1
_EXT_INT: Final = 2
_OPTIONS: Final = (
    ormsgpack.OPT_NON_STR_KEYS
    | ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_UUID
)

Value = Any
"""A value as this module's docstring defines it. (A recursive alias says no more to the type checker.)"""

T = TypeVar("T")


class Ref:
    """A reference to a world object: its OID as 16 hex digits. (No Struct: it must pass msgspec as it is.)"""

    __slots__ = ("oid",)
    oid: str

    def __init__(self, oid: str) -> None:
        object.__setattr__(self, "oid", oid)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a reference is immutable: {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is Ref and other.oid == self.oid

    def __hash__(self) -> int:
        return hash(self.oid)

    def __repr__(self) -> str:
        return f"Ref({self.oid!r})"


def encode(value: Value, *, limit: int = MAX_VALUE_BYTES) -> bytes:
    """Check and encode one value (at most `limit` bytes).

    Raises BAD_VALUE with the offending type and its place, TOO_LARGE beyond `limit`.
    """
    data = _pack(normalize(value))
    if len(data) > limit:
        raise BatosError(
            "TOO_LARGE",
            f"a value of {len(data)} bytes is over the limit of {limit}",
            "Send less at once, or keep the data in an object and send a reference to it.",
            bytes=len(data),
            limit=limit,
        )
    return data


def packed(plain: Any) -> bytes:
    """The bytes of `plain` without a check that it is a value: a value's are those of `encode`, and no others are."""
    return _pack(plain)


def decode(data: bytes, *, limit: int = MAX_VALUE_BYTES) -> Value:
    """The value in `data`, or BAD_VALUE / TOO_LARGE where it is none."""
    if len(data) > limit:
        raise BatosError("TOO_LARGE", f"a value of {len(data)} bytes is over the limit of {limit}")
    return _unpack(data)


def normalize(value: Value, where: str = "value", depth: int = 0) -> Value:
    """A copy of `value` in canonical Python types; BAD_VALUE names the type and place of what cannot cross."""
    return _copy(value, (where, None), depth)


def named(name: str) -> Value:
    """What stands, in a value from outside, for a reference to the object called `name`."""
    return {_NAMED: name}


def literal(value: Value) -> Value:
    """`value` as it is given from outside, so that nothing in it is taken for a name."""
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, dict):
        return literal_dict({key: literal(item) for key, item in value.items()})
    return value


def literal_dict(value: dict[Any, Value]) -> Value:
    """One dict as it is given from outside; what it holds is so already."""
    return {_LITERAL: [[key, item] for key, item in value.items()]} if _is_sign(value) else value


def by_name(value: Value, name: Callable[[Ref], str]) -> Value:
    """`value` as it is given from outside, each reference as what `name` calls its object. `resolved` reads it back."""
    if isinstance(value, Ref):
        return named(name(value))
    if isinstance(value, list):
        return [by_name(item, name) for item in value]
    if isinstance(value, dict):
        return literal_dict({key: by_name(item, name) for key, item in value.items()})
    return value


def resolved(value: Value, find: Callable[[str], Ref]) -> Value:
    """A value from outside with the objects that it names as references; `find` raises UNKNOWN_OBJECT."""
    if isinstance(value, list):
        return [resolved(item, find) for item in value]
    if not isinstance(value, dict):
        return value
    if _is_sign(value):
        ((sign, content),) = value.items()
        if sign == _NAMED:
            return find(content)
        return {content[0][0]: resolved(content[0][1], find)}
    return {key: resolved(item, find) for key, item in value.items()}


def _is_sign(value: dict[Any, Value]) -> bool:
    """Whether a dict from outside is a name, or a dict of data that would look like one."""
    match value:
        case {"$ref": str()} | {"$dict": [["$ref" | "$dict", _]]}:
            return len(value) == 1
    return False


def pack(message: Any) -> bytes:
    """One message (a msgspec Struct whose values are normalized) as a frame; TOO_LARGE for what no reader would take."""
    frame = _pack(message)
    if len(frame) > MAX_FRAME_BYTES:
        raise BatosError(
            "TOO_LARGE",
            f"a message of {len(frame)} bytes is over the limit of {MAX_FRAME_BYTES}",
            "Send less at once, or keep the data in objects and send references to them.",
            bytes=len(frame),
            limit=MAX_FRAME_BYTES,
        )
    return frame


def digest(message: Any) -> str:
    """The sha256, in hex, of the message's frame."""
    return hashlib.sha256(pack(message)).hexdigest()


def unpack(frame: bytes, kind: type[T], *, limit: int = MAX_FRAME_BYTES) -> T:
    """The message of type `kind` in `frame`; BAD_MESSAGE says what is wrong with a frame that holds none."""
    if len(frame) > limit:
        raise BatosError("TOO_LARGE", f"a frame of {len(frame)} bytes is over the limit of {limit}")
    return convert(_unpack(frame), kind)


def reopen(frame: bytes, kind: type[T]) -> T:
    """The message in a frame that a process of ours has packed for this one alone: it is not looked through again."""
    return convert(_plain(frame), kind)


def convert(data: Any, kind: type[T]) -> T:
    """Plain decoded data as the typed message `kind`, strictly; BAD_MESSAGE otherwise."""
    try:
        return msgspec.convert(data, kind, strict=True, builtin_types=(bytes,), dec_hook=_as_is)
    except msgspec.ValidationError as error:
        raise BatosError("BAD_MESSAGE", f"not a valid {kind.__name__}: {error}") from error


_Place = tuple[Any, Any]
"""Where a part stands: its key and the place of what holds it (None: the outermost, whose key is its name)."""

_WHOLE: Final = frozenset({type(None), bool, bytes, Ref})
_LEAVES: Final = _WHOLE | {str, int, float}
_TEXT: Final = frozenset({str})
_WORD: Final = 1 << 63
_FEW: Final = 8
"""So many parts are looked at one by one."""
_SHOWN_PLACE: Final = 80


def _copy(value: Value, place: _Place, depth: int) -> Value:
    kind = type(value)
    if kind in _LEAVES:
        # What most leaves are needs no closer look.
        if not (kind in _WHOLE or (kind is int and -_WORD < value < _WORD) or (kind is str and value.isascii())):
            _check_leaves(kind, (value,), place)
        return value
    if kind is list or kind is tuple:
        return _copies(value, count(), place, depth)
    if kind is dict:
        for key in value:
            if type(key) is not str or not key.isascii():
                _check_keys(value, place)
                break
        if len(value) > _FEW:
            return dict(zip(value, _copies(value.values(), value, place, depth), strict=True))
        _check_depth(value, place, depth)
        return {key: _copy(item, (key, place), depth + 1) for key, item in value.items()}
    raise _bad(
        place,
        f"a {kind.__name__} cannot cross between objects",
        "Use None, bool, int, float, str, bytes, list, dict or a reference.",
        type=kind.__name__,
    )


def _check_keys(value: dict[Any, Any], place: _Place) -> None:
    kinds = set(map(type, value))
    if kinds <= _TEXT:
        _check_leaves(str, value, place)
        return
    for kind in kinds:
        if kind is not str and kind is not int:
            raise _bad(place, f"a key of type {kind.__name__} cannot cross, use str or int")
        keys: list[Any] = [key for key in value if type(key) is kind]
        _check_leaves(kind, keys, place)
        if kind is int and (min(keys) < -_WORD or max(keys) >= 2 * _WORD):
            raise _bad(place, "a key that is an integer of more than 64 bits cannot cross, use a str")


def _copies(items: Collection[Value], keys: Iterable[Any], place: _Place, depth: int) -> list[Value]:
    """Copies of the parts of a list or dict. Parts of one simple kind are looked at all at once: most data is such."""
    _check_depth(items, place, depth)
    if len(items) > _FEW:
        kinds = set(map(type, items))
        if len(kinds) == 1 and kinds <= _LEAVES:
            _check_leaves(next(iter(kinds)), items, place)
            return list(items)
    return [_copy(item, (key, place), depth + 1) for key, item in zip(keys, items, strict=False)]


def _check_depth(items: Collection[Value], place: _Place, depth: int) -> None:
    if depth >= MAX_DEPTH and items:
        raise BatosError("BAD_VALUE", f"{_told(place)} is nested deeper than {MAX_DEPTH} levels")


def _check_leaves(kind: type, items: Collection[Any], place: _Place) -> None:
    """That these, all of the one kind, can cross. (A list of them is named as a whole: one look is enough for all.)"""
    if kind is str:
        if all(map(str.isascii, items)):
            return
        try:
            "".join(items).encode()
        except UnicodeEncodeError as error:
            raise _bad(place, "a text with a lone surrogate is not valid Unicode") from error
    elif kind is int:
        bits = max(max(items).bit_length(), min(items).bit_length())
        if bits > MAX_INT_BITS:
            raise _bad(place, f"an integer of {bits} bits is over {MAX_INT_BITS}")
    elif kind is float and not all(map(math.isfinite, items)):
        raise _bad(place, f"{next(item for item in items if not math.isfinite(item))} is not a finite number")


def _bad(place: _Place, message: str, hint: str = "", **data: Any) -> BatosError:
    return BatosError("BAD_VALUE", f"{_told(place)}: {message}", hint, **data)


def _told(place: _Place) -> str:
    """The place in words, `value[1]['key']`. It is put together only where something is wrong there."""
    steps: list[str] = []
    key, around = place
    while around is not None:
        steps.append(f"[{key!r:.{_SHOWN_PLACE}}]")
        key, around = around
    told = "".join(chain([str(key)], reversed(steps)))
    return told if len(told) <= _SHOWN_PLACE else f"{told[:_SHOWN_PLACE]}…"


def _pack(plain: Any) -> bytes:
    try:
        return ormsgpack.packb(plain, default=_extension, option=_OPTIONS)
    except (TypeError, ValueError) as error:
        raise BatosError("BAD_VALUE", f"cannot be encoded: {error}") from error


def _plain(data: bytes) -> Any:
    try:
        return ormsgpack.unpackb(data, ext_hook=_from_extension, option=ormsgpack.OPT_NON_STR_KEYS)
    except (ValueError, TypeError) as error:
        raise BatosError("BAD_MESSAGE", f"not a msgpack message: {error}") from error


def _unpack(data: bytes) -> Any:
    plain = _plain(data)
    try:
        repacked = _pack(normalize(plain, "message", -_FRAME_DEPTH))
    except BatosError as error:
        raise BatosError("BAD_MESSAGE", error.message) from error
    if repacked != data:
        raise BatosError("BAD_MESSAGE", "the frame does not repack to itself (trailing bytes, duplicate keys, …)")
    return plain


def _extension(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _fields(value)
    if type(value) is Ref:
        return ormsgpack.Ext(_EXT_REF, bytes.fromhex(value.oid))
    if type(value) is int:
        return ormsgpack.Ext(_EXT_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    raise TypeError(f"a {type(value).__name__} is no value")


def _from_extension(tag: int, data: bytes) -> Value:
    if tag == _EXT_REF and len(data) == 8:
        return Ref(bytes(data).hex())
    if tag == _EXT_INT:
        return int.from_bytes(data, "big", signed=True)
    raise ValueError(f"unknown extension type {tag}")


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    config = struct.__struct_config__
    fields = {name: value for name, value in msgspec.structs.asdict(struct).items() if value is not msgspec.UNSET}
    if config.tag_field is not None:
        return {config.tag_field: config.tag, **fields}
    return fields


def _as_is(kind: type, value: Any) -> Any:
    if isinstance(value, kind):
        return value
    raise TypeError(f"expected a {kind.__name__}, got a {type(value).__name__}")
