"""What a process of a home gives up before it begins: every such process calls `lay_down` first.

    umask            what it writes is for its owner alone
    not dumpable     another process of the same user can neither trace it nor read its memory or its environment (root can)
    no new powers    nothing that it starts gains any, by a set-user-id bit or a file's capabilities
    capabilities     of root's own powers only those named stay, for it and for whatever it starts

The guardian keeps what it builds the jail from, and the jail gives that up before it sees its work.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_SETPCAP: Final = 8
_CAPABILITY_VERSION_3: Final = 0x20080522

FILES: Final = frozenset({1, 2, 3})
"""DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER: root may run a home, and read a model, that belongs to somebody else."""
JAILER: Final = frozenset({5, 6, 7, 8, 18, 21})
"""KILL, SETGID, SETUID, SETPCAP, SYS_CHROOT, SYS_ADMIN: root's way to namespaces, an empty root and nobody."""

_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def lay_down(*, keep: Collection[int] = FILES, new_powers: bool = False) -> None:
    """Give up all but the capabilities `keep`, in a process that has no second thread yet.

    `new_powers`: what it starts may gain some, as a profile of AppArmor for user namespaces does.
    """
    os.umask(0o077)
    if capabilities():
        # The bounding set first: that needs a power itself, and root gets all that stands in it with each program. Whoever was
        # started without that power by a process that had laid down its own gets none either, since nothing it starts may.
        if new_powers or capabilities() & 1 << _SETPCAP:
            last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
            for number in range(last + 1):
                if number not in keep:
                    _prctl(_PR_CAPBSET_DROP, number)
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        _keep(sum(1 << number for number in keep) & capabilities())
    if not new_powers:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)


def capabilities() -> int:
    """The permitted capabilities of this process, as a set of bits (capget(2))."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)()
    _checked("capget", _LIBC.capget(header, data))
    return int(data[1] | data[4] << 32)


def _keep(bits: int) -> None:
    """Effective and permitted become `bits`, inheritable nothing (capset(2))."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    _checked("capset", _LIBC.capset(header, (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)))


def _prctl(option: int, *arguments: int) -> None:
    padded = [*arguments, 0, 0, 0, 0][:4]
    _checked("prctl", _LIBC.prctl(ctypes.c_int(option), *map(ctypes.c_ulong, padded)))


def _checked(name: str, result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
