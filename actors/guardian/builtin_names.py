"""The names that a method may use without having bound them itself.

One list serves two readers: the policy, which refuses every other name on the page, and the runtime, which supplies
exactly these. The runtime cannot be imported by the policy's tests alone without it, hence a file of its own.
"""

from __future__ import annotations

from typing import Final

TYPES: Final = frozenset(
    {"bool", "bytes", "dict", "float", "frozenset", "int", "list", "range", "set", "slice", "str", "tuple"}
)
"""Names of types: callable, and usable in `isinstance` and as class patterns."""

FUNCTIONS: Final = frozenset(
    {
        "abs",
        "all",
        "any",
        "bin",
        "callable",
        "chr",
        "divmod",
        "enumerate",
        "filter",
        "format",
        "getattr",
        "hasattr",
        "hex",
        "isinstance",
        "iter",
        "len",
        "map",
        "max",
        "min",
        "next",
        "oct",
        "ord",
        "pow",
        "repr",
        "reversed",
        "round",
        "sorted",
        "sum",
        "type",
        "zip",
    }
)

EXCEPTIONS: Final = frozenset(
    {
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "Exception",
        "IndexError",
        "KeyError",
        "LookupError",
        "NameError",
        "NotImplementedError",
        "OverflowError",
        "RuntimeError",
        "StopIteration",
        "TypeError",
        "UnicodeDecodeError",
        "UnicodeEncodeError",
        "UnicodeError",
        "ValueError",
        "ZeroDivisionError",
    }
)
"""What a method may raise and catch. MemoryError, RecursionError and their kind end the run, so they have no name."""

SEND_FAILED: Final = "SendFailed"
MATH: Final = "math"

ALL: Final = TYPES | FUNCTIONS | EXCEPTIONS | {SEND_FAILED, MATH}
