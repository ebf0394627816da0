"""What `remember` and `forget` come to, as they are printed."""

from __future__ import annotations

from typing import Literal

import msgspec

from protocol.errors import CODES, BatosError
from protocol.messages import Lineage

Change = Literal["new", "changed", "same", "renamed"]


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document that memory has now. `was`: what it was called before; `notes`: what its user should know of its reading."""

    doc_id: str
    chunks: int
    change: Change
    format: str
    was: str = ""
    notes: list[str] = []


class RefusedFile(msgspec.Struct, frozen=True):
    """A file that is not remembered, why, and what to do."""

    path: str
    code: str
    message: str
    hint: str


class ForgottenDocument(msgspec.Struct, frozen=True):
    doc_id: str
    chunks: int
    tid: str


class Memories(msgspec.Struct, frozen=True):
    """What `remember` came to; `tid` is the last commit, None where all of it was known already."""

    documents: list[Remembered]
    tid: str | None
    refused: list[RefusedFile] = []
    forgotten: list[ForgottenDocument] = []

    @property
    def exit_code(self) -> int:
        return _exit_code(self.refused)


class Foreseen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document that would be remembered, and the characters that its text has."""

    doc_id: str
    change: Change
    format: str
    characters: int = 0
    was: str = ""
    notes: list[str] = []


class Forecast(msgspec.Struct, frozen=True):
    """What `remember --dry-run` found: nothing of it is done."""

    documents: list[Foreseen]
    refused: list[RefusedFile]
    forgets: list[str]
    dry_run: bool = True

    @property
    def exit_code(self) -> int:
        return _exit_code(self.refused)


class Forgetting(msgspec.Struct, frozen=True):
    """What `forget` came to, or would come to; and what came of the documents, which has gone along where there is a `derived_tid`."""

    documents: list[ForgottenDocument]
    dry_run: bool = False
    derived: Lineage | None = None
    derived_tid: str | None = None


def refusal(path: str, error: BatosError) -> RefusedFile:
    return RefusedFile(path, error.code, error.message, error.hint)


def failure(refused: RefusedFile) -> BatosError:
    """A refusal as the error of a command that was about this file alone."""
    return BatosError(refused.code, f"{refused.path}: {refused.message}", refused.hint)


def _exit_code(refused: list[RefusedFile]) -> int:
    """That of the files which were refused: some of what was asked is done, and some is not."""
    return max((CODES[one.code].exit_code for one in refused), default=0)
