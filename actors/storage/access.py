"""Who may write to the world: the actors whose work that is. Everybody else reads, as `expert train` does.

ZEO ignores user names and passwords, and a certificate in the home could be read by whoever can reach the socket. So the
kernel is asked which process has connected. One that is no writer may only read; ZEO itself lets a reader pack the
database and fill the disk with a blob's beginning, so a reader is left the methods that read, and no others.
"""

from __future__ import annotations

from typing import Any, Final

import structlog
from ZEO.StorageServer import StorageServer, ZEOStorage, run_in_thread

from bus import kin
from bus.process.often import Often
from world.past.commits import VERB

WRITERS: Final = ("orchestrator", "inference", "memory")
READING: Final = frozenset(
    {
        *("getInvalidations", "getTid", "get_info", "history", "lastTransaction", "loadBefore", "loadSerial", "ping"),
        *("record_iternext", "sendBlob", "server_status", "set_client_label", "undoInfo", "undoLog"),
        VERB,
        *("iterator_start", "iterator_next", "iterator_record_start", "iterator_record_next", "iterator_gc"),
    }
)

_log = structlog.get_logger("storage")


class GuardedServer(StorageServer):
    """ZEO's server, to which only kin of this process write, and of them only the writers."""

    def __init__(self, relatives: kin.Kin, *arguments: Any, **options: Any) -> None:
        self.relatives = relatives
        self.strangers = Often(_log, "a stranger may only read")
        super().__init__(*arguments, **options)

    def create_client_handler(self) -> ZEOStorage:
        # Nobody writes until the kernel has named a writer: ZEO goes on after an error in here.
        return _Guarded(self, read_only=True)


class _Guarded(ZEOStorage):
    """One client's connection."""

    server: GuardedServer

    def notify_connected(self, connection: Any) -> None:
        super().notify_connected(connection)
        process = kin.peer(connection.sm_protocol.transport.get_extra_info("socket"))
        if self.server.relatives.may(process, *WRITERS):
            self.read_only = self.server.read_only
        else:
            self.server.strangers.say(pid=process.pid if process is not None else 0)

    def setup_delegation(self) -> None:
        super().setup_delegation()
        self.connection.methods = READING if self.read_only else self.connection.methods | {VERB}

    def get_info(self) -> dict[str, Any]:
        """What the server says of itself: that it has this verb, which no other one has."""
        return {**super().get_info(), VERB: True}

    def commits(self, low: bytes, high: bytes | None, size: int) -> Any:
        """The commits between two moments (`world.past.commits`); on a thread, since it reads the file."""
        return run_in_thread(self.storage.commits, low, high, size)
