"""What kind of file this is: by its content first, by its name where the content does not say.

A name is what somebody has called a file, and its first bytes are what it is: a PDF without an ending is read as one, and a
picture that is called `notes.txt` is refused as a picture.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from cli.reading.readings import no_text

HEAD: Final = 64 << 10
"""Bytes of a file's beginning that are looked at."""

CODE: Final[dict[str, str]] = {
    ending: language
    for language, endings in {
        "ada": "adb ads",
        "assembler": "s asm",
        "c": "c h",
        "c#": "cs",
        "c++": "cc cpp cxx hh hpp hxx ino",
        "clojure": "clj cljs edn",
        "configuration": "ini cfg conf toml yaml yml properties env",
        "css": "css scss less",
        "cuda": "cu cuh",
        "dart": "dart",
        "diff": "diff patch",
        "elixir": "ex exs",
        "erlang": "erl hrl",
        "f#": "fs fsx",
        "fortran": "f f90 f95 for",
        "go": "go",
        "graphql": "graphql gql",
        "haskell": "hs lhs",
        "java": "java",
        "javascript": "js mjs cjs jsx",
        "json": "json jsonl ndjson ipynb",
        "julia": "jl",
        "kotlin": "kt kts",
        "lisp": "lisp lsp el scm rkt",
        "lua": "lua",
        "make": "mk mak cmake",
        "nix": "nix",
        "ocaml": "ml mli",
        "pascal": "pas pp",
        "perl": "pl pm",
        "php": "php",
        "powershell": "ps1 psm1",
        "protobuf": "proto",
        "python": "py pyi pyx",
        "r": "r",
        "ruby": "rb",
        "rust": "rs",
        "scala": "scala sc",
        "shell": "sh bash zsh fish",
        "solidity": "sol",
        "sql": "sql",
        "swift": "swift",
        "tcl": "tcl",
        "terraform": "tf hcl",
        "typescript": "ts tsx",
        "vue": "vue svelte",
        "xml": "xml xsd xsl rng svg",
        "zig": "zig",
    }.items()
    for ending in endings.split()
}
"""Endings of source code, and of what is written like it: such files are text whose lines mean something."""

_BY_NAME: Final[dict[str, str]] = {
    **dict.fromkeys(["md", "markdown", "mdown", "mkd", "qmd", "rmd"], "markdown"),
    **dict.fromkeys(["csv", "tsv", "tab"], "table"),
    **dict.fromkeys(["html", "htm", "xhtml", "shtml"], "html"),
    **dict.fromkeys(CODE, "code"),
    "eml": "mail",
    "mbox": "mailbox",
}
_WHOLE_NAMES: Final = {"dockerfile": "docker", "makefile": "make", "gnumakefile": "make", "rakefile": "ruby"}

_BINARY: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\x89PNG\r\n", "a PNG picture", "pictures"),
    (b"\xff\xd8\xff", "a JPEG picture", "pictures"),
    (b"GIF8", "a GIF picture", "pictures"),
    (b"BM", "a bitmap", "pictures"),
    (b"II*\0", "a TIFF picture", "pictures"),
    (b"MM\0*", "a TIFF picture", "pictures"),
    (b"\x1f\x8b", "a gzip file", "archives"),
    (b"BZh", "a bzip2 file", "archives"),
    (b"\xfd7zXZ\0", "an xz file", "archives"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "archives"),
    (b"7z\xbc\xaf", "a 7z archive", "archives"),
    (b"Rar!", "a RAR archive", "archives"),
    (b"\x7fELF", "a program", ""),
    (b"MZ", "a program", ""),
    (b"\xca\xfe\xba\xbe", "compiled code", ""),
    (b"SQLite format 3\0", "an SQLite database", "databases"),
    (b"OggS", "a sound", "sounds"),
    (b"ID3", "a sound", "sounds"),
    (b"fLaC", "a sound", "sounds"),
)
_HINTS: Final = {
    "pictures": "Read its text with a program such as tesseract, and remember that.",
    "archives": "Unpack it, and remember the folder.",
    "databases": "Export its tables as CSV, and remember those.",
    "sounds": "Have it written down, and remember the text.",
    "": "Leave it out: --exclude.",
}

_HTML: Final = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_FIELD: Final = re.compile(
    rb"^(?:From|To|Cc|Subject|Date|Message-ID|Received|MIME-Version|Return-Path|Delivered-To|Content-Type):[ \t]",
    re.IGNORECASE | re.MULTILINE,
)
_POSTMARK: Final = re.compile(rb"^From \S+ .*\d{4}\s*$")
_ENOUGH_FIELDS: Final = 3


def kind_of(head: bytes, name: str) -> str:
    """The format of a file that begins with `head`; BAD_DOCUMENT for one that is known to hold no text."""
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return "docx"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _old_office(head, name)
    by_name = _BY_NAME.get(ending(name)) or ("code" if language(name) else "text")
    _check_binary(head)
    if by_name in {"code", "markdown"}:
        return by_name
    if _HTML.search(head[:4096]):
        return "html"
    if by_name in {"text", "mail", "mailbox"}:
        return _mail(head) or by_name
    return by_name


def language(name: str) -> str:
    """The language of source code in a file of this name; empty where it is none."""
    return CODE.get(ending(name)) or _WHOLE_NAMES.get(PurePath(name).name.lower(), "")


def ending(name: str) -> str:
    return PurePath(name).suffix.lower().removeprefix(".")


def _mail(head: bytes) -> str:
    first, _, rest = head.partition(b"\n")
    if _POSTMARK.match(first) and len(set(_fields(rest))) >= _ENOUGH_FIELDS - 1:
        return "mailbox"
    is_headed = re.match(rb"[A-Za-z][A-Za-z-]*:[ \t]", head)
    return "mail" if is_headed and len(set(_fields(head))) >= _ENOUGH_FIELDS else ""


def _fields(head: bytes) -> list[bytes]:
    """The fields of a letter's head, which ends at the first empty line."""
    return [found.lower() for found in _FIELD.findall(re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0])]


def _check_binary(head: bytes) -> None:
    for mark, what, sort in _BINARY:
        # A few letters alone may begin a text.
        if head.startswith(mark) and (len(mark) > 3 or not mark.isascii() or b"\0" in head[:512]):
            raise no_text(f"it is {what}, and holds no text", _HINTS[sort])
    if head[:4] == b"RIFF" and b"\0" in head[:64]:
        raise no_text("it is a picture, a sound or a film, and holds no text", _HINTS["sounds"])
    if head[4:8] == b"ftyp":
        raise no_text("it is a film or a picture, and holds no text", _HINTS["sounds"])


def _old_office(head: bytes, name: str) -> Exception:
    if ending(name) in {"docx", "xlsx", "pptx"} or "EncryptedPackage".encode("utf-16-le") in head:
        return no_text("it has a password", "Open it, save it without one, and remember that file.")
    return no_text(
        "it is a document of the old Office form", "Save it as .docx, or as text: libreoffice --convert-to docx FILE"
    )
