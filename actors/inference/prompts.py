"""From a row's words to the tokens of its prompt.

The tokens that steer a model (where a turn begins, where it ends) are the template's to write. In what people have said
the same letters are letters: a text that spells one must not end its own turn and begin another's.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from protocol.errors import BatosError
from protocol.messages import Row, Turn


class Hidden(NamedTuple):
    """Turns in which `mark` stands for each token that they spelt; `spelt` are those, in order."""

    turns: list[Turn]
    mark: str
    spelt: tuple[str, ...]


class Prompts:
    """The words and the chat template of one tokenizer."""

    def __init__(self, tokenizer: Any, tokenizer_json: str) -> None:
        self._tokenizer = tokenizer
        read = json.loads(tokenizer_json)
        # A tokenizer may have runs of blanks as added tokens; those steer nothing.
        added = {token["content"]: token["id"] for token in read.get("added_tokens") or () if token["content"].strip()}
        self._control = frozenset(added.values())
        words = sorted(map(re.escape, added), key=len, reverse=True)
        self._spelt = re.compile("|".join(words)) if words else None
        # Then a token is also spelt by what becomes its letters: capitals, or letters of double width.
        self._normalizes = self._spelt is not None and read.get("normalizer") is not None
        self.longest = max(map(len, tokenizer.get_vocab()), default=1)
        """Characters of the longest token: a text has at least this part of its characters in tokens."""

    def forged(self, row: Row) -> str | None:
        """The first token that is the template's to write, and that something that was said spells."""
        for text in (row.prompt, *(turn.content for turn in row.turns)):
            for start, stop in self._spans(text):
                return text[start:stop]
        return None

    def count(self, text: str) -> int:
        """How many tokens a text has that a model has said."""
        return len(self.plain(text))

    def hide(self, turns: Sequence[Turn]) -> Hidden:
        """The turns with a sign for each token that they spell, for a template to write: see `tokens_of`."""
        mark = f"q{secrets.token_hex(8)}q"
        spelt: list[str] = []
        hidden = []
        for turn in turns:
            kept: list[str] = []
            end = 0
            for start, stop in self._spans(turn.content):
                kept += (turn.content[end:start], mark)
                spelt.append(turn.content[start:stop])
                end = stop
            hidden.append(Turn(role=turn.role, content="".join(kept) + turn.content[end:]))
        return Hidden(hidden, mark, tuple(spelt))

    def tokens_of(self, text: str, hidden: Hidden, first: int = 0) -> tuple[int, ...]:
        """The tokens of what a template has written of hidden turns; `first` counts the signs in what it wrote before.

        Between the template's own tokens all is plain text.
        """
        if not hidden.spelt:
            return self._encoded(text)
        signs = iter(hidden.spelt[first:])
        tokens: list[int] = []
        for piece in self._pieces(text):
            if hidden.mark in piece:
                tokens += self.plain(re.sub(hidden.mark, lambda _: next(signs), piece))
            else:
                tokens += self._encoded(piece)
        return tuple(tokens)

    def tokens(self, row: Row) -> tuple[int, ...]:
        """The prompt's tokens, one at least: a bare text as the tokenizer begins one, or the turns in the model's own template.

        BAD_ARGUMENT where it has none, or where the template refuses the turns.
        """
        tokens = self._templated(row) if row.turns else self._bare(row.prompt)
        if not tokens:
            raise BatosError(
                "BAD_ARGUMENT", "the prompt has no token: the tokenizer leaves nothing of it", "Give some words."
            )
        return tokens

    def _templated(self, row: Row) -> tuple[int, ...]:
        hidden = self.hide(row.turns)
        text = self._rendered(hidden.turns)
        if text.count(hidden.mark) != len(hidden.spelt):
            raise BatosError(
                "BAD_ARGUMENT",
                f"the turns spell {hidden.spelt[0]!r}, a token of the model's chat template, which then changes them",
                "Leave it out of the text.",
            )
        return self.tokens_of(text, hidden)

    def _rendered(self, turns: Sequence[Turn]) -> str:
        said: list[Any] = [{"role": turn.role, "content": turn.content} for turn in turns]
        continued = turns[-1].role == "assistant"
        try:
            text: str = self._tokenizer.apply_chat_template(
                said, tokenize=False, add_generation_prompt=not continued, continue_final_message=continued
            )
        except Exception as error:  # a template is a program of the model's, and raises as it likes
            raise BatosError(
                "BAD_ARGUMENT", f"the model's chat template refuses these turns: {error}"[:500], "Give a bare `prompt`."
            ) from error
        return text

    def _bare(self, text: str) -> tuple[int, ...]:
        whole = tuple(self._tokenizer(text, split_special_tokens=True)["input_ids"])
        body = self._encoded(text, plain=True)
        if not body or self._control.isdisjoint(body):
            return whole
        begin = next(n for n in range(len(whole)) if whole[n : n + len(body)] == body)
        return whole[:begin] + self.plain(text) + whole[begin + len(body) :]

    def _pieces(self, text: str) -> list[str]:
        """The text cut before and after each token that the template has written."""
        cuts = sorted({0, len(text), *(place for span in self._spans(text) for place in span)})
        return [text[start:end] for start, end in itertools.pairwise(cuts)]

    def plain(self, text: str) -> tuple[int, ...]:
        """The text's tokens, of which none steers. What is a token all the same is cut after its first character, or into all."""
        tokens = self._encoded(text, plain=True)
        if self._control.isdisjoint(tokens) or len(text) < 2:
            return tokens
        # A token may take the blanks before it along.
        begins = (end - len(text[start:end].lstrip()) for start, end in self._spans(text))
        cuts = sorted({0, len(text), *(begin + 1 for begin in begins)})
        pieces = [text[start:end] for start, end in itertools.pairwise(cuts)] if len(cuts) > 2 else list(text)
        return tuple(token for piece in pieces for token in self.plain(piece))

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where the text spells a token that is the template's to write, from left to right, none within another."""
        if self._spelt is None:
            return []
        found = [match.span() for match in self._spelt.finditer(text)]
        if self._normalizes:
            read = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
            places = zip(read["input_ids"], read["offset_mapping"], strict=True)
            found += [(start, end) for token, (start, end) in places if token in self._control]
        apart: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if apart and start < apart[-1][1]:
                apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
            else:
                apart.append((start, end))
        return apart

    def _encoded(self, text: str, *, plain: bool = False) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False, split_special_tokens=plain)["input_ids"])
