"""Native attempts: what Python code would do to get out of the jail if no gate had read it first.

Each is run as it stands, with all of Python's names and modules, in a child of a real template, one that works to its
end and one that may wait for an answer: only the layers of the jail are between it and its goal. Whether it reached the
goal is seen from outside, by its effect, wherever there is one. Nothing here is ever run outside the jail.
"""

from __future__ import annotations

# What an attempt uses is loaded before the doors are shut, as hostile code would find it in a process that has it.
import ctypes
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec

from actors.guardian.confinement import confine
from actors.guardian.jail import child

MARK: Final = "BATOS_BENCH_SECRET"
WAITS: Final = "# waits"
"""Begins an attempt that says by itself what comes after what it says (`bench.oracle.pretending`)."""

_MODULES: Final[dict[str, Any]] = {
    "ctypes": ctypes,
    "mmap": mmap,
    "os": os,
    "resource": resource,
    "signal": signal,
    "socket": socket,
    "subprocess": subprocess,
    "sys": sys,
    "threading": threading,
    "time": time,
}
_SYSCALLS: Final = {
    "io_uring": 425,
    "bpf": 321,
    "userfaultfd": 323,
    "keyctl": 250,
    "perf events": 298,
    "clone3": 435,
    "pidfd_open": 434,
    "memfd": 319,
    "x32 open": 0x40000002,
    "setns": 308,
    "timers": 222,
    "name_to_handle": 303,
}


class Scene(msgspec.Struct, frozen=True):
    """What stands outside to be reached: a folder with a secret file, a process, ports, a descriptor, a variable."""

    folder: str
    secret: str
    victim: int
    tcp: int
    udp: int
    descriptor: int


class Attempt(msgspec.Struct, frozen=True):
    """`source` may call `say(text)`; `reached` looks at what was said and at the scene."""

    name: str
    source: str
    reached: Callable[[str, Scene], bool]


def work(request: bytes) -> NoReturn:
    """In the jailed child, instead of the guardian's own work: just run it."""

    def say(text: object) -> None:
        os.write(confine.OUTPUT, str(text).encode(errors="replace"))

    if not request.startswith(WAITS.encode()):
        os.write(confine.OUTPUT, child.HEAD.pack(child.PIECES, 0))
    try:
        exec(request.decode(), {**_MODULES, "say": say})
    except BaseException as error:  # noqa: BLE001 - an attempt that fails says how
        say(f"failed: {type(error).__name__}")
    os._exit(0)


def _said(word: str) -> Callable[[str, Scene], bool]:
    return lambda said, scene: word.format(secret=scene.secret) in said


def _made(name: str) -> Callable[[str, Scene], bool]:
    return lambda said, scene: (Path(scene.folder) / name).exists()  # noqa: ARG005 - the form of all goals


def _victim_dead(_said: str, scene: Scene) -> bool:
    return not Path(f"/proc/{scene.victim}").exists()


def _through(name: str) -> Callable[[str, Scene], bool]:
    return lambda said, scene: f"{name} done" in said  # noqa: ARG005


