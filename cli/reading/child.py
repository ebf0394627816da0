"""The process in which files are read that somebody else has made: PDF, DOCX, HTML, e-mail.

It gets bytes and gives text, opens nothing, and has bounds of its own: memory, and processor time for each file. Whatever a file
does to it ends with it, and the command goes on with the next file. A request is a frame (length, then msgpack); so is an
answer. It ends when nobody asks any more.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO, Final

import msgspec

from bus.process import powers
from cli.reading import mail, pdfs, webpages, word
from cli.reading.readings import Reading
from protocol.errors import BatosError

MEMORY: Final = 1 << 30
"""Bytes of its address space."""
CPU_S: Final = 60
"""Seconds of processor time for one file."""
FILES: Final = 64
LENGTH: Final = struct.Struct("<Q")

FORMATS: Final[dict[str, Callable[[bytes, str], Reading]]] = {
    "html": webpages.read,
    "pdf": pdfs.read,
    "docx": word.read,
    "mail": mail.read,
    "mailbox": mail.read_mailbox,
}
"""The table of readers: what a file is, and the function that makes text of its bytes. What is text already needs none."""


class Asked(msgspec.Struct, frozen=True):
    """One file: of which format, by which name, and its bytes."""

    format: str
    name: str
    data: bytes


class Told(msgspec.Struct, frozen=True):
    """What became of it: the reading, or why there is none, as the parts of an error."""

    reading: Reading | None
    code: str = ""
    message: str = ""
    hint: str = ""


def main() -> None:
    """Answer until the other side closes."""
    powers.lay_down()
    for limit, value in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (value, value))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    source, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while (frame := _frame(source)) is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_S + 1, hard))
        answer = msgspec.msgpack.encode(_told(msgspec.msgpack.decode(frame, type=Asked)))
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _told(asked: Asked) -> Told:
    try:
        return Told(FORMATS[asked.format](asked.data, asked.name))
    except BatosError as error:
        return Told(None, error.code, error.message, error.hint)
    except MemoryError:
        return Told(
            None, "TOO_LARGE", f"it takes more than {MEMORY >> 20} MB of memory to read", "Split it, or save it anew."
        )
    except Exception as error:  # noqa: BLE001 - whatever a file does to a library, it is the file that is refused
        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return Told(None, "BAD_DOCUMENT", f"it cannot be read as {asked.format} ({why})", "Open it, and save it anew.")


def _frame(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None
