"""Texts that a person names by a file: read whole, up to a limit, as UTF-8.

A file may have no end (a pipe, a device), so its size is not asked for, and one byte more than may be is read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO, Final

from protocol.errors import BatosError

STDIN: Final = "-"


def bounded_text(
    file: str | Path, *, name: str, most: int, parts: str, convert: str, code: str = "BAD_DOCUMENT"
) -> str:
    """The text of `file`, or of standard input for `STDIN`. A mark of the byte order is no part of it.

    `name` is what messages call it. UNREADABLE where it cannot be read, TOO_LARGE over `most` bytes (`parts` says what to do
    then), and `code` where it is not UTF-8 (`convert` says what to do then, `line` in the data where it stands).
    """
    try:
        if file == STDIN:
            data = _bounded(sys.stdin.buffer, name, most, parts)
        else:
            with open(file, "rb") as opened:  # noqa: PTH123 - a pipe under /dev/fd is a file too
                data = _bounded(opened, name, most, parts)
    except IsADirectoryError as error:
        raise BatosError(
            "UNREADABLE", f"{name} is a folder", "Name its files: a shell expands FOLDER/*.txt."
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BatosError("UNREADABLE", f"cannot read {name}: {reason}", "Give a file that you may read.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"line {line}, byte {error.start}"
        raise BatosError(code, f"{name} is not text in UTF-8 ({where})", convert, line=line) from error


def _bounded(file: BinaryIO, name: str, most: int, parts: str) -> bytes:
    data = file.read(most + 1)
    if len(data) > most:
        raise BatosError("TOO_LARGE", f"{name} has more than {most} bytes", parts, limit=most)
    return data
