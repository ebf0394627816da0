"""The blobs of a world: which there are, those that a backup lacks, and their list in a generation.

ZODB gives each version of a blob a file of its own, named after its transaction, and never changes one. So what a backup has, it
has for good, and only new ones are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from actors.storage.backup import manifest
from actors.storage.backup.files import Copied, compared, copy, digest_of, folders, put
from actors.storage.backup.manifest import BLOBS, LISTS, Kept, KeptBlobs, KeptHome
from bus.process.in_place import sync

MARKER: Final = ".layout"
BUSHY: Final = "bushy"
AT_ONCE: Final = 2
_NAME: Final = re.compile(r"0x([0-9a-f]{16})\.blob")
_LINE: Final = re.compile(r"([0-9a-f]{64}) (\d+) ([\w/.]+)")


class Blobs(NamedTuple):
    """Those of a generation by their paths, and how many of them were copied for it, with how many bytes."""

    known: dict[str, Copied]
    copied: int
    bytes: int


def standing(folder: Path, last: str = "f" * 16) -> Iterator[str]:
    """The paths of the blobs of transactions up to `last`; what has no name yet is none."""
    stack = [folder]
    while stack:
        here = stack.pop()
        try:
            entries = list(os.scandir(here))
        except FileNotFoundError:  # a pack has removed it
            continue
        for entry in entries:
            if entry.name.startswith("0x") and entry.is_dir(follow_symlinks=False):
                stack.append(Path(entry.path))
            elif (named := _NAME.fullmatch(entry.name)) and named[1] <= last:
                yield str(Path(entry.path).relative_to(folder))


def layout_of(folder: Path) -> str:
    """How the files lie in folders: ZODB's own word for it."""
    try:
        return (folder / MARKER).read_text().strip()
    except OSError:
        return BUSHY


def take(source: Path, folder: Path, paths: Iterator[str], known: Mapping[str, Copied], *, link: bool) -> Blobs:
    """Copy those of `paths` that are not in `known` from the home into the backup, check each, and make them durable.

    `link`: they may be the same files, where the disk can do that.
    """
    found = dict(known)
    target = folder / BLOBS
    new = [path for path in paths if path not in found]
    copied = size = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="blobs") as pool:
        for path, made in zip(
            new, pool.map(lambda path: _copy(source / path, target / path, link=link), new), strict=True
        ):
            if made is not None:
                found[path] = made
                copied, size = copied + 1, size + made.bytes
        list(pool.map(sync, folders((target / path for path in new if path in found), target)))
    return Blobs(found, copied, size)


def _copy(source: Path, target: Path, *, link: bool) -> Copied | None:
    """None for one that has gone: a pack removes what the world's file does not name any more."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # a file that no generation names
    if link:
        with suppress(OSError):  # another disk, or one that has no links
            os.link(source, target)
            return digest_of(target)
    try:
        copy(source, target)
        made, size = compared(target, source), source.stat().st_size
    except FileNotFoundError:
        if source.exists():
            raise
        target.unlink(missing_ok=True)
        return None
    if made is None or made.bytes != size:
        raise manifest.damaged(target, "the disk does not give back what was written")
    return made


def write_list(folder: Path, generation: str, known: Mapping[str, Copied], layout: str) -> KeptBlobs:
    """Write the list of a generation's blobs."""
    lines = [f"{blob.sha256} {blob.bytes} {path}\n" for path, blob in sorted(known.items())]
    at = f"{LISTS}/{generation}"
    made = put(folder / at, "".join(lines).encode())
    return KeptBlobs(
        count=len(known),
        bytes=sum(blob.bytes for blob in known.values()),
        layout=layout,
        list=Kept(path=at, bytes=made.bytes, sha256=made.sha256),
    )


def listed(folder: Path, generation: KeptHome) -> dict[str, Copied]:
    """The blobs of a generation, by their paths; DAMAGED where their list is."""
    kept = generation.blobs.list
    path = folder / kept.path
    try:
        if digest_of(path) != (kept.bytes, kept.sha256):
            raise manifest.damaged(path, "it is not as it was written")
        text = path.read_text()
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise manifest.damaged(path, "it is missing" if isinstance(error, OSError) else str(error)) from error
    found = {}
    for line in text.splitlines():
        read = _LINE.fullmatch(line)
        if read is None or ".." in read[3]:
            raise manifest.damaged(path, "it has a line that is no blob's")
        found[read[3]] = Copied(int(read[2]), read[1])
    return found


def check_there(folder: Path, known: Mapping[str, Copied]) -> dict[str, Copied]:
    """Those of `known` whose files stand in the backup with the size that they had."""
    found = {}
    for path, blob in known.items():
        with suppress(OSError):
            if (folder / BLOBS / path).stat().st_size == blob.bytes:
                found[path] = blob
    return found
