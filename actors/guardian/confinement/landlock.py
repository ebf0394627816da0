"""Landlock: this process and its children can open no file, connect nowhere, and signal nobody outside themselves.

A rule set that handles every access and allows none (linux/landlock.h). The numbers of the three system calls are the
same on every architecture; what a kernel can handle depends on its ABI version.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

from actors.guardian.confinement import syscalls

_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446
_VERSION_FLAG: Final = 1

_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""ABI version -> how many file rights it knows, as the low bits of a mask; later ones as version 5."""
_NETWORK: Final = 0b11
"""Bind and connect TCP, from version 4."""
_SCOPES: Final = 0b11
"""Abstract unix sockets and signals, from version 6."""


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def version() -> int:
    """The kernel's Landlock ABI; OSError where it has none."""
    return syscalls.syscall("landlock_create_ruleset", _CREATE_RULESET, 0, 0, _VERSION_FLAG)


def restrict() -> None:
    """Shut this process and its future children in. OSError where the kernel does not."""
    abi = version()
    attributes = _RulesetAttributes((1 << _FILE_RIGHTS[min(abi, 5)]) - 1)
    size = 8
    if abi >= 4:
        attributes.network = _NETWORK
        size = 16
    if abi >= 6:
        attributes.scoped = _SCOPES
        size = 24
    ruleset = syscalls.syscall("landlock_create_ruleset", _CREATE_RULESET, ctypes.addressof(attributes), size, 0)
    try:
        syscalls.syscall("landlock_restrict_self", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
