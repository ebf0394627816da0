"""The way to a newer form: a backup, then every step on a copy, then the steps themselves.

    1. The home is backed up into a folder of its own (`Home.backup`); of that the newest generation stays.
    2. A copy is made of that generation, which thereby is read from its first byte to its last.
    3. On the copy the steps are taken, every object is loaded, and every contract is tried that was tried before them: none
       that held may be broken now.
    4. Only then they are taken in the world, each in one transaction.

Where 1 to 3 fail, nothing has touched the world, and it is told what failed and where the backup is. A journal takes its steps in one
transaction when it is opened, so for it the copy is opened first.

An empty world has nothing to lose, and one that stands elsewhere than in the home is not ours to copy: neither is rehearsed.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Final

import structlog
from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.orchestrator.hand.checking import Checking
from actors.orchestrator.journal import schema
from actors.orchestrator.journal.entries import unreadable
from actors.orchestrator.renewing import processes
from bus.client import Caller
from protocol.errors import BatosError
from protocol.home import Home, Settings
from protocol.messages import Check
from world import awakening
from world.store import Store

_log = structlog.get_logger("orchestrator")

Waits = Callable[[str], None]

BROKEN_TOLD: Final = 3


async def keep_journal(home: Home, settings: Settings, waits: Waits) -> None:
    """Before a journal of an older form is opened: back the home up, and bring a copy of the journal up to date. STEP_FAILED."""
    version = await asyncio.to_thread(schema.older, home.journal)
    if version is None or settings.storage.uri or not home.database.exists():
        return
    what = f"the journal's version {schema.CURRENT}"
    async with _failing(home, what):
        waits(f"a backup before {what}")
        if not await _backed_up(home):
            return
        waits(f"the rehearsal of {what}")
        copy = await processes.copy(home)
        await asyncio.to_thread(_bring_up, copy)
    _log.info("the journal is backed up and rehearsed", version=version)


async def keep_world(home: Home, store: Store, caller: Caller, settings: Settings, waits: Waits) -> None:
    """Before a world of an older form takes its steps: back the home up, and take them on a copy. STEP_FAILED."""
    version = await store.run(lambda: awakening.schema_version(store.db))
    if not 0 < version < awakening.CURRENT:
        return
    if settings.storage.uri:
        _log.warning(
            "the world is elsewhere, so its steps are neither backed up nor rehearsed", uri=settings.storage.uri
        )
        return
    what = f"the world's form {awakening.CURRENT}"
    async with _failing(home, what):
        waits(f"a backup before {what}")
        await processes.back_up(home)
        waits(f"the rehearsal of {what}")
        copy = await processes.copy(home)
        await _rehearse(copy, caller, settings)
    _log.info("the world is backed up and its steps are rehearsed", form=version)


async def _backed_up(home: Home) -> bool:
    """False where there is no world yet."""
    try:
        await processes.back_up(home)
    except BatosError as error:
        if error.data.get("empty"):
            return False
        raise
    return True


def _bring_up(copy: Home) -> None:
    if not copy.journal.exists():
        return
    schema.open_journal(copy.journal).close()
    found = schema.problems(copy.journal) or unreadable(copy.journal)
    if found:
        raise BatosError("DAMAGED", found[0])


async def _rehearse(copy: Home, caller: Caller, settings: Settings) -> None:
    store = Store(DB(FileStorage(str(copy.database), blob_dir=str(copy.blobs))), str(copy.database))
    with closing(store):
        broken = await _broken(store, caller, settings)
        await store.run(lambda: awakening.awaken(store.db))
        after = await _broken(store, caller, settings)
    await processes.walk(copy)
    if broken is None:  # a world so old that this program could not try it as it was: then nobody knows what held
        _log.warning("contracts that are broken on the copy", broken=sorted(after or ()))
        return
    if after is None:
        raise BatosError("DAMAGED", "the contracts of the copy cannot be tried")
    new = [f"{name}.{selector}" for name, selector in sorted(after - broken)]
    if new:
        more = ", …" if len(new) > BROKEN_TOLD else ""
        raise BatosError("REFUSED", f"contracts that held are broken by it: {', '.join(new[:BROKEN_TOLD])}{more}")


async def _broken(store: Store, caller: Caller, settings: Settings) -> set[tuple[str, str]] | None:
    """The methods of which an example does not hold; None where that cannot be found out at all."""
    try:
        found = await Checking(store, caller, settings, lambda _: None, lambda: True).run(Check())
    except BatosError as error:
        if error.is_away or error.is_passing:
            raise
        _log.warning("the contracts cannot be tried", code=error.code, reason=error.message)
        return None
    except Exception:  # noqa: BLE001 - whatever this program meets in a world of another form
        _log.warning("the contracts cannot be tried", exc_info=True)
        return None
    return {(method.name, method.selector) for method in found.methods if method.failed}


@asynccontextmanager
async def _failing(home: Home, what: str) -> AsyncIterator[None]:
    """What fails in the block is told as STEP_FAILED, unless somebody is away who will come; the copy goes in any case."""
    try:
        yield
    except BatosError as error:
        if error.is_away or error.code == "TIMEOUT":
            raise
        raise _failed(home, what, f"{error.code}: {error.message}") from error
    except Exception as error:
        raise _failed(home, what, f"{type(error).__name__}: {error}") from error
    finally:
        await asyncio.to_thread(shutil.rmtree, home.rehearsal, ignore_errors=True)


def _failed(home: Home, what: str, why: str) -> BatosError:
    return BatosError(
        "STEP_FAILED",
        f"{what} was tried on a copy and failed, and nothing was changed: {why}",
        f"Run the program that last had this home. Its backup: batos restore {home.backup} --list",
        backup=str(home.backup),
    )
