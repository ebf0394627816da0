"""Gate 1, bounds: what is refused before any parser sees it.

A parser is the first thing that hostile text attacks: a megabyte of minus signs or a thousand brackets kill the
process that parses them. So size, lines, nesting, identifiers and literals are measured on the raw text first, in
time linear in its length and without a parser. Every regular expression here matches at each place it is tried and
never backtracks over what it took, which is what keeps them linear.

The parse itself happens in the jail; `unparsed` names the rules of what can go wrong there.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from protocol.messages import Violation

MAX_BYTES: Final = 32 * 1024
MAX_LINES: Final = 1000
MAX_LINE: Final = 2000
MAX_BRACKETS: Final = 40
MAX_INDENT: Final = 25
MAX_CHAIN: Final = 400
MAX_DIGITS: Final = 400
MAX_DEPTH: Final = 60
"""Levels of the syntax tree: what survives the parser must not exhaust the gates after it."""

RULES: Final[dict[str, str]] = {
    "BND001": "the source is too large",
    "BND002": "too many lines, or a line too long",
    "BND003": "brackets or blocks are nested too deeply",
    "BND004": "an identifier is not what it looks like: not in its normal form (NFKC), or with what cannot be seen",
    "BND005": "a literal has too many digits",
    "BND006": "a control or direction character, or text that is not valid Unicode",
    "BND007": "not Python",
    "BND008": "too complex to be judged",
}

_TOKEN: Final = re.compile(
    r"""(?P<text>(?:'''(?:[^\\']|\\.|'(?!''))*(?:''')?)|(?:\"""(?:[^\\"]|\\.|"(?!""))*(?:\""")?)"""
    r"""|'(?:[^'\\\n]|\\.)*'?|"(?:[^"\\\n]|\\.)*"?)"""
    r"""|(?P<comment>\#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<number>\.?[0-9][0-9A-Za-z_.]*)|(?P<name>(?:\w|[^\x00-\x7f])+)|(?P<end>\n)"""
    r"""|(?P<operator>[-+*/%@&|^~<>=!.,:;]+)""",
    re.DOTALL,
)
_BAD_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What Python takes in a name and nobody sees: Default_Ignorable_Code_Point within XID_Continue (Unicode 15)."""
_GOOD_CONTROLS: Final = frozenset("\n\t\r")


def weigh(source: str) -> list[Violation]:
    """Whether `source` is fit to be sent into the jail at all: Unicode, and not too large."""
    try:
        size = len(source.encode())
    except UnicodeEncodeError:
        return [_violation("BND006", 0, "a lone surrogate")]
    if size > MAX_BYTES:
        return [_violation("BND001", 0, f"{size} bytes, at most {MAX_BYTES}")]
    return []


def measure(source: str) -> list[Violation]:
    """The bounds that `source` breaks; empty means that it may be parsed (in the jail)."""
    found = weigh(source)
    if found:
        return found
    lines = source.split("\n")
    if len(lines) > MAX_LINES:
        return [_violation("BND002", 0, f"{len(lines)} lines, at most {MAX_LINES}")]
    for n, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            found.append(_violation("BND002", n, f"{len(line)} characters, at most {MAX_LINE}"))
        if not line.isascii() or not line.isprintable():
            found.extend(_characters(n, line))
    return found or _tokens(source) or _indents(lines)


def unparsed(error: BaseException) -> Violation:
    """What the parser or a later gate made of a source that it could not handle."""
    if isinstance(error, SyntaxError):
        column = f" (column {error.offset})" if error.offset else ""
        return _violation("BND007", error.lineno or 0, f"{error.msg}{column}")
    if isinstance(error, ValueError):
        return _violation("BND007", 0, str(error)[:200])
    return _violation("BND008", 0, type(error).__name__)


def died() -> Violation:
    """The verdict on a source whose judging cost a jailed child its life."""
    return _violation("BND008", 0, "judging it exceeded the limits of the jail")


def plain_name(name: str) -> str:
    """What a reader sees of the identifier `name`: Python's own normal form of it, without what cannot be seen."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", name))


def disguised(line: int, name: str) -> Violation:
    """The violation of an identifier that is not what it looks like."""
    return _violation("BND004", line, f"{name[:40]!a} reads as {plain_name(name)[:40]!a}")


def _characters(n: int, line: str) -> list[Violation]:
    for character in line:
        if unicodedata.category(character) in _BAD_CATEGORIES and character not in _GOOD_CONTROLS:
            return [_violation("BND006", n, f"U+{ord(character):04X}")]
    return []


def _tokens(source: str) -> list[Violation]:
    found: list[Violation] = []
    line, depth, chain = 1, 0, 0
    for match in _TOKEN.finditer(source):
        kind, token = match.lastgroup, match.group()
        if kind == "end":
            line += 1
            chain = chain if depth else 0
        elif kind == "text":
            line += token.count("\n")
        elif kind == "open":
            depth += 1
            if depth > MAX_BRACKETS:
                return [_violation("BND003", line, f"brackets deeper than {MAX_BRACKETS}")]
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "number" and sum(map(str.isalnum, token)) > MAX_DIGITS:
            found.append(_violation("BND005", line, f"{len(token)} digits, at most {MAX_DIGITS}"))
        elif kind == "name" and not token.isascii() and token.isidentifier() and plain_name(token) != token:
            found.append(disguised(line, token))
        elif kind == "operator":
            # Commas and colons make lists long, not trees deep.
            chain += sum(character not in ",:;" for character in token)
            if chain > MAX_CHAIN and not depth:
                return [_violation("BND003", line, f"more than {MAX_CHAIN} operators in one line")]
    return found


def _indents(lines: list[str]) -> list[Violation]:
    """Count levels, not columns: each deeper indentation than the ones before it opens a block."""
    levels: list[int] = [0]
    for n, line in enumerate(lines, 1):
        stripped = line.lstrip(" \t")
        if not stripped or stripped.startswith("#"):
            continue
        width = len(line) - len(stripped)
        while levels[-1] > width:
            levels.pop()
        if width > levels[-1]:
            levels.append(width)
        if len(levels) > MAX_INDENT:
            return [_violation("BND003", n, f"blocks deeper than {MAX_INDENT}")]
    return []


def _violation(rule: str, line: int, detail: str) -> Violation:
    return Violation(rule=rule, line=line, message=f"{RULES[rule]}: {detail}")
