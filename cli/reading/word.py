"""DOCX: a ZIP archive of XML, of which the text, the footnotes and what it says of itself are read, each up to a bound.

The XML goes through expat as a stream of events, without a tree: what is nested deep costs nothing, a document type (and with
it every entity) is refused, and an archive that expands without end is read to the bound and no further.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Any, Final
from xml.etree.ElementTree import ParseError, XMLParser

from cli.reading.kinds import ending
from cli.reading.readings import MAX_TEXT, Reading, day, joined, no_text, one_line, table, too_large

MAX_XML: Final = 256 << 20
"""Bytes that one part of the archive may become."""
MAX_ENTRIES: Final = 20_000
_BLOCK: Final = 1 << 20

_BODY: Final = "word/document.xml"
_OTHERS: Final = {
    "xlsx": "an Excel workbook",
    "pptx": "a presentation",
    "odt": "an OpenDocument text",
    "epub": "an e-book",
}
_WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEVEL: Final = re.compile(r"heading (\d)$|^title$", re.IGNORECASE)


def read(data: bytes, name: str) -> Reading:
    """The text of a DOCX; BAD_DOCUMENT for another archive or a damaged one."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.namelist()
        if len(entries) > MAX_ENTRIES:
            raise too_large(f"it is an archive of {len(entries)} files", "Save it anew as .docx.")
        if _BODY not in entries:
            raise _other(entries, name)
        styles = _Styles.of(archive, entries)
        blocks: list[str] = []
        for part in (_BODY, "word/footnotes.xml", "word/endnotes.xml"):
            if part in entries:
                blocks += _parsed(archive, part, _Body(styles)).blocks
        facts = _parsed(archive, "docProps/core.xml", _Core()).facts if "docProps/core.xml" in entries else {}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ParseError, KeyError) as error:
        if isinstance(error, RuntimeError) and "password" in str(error):
            raise no_text("it has a password", "Unpack it, or save it without one.") from error
        raise no_text(f"it is a damaged DOCX: {error}", "Open it, save it anew, and remember that file.") from error
    text = joined(blocks)
    if not text:
        raise no_text("it holds no text", "If it is pictures, have their text read first.")
    return Reading(text=text, format="docx", **facts)


def _other(entries: list[str], name: str) -> Exception:
    of = _OTHERS.get(ending(name))
    if any(entry.startswith("xl/") for entry in entries):
        of = _OTHERS["xlsx"]
    if any(entry.startswith("ppt/") for entry in entries):
        of = _OTHERS["pptx"]
    if of is None:
        return no_text("it is a ZIP archive", "Unpack it, and remember the folder.")
    hint = "Save its sheets as CSV." if "Excel" in of else "Save it as .docx, PDF or text, and remember that file."
    return no_text(f"it is {of}, which is not read", hint)


def _parsed(archive: zipfile.ZipFile, part: str, target: Any) -> Any:
    """`target` after it has heard of all elements of a part."""
    parser = XMLParser(target=target)  # noqa: S314 - the target refuses a document type, without which there is no entity
    size = 0
    with archive.open(part) as source:
        while block := source.read(_BLOCK):
            size += len(block)
            if size > MAX_XML:
                raise too_large("it expands to more than a file may hold", "Split it.")
            parser.feed(block)
    parser.close()
    return target


class _Events:
    """What a stream of XML events is heard by."""

    def doctype(self, *_: Any) -> None:
        raise no_text(
            "its XML has a document type, which no DOCX has", "Open it, save it anew, and remember that file."
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def data(self, text: str) -> None: ...

    def close(self) -> None: ...


class _Styles(_Events):
    """Which styles are headings, and of which level: their ids are of the language in which the file was written."""

    def __init__(self) -> None:
        self.levels: dict[str, int] = {}
        self._id = ""

    @classmethod
    def of(cls, archive: zipfile.ZipFile, entries: list[str]) -> dict[str, int]:
        if "word/styles.xml" not in entries:
            return {}
        found: _Styles = _parsed(archive, "word/styles.xml", cls())
        return found.levels

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == f"{_WORD}style":
            self._id = attributes.get(f"{_WORD}styleId", "")
        elif tag == f"{_WORD}name" and (level := _level(attributes.get(f"{_WORD}val", ""))):
            self.levels.setdefault(self._id, level)


class _Body(_Events):
    """Paragraphs, headings, lists and tables of a part, as blocks of Markdown."""

    def __init__(self, styles: dict[str, int]) -> None:
        self.blocks: list[str] = []
        self._styles = styles
        self._said: list[str] = []
        self._prefix = ""
        self._is_text = False
        self._skipped = self._tables = self._size = 0
        self._rows: list[list[str]] = []
        self._cell: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if name == "Fallback" or self._skipped:  # what a program reads that does not know the other form beside it
            self._skipped += 1
            return
        if not tag.startswith(_WORD):
            return
        value = attributes.get(f"{_WORD}val", "")
        match name:
            case "t":
                self._is_text = True
            case "tab":
                self._said.append(" ")
            case "br" | "cr":
                self._said.append("\n")
            case "noBreakHyphen":
                self._said.append("-")
            case "pStyle":
                level = self._styles.get(value) or _level(re.sub(r"(\d)$", r" \1", value))
                self._prefix = "#" * level + " " if level else self._prefix
            case "numPr":
                self._prefix = self._prefix or "- "
            case "tbl":
                self._tables += 1
            case "tr" if self._tables == 1:
                self._rows.append([])

    def end(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        if not tag.startswith(_WORD):
            return
        match tag.rpartition("}")[2]:
            case "t":
                self._is_text = False
            case "p":
                self._paragraph()
            case "tc" if self._tables == 1 and self._rows:
                self._rows[-1].append(" ".join(self._cell))
                self._cell = []
            case "tbl":
                self._tables -= 1
                if not self._tables:
                    self._take(table([cells for cells in self._rows if any(cells)]))
                    self._rows = []

    def data(self, text: str) -> None:
        if self._is_text and not self._skipped:
            self._said.append(text)
            self._size += len(text)
            if self._size > MAX_TEXT:
                raise too_large("it becomes more text than a file may hold", "Split it.")

    def _paragraph(self) -> None:
        said, prefix = "".join(self._said).strip(), self._prefix
        self._said, self._prefix = [], ""
        if not said:
            return
        if self._tables:
            self._cell.append(said)
        elif prefix == "- " and self.blocks and self.blocks[-1].startswith("- "):
            self.blocks[-1] += f"\n- {said}"
        else:
            self._take(prefix + (said.replace("\n", " ") if prefix.startswith("#") else said))

    def _take(self, block: str) -> None:
        if block:
            self.blocks.append(block)


class _Core(_Events):
    """What a file says of itself (Dublin Core)."""

    _NAMES: Final = {"title": "title", "creator": "author", "created": "date"}

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self._name = ""
        self._said = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - the form of an event
        self._name, self._said = self._NAMES.get(tag.rpartition("}")[2], ""), ""

    def end(self, tag: str) -> None:  # noqa: ARG002 - the form of an event
        if self._name:
            self.facts[self._name] = day(self._said) if self._name == "date" else one_line(self._said)
        self._name = ""

    def data(self, text: str) -> None:
        if self._name and len(self._said) < 10_000:
            self._said += text


def _level(style: str) -> int:
    """The level of a heading style by its name, 1 for a title; 0 for another style."""
    found = _LEVEL.search(style.strip())
    return int(found[1] or 1) if found else 0
