"""What a method finds under the names that it did not bind itself, and which attributes plain values have.

Everything here is immutable and deterministic. Text is the delicate part: a default `repr` shows an address, and a
format string can walk attributes. So `str` is a stand-in for the type, every way to text goes through `shown`, and
attributes are a list of names for each type; no lookup ever reaches Python's own on anything else. What the texts of
exceptions and sets say is in `telling`.
"""

from __future__ import annotations

import builtins
import math
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from actors.guardian import builtin_names
from actors.guardian.runtime import telling

_CODECS: Final = frozenset({"utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "iso8859-1"})
"""What Python turns into text and back by itself. Any other codec is a module that it would load from the disk."""
_SCALARS: Final = frozenset({str, int, float, bool, bytes, complex, type(None), type(...), range})
_VIEWS: Final[tuple[type, ...]] = (type({}.keys()), type({}.values()), type({}.items()))


class SendFailed(Exception):  # noqa: N818 - methods read it as a sentence: except SendFailed
    """A send did not end well. `code` and `message` say why; nothing that it did has stayed."""

    def __init__(self, message: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class TextType:
    """Stands for the type `str`: makes text of whatever has one, and lends its methods (`str.upper`)."""

    __slots__ = ()

    def __call__(self, value: Any = "", encoding: str | None = None, errors: str = "strict") -> str:
        if encoding is not None:
            return decode(value, encoding, errors)
        return builtins.str(shown(value))

    def __repr__(self) -> str:
        return "<class 'str'>"


class BytesType:
    """Stands for the type `bytes`: makes bytes as it does, and offers its methods (`bytes.fromhex`)."""

    __slots__ = ()

    def __call__(self, source: Any = b"", encoding: str | None = None, errors: str | None = None) -> bytes:
        if encoding is not None:
            _check_codec(encoding)
        given = {"encoding": encoding, "errors": errors}
        return builtins.bytes(source, **{name: value for name, value in given.items() if value is not None})

    def __repr__(self) -> str:
        return "<class 'bytes'>"


class MathModule:
    """Stands for the module `math`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<module 'math'>"


TEXT: Final = TextType()
BYTES: Final = BytesType()
_REAL: Final[Mapping[Any, type]] = {TEXT: str, BYTES: bytes}
_STANDS_FOR: Final[Mapping[type, type]] = {TextType: str, BytesType: bytes}
MATH: Final = MathModule()

_MATH: Final[Mapping[str, Any]] = {name: getattr(math, name) for name in dir(math) if not name.startswith("_")}


def _public(kind: type, *without: str) -> frozenset[str]:
    return frozenset(name for name in dir(kind) if not name.startswith("_")) - set(without)


_METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: _public(str, "format", "format_map", "encode"),
    bytes: _public(bytes, "decode"),
    **{kind: _public(kind) for kind in (int, float, bool, list, dict, set, frozenset, tuple, range, slice)},
    **dict.fromkeys(_VIEWS, frozenset({"isdisjoint"})),
}
_TYPES: Final[Mapping[str, Any]] = {
    name: {"str": TEXT, "bytes": BYTES}.get(name, getattr(builtins, name)) for name in builtin_names.TYPES
}
_REAL_TYPES: Final = frozenset({type(None), *(kind for kind in _TYPES.values() if isinstance(kind, type))})


def attribute(value: Any, name: str) -> Any:
    """`value.name` for everything that is no world object; AttributeError where methods may not see it."""
    kind = type(value)
    if name in _METHODS.get(kind, ()):
        return getattr(value, name)
    if kind is str and name == "encode":
        return lambda encoding="utf-8", errors="strict": encode(value, encoding, errors)
    if kind is bytes and name == "decode":
        return lambda encoding="utf-8", errors="strict": decode(value, encoding, errors)
    if kind is str and name == "format":
        return lambda *args, **kwargs: _Plain().vformat(value, args, kwargs)
    if kind is MathModule and name in _MATH:
        return _MATH[name]
    if kind in _STANDS_FOR and name in _METHODS[_STANDS_FOR[kind]]:
        return getattr(_STANDS_FOR[kind], name)
    if kind is TextType and name == "encode":
        return encode
    if kind is BytesType and name == "decode":
        return decode
    if kind is type and value in _REAL_TYPES and name in _METHODS.get(value, ()):
        return getattr(value, name)
    if isinstance(value, Exception) and name == "args":
        return value.args
    if kind is SendFailed and name in {"code", "message"}:
        return getattr(value, name)
    raise AttributeError(f"a {kind_name(value)} has no attribute {name!r}")


def kind_name(value: Any) -> str:
    return _STANDS_FOR.get(type(value), type(value)).__name__


def shown(value: Any) -> Any:
    """`value`, or what stands for it, as something whose text is the same on every run.

    TypeError for functions, iterators, and references. An exception has a text whatever it holds.
    """
    if type(value) in _SCALARS or not _needs_telling(value, set()):
        return value
    if type(value) is tuple:
        return tuple(map(shown, value))  # `%` takes a tuple apart
    if type(value) is dict:
        return {key: shown(item) for key, item in value.items()}  # ... and looks into a dict
    return telling.Shown(value)


def _needs_telling(value: Any, seen: set[int]) -> bool:
    """Whether there is an exception or a set in `value`: the texts of all else are Python's own."""
    kind = type(value)
    if kind in _SCALARS or id(value) in seen:
        return False
    seen.add(id(value))
    parts: Sequence[Any]
    if kind is dict:
        parts = [*value.keys(), *value.values()]
    elif kind in {list, tuple, set, frozenset} or kind in _VIEWS:
        parts = list(value)
    elif kind is slice:
        parts = (value.start, value.stop, value.step)
    elif isinstance(value, Exception):
        return True
    elif kind in {TextType, BytesType, MathModule} or (kind is type and value in _REAL_TYPES):
        return False
    else:
        raise TypeError(f"a {kind.__name__} has no text that is the same on every run")
    found = [_needs_telling(part, seen) for part in parts]
    return kind in {set, frozenset} or any(found)


def add(left: Any, right: Any) -> Any:
    """`left += right`. A list does not take the characters of a text: that is a mistake wherever it is met, and it
    would change in place what reads like a sum of texts.
    """
    if type(left) is list and type(right) in {str, bytes}:
        raise TypeError(f"a list is not extended by a {type(right).__name__}: append it, or make a list of it")
    left += right
    return left


def multiply(left: Any, right: Any) -> Any:
    """`record["key"] *= right`. It reads like a product of numbers, and would change a list in place."""
    if type(left) is list:
        raise TypeError("a list is not repeated in place under a text key: a new list is `x = x * y`")
    left *= right
    return left


def encode(text: str, encoding: str = "utf-8", errors: str = "strict") -> bytes:
    _check_codec(encoding)
    return str.encode(text, encoding, errors)


def decode(data: bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    _check_codec(encoding)
    return bytes.decode(data, encoding, errors)


def _check_codec(encoding: str) -> None:
    if not isinstance(encoding, str):
        raise TypeError(f"an encoding is a str, not a {kind_name(encoding)}")
    if encoding.lower().replace("_", "-") not in _CODECS:
        raise ValueError(f"the encodings here are utf-8, ascii and latin-1, not {encoding!r}")


class _Plain(string.Formatter):
    """`str.format` without attributes and items. (The page has been checked too: the template is a literal there.)"""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if any(character in field_name for character in ".["):
            raise ValueError("a field is a plain name or number")
        key: int | str = int(field_name) if field_name.isdigit() else field_name
        return shown(self.get_value(key, args, kwargs)), key


def _isinstance(value: Any, kinds: Any) -> bool:
    return isinstance(value, _real(kinds))


def _real(kinds: Any) -> Any:
    if type(kinds) is tuple:
        return tuple(_real(kind) for kind in kinds)
    return _REAL[kinds] if type(kinds) in _STANDS_FOR else kinds


def _type(value: Any) -> Any:
    kind = type(value)
    if kind in _REAL.values():
        return _TYPES[kind.__name__]
    if kind in _REAL_TYPES or isinstance(value, Exception):
        return kind
    raise TypeError(f"the type of a {kind.__name__} is not to be had")


def _repr(value: Any) -> str:
    return builtins.repr(shown(value))


def _format(value: Any, spec: str = "") -> str:
    return builtins.format(shown(value), spec)


_PLAIN: Final = (builtin_names.FUNCTIONS - {"getattr", "hasattr"}) | builtin_names.EXCEPTIONS
_BUILTINS: Final[dict[str, Any]] = {
    **{name: getattr(builtins, name) for name in _PLAIN},
    "format": _format,
    "isinstance": _isinstance,
    "repr": _repr,
    "type": _type,
    **_TYPES,
    builtin_names.SEND_FAILED: SendFailed,
    builtin_names.MATH: MATH,
}


def make(read: Callable[[Any, str], Any]) -> dict[str, Any]:
    """The builtins of one run; `read` is its guarded attribute access.

    It is one dict, whose process has one run: to copy it would touch everything that is in it.
    """
    missing = object()

    def _getattr(value: Any, name: str, default: Any = missing) -> Any:
        try:
            return read(value, name)
        except AttributeError:
            if default is missing:
                raise
            return default

    def _hasattr(value: Any, name: str) -> bool:
        try:
            read(value, name)
        except AttributeError:
            return False
        return True

    _BUILTINS["getattr"], _BUILTINS["hasattr"] = _getattr, _hasattr
    return _BUILTINS


PATTERN_TYPES: Final[Mapping[str, type]] = {f"_type_{name}": getattr(builtins, name) for name in builtin_names.TYPES}
