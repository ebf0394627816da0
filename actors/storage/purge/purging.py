"""`python -m actors.storage --purge`: what was forgotten goes from every file of a home whose system is down, and a receipt says so.

In an order that a kill at any point leaves to be begun again: first what needs the world to say what was forgotten (copies, logs; the
journal before all, by the orchestrator's own code), then the world's file, then the last look.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
from ZODB import DB
from ZODB.FileStorage import FileStorage
from ZODB.serialize import referencesf

from actors.storage.purge import files, forgotten, searching
from actors.storage.purge.emptying import answered, emptied
from actors.storage.purge.forgotten import Seen
from actors.storage.purge.reading import size_of
from actors.storage.purge.rewriting import Instead, Rewritten, entries, rewrite
from actors.storage.records import problems
from bus.process.lock import hold
from protocol.errors import BatosError
from protocol.home import Home
from world.past import moments
from world.store import snapshot
from world.version import SCHEMA, version_of

ROOT: Final = b"\0" * 8
_TOLD: Final = 100
"""Places that are told in one receipt."""


class Asked(msgspec.Struct, frozen=True):
    """What the journal has said: history goes from before `before` (Unix time), and these mandates were told of what was forgotten.

    `documents` are forgotten ones too, of which the world may have nothing any more.
    """

    documents: list[str] = []
    mandates: list[str] = []
    before: float | None = None


class Forgotten(msgspec.Struct, frozen=True):
    """The documents that were forgotten and that the world's past still has, and the mandates that have left them.

    `remembered` are those that stand: whatever else a mandate was told of is forgotten, though the world may be packed since.
    """

    documents: list[str] = []
    mandates: list[str] = []
    remembered: list[str] = []


class Left(msgspec.Struct, frozen=True):
    """What was found and stays: where, and why."""

    where: str
    why: str


class Receipt(msgspec.Struct, frozen=True):
    """What a purge has removed from the world's file and from `files`, and what it has found that it `left`."""

    documents: list[str]
    objects: int
    revisions: int
    bytes_before: int
    bytes_after: int
    files: list[dict[str, Any]] = []
    left: list[Left] = []


def find(home: Home) -> Forgotten:
    """What was forgotten; nothing is changed. USAGE where there is no world, HOME_HELD while the system is up, DAMAGED where its world
    is not whole: the journal would lose what is known of documents that were not seen.
    """
    _check_there(home)
    with _held(home):
        _check(home)
        _check_form(home)
        with home.database.open("rb") as file:
            seen = forgotten.look(file)
        return Forgotten(seen.documents(), seen.senders(), seen.remembered())


def purge(home: Home, asked: Asked) -> Receipt:
    """Purge the home. USAGE where there is no world, HOME_HELD while the system is up, DAMAGED where its world is not whole,
    STORAGE where there is no room.
    """
    _check_there(home)
    with _held(home):
        _check(home)
        with home.database.open("rb") as file:
            seen = forgotten.look(file)
        before = size_of(home.database)
        if asked.before is not None:
            _pack(home, asked.before)
        holding = forgotten.records_of(seen, asked.mandates)
        texts = [text for oid in holding for text in seen.texts.get(oid, ())]
        pieces = searching.pieces_of(texts)
        ids = sorted({*seen.documents(), *asked.documents})
        names = [word for doc_id in ids for word in files.spelled(doc_id)]
        removed = [*files.remove_copies(home), *files.clean_logs(home, [*pieces, *names])]
        done, left = _rewritten(home, seen, holding, asked.mandates)
        left = [*_backups(home), *left, *_found(home, pieces)]
    return Receipt(
        documents=ids,
        objects=done.objects,
        revisions=done.revisions,
        bytes_before=before,
        bytes_after=done.bytes_after,
        files=[each._asdict() for each in removed],
        left=[*left[:_TOLD], *_more(len(left) - _TOLD)],
    )


def _more(count: int) -> list[Left]:
    """That a receipt does not name all."""
    return [Left(f"{count} more places", "they are not named: it would be too many")] if count > 0 else []


def _check_there(home: Home) -> None:
    """Whoever has named the wrong home must not read that nothing is left; and without a world nobody knows what was forgotten."""
    home.check_restored()
    if not home.database.exists():
        raise BatosError(
            "USAGE",
            f"there is no world in {home.root}, so nothing was purged",
            "Name the home that has one: --home, or BATOS_HOME.",
        )


def _check(home: Home) -> None:
    if found := problems(home.database, home.blobs):
        raise BatosError(
            "DAMAGED",
            f"{home.database} is damaged, so nothing was purged: {found[0]}",
            "Restore a backup first; `batos doctor --deep` names the rest.",
        )


