"""The layers of the jail, each of which can be missing on some machine, and how they are put on.

    namespaces  own pids, network, mounts (an empty root), ipc; an ordinary user gets them through a user namespace
    landlock    no file can be opened, no connection made, nobody outside signalled
    nobody      root becomes nobody; no capability is left to anyone
    rlimits     processor time, memory, descriptors, file size, processes
    seccomp     a system call that a method has no business with kills it

The template puts on the first three once, before it hears of any work; each child adds its limits and the filter before
it looks at its work. No layer knows of another: whether one holds is tried, not assumed.
"""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from collections.abc import Callable
from typing import Final, NamedTuple

from actors.guardian.confinement import landlock, seccomp, syscalls

LAYERS: Final = ("namespaces", "landlock", "nobody", "rlimits", "seccomp")

MEMORY: Final = 256 << 20
"""Bytes that a run may add to what its template holds."""
UNLIMITED: Final = 1 << 40
"""More bytes than anything here has: a base beyond which nothing is limited."""
OUTPUT: Final = 3
"""The descriptor to which a locked child writes its answer; most have no other."""
INPUT: Final = 4
"""Where it reads its work; closed before it is locked, unless it is to wait there for the answers to its sends."""

_NOBODY: Final = 65534
_NAMESPACES: Final = syscalls.CLONE_NEWPID | syscalls.CLONE_NEWNET | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC


class Unshared(NamedTuple):
    """`entered`: the next child is in new namespaces; `reason`: which of them are missing, and why."""

    entered: bool
    reason: str = ""


def unshare() -> Unshared:
    """New namespaces for the children of this process."""
    attempts = [_NAMESPACES, _NAMESPACES | syscalls.CLONE_NEWUSER]
    reason = ""
    try:
        before = _links()
    except OSError as error:
        return Unshared(entered=False, reason=str(error))
    for flags in attempts if os.geteuid() == 0 else attempts[1:]:
        try:
            syscalls.unshare(flags)
        except OSError as error:
            reason = str(error)
        else:
            same = [kind for kind, link in before.items() if link == _links()[kind]]
            return Unshared(entered=True, reason=f"still in the old ones: {', '.join(same)}" if same else "")
    return Unshared(entered=False, reason=reason)


def _links() -> dict[str, str]:
    """What the kernel calls the namespaces that this process is in. (The one of pids begins with its next child.)"""
    # pathlib is not worth its import here.
    return {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "ipc", "mnt")}  # noqa: PTH115


def die_with_parent(parent: int) -> None:
    """Be killed when the process `parent` dies, and now if it has died already. (Changing identity clears this.)"""
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def lock_launcher() -> str:
    """The process that only waits for the template gives up its powers too.

    Not Landlock's: shut in on its own, its death could not signal the template any more.
    """
    return tried(become_nobody)


def lock_template(*, namespaces: str) -> dict[str, str]:
    """Put the template's own layers on; each one's reason for being absent, empty where it holds.

    What its children put on themselves, `actors.guardian.confinement.survey` tries.
    """
    missing = {"namespaces": namespaces or tried(empty_root)}
    missing["nobody"] = tried(become_nobody)
    missing["landlock"] = tried(shut_files)
    return missing


def narrow_child(work: int, answer: int, *, base: int) -> None:
    """A child's limits, and no descriptor but its two pipes. (It is still ours: it has not seen its work.)"""
    for source, target in ((os.dup(work), INPUT), (os.dup(answer), OUTPUT)):
        os.dup2(source, target)
    os.closerange(0, OUTPUT)
    os.closerange(INPUT + 1, 4096)
    limits = {
        resource.RLIMIT_AS: base + MEMORY,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))


def lock_child(*, cpu: float, filter_code: seccomp.Filter | None) -> None:
    """The last of the locks. After this the process may look at hostile text."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 2, int(cpu) + 2))
    # Processor time to the millisecond; its signal's default is death, which no code of the method can put off.
    signal.setitimer(signal.ITIMER_PROF, cpu)
    if filter_code is not None:
        seccomp.install(filter_code)


def memory_in_use() -> int:
    """The address space of this process in bytes. (Ask before its files are shut.)"""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - pathlib is not worth its import here
        return int(statm.read().split()[0]) * resource.getpagesize()


def empty_root() -> None:
    """See nothing of the file system, not even names: an empty one is the root."""
    folder = os.fsencode(tempfile.gettempdir())
    syscalls.mount(b"none", b"/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount(b"tmpfs", folder, b"tmpfs", 0, b"size=4k,mode=0555")
    os.chroot(folder)
    os.chdir("/")
    if os.getpid() != 1:
        raise OSError(0, "the process numbers are not our own")


def become_nobody() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    syscalls.drop_capabilities()
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    if os.geteuid() == 0:
        raise OSError(0, "still root")
    if syscalls.capabilities():
        raise OSError(0, "capabilities are left")


def shut_files() -> None:
    landlock.restrict()
    try:
        os.close(os.open("/", os.O_RDONLY))
    except PermissionError:
        return
    raise OSError(0, "a folder could still be opened")


def tried(layer: Callable[[], None]) -> str:
    try:
        layer()
    except OSError as error:
        return str(error) or "it could not be set up"
    return ""
