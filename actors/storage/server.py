"""The storage actor: ZEO's own server over one FileStorage with blobs, on a unix socket of the home.

It speaks ZEO and no bus, so the world does not depend on the broker; whether it lives, ZEO's `ruok` says. No
`transaction-timeout` is set: in ZEO 6.2 it wedges the store for good after a client stopped between vote and finish.
The folder of the socket keeps other users out; what other processes of the same user may do, `access.py` says.
"""

from __future__ import annotations

import asyncio
import signal
import struct
from typing import Final

import structlog
from zc.lockfile import LockError
from ZODB.POSException import POSError

from actors.storage.access import GuardedServer
from actors.storage.world_file import WorldFile
from bus.kin import Kin
from bus.process.lock import hold
from bus.process.often import Often
from bus.process.pulse import Pulse
from protocol.errors import BatosError
from protocol.home import Home

LOOK_S: Final = 1.0
PREFETCHED: Final = 10_000
"""OIDs that a server before this one may have given to clients: a hundred at once to each, which they keep when it dies. One
that is not committed yet stands nowhere in the file, and given again it would name two objects."""

_log = structlog.get_logger("storage")


def serve(home: Home) -> None:
    """Serve the home's world until SIGTERM. HOME_HELD where another server has it, STORAGE where it cannot be read."""
    relatives = Kin(home.run)
    home.prepare()
    with hold(home.run / "storage.lock", f"the world of {home.root}"):
        # The lock is ours, so a socket that stands there is a dead run's.
        home.zeo_socket.unlink(missing_ok=True)
        storage = _open(home)
        storage.pass_over(PREFETCHED)
        storage.learn_moments()
        # With a long queue of invalidations a client that was away for a moment keeps its cache.
        server = GuardedServer(relatives, str(home.zeo_socket), {"1": storage}, invalidation_queue_size=1000)
        loop = server.acceptor.event_loop
        pulse = Pulse(home.run, "storage")
        pulse.keep(loop)
        place = _Place(storage, loop)

        def close() -> None:
            pulse.end()
            place.end()
            server.close()

        for number in (signal.SIGTERM, signal.SIGINT):
            # On the loop, so that a commit that has begun to finish does finish.
            loop.add_signal_handler(number, close)
        _log.info("the storage is up", database=str(home.database), socket=str(home.zeo_socket))
        server.loop()
        home.zeo_socket.unlink(missing_ok=True)
        _log.info("the storage is closed")


class _Place:
    """Looks after the file's place though nobody writes, until `end`."""

    def __init__(self, storage: WorldFile, loop: asyncio.AbstractEventLoop) -> None:
        self._storage = storage
        self._loop = loop
        self._away = Often(_log, "the world's file was taken away, and cannot be put back")
        self._timer = loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        try:
            self._storage.stay()
        except OSError as error:
            self._away.say(error=str(error))
        self._timer = self._loop.call_later(LOOK_S, self._look)

    def end(self) -> None:
        self._timer.cancel()


def _open(home: Home) -> WorldFile:
    try:
        return WorldFile(str(home.database), blob_dir=str(home.blobs), pack_keep_old=False)
    except LockError as error:
        raise BatosError(
            "HOME_HELD",
            f"{home.database} is open in another process",
            "Stop that process; a backup or a pack also holds it.",
        ) from error
    except OSError as error:
        raise BatosError(
            "STORAGE", f"{home.database} cannot be opened: {error}", "Is the disk full, or not ours?"
        ) from error
    except (POSError, ValueError, struct.error) as error:
        raise BatosError(
            "DAMAGED",
            f"{home.database} is damaged: {type(error).__name__}: {error}",
            f"Restore a backup of {home.world}, or move that folder away to begin anew with an empty world.",
        ) from error
