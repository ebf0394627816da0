"""The world's file in a backup: repozo copies it whole, and then what was added; what that comes to, and what it holds.

repozo (ZODB/scripts/repozo.py) keeps count in a text file beside its copies, and a backup that was killed may have left that
and the copies apart. So before it runs, that file is made to say what the last generation says, and afterwards it goes. Its paths are
relative: it knows no spaces in names.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO, Final

from ZODB.fsIndex import fsIndex
from ZODB.scripts import repozo
from ZODB.utils import z64

from actors.storage import contents
from actors.storage.backup import manifest
from actors.storage.backup.files import CHUNK, digest_of, flush, is_same
from actors.storage.backup.manifest import WORLD, Kept, KeptWorld, Part
from actors.storage.records import LENGTH, RECORD, TRANSACTION
from bus.process.in_place import identity, sync
from protocol.errors import BatosError
from protocol.home import Home

repozo.READCHUNK = CHUNK  # by its own 16 kB it spends as long on the way as on the bytes

_FIRST: Final = "traits_obj"


class Moved(Exception):  # noqa: N818 - it is no error: it is tried again
    """Another file stands at the world's place than when the backup began: it was packed."""


def identity_of(database: Path) -> str:
    """What tells a world from every other one; "" for one that has not been awakened. The file may be in use.

    It is the transaction of an object of the first step of an awakening, whose own record is never written again: a pack, too,
    keeps it near the beginning of the file.
    """
    try:
        with database.open("rb") as file:
            return next((tid for tid, name in _records(file) if name == _FIRST), "")
    except FileNotFoundError:
        return ""


