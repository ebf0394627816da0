"""The database as an actor holds it: one client of ZEO, and the threads that may touch it.

`server_sync` makes every new transaction ask the server first, so that nobody reads a moment older than a commit
that was acknowledged. A connection belongs to one thread, so each actor does all its world I/O on the store's: on one
thread whatever may write, and on another what only reads and must not wait for a long commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import transaction
from persistent import Persistent
from ZEO.asyncio.client import ClientThread
from ZEO.ClientStorage import ClientStorage
from ZEO.Exceptions import ClientStorageError, ServerException
from ZODB import DB
from ZODB.Connection import Connection
from ZODB.POSException import ConflictError, POSError
from ZODB.utils import p64, u64

from protocol.errors import BatosError
from protocol.home import Home, Settings
from world.past import commits
from world.version import version_of

T = TypeVar("T")

PAST_S: Final = 1
"""Seconds that a connection to a moment of the past is kept for whoever asks for that moment again."""
AGAIN_S: Final = 0.05
"""Between two attempts to connect; each is one system call that fails at once."""


class Store:
    """An open database, its threads, and the zodburi that it came from."""

    def __init__(self, db: DB, uri: str) -> None:
        self.db = db
        self.uri = uri
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="world")
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading")

    async def run(self, work: Callable[[], T], *, again: bool = False) -> T:
        """`work()` on the world's thread; the database's own errors come out as STORAGE or CONFLICT.

        `again`: it may be done twice, since it only reads or knows what it has done. So where the server was lost under it
        it is done once more, for which the next server is waited for.
        """
        return await self._tried(self._thread, work, again=again)

    async def read(self, work: Callable[[], T]) -> T:
        """`work()`, which only reads, on a thread that waits for no commit. Like `run` with `again`."""
        return await self._tried(self._readers, work, again=True)

    async def _tried(self, thread: ThreadPoolExecutor, work: Callable[[], T], *, again: bool) -> T:
        def guarded() -> T:
            with storage_errors():
                return work()

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(thread, guarded)
        except BatosError as error:
            if not again or not is_lost(error):
                raise
            return await loop.run_in_executor(thread, guarded)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.db.close()


def open_store(settings: Settings, home: Home, *, name: str, seconds: float, read_only: bool = False) -> Store:
    """Connect to the world of `home`, waiting at most `seconds` for its server; STORAGE when it does not answer.

    NEWER_WORLD where a newer program has had it: nothing of ours is to touch it.

    The home's own server lets its actors write, and everybody else open it with `read_only`.
    """
    uri = settings.storage.uri
    with storage_errors():
        if uri:
            factory, options = _resolved(uri)
            storage = factory()
            if isinstance(storage, ClientStorage):
                storage.server_sync = True  # zodburi cannot say it
            return _checked(DB(storage, **options), uri)
        client = ClientStorage(
            str(home.zeo_socket),
            wait_timeout=seconds,
            blob_dir=str(home.blobs),
            shared_blob_dir=True,
            server_sync=True,
            read_only=read_only,
            client_label=name,
            _client_factory=_WaitingThread,
        )
        # Thinking mandates hold a connection each. Who reads the past opens one for each moment, and whatever is kept of those is
        # gone through at each opening.
        db = DB(client, pool_size=100, historical_pool_size=10, historical_timeout=PAST_S)
        return _checked(db, f"zeo://{home.zeo_socket}")


def is_lost(error: BatosError) -> bool:
    """Whether the store or the journal was lost, with nothing wrong in what was asked of it."""
    return error.code == "STORAGE" and error.is_lost


def _resolved(uri: str) -> tuple[Any, dict[str, Any]]:
    """What a zodburi stands for; BAD_CONFIG where it stands for nothing."""
    import zodburi  # noqa: PLC0415 - it looks through everything that is installed, and the default needs it not

    try:
        factory, options = zodburi.resolve_uri(uri)
    except Exception as error:  # each scheme reads its own words, and raises what it likes
        raise BatosError(
            "BAD_CONFIG",
            f"`uri` under [storage] in batos.toml is {uri!r}, which cannot be read: {type(error).__name__}: {error}",
            "Write a zodburi such as zeo://host:port, or remove the line for the home's own storage.",
        ) from error
    return factory, options


def _checked(db: DB, uri: str) -> Store:
    try:
        with snapshot(db) as connection:
            version_of(connection)
    except BaseException:
        db.close()
        raise
    return Store(db, uri)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Translate what ZODB and ZEO raise."""
    try:
        yield
    except ConflictError as error:
        at = {"oid": error.oid.hex()} if error.oid else {}
        raise BatosError("CONFLICT", f"the world changed meanwhile: {error}", "Send it again.", **at) from error
    except ServerException as error:
        raise BatosError("STORAGE", f"the storage server failed: {error}", "Is its disk full?", lost=True) from error
    except ClientStorageError as error:
        raise BatosError(
            "STORAGE",
            f"the storage server does not answer: {type(error).__name__} {error}",
            "See `batos status`; nothing that was acknowledged is lost.",
            lost=True,
        ) from error
    except POSError as error:
        raise BatosError("STORAGE", f"{type(error).__name__}: {error}", "See the storage actor's log.") from error
    except OSError as error:
        raise BatosError("STORAGE", f"the store failed: {error}", "Is the disk full, or the folder gone?") from error


