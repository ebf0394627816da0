"""Values and frames: what may cross a process boundary, and its one encoding.

A *value* is None, bool, int, finite float, str, bytes, `Ref`, list, or dict with str or int keys. Tuples become
lists. Integers beyond 64 bits and references travel as msgpack extension types. The encoding keeps the order of
keys, because a method can see that order; equal values in equal order have equal bytes, which is what "a slot has
changed" means everywhere in this system.

A *frame* is one packed message. It is refused unless it repacks to itself, so that two readers can never
understand it differently (trailing bytes, duplicate keys, overlong integers).
"""

from __future__ import annotations

import math
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


def decode(data: bytes, *, limit: int = MAX_VALUE_BYTES) -> Value:
    """The value in `data`, or BAD_VALUE / TOO_LARGE where it is none."""
    if len(data) > limit:
        raise BatosError("TOO_LARGE", f"a value of {len(data)} bytes is over the limit of {limit}")
    return _unpack(data)


def normalize(value: Value, where: str = "value", depth: int = 0) -> Value:
    """A copy of `value` in canonical Python types; BAD_VALUE names the type and place of what cannot cross."""
    if depth > MAX_DEPTH:
        raise BatosError("BAD_VALUE", f"{where[:80]}… is nested deeper than {MAX_DEPTH} levels")
    kind = type(value)
    if value is None or kind is bool or kind is bytes or kind is Ref:
        return value
    if kind is str:
        return _text(value, where)
    if kind is int:
        if value.bit_length() > MAX_INT_BITS:
            raise BatosError("BAD_VALUE", f"{where}: an integer of {value.bit_length()} bits is over {MAX_INT_BITS}")
        return value
    if kind is float:
        if not math.isfinite(value):
            raise BatosError("BAD_VALUE", f"{where}: {value} is not a finite number")
        return value
    if kind is list or kind is tuple:
        return [normalize(item, f"{where}[{n}]", depth + 1) for n, item in enumerate(value)]
    if kind is dict:
        for key in value:
            if type(key) is str:
                _text(key, where)
            elif type(key) is not int:
                raise BatosError(
                    "BAD_VALUE", f"{where}: a key of type {type(key).__name__} cannot cross, use str or int"
                )
        return {key: normalize(item, f"{where}[{key!r}]", depth + 1) for key, item in value.items()}
    raise BatosError(
        "BAD_VALUE",
        f"{where}: a {kind.__name__} cannot cross between objects",
        "Use None, bool, int, float, str, bytes, list, dict or a reference.",
        type=kind.__name__,
    )


def pack(message: Any) -> bytes:
    """One message (a msgspec Struct whose values are normalized) as a frame."""
    return _pack(message)


def unpack(frame: bytes, kind: type[T], *, limit: int = MAX_FRAME_BYTES) -> T:
    """The message of type `kind` in `frame`; BAD_MESSAGE says what is wrong with a frame that holds none."""
    if len(frame) > limit:
        raise BatosError("TOO_LARGE", f"a frame of {len(frame)} bytes is over the limit of {limit}")
    return convert(_unpack(frame), kind)


def convert(data: Any, kind: type[T]) -> T:
    """Plain decoded data as the typed message `kind`, strictly; BAD_MESSAGE otherwise."""
    try:
        return msgspec.convert(data, kind, strict=True, builtin_types=(bytes,), dec_hook=_as_is)
    except msgspec.ValidationError as error:
        raise BatosError("BAD_MESSAGE", f"not a valid {kind.__name__}: {error}") from error


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BatosError("BAD_VALUE", f"{where}: a text with a lone surrogate is not valid Unicode") from error
    return value


def _pack(plain: Any) -> bytes:
    try:
        return ormsgpack.packb(plain, default=_extension, option=_OPTIONS)
    except (TypeError, ValueError) as error:
        raise BatosError("BAD_VALUE", f"cannot be encoded: {error}") from error


def _unpack(data: bytes) -> Any:
    try:
        plain = ormsgpack.unpackb(data, ext_hook=_from_extension, option=ormsgpack.OPT_NON_STR_KEYS)
    except (ValueError, TypeError) as error:
        raise BatosError("BAD_MESSAGE", f"not a msgpack message: {error}") from error
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
