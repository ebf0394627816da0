"""The last wall: a system call filter that leaves a running method nothing but memory, its answer, and its end.

A list of what is allowed, everything else kills the process. The child has one descriptor that it may write to, and
one that it may read where it is to wait for answers; it can open, send, fork, signal and map executable memory not at
all, nor say what its signals do: the one that ends it when its time is up stays deadly. Written as raw BPF
(linux/filter.h, linux/seccomp.h), because a library for it would be one more thing to trust.
"""

from __future__ import annotations

import ctypes
import platform
import struct
from typing import Final

from actors.guardian.confinement import syscalls

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000

_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_PROT_EXEC: Final = 4

_AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_PLAIN: Final = {
    "x86_64": {
        "brk": 12,
        "munmap": 11,
        "mremap": 25,
        "madvise": 28,
        "futex": 202,
        "clock_gettime": 228,
        "sched_yield": 24,
        "restart_syscall": 219,
        "exit": 60,
        "exit_group": 231,
    },
    "aarch64": {
        "brk": 214,
        "munmap": 215,
        "mremap": 216,
        "madvise": 233,
        "futex": 98,
        "clock_gettime": 113,
        "sched_yield": 124,
        "restart_syscall": 128,
        "exit": 93,
        "exit_group": 94,
    },
}
_MMAP: Final = {"x86_64": 9, "aarch64": 222}
_MPROTECT: Final = {"x86_64": 10, "aarch64": 226}
_WRITE: Final = {"x86_64": 1, "aarch64": 64}
_READ: Final = {"x86_64": 0, "aarch64": 63}

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Filter:
    """A filter as the kernel wants it, laid out once: whoever installs it has nothing to make."""

    def __init__(self, code: bytes) -> None:
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = _Program(len(code) // 8, ctypes.cast(self._code, ctypes.c_void_p))
        self.address = ctypes.addressof(self._program)


def known() -> bool:
    """Whether this machine's system call numbers are known here."""
    return platform.machine() in _AUDIT


def program(written: int, read: int | None = None) -> Filter:
    """The filter under which only the descriptor `written` can be written, and only `read` can be read, or none."""
    machine = platform.machine()
    code = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, _AUDIT[machine], yes=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    for number in _PLAIN[machine].values():
        code += [_step(_EQUAL, number, no=1), _step(_RETURN, _ALLOW)]
    for number in (_MMAP[machine], _MPROTECT[machine]):
        # The third argument is the protection; memory that can be executed is nobody's business here.
        code += [
            _step(_EQUAL, number, no=4),
            _step(_LOAD, _ARGUMENTS + 8 * 2),
            _step(_ANY_BIT, _PROT_EXEC, no=1),
            _step(_RETURN, _KILL),
            _step(_RETURN, _ALLOW),
        ]
    code += _only(_WRITE[machine], written)
    if read is not None:
        code += _only(_READ[machine], read)
    return Filter(b"".join([*code, _step(_RETURN, _KILL)]))


def install(code: Filter) -> None:
    """Put this process under the filter `code`, for good. OSError where the kernel does not."""
    syscalls.prctl(_PR_SET_SECCOMP, _MODE_FILTER, code.address)


def _only(number: int, descriptor: int) -> list[bytes]:
    """The system call `number` on this descriptor, its first argument, and on no other."""
    return [
        _step(_EQUAL, number, no=4),
        _step(_LOAD, _ARGUMENTS),
        _step(_EQUAL, descriptor, no=1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _KILL),
    ]


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
