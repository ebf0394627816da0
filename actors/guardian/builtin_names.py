"""The names that a method may use without having bound them itself.

One list serves two readers: the policy, which refuses every other name on the page, and the runtime, which supplies
exactly these. The runtime cannot be imported by the policy's tests alone without it, hence a file of its own.
"""

# ruff: noqa: SIM905 - a list of words reads best as words

from __future__ import annotations

from typing import Final

TYPES: Final = frozenset(
    {"bool", "bytes", "dict", "float", "frozenset", "int", "list", "range", "set", "slice", "str", "tuple"}
)
"""Names of types: callable, and usable in `isinstance` and as class patterns."""

FUNCTIONS: Final = frozenset(
    """abs all any bin callable chr divmod enumerate filter format getattr hasattr hex isinstance iter len map max min
    next oct ord pow repr reversed round sorted sum type zip""".split()
)

EXCEPTIONS: Final = frozenset(
    """ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError BytesWarning
    ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError
    DeprecationWarning EOFError EncodingWarning EnvironmentError Exception FileExistsError FileNotFoundError
    FloatingPointError FutureWarning IOError ImportError ImportWarning IndentationError IndexError InterruptedError
    IsADirectoryError KeyError LookupError ModuleNotFoundError NameError NotADirectoryError NotImplementedError
    OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError ReferenceError
    ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning TabError
    TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError
    UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError""".split()
)
"""What a method may raise and catch: Python's ordinary errors, those of the system among them, which are good names
for what went wrong. MemoryError, RecursionError and SystemError end the run, so they have no name; nor have groups,
which only `except*` takes apart, and what is no `Exception`.
"""

SEND_FAILED: Final = "SendFailed"
MATH: Final = "math"

ALL: Final = TYPES | FUNCTIONS | EXCEPTIONS | {SEND_FAILED, MATH}
