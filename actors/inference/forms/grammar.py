"""A grammar in llguidance's dialect of Lark, read as far as it takes to say that it can be kept.

llguidance compiles it; but it takes seconds to say that there are too many alternatives, and serves a grammar of which no
text ever ends. So the rules are read here first, for how much there is in them and what they need of each other. Nothing is
said about a grammar that is not understood here: what is wrong with it llguidance knows better, and says with its line.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from actors.inference.forms.productivity import Alternative, endless, schema_alternatives

MAX_CHARACTERS: Final = 1_000_000
MAX_PARTS: Final = 20_000
"""Literals, patterns and names in rules. To compile takes time that grows with their square: here it is a second."""

_DEPTH: Final = 30
"""Groups within each other: llguidance takes no more."""
_LEXEME: Final = re.compile(
    r"""
      (?P<skip>[ \t]+|(?:\#|//)[^\n]*)
    | (?P<line>(?:\r?\n)+[ \t]*)
    | (?P<text>"(?:\\.|[^"\\\x00-\x1f\x7f])*"i?|/(?:\\.|[^/\\])+/[imslux]*|<[^<>\s]+>|@[\w-]+)
    | (?P<keyword>%[a-z]+)
    | (?P<name>[!?_]{0,2}[a-z][_a-z0-9-]*)
    | (?P<token>_?[A-Z][_A-Z0-9-]*)
    | (?P<number>[+-]?\d[\w.]*?(?=\.\.|[^\w.]|$))
    | (?P<sign>->|::|\.\.|[:,.=(){}\[\]~|&*+?_])
    """,
    re.VERBOSE | re.ASCII,
)
_CLOSED: Final = {"(": ")", "[": "]", "{": "}"}
_PARTS: Final = frozenset({"text", "name", "token", "keyword"})
_BEFORE_JSON: Final = frozenset({"%json", "%llguidance", "%regex"})
_BLANK: Final = re.compile(r"\s*")
_JSON: Final = json.JSONDecoder()
_SHOWN: Final = 5


class _UnreadableError(Exception):
    """The grammar holds what is not understood here."""


class _RefusedError(Exception):
    """The grammar holds what is not served; the text says why."""


def why_not(grammar: str) -> str:
    """Why no row could keep the grammar, in words; empty where nothing speaks against it."""
    if len(grammar) > MAX_CHARACTERS:
        return f"it has {len(grammar)} characters, over the limit of {MAX_CHARACTERS}"
    if grammar.lstrip().startswith("{"):
        return "it is JSON, and a grammar is written in Lark"
    try:
        return endless_words(needs_of(grammar), "start")
    except _RefusedError as error:
        return str(error)
    except _UnreadableError:
        return ""


def needs_of(grammar: str) -> list[Alternative]:
    """What each alternative of each rule needs of other rules; a group in brackets is a rule of its own."""
    return _Reader(_lexemes(grammar)).alternatives()


def endless_words(alternatives: list[Alternative], start: str) -> str:
    """Why no text of the form ends, in words; empty where one does, or where there is no `start`."""
    known = {rule for rule, _ in alternatives}
    circle = [str(rule) for rule in endless(alternatives, start)] if start in known else []
    named = [rule for rule in dict.fromkeys(circle) if not rule.startswith("group ")]
    if not circle:
        return ""
    if circle[0] not in known:
        return f"it cannot be written: it needs `{circle[0][:60]}`, which allows nothing"
    if len(named) > _SHOWN:
        return f"no text of it ever ends: `{named[0][:60]}` needs itself again, through {len(named) - 1} others"
    return "no text of it ever ends: " + " needs ".join(f"`{rule[:60]}`" for rule in [*named, named[0]]) + " again"


def _lexemes(grammar: str) -> list[tuple[str, str]]:
    """All lexemes of rules and statements, each with its kind. What a token is made of is left out: it is one pattern."""
    found: list[tuple[str, str]] = []
    place = parts = 0
    begins, in_token = True, False
    while place < len(grammar):
        match = _LEXEME.match(grammar, place)
        if match is None:
            raise _UnreadableError
        kind, text, place = str(match.lastgroup), match[0], match.end()
        if kind == "skip":
            continue
        if begins and text != "|":
            in_token = kind == "token"
        begins = kind == "line"
        if in_token:
            continue
        parts += kind in _PARTS
        if parts > MAX_PARTS:
            raise _RefusedError(
                f"its rules have more than {MAX_PARTS} literals, patterns and names; a choice that is written as one "
                'token, `start: WORD` and `WORD: "a" | "b"`, may have more'
            )
        if text == "%lark" or (kind == "text" and text[0] in "<@"):
            raise _RefusedError(
                f"it holds {text[:60]}: a form is of text, not of a model's own tokens or other grammars"
            )
        found.append((kind, text))
        if text in _BEFORE_JSON:
            try:
                value, place = _JSON.raw_decode(grammar, _BLANK.match(grammar, place).end())  # type: ignore[union-attr]
            except (ValueError, RecursionError) as error:
                raise _UnreadableError from error
            found.append(("json", json.dumps(value)))
    return found


class _Reader:
    """One reading of a grammar, lexeme by lexeme."""

    def __init__(self, lexemes: list[tuple[str, str]]) -> None:
        self._lexemes = lexemes
        self._place = 0
        self._groups = 0
        self._alternatives: list[Alternative] = []

    def alternatives(self) -> list[Alternative]:
        while self._kind() != "end":
            text = self._text()
            if self._kind() == "line":
                self._place += 1
            elif self._kind() == "name":
                self._definition()
            elif text == "%import":
                while self._kind() not in {"line", "end"}:
                    self._place += 1
            elif text == "%llguidance":
                self._place += 2
            elif self._take("%ignore"):
                self._choice("%ignore", 0)
            else:
                raise _UnreadableError
        defined = {rule for rule, _ in self._alternatives}
        # What is defined elsewhere, or nowhere, is not judged here; a token always has a text.
        return [Alternative(rule, [need for need in needs if need in defined]) for rule, needs in self._alternatives]

    def _kind(self, ahead: int = 0) -> str:
        place = self._place + ahead
        return self._lexemes[place][0] if place < len(self._lexemes) else "end"

    def _text(self, ahead: int = 0) -> str:
        place = self._place + ahead
        return self._lexemes[place][1] if place < len(self._lexemes) else ""

    def _take(self, text: str) -> bool:
        taken = self._text() == text
        self._place += taken
        return taken

    def _definition(self) -> None:
        """`name: …`, with what may stand between the two."""
        name = self._text().lstrip("!?")
        self._place += 1
        while not self._take(":"):
            if self._kind() in {"line", "end"}:
                raise _UnreadableError
            self._place += 1
        self._choice(name, 0)

    def _choice(self, rule: str, depth: int) -> None:
        """The alternatives of `rule`, up to a bracket that closes or the end of the definition."""
        if depth > _DEPTH:
            raise _UnreadableError
        while True:
            self._alternatives.append(Alternative(rule, self._sequence(depth)))
            if self._take("|"):
                continue
            if self._kind() == "line" and self._text(1) == "|":
                self._place += 2
                continue
            return

    def _sequence(self, depth: int) -> list[str]:
        """What one alternative needs."""
        needs: list[str] = []
        while self._kind() not in {"line", "end"} and self._text() not in {"|", ")", "]", "}"}:
            if self._take("&"):
                continue
            if self._take("->"):
                self._place += 1
            elif self._take("%if"):
                self._condition()
            else:
                need = self._atom(depth)
                if self._is_needed() and need:
                    needs.append(need)
        return needs

    def _atom(self, depth: int) -> str:
        """The rule that the next thing is; empty for what has a text by itself."""
        if self._take("~"):
            self._atom(depth)
            return ""
        kind, text = self._kind(), self._text()
        if text in {"(", "["}:
            self._place += 1
            self._groups += 1
            group = f"group {self._groups}"
            self._choice(group, depth + 1)
            if not self._take(_CLOSED[text]):
                raise _UnreadableError
            return group if text == "(" else ""
        if text in {"%json", "%regex"}:
            self._place += 2
            return self._json() if text == "%json" else ""
        if kind not in {"text", "name", "token"}:
            raise _UnreadableError
        self._place += 1
        if self._take(".."):
            self._place += 1
        elif self._take("::"):
            self._place += 1
            if self._text() == "(":
                self._bracket()
        return text if kind in {"name", "token"} else ""

    def _json(self) -> str:
        """The schema before this place, whose parts become rules."""
        schema: Any = json.loads(self._text(-1))
        self._groups += 1
        mark = f"schema {self._groups}"
        self._alternatives += [
            Alternative(f"{mark} {rule}", [f"{mark} {need}" for need in needs])
            for rule, needs in schema_alternatives(schema)
        ]
        return f"{mark} #"

    def _condition(self) -> None:
        while self._kind() not in {"line", "end"} and self._text() not in {"|", ")", "]"}:
            if self._text() in _CLOSED:
                self._bracket()
            else:
                self._place += 1

    def _bracket(self) -> None:
        """Skip a bracket and all that is in it."""
        depth = 0
        while self._kind() not in {"line", "end"}:
            depth += (self._text() in _CLOSED) - (self._text() in _CLOSED.values())
            self._place += 1
            if depth == 0:
                return
        raise _UnreadableError

    def _is_needed(self) -> bool:
        """Whether the thing before this place must be there at least once, by what follows it."""
        if self._take("?") or self._take("*"):
            return False
        if self._take("+"):
            return True
        if self._text() == "{" or (self._text() == "~" and self._kind(1) == "number"):
            least = self._text(1)
            if self._text() == "{":
                self._bracket()
            else:
                self._place += 2
                if self._take(".."):
                    self._place += 1
            return least not in {"0", ","}
        return True
