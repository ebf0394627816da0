"""llama.cpp's process, as its owner sees it: started with a file, asked for its address, ended."""

from __future__ import annotations

import collections
import os
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import structlog

from actors.inference.llama.host import Order, Ready
from actors.inference.model.gguf.header import AGAIN
from actors.inference.remote.server import KEY
from protocol.errors import BatosError

_COMMAND: Final = [sys.executable, "-P", "-m", "actors.inference.llama.host"]
_KEPT_LINES: Final = 40
_STAMP: Final = re.compile(r"^[\d.]+ [EW] (.*)")
"""How llama.cpp begins a line that says what went wrong."""
_NO_ROOM: Final = re.compile(r"failed to allocate|unable to allocate|bad_alloc|out of memory", re.IGNORECASE)

_log = structlog.get_logger("inference")


class Hosted:
    """A running llama.cpp. `on_end` is called from a thread where it ends though nobody has closed it."""

    def __init__(self, order: Order, process: subprocess.Popen[bytes], on_end: Callable[[int], None]) -> None:
        self.key = order.key
        self._order = order
        self._process = process
        self._on_end = on_end
        self._is_closed = False
        self._said: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self._hearing = threading.Thread(target=self._hear, name="llama.cpp's words", daemon=True)
        self._hearing.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def url(self) -> str:
        """Where it listens, once it has loaded the file; BAD_MODEL or OUT_OF_MEMORY where it does not come so far."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(msgspec.json.encode(self._order) + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended already; its answer is then empty, and says why
        line = self._process.stdout.readline()
        if not line:
            raise self._refusal()
        threading.Thread(target=self._watch, name="llama.cpp's end", daemon=True).start()
        return msgspec.json.decode(line, type=Ready).url

    def close(self) -> None:
        """End it, whatever it does. More than once, and from any thread."""
        self._is_closed = True
        self._process.kill()
        self._process.wait()
        self._hearing.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _hear(self) -> None:
        assert self._process.stderr is not None
        for raw in self._process.stderr:
            line = raw.decode(errors="replace").rstrip()
            self._said.append(line)
            _log.debug("llama.cpp", said=line)

    def _watch(self) -> None:
        status = self._process.wait()
        if not self._is_closed:
            self._hearing.join()
            _log.error("llama.cpp has ended", status=status, said=list(self._said)[-5:])
            self._on_end(status)

    def _refusal(self) -> BatosError:
        status = self._process.wait()
        self._hearing.join()
        faults = [found[1] for line in self._said if (found := _STAMP.match(line))]
        named = [fault for fault in faults if "error" in fault] or faults or list(self._said)
        why = re.sub(r"^\S+: +", "", named[0])[:300] if named else f"its process ended with {status}"
        if any(_NO_ROOM.search(line) for line in self._said):
            return BatosError("OUT_OF_MEMORY", f"llama.cpp has no room for {self._order.path}: {why}", SMALLER)
        return BatosError("BAD_MODEL", f"llama.cpp cannot serve {self._order.path}: {why}", AGAIN)


SMALLER: Final = "Use a smaller model, or a file with fewer bits a weight; or free memory."


def start(
    path: Path,
    on_end: Callable[[int], None],
    *,
    name: str,
    context: int,
    rows: int,
    threads: int,
    kept_mib: int,
    is_new: bool = False,
) -> Hosted:
    """llama.cpp with the file, on its way: `url` waits for it. It ends with the thread that calls this."""
    order = Order(
        path=str(path),
        name=name,
        key=secrets.token_urlsafe(32),
        context=context,
        rows=rows,
        threads=threads,
        kept_mib=kept_mib,
        is_new=is_new,
    )
    environment = {name: value for name, value in os.environ.items() if name != KEY}
    # Two pools of threads that each wait by spinning leave each other no core.
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    process = subprocess.Popen(  # noqa: S603 - our own module
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    return Hosted(order, process, on_end)
