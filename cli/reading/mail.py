"""E-mail: who wrote to whom, when and about what, and the letter itself; a mailbox is its letters one after the other.

Of a letter in several forms the plain one is read, else the HTML one as a page. Attachments are named and not read: whoever
wants them remembered saves them.
"""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any, Final

from cli.reading import webpages
from cli.reading.charsets import Charset, detect
from cli.reading.readings import MAX_TEXT, Reading, day, joined, no_text, one_line, too_large
from protocol.errors import BatosError

MAX_LETTERS: Final = 100_000
_POSTMARK: Final = re.compile(rb"^From \S.*\d{4}\r?$\n", re.MULTILINE)
_QUOTED: Final = re.compile(rb"^>(>*From )", re.MULTILINE)
_SAID: Final = ("From", "To", "Cc", "Date")


def read(data: bytes, _name: str) -> Reading:
    """One letter."""
    letter = _parsed(data)
    text = _text(letter, heading=False)
    if not text:
        raise no_text("it is no letter, or an empty one", "Save it again from the mail program.")
    subject, sender = _field(letter, "Subject"), _field(letter, "From")
    return Reading(text=text, format="mail", title=subject, author=sender, date=_date(letter))


def read_mailbox(data: bytes, _name: str) -> Reading:
    """All letters of a mailbox, each under its subject."""
    letters = [part for part in _POSTMARK.split(data) if part.strip()]
    if len(letters) > MAX_LETTERS:
        raise too_large(f"it holds {len(letters)} letters, the limit is {MAX_LETTERS}", "Split it.")
    blocks: list[str] = []
    size = 0
    for letter in letters:
        blocks.append(_text(_parsed(_QUOTED.sub(rb"\1", letter)), heading=True))
        size += len(blocks[-1])
        if size > MAX_TEXT:
            raise too_large("it becomes more text than a file may hold", "Split it.")
    if not any(blocks):
        raise no_text("it is an empty mailbox", "Leave it out: --exclude.")
    return Reading(text=joined(blocks), format="mailbox")


def _parsed(data: bytes) -> EmailMessage:
    made: Any = message_from_bytes(data, policy=policy.default)
    found: EmailMessage = made
    return found


def _text(letter: EmailMessage, *, heading: bool) -> str:
    subject = _field(letter, "Subject")
    head = [f"{name}: {value}" for name in _SAID if (value := _field(letter, name))]
    title = [f"# {subject or 'Without a subject'}"] if heading else [f"# {subject}"] if subject else []
    body, attached = _body(letter)
    named = "\n".join(f"Attached: {name}" for name in attached)
    return joined([*title, "\n".join(head), body, named]) if body or head else ""


def _body(letter: EmailMessage) -> tuple[str, list[str]]:
    """What is written, and the names of what is attached."""
    plain: list[str] = []
    pages: list[str] = []
    attached: list[str] = []
    for part in letter.walk():
        if part.is_multipart():
            continue
        name = _tried(part.get_filename)
        kind = part.get_content_type()
        if name or _tried(part.get_content_disposition) == "attachment":
            attached.append(one_line(name) or kind)
        elif kind == "text/plain":
            plain.append(_decoded(part))
        elif kind == "text/html":
            pages.append(_decoded(part))
    if any(text.strip() for text in plain):
        return joined(plain), attached
    return joined([_page(source) for source in pages]), attached


def _page(source: str) -> str:
    try:
        return webpages.page(source).text
    except BatosError:  # a picture and a link: it says nothing
        return ""


def _decoded(part: Any) -> str:
    data: Any = part.get_payload(decode=True) or b""
    said = _tried(part.get_content_charset)
    for name in (said, "utf-8"):
        try:
            return _clean(str(data.decode(name)))
        except (LookupError, UnicodeDecodeError, TypeError):
            continue
    found = detect(data) or Charset("latin-1")
    errors = "replace" if found.errors == "strict" else found.errors
    return _clean(str(data.decode(found.name, errors)))


def _clean(text: str) -> str:
    """`text` as what it is said to be: an odd charset (`unicode_escape`) makes what is no Unicode."""
    return text.replace("\r\n", "\n").replace("\0", "").encode(errors="replace").decode()


def _field(letter: EmailMessage, name: str) -> str:
    return one_line(_tried(lambda: letter[name]))


def _date(letter: EmailMessage) -> str:
    found = _tried(lambda: parsedate_to_datetime(str(letter["Date"])))
    return day(found.isoformat()) if found is not None else ""


def _tried(ask: Any) -> Any:
    """What `ask` says; None where the letter is malformed there: the parser raises whatever it meets."""
    try:
        return ask()
    except Exception:  # noqa: BLE001 - a malformed field is no reason to lose the letter
        return None
