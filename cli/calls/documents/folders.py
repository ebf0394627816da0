"""Which files a command line means: those that it names, and of the folders that it names those that hold a person's texts.

Hidden files stay out, and what programs put beside a person's files. Links to files are files; links to folders are not
followed, since they may lead in a circle.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cli.calls.documents.outcomes import RefusedFile
from protocol.errors import BatosError
from protocol.texts import STDIN

LITTER: Final = frozenset({"node_modules", "bower_components", "__pycache__", "venv", "site-packages"})
"""Folders that programs fill; what they hide behind a dot is hidden anyway."""
_LITTER_FILES: Final = ("*~", "*.pyc", "*.pyo", "*.swp", "*.tmp", "*.part", "*.lock", "Thumbs.db", "desktop.ini")


class Wanted(NamedTuple):
    """What is to be remembered: the words of a command line."""

    paths: Sequence[str]
    doc_id: str | None = None
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    sync: bool = False


class FoundPaths(NamedTuple):
    """Files by their absolute paths, in order; the folders that they were found in; and what could not be looked into."""

    files: list[str]
    folders: list[str]
    refused: list[RefusedFile]


def find(wanted: Wanted) -> FoundPaths:
    """The files that are meant; USAGE where the words do not go together, UNREADABLE for a folder to sync that is not there."""
    _check(wanted)
    files: dict[str, None] = {}
    folders: list[str] = []
    refused: list[RefusedFile] = []
    for name in wanted.paths:
        path = name if name == STDIN else absolute(name)
        if name != STDIN and os.path.isdir(path):  # noqa: PTH112 - the name may be no path at all
            folders.append(path)
            files.update(dict.fromkeys(_walk(path, wanted, refused)))
        elif wanted.sync:
            raise BatosError(
                "UNREADABLE", f"{name} is no folder", "--sync takes folders, and forgets what is gone of them."
            )
        else:
            files[path] = None
    return FoundPaths(list(files), folders, refused)


def absolute(name: str) -> str:
    """Links stay as they are: a document keeps its id when its file is gone, or is read from a pipe."""
    return f"/{os.path.abspath(name).lstrip('/')}"  # noqa: PTH100 - POSIX leaves two slashes at the beginning


def _check(wanted: Wanted) -> None:
    if wanted.doc_id is not None and (len(wanted.paths) > 1 or wanted.sync):
        raise BatosError("USAGE", f"--id names one document, and {len(wanted.paths)} files are given", "Give one file.")
    if not all(wanted.paths):
        raise BatosError("USAGE", "an empty name is no file", "Name a file or a folder; `.` is this one.")
    if STDIN in wanted.paths and wanted.doc_id is None:
        raise BatosError("USAGE", "a document from stdin has no name", "Name it: --id DOC_ID.")
    if wanted.doc_id is not None and os.path.isdir(wanted.paths[0]):  # noqa: PTH112
        raise BatosError("USAGE", f"--id names one document, and {wanted.paths[0]} is a folder", "Leave --id away.")


def _walk(top: str, wanted: Wanted, refused: list[RefusedFile]) -> Iterator[str]:
    """The files of a folder that are meant, in the order of their names."""

    def failed(error: OSError) -> None:
        why = f"it cannot be looked into: {error.strerror}"
        refused.append(RefusedFile(str(error.filename), "UNREADABLE", why, "Give folders that you may read."))

    for folder, names, files in os.walk(top, onerror=failed):
        inner = [name for name in sorted(names) if not name.startswith(".") and name not in LITTER]
        names[:] = [name for name in inner if not _matches(_inside(top, folder, name), wanted.exclude)]
        for name in sorted(files):
            place = _inside(top, folder, name)
            if _is_meant(name, place, wanted) and _is_file(path := os.path.join(folder, name)):  # noqa: PTH118
                yield path


def _is_meant(name: str, place: str, wanted: Wanted) -> bool:
    if name.startswith(".") or _matches(name, _LITTER_FILES) or _matches(place, wanted.exclude):
        return False
    return not wanted.include or _matches(place, wanted.include)


def _matches(place: str, patterns: Sequence[str]) -> bool:
    """Whether a place below the folder, or its last part, is of one of the patterns; `*` takes slashes too."""
    name = place.rpartition("/")[2]
    return any(fnmatch.fnmatchcase(place, each) or fnmatch.fnmatchcase(name, each.rstrip("/")) for each in patterns)


def _inside(top: str, folder: str, name: str) -> str:
    return os.path.relpath(os.path.join(folder, name), top)  # noqa: PTH118


def _is_file(path: str) -> bool:
    """Whether there is a file of bytes that end; a link that leads nowhere is none."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - once for each of thousands
    except OSError:
        return False
