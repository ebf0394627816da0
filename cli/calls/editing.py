"""A method in a person's own editor: what it begins with, what was saved, and where a refused text is kept."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from cli import wire
from cli.calls import hand, mandate, objects
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Defined, DefinedMethod

FOLDER: Final = "edits"
"""Within the home: refused texts, one for each method."""


class Begun(msgspec.Struct, frozen=True):
    """What is edited. `replaces` is the hash of the object's own method, "" where it has none."""

    name: str
    oid: str
    selector: str
    text: str
    replaces: str


async def begin(home: Home, name: str, selector: str) -> Begun:
    """The method as it stands, inherited ones too; the text that was refused last; or the first line of a new one."""
    word, parameters = mandate.read_selector(selector)
    seen = await objects.look(home, name, limit=1)
    text, replaces = "", ""
    try:
        found = await objects.source(home, name, word)
    except BatosError as error:
        if error.code != "UNKNOWN_METHOD":
            raise
        text = f"def {word}({', '.join(['self', *parameters])}):\n    return None\n"
    else:
        if found.method.source is None:
            raise BatosError(
                "BAD_ARGUMENT",
                f"{name} has {word} from the system itself: it has no source to edit",
                f"Define your own: {wire.command(home, 'define', name, 'FILE')}",
            )
        text = found.method.source
        if found.holder in {seen.name, seen.oid}:
            replaces = str(found.method.sha256)
    kept = _place(home, name, word)
    if kept.exists():
        text = kept.read_text(encoding="utf-8")
    return Begun(name, seen.oid, word, text, replaces)


def edited(begun: Begun) -> str | None:
    """What the editor has saved; None where that is nothing, or nothing else.

    UNREADABLE where it fails, with the `text` that it had saved before that.
    """
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory(prefix="batos-") as folder:
        file = Path(folder) / f"{begun.selector}.py"
        file.write_text(begun.text, encoding="utf-8")
        try:
            code = subprocess.run([*words, str(file)], check=False).returncode  # noqa: S603 - the person's own editor
        except OSError as error:
            raise _failed(f"cannot start the editor {words[0]!r}: {error.strerror}") from error
        text = hand.read_source(str(file)) if file.exists() and file.stat().st_size else ""
    saved = None if not text.strip() or text == begun.text else text
    if code != 0:
        raise _failed(f"the editor {words[0]!r} ended with {code}", saved)
    return saved


async def define(home: Home, begun: Begun, text: str, *, drop_contract: bool) -> Defined:
    """What was saved stands on the object; what was kept of an earlier attempt goes."""
    made = await hand.define(home, begun.name, text, drop_contract=drop_contract, replaces=begun.replaces)
    _place(home, begun.name, begun.selector).unlink(missing_ok=True)
    return made


def unchanged(begun: Begun) -> Defined:
    method = DefinedMethod(selector=begun.selector, sha256=begun.replaces, verdict="accept")
    return Defined(name=begun.name, oid=begun.oid, methods=[method] if begun.replaces else [])


def keep(home: Home, begun: Begun, text: str) -> Path:
    """Where a text that was refused is kept."""
    place = _place(home, begun.name, begun.selector)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    return place


def kept_in(home: Home, begun: Begun, place: Path, error: BatosError) -> BatosError:
    """`error`, with where the text is and how to go on from it."""
    again = wire.command(home, "edit", begun.name, begun.selector)
    return BatosError(
        error.code,
        error.message,
        f"Your text is kept in {place}. Edit it again: {again}",
        **{**{name: fact for name, fact in error.data.items() if name != "text"}, "file": str(place)},
    )


def _place(home: Home, name: str, selector: str) -> Path:
    return home.root / FOLDER / f"{name}.{selector}.py"


def _failed(what: str, saved: str | None = None) -> BatosError:
    facts = {} if saved is None else {"text": saved}
    return BatosError(
        "UNREADABLE", f"{what}; nothing has changed", "Name an editor that waits: EDITOR=nano batos edit …", **facts
    )