def _records(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """Transaction and object's name of each record, from the beginning of a file on."""
    size, start = os.fstat(file.fileno()).st_size, 4
    while start + TRANSACTION.size <= size:
        file.seek(start)
        tid, length, status, *texts = TRANSACTION.unpack(file.read(TRANSACTION.size))
        if status == b"c" or length < TRANSACTION.size or start + length > size:
            return
        at, end = start + TRANSACTION.size + sum(texts), start + length
        while at < end:
            data, after = _record(file, at)
            if data:
                yield tid.hex(), contents.read(data).name
            at = after
        start = end + LENGTH.size


def _record(file: BinaryIO, at: int) -> tuple[bytes, int]:
    """A record's data, nothing where it has only where they are, and the position after it."""
    file.seek(at)
    *_, length = RECORD.unpack(file.read(RECORD.size))
    return file.read(length), at + RECORD.size + (length or LENGTH.size)


def _form(database: Path, index: Path) -> int:
    """The schema version of the world as of the moment that an index of it is of."""
    at = fsIndex.load(str(index))["index"][z64]
    with database.open("rb") as file:
        while True:
            data, after = _record(file, at)
            if data:
                return int(contents.fields(data).get("data", {}).get("schema_version", 0))
            file.seek(after - LENGTH.size)  # made again by an undo: the data are those of an earlier record
            (at,) = LENGTH.unpack(file.read(LENGTH.size))


def take(home: Home, folder: Path, last: KeptWorld | None, moment: float) -> KeptWorld:
    """Bring the backup's copy of the world's file up to the last transaction, check what was written, and make it durable.

    `moment` names repozo's files: to a second, and later than those of every generation. Raises `Moved` where the file was
    replaced meanwhile.
    """
    database, place = home.database.absolute(), identity(home.database)
    if place is None:
        raise Moved
    repository = folder / WORLD
    parts = [] if last is None or not _stand(folder, last) else list(last.parts)
    stamp = time.gmtime(moment)[:6]
    options = SimpleNamespace(
        file=str(database),
        repository=".",
        full=not parts,
        quick=last is not None and place == last.place,
        gzip=False,
        killold=False,
        date=None,
        test_now=stamp,
    )
    _write_count(repository, parts)
    try:
        with contextlib.chdir(repository), _hashing():
            repozo.do_backup(options)
    except AssertionError as error:  # the file was shorter when it was copied than when it was opened
        raise Moved from error
    name = "{:04d}-{:02d}-{:02d}-{:02d}-{:02d}-{:02d}".format(*stamp)
    made = [path for ending in ("fs", "deltafs") if (path := repository / f"{name}.{ending}").exists()]
    if not made:  # nothing was added
        assert last is not None
        return _found(home, folder, last.parts, last.index, place)
    part = _checked_in_place(home, place, made[0], repository / _count_name(parts, name, made[0]))
    if made[0].suffix == ".fs":
        parts = []
    index = repository / f"{name}.index"
    with index.open("rb+") as file:
        flush(file)
    sync(repository)
    found = digest_of(index)
    kept = Kept(path=f"{WORLD}/{index.name}", bytes=found.bytes, sha256=found.sha256)
    return _found(home, folder, [*parts, part], kept, place)


def _checked_in_place(home: Home, place: tuple[int, int], path: Path, count: Path) -> Part:
    try:
        return _checked(home.database, path, count)
    except BatosError:
        if identity(home.database) != place:
            raise Moved from None
        raise


def _found(home: Home, folder: Path, parts: list[Part], index: Kept, place: tuple[int, int]) -> KeptWorld:
    tid = _last_transaction(folder / parts[-1].path)
    form = _form(home.database, folder / index.path)
    if identity(home.database) != place:
        raise Moved
    return KeptWorld(
        id=identity_of(home.database),
        tid=tid,
        form=form,
        bytes=parts[-1].start + parts[-1].bytes,
        place=place,
        parts=parts,
        index=index,
    )


def _stand(folder: Path, last: KeptWorld) -> bool:
    """Whether the files of the last generation are there, as large as they were; otherwise all is copied anew."""
    for kept in (*last.parts, last.index):
        try:
            if (folder / kept.path).stat().st_size != kept.bytes:
                return False
        except OSError:
            return False
    return True


def _count_name(parts: list[Part], name: str, made: Path) -> str:
    first = name if made.suffix == ".fs" else Path(parts[0].path).stem
    return f"{first}.dat"


def _write_count(repository: Path, parts: list[Part]) -> None:
    """Have repozo's folder say what the last generation says: a line a part, in the file of the first."""
    if not parts:
        return
    lines = [f"{Path(part.path).name} {part.start} {part.start + part.bytes} {part.sha256}\n" for part in parts]
    (repository / f"{Path(parts[0].path).stem}.dat").write_text("".join(lines))


@contextlib.contextmanager
def _hashing() -> Iterator[None]:
    """Have repozo count by sha256: it is the digest that is kept of each file, and has instructions of its own in a processor.

    And have it read by as much as the copies beside it, which would wait for its turns otherwise: a thread that reads by 16 kB takes
    the interpreter from the others at each.
    """
    md5, chunk = repozo.md5, repozo.READCHUNK
    repozo.md5, repozo.READCHUNK = hashlib.sha256, CHUNK
    try:
        yield
    finally:
        repozo.md5, repozo.READCHUNK = md5, chunk


def _checked(database: Path, path: Path, count: Path) -> Part:
    """The part that was just written, read back beside what it is of; DAMAGED where it is not the same."""
    name, start, end, sha256 = count.read_text().splitlines()[-1].split()
    size = path.stat().st_size
    is_it = Path(name).name == path.name and size == int(end) - int(start)
    if not is_it or not is_same(path, database, int(start)):
        raise manifest.damaged(path, "the disk does not give back what was written")
    count.unlink()  # it is written anew before repozo runs again
    return Part(path=f"{WORLD}/{path.name}", bytes=size, sha256=sha256, start=int(start))


def _last_transaction(path: Path) -> str:
    """The transaction at the end of a part, which ends with one: the length of it stands behind it."""
    with path.open("rb") as file:
        end = file.seek(-LENGTH.size, 2)
        (length,) = LENGTH.unpack(file.read(LENGTH.size))
        file.seek(end - length)
        return file.read(8).hex()