def attempts(scene: Scene) -> list[Attempt]:
    """All of them, for this scene."""
    folder, victim = scene.folder, scene.victim
    machine = "b'\\xb8\\x2a\\x00\\x00\\x00\\xc3'"  # mov eax, 42; ret
    listed: list[tuple[str, str, Callable[[str, Scene], bool]]] = [
        ("read a file", f"say(open('{folder}/secret').read())", _said("{secret}")),
        ("read it by system calls", f"l = ctypes.CDLL(None); b = ctypes.create_string_buffer(64); l.read(l.open(b'{folder}/secret', 0), b, 64); say(b.value)", _said("{secret}")),
        ("list a folder", f"say(os.listdir('{folder}'))", _said("secret")),
        ("look a file up", f"say(os.stat('{folder}/secret').st_size); say(' done')", _said("done")),
        ("write a file", f"open('{folder}/written', 'w').write('x')", _made("written")),
        ("make a folder", f"os.mkdir('{folder}/made')", _made("made")),
        ("make a link", f"os.symlink('/', '{folder}/link')", _made("link")),
        ("delete a file", f"os.unlink('{folder}/doomed')", lambda _, s: not (Path(s.folder) / "doomed").exists()),
        ("connect by TCP", f"socket.create_connection(('127.0.0.1', {scene.tcp}), 1); say('TCP done')", _through("TCP")),
        ("send by UDP", f"socket.socket(2, 2).sendto(b'x', ('127.0.0.1', {scene.udp})); say('UDP done')", _through("UDP")),
        ("make a unix socket", "socket.socketpair(); say('unix done')", _through("unix")),
        ("connect abstractly", "s = socket.socket(1, 1); s.connect('\\0batos-bench'); say('abstract done')", _through("abstract")),
        ("listen", "s = socket.socket(); s.bind(('0.0.0.0', 0)); s.listen(); say('listen done')", _through("listen")),
        ("kill a process", f"os.kill({victim}, 9)", _victim_dead),
        ("kill everybody", "os.kill(-1, 9); say('kill done')", _through("kill")),
        ("kill the template", "os.kill(os.getppid(), 9); say('template done')", _through("template")),
        ("stop the template", "os.kill(os.getppid(), 19); say('stop done')", _through("stop")),
        ("fork", "pid = os.fork()\nif pid: say('fork done')\nelse: time.sleep(60)", _through("fork")),
        ("fork and fork", "for _ in range(50): os.fork()\nsay('forks done')", _through("forks")),
        ("fork by a system call", "ctypes.CDLL(None).syscall(57); say('vfork done')", _through("vfork")),
        ("start a thread", "t = threading.Thread(target=lambda: say('thread done')); t.start(); t.join()", _through("thread")),
        ("run a program", f"subprocess.run(['/bin/sh', '-c', 'echo x > {folder}/program'])", _made("program")),
        ("become a program", f"os.execv('/bin/sh', ['sh', '-c', 'echo x > {folder}/become'])", _made("become")),
        ("a shell", f"os.system('echo x > {folder}/shell')", _made("shell")),
        ("write and execute memory", f"m = mmap.mmap(-1, 4096, prot=7); m.write({machine}); f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m))); say(f'ran {{f()}}')", _said("ran 42")),
        ("make memory executable", f"m = mmap.mmap(-1, 4096); m.write({machine}); a = ctypes.addressof(ctypes.c_char.from_buffer(m)); ctypes.CDLL(None).mprotect(ctypes.c_void_p(a), 4096, 5); say(f'ran {{ctypes.CFUNCTYPE(ctypes.c_int)(a)()}}')", _said("ran 42")),
        ("read the environment", f"say(dict(os.environ)); say(os.environ['{MARK}'])", _said("{secret}")),
        ("read it from memory", "e = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')\nn = 0\nwhile e[n]: say(e[n]); n += 1", _said("{secret}")),
        ("read the parent's", "say(open(f'/proc/{os.getppid()}/environ').read())", _said("{secret}")),
        ("read inherited descriptors", f"os.lseek({scene.descriptor}, 0, 0); say(os.read({scene.descriptor}, 64))", _said("{secret}")),
        ("read any descriptor", "for n in range(64):\n    try: say(os.pread(n, 64, 0))\n    except OSError: pass\nsay('descriptors done')", _through("descriptors")),
        ("read any descriptor as it comes", "for n in [*range(4), *range(5, 64)]:\n    try: say(os.read(n, 64))\n    except OSError: pass\nsay('descriptors done')", _through("descriptors")),
        ("write to what is to be read", "os.write(4, b'x'); say('input done')", _through("input")),
        ("write elsewhere", "os.write(1, b'x'); say('elsewhere done')", _through("elsewhere")),
        ("trace a process", f"say('trace done' if ctypes.CDLL(None).ptrace(16, {victim}, 0, 0) == 0 else '')", _through("trace")),
        ("read its memory", f"b = ctypes.create_string_buffer(64); say('peek done' if ctypes.CDLL(None).process_vm_readv({victim}, b, 1, b, 1, 0) >= 0 else '')", _through("peek")),
        ("new namespaces", "say('space done' if ctypes.CDLL(None).unshare(0x10000000) == 0 else '')", _through("space")),
        ("mount", "say('mount done' if ctypes.CDLL(None).mount(b'none', b'/', b'tmpfs', 0, None) == 0 else '')", _through("mount")),
        ("become root", "os.setuid(0); say('root done' if os.getuid() == 0 else '')", _through("root")),
        ("raise a limit", "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); say('limit done')", _through("limit")),
        ("take a gigabyte", "x = bytearray(1 << 30); say('memory done')", _through("memory")),
        ("map four", "x = [mmap.mmap(-1, 1 << 30) for _ in range(4)]; say('map done')", _through("map")),
        ("ignore the clock", "signal.signal(signal.SIGPROF, signal.SIG_IGN); say('clock done')", _through("clock")),
        ("stop the clock", "signal.setitimer(signal.ITIMER_PROF, 0); say('timer done')", _through("timer")),
        ("sleep", "time.sleep(30); say('sleep done')", _through("sleep")),
        ("shared memory", "say('shared done' if ctypes.CDLL(None).shmget(4242, 4096, 0o1666) >= 0 else '')", _through("shared")),
        ("write to its own memory file", "open('/proc/self/mem', 'wb'); say('mem done')", _through("mem")),
        ("read the kernel's log", "say(open('/dev/kmsg').read(10)); say('kmsg done')", _through("kmsg")),
        ("leave the root", "os.chroot('/'); os.chdir('..'); say('chroot done')", _through("chroot")),
        *((f"system call: {name}", f"ctypes.CDLL(None).syscall({number}, 0, 0, 0, 0, 0); say('call done')", _through("call")) for name, number in _SYSCALLS.items()),
    ]  # fmt: skip
    return [Attempt(*one) for one in listed]
