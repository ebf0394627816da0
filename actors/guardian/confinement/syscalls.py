"""The few system calls that Python does not offer: raw, through ctypes, raising OSError with the call's name."""

from __future__ import annotations

import ctypes
import os
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
# Told once what it takes: every child of the jail calls it, and each object made for a call is a page of its own there.
_LIBC.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_NO_NEW_PRIVS: Final = 38

CLONE_NEWNS: Final = 0x0002_0000
CLONE_NEWIPC: Final = 0x0800_0000
CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWPID: Final = 0x2000_0000
CLONE_NEWNET: Final = 0x4000_0000

MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000

_ZEROS: Final = (0, 0, 0, 0)
_CAPABILITY_VERSION_3: Final = 0x20080522


def prctl(option: int, *arguments: int) -> int:
    return _checked("prctl", _LIBC.prctl(option, *arguments, *_ZEROS[len(arguments) :]))


def unshare(flags: int) -> None:
    _checked("unshare", _LIBC.unshare(ctypes.c_int(flags)))


def mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None = None) -> None:
    _checked("mount", _LIBC.mount(source, target, kind, ctypes.c_ulong(flags), data))


def drop_capabilities() -> None:
    """Give up every capability (capset(2)): effective, permitted and inheritable."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked("capset", _LIBC.capset(header, (ctypes.c_uint32 * 6)()))


def capabilities() -> int:
    """The effective and permitted capabilities of this process, as one number (capget(2))."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)()
    _checked("capget", _LIBC.capget(header, data))
    effective_low, permitted_low, _, effective_high, permitted_high, _ = data
    return int(effective_low | permitted_low | (effective_high | permitted_high) << 32)


def syscall(name: str, number: int, *arguments: int) -> int:
    return _checked(name, _LIBC.syscall(ctypes.c_long(number), *map(ctypes.c_ulong, arguments)))


def _checked(name: str, result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result
