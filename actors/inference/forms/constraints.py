"""The form that a row's text must have: a JSON schema or a grammar, kept token by token by llguidance.

A matcher says which tokens may come next, and which must: those are taken without asking the model. The vocabulary
also turns tokens back into bytes, the same way for every row, so that streamed pieces always join to the whole text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from llguidance import LLMatcher, LLTokenizer

from actors.inference.decoding.rules import DeadEndError
from actors.inference.decoding.sampling import Ids
from actors.inference.forms.beginnings import begins
from actors.inference.forms.bytewise import Bytes
from actors.inference.forms.equivalence import rewritten
from actors.inference.forms.grammar import MAX_CHARACTERS, endless_words, why_not
from actors.inference.forms.open_schema import Schema
from actors.inference.forms.productivity import schema_alternatives
from actors.inference.forms.proving import Prover, UnfitError, compiled, words_of
from protocol.errors import BatosError

_JSON_OPTIONS: Final[dict[str, Any]] = {"whitespace_flexible": False}
"""Between two tokens of JSON a small model may otherwise write blanks until its budget is spent."""
_FLEXIBLE: Final[dict[str, Any]] = {"whitespace_flexible": True}
_HINT: Final = "Correct or simplify it: docs/engines.md says which forms are served, and which are not."
_PROVER: Final = Prover()


class Vocabulary:
    """The tokenizer as llguidance sees it, over a model's `size` logits."""

    def __init__(self, tokenizer_json: str, size: int, stop: Sequence[int]) -> None:
        """BAD_MODEL for a tokenizer whose tokens are not known to be bytes: no form could be kept token by token."""
        try:
            # Without slices the first mask of a grammar takes milliseconds; with them, a second.
            self._tokens = LLTokenizer(tokenizer_json, n_vocab=size, eos_token=list(stop), slices=[])
        except ValueError as error:
            raise BatosError(
                "BAD_MODEL",
                f"the tokenizer ({_kind(tokenizer_json)}) is not one whose tokens are bytes: {str(error)[:100]}",
                "Name a model with byte-level BPE, or BPE with byte fallback: `model` under [inference] in batos.toml.",
            ) from error
        self._size = size

    def compile(self, schema: dict[str, Any] | None, grammar: str | None) -> LLMatcher | None:
        """A fresh matcher for this form, or None for free text; BAD_CONSTRAINT for a form that cannot be kept."""
        return _compile(self._tokens, schema, grammar, _JSON_OPTIONS)

    def constrain(self, matcher: LLMatcher) -> Constraint:
        """A row's own constraint from a fresh matcher, which stays fresh."""
        return Constraint(matcher.deep_copy(), self._size)

    def decode(self, tokens: Sequence[int]) -> bytes:
        """The tokens' text; special tokens have none."""
        return self._tokens.decode_bytes([token for token in tokens if not self._tokens.is_special_token(token)])


class Form:
    """A form whose texts somebody else has written: whether they keep it is seen on the text.

    Of JSON the value counts, and not how it is written: blanks, escapes, the order of keys and `1.0` for `1` harm nobody.
    """

    def __init__(self, schema: dict[str, Any] | None, grammar: str | None) -> None:
        """BAD_CONSTRAINT for a form that cannot be kept; without schema and grammar every text keeps it."""
        self._bytes = LLTokenizer("byte")
        self._schema = schema
        self._fresh = _compile(self._bytes, schema, grammar, _FLEXIBLE)

    def is_kept(self, text: str) -> bool:
        """Whether `text` has this form, from its beginning to its end."""
        if self._fresh is None:
            return True
        if self._walk().takes(text):
            return True
        return self._schema is not None and rewritten(text, self._walk)

    def is_begun(self, text: str) -> bool:
        """Whether `text`, which was cut, is the beginning of a text of this form."""
        if self._fresh is None:
            return True
        # A character that was cut in half comes as this sign.
        text = text.rstrip("\ufffd")
        if self._walk().goes(text):
            return True
        return self._schema is not None and begins(text, self._schema, self._other)

    def walk(self) -> Bytes | None:
        """The grammar from its beginning, to be followed while a text comes; None where every text, or any spelling, is allowed."""
        return None if self._fresh is None or self._schema is not None else self._walk()

    def _walk(self) -> Bytes:
        assert self._fresh is not None
        return Bytes(self._fresh.deep_copy())

    def _other(self, schema: Schema) -> Bytes | None:
        """A walk in the form of another schema; None where no text has that form, or llguidance cannot keep it."""
        try:
            # Without a trial: it is a part of the schema that was tried.
            return Bytes(compiled(self._bytes, json.dumps(schema), None, _FLEXIBLE))
        except (UnfitError, ValueError, TypeError, RecursionError):
            return None


class Constraint:
    """Where one row stands in its form."""

    def __init__(self, matcher: LLMatcher, size: int) -> None:
        self._matcher = matcher
        self._size = size

    def forced(self) -> list[int]:
        """The tokens that must come next whatever the model thinks; they count as taken."""
        tokens = self._matcher.compute_ff_tokens()
        if tokens:
            self._checked(self._matcher.consume_tokens(tokens))
        return tokens

    def allowed(self) -> Ids:
        """The tokens that may come next."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        ids = np.flatnonzero(np.unpackbits(bits, bitorder="little")[: self._size])
        self._checked(ids.size > 0)
        return ids

    def take(self, token: int) -> None:
        self._checked(self._matcher.consume_token(token))

    @property
    def complete(self) -> bool:
        """Nothing more can be said in this form."""
        return self._matcher.is_stopped()

    def _checked(self, ok: bool) -> None:
        if not ok or self._matcher.is_error():
            raise DeadEndError(words_of(self._matcher) or "no token is left")


def _kind(tokenizer_json: str) -> str:
    parts = json.loads(tokenizer_json)
    return ", ".join(str((parts.get(part) or {}).get("type", "none")) for part in ("model", "decoder"))


def _compile(
    tokens: LLTokenizer, schema: Schema | None, grammar: str | None, options: dict[str, Any]
) -> LLMatcher | None:
    if schema is None and grammar is None:
        return None
    if schema is not None and grammar is not None:
        raise BatosError("BAD_CONSTRAINT", "a row has a schema and a grammar", "Give one of them.")
    kind = "grammar" if grammar is not None else "schema"
    try:
        text = None if schema is None else json.dumps(schema, allow_nan=False, ensure_ascii=False)
        if why := _read(schema, text, grammar) or _PROVER.why_not(text, grammar, options):
            raise UnfitError(why)  # noqa: TRY301 - one refusal for all
        return compiled(tokens, text, grammar, options)
    except UnicodeEncodeError as error:
        why = f"it holds half a character, {error.object[error.start : error.end]!a}, and no text can"
        raise BatosError("BAD_CONSTRAINT", f"the {kind} cannot be used: {why}", _HINT) from error
    except RecursionError as error:
        raise BatosError("BAD_CONSTRAINT", f"the {kind} cannot be used: it nests too deep", _HINT) from error
    except (UnfitError, ValueError, TypeError) as error:
        raise BatosError("BAD_CONSTRAINT", f"the {kind} cannot be used: {error}"[:600], _HINT) from error


def _read(schema: Schema | None, text: str | None, grammar: str | None) -> str:
    """What speaks against the form as it reads, before anything is compiled; empty where nothing does."""
    (text or grammar or "").encode()
    if grammar is not None:
        return why_not(grammar)
    if text is not None and len(text) > MAX_CHARACTERS:
        return f"it has {len(text)} characters as JSON, over the limit of {MAX_CHARACTERS}"
    return endless_words(schema_alternatives(schema), "#")