@contextmanager
def snapshot(db: DB, at: bytes | None = None) -> Iterator[Connection]:
    """A connection to read from: now, or as it was right after transaction `at`."""
    manager = transaction.TransactionManager(explicit=True)
    connection = db.open(manager, at=at) if at is not None else db.open(manager)
    manager.begin()
    try:
        yield connection
    finally:
        manager.abort()
        connection.close()


def moment_of(connection: Connection) -> str:
    """The last transaction (16 hex digits) that a connection sees: `snapshot` with it shows the same world again."""
    storage = connection._storage  # noqa: SLF001  ZODB says it nowhere else
    before: bytes = getattr(storage, "_before", None) or storage._start  # noqa: SLF001  one of the past has the other
    return p64(u64(before) - 1).hex()


class Written:
    """The transaction (8 bytes) that has written `what`; there is none before it is committed."""

    def __init__(self, connection: Connection, what: Persistent) -> None:
        self._tid = b""
        connection.transaction_manager.get().addAfterCommitHook(self._note, (what,))

    @property
    def tid(self) -> bytes:
        assert self._tid, "nothing was committed"
        return self._tid

    def _note(self, is_committed: bool, what: Persistent) -> None:
        if is_committed:
            self._tid = what._p_serial


@contextmanager
def commit(
    db: DB, *, user: str, description: str, cycle: str = "", facts: Mapping[str, str] | None = None
) -> Iterator[Connection]:
    """A connection to write to; commits at the end of the block, or nothing if the block raises.

    Every commit says who (`user`), why (`description`), within which `cycle`, and what `facts` its writer wants to find
    again: history is a feature. NEWER_WORLD where a newer program has taken the world up meanwhile.
    """
    manager = transaction.TransactionManager(explicit=True)
    connection = db.open(manager)
    current = manager.begin()
    try:
        current.user = user
        current.note(description)
        for name, fact in {"cycle": cycle, **(facts or {})}.items():
            if fact:
                current.setExtendedInfo(name, fact)
        version_of(connection)
        yield connection
        oids = commits.touched(connection)
        if oids is not None:
            current.setExtendedInfo(commits.TOUCHED, oids)
        manager.commit()
    except BaseException:
        manager.abort()
        raise
    finally:
        connection.close()


class _WaitingThread(ClientThread):
    """ZEO's own networking thread, on a line to the storage server that is there again as soon as the server is.

    ZEO's client tries a server that is away once in one to two seconds, which is right for one at the other end of a network. The
    home's own is a process beside this one: killed, it listens again in less than that. So the wait is for its socket.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.loop = _Loop()  # where it is given one, ZEO makes none
        super().__init__(*arguments, **options)


class _Loop(asyncio.SelectorEventLoop):
    async def create_unix_connection(self, *arguments: Any, **options: Any) -> Any:
        """As asyncio's, but a socket that is not there yet, or that its owner's death has left, is waited for."""
        while True:
            try:
                return await super().create_unix_connection(*arguments, **options)
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(AGAIN_S)