def _check_form(home: Home) -> None:
    """NEWER_WORLD where only a newer program knows the world, USAGE where it is to have a newer form first."""
    storage = FileStorage(str(home.database), read_only=True, blob_dir=str(home.blobs))
    with closing(DB(storage)) as db, snapshot(db) as connection:
        version = version_of(connection)
    if 0 < version < SCHEMA:
        raise BatosError(
            "USAGE",
            f"the world has form {version}, and this program purges form {SCHEMA}",
            "`batos up` brings it there, with a backup first; then `batos down`, and purge again.",
        )


def _held(home: Home) -> Any:
    home.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    return hold(home.run / "storage.lock", f"the world of {home.root}")


def _pack(home: Home, before: float) -> None:
    """As a pack while the system runs: what is forgotten is first said to be."""
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs), pack_keep_old=False))
    try:
        moments.pack(db, before)
    finally:
        db.close()


def _rewritten(
    home: Home, seen: Seen, holding: dict[bytes, None], mandates: Sequence[str]
) -> tuple[Rewritten, list[Left]]:
    """Empty the records that hold what was forgotten, but for objects that somebody still has."""
    replies = forgotten.replies_of(seen, mandates)
    live = _reachable(home.database) if holding else set()
    lines = forgotten.lines_of(seen)
    kept = {oid for oid in holding if oid in live and seen.classes.get(oid) not in _CLEARED and oid not in lines}
    left = [Left(f"object {oid.hex()}", "something refers to it, so it was left as it is") for oid in sorted(kept)]

    def instead(oid: bytes, data: bytes) -> bytes | None:
        if oid in replies:
            return answered(data, replies[oid])
        return emptied(data) if oid in holding and oid not in kept else None

    return _unless_nothing(home, holding, replies, instead), left


_CLEARED: Final = frozenset({forgotten.DOCUMENT, forgotten.PASSAGE, forgotten.PIECE, forgotten.VERSION})
"""What says of itself that it is forgotten: it is no longer of use, whoever refers to it."""


def _unless_nothing(home: Home, holding: dict[bytes, None], replies: dict[bytes, str], instead: Instead) -> Rewritten:
    if holding or replies:
        return rewrite(home.database, home.blobs, instead)
    size = size_of(home.database)
    return Rewritten(0, 0, size, size)


def _reachable(database: Path) -> set[bytes]:
    """The objects that the root leads to now."""
    refers: dict[bytes, tuple[bytes, ...]] = {}
    for oid, _tid, _position, data in entries(database):
        if data:
            refers[oid] = tuple(referencesf(data))
    found, todo = {ROOT}, [ROOT]
    while todo:
        new = [oid for oid in refers.get(todo.pop(), ()) if oid not in found]
        found.update(new)
        todo += new
    return found


def _found(home: Home, pieces: Sequence[bytes]) -> list[Left]:
    """Whatever else has a piece of what was forgotten, after all."""
    left = []
    for path in files.every(home):
        try:
            at = list(searching.places(path, pieces))
        except OSError as error:
            left.append(Left(str(path), f"it cannot be looked through: {error.strerror}"))
            continue
        if at and path == home.database:
            left += [_told(held) for held in searching.holders(path, at)]
        elif at and path in (home.journal, home.journal.with_name(home.journal.name + "-wal")):
            left.append(Left(str(path), _IN_JOURNAL))
        elif at:
            left.append(Left(str(path), "it has a passage of what was forgotten, and is not the system's to change"))
    return left


_IN_JOURNAL: Final = (
    "a mandate that was not told of it has said the same, or was answered so: it goes when it is older than is kept,"
    " with `batos pack --purge --keep 1s` now"
)


def _backups(home: Home) -> list[Left]:
    """The backups that the home knows of, outside of it: what they have is as it was then."""
    try:
        known = msgspec.json.decode(home.backups.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        known = {}
    why = "a backup, which is not touched: it has what was there when it was made"
    return [Left(folder, why) for folder in known]


def _told(held: searching.Held) -> Left:
    where = f"object {held.oid}" + (f" ({held.name})" if held.name else "")
    if held.is_now:
        return Left(where, "it says the same, and is nothing that came of it as far as is known")
    return Left(where, "an earlier state of it said the same: `batos pack` forgets that when it is old enough")


def no_world(uri: str) -> BatosError:
    """That the world is not a file of this home."""
    return BatosError(
        "BAD_CONFIG",
        f"the world is at {uri}, which is no file of this home",
        "Purge it where it stands; `batos pack` without --purge forgets history there.",
    )
