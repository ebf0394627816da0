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
from typing import Any

from protocol.errors import BatosError
from protocol.messages import Row, Turn


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
        self.longest = max(map(len, tokenizer.get_vocab()), default=1)
        """Characters of the longest token: a text has at least this part of its characters in tokens."""

    def is_forged(self, row: Row) -> bool:
        """Whether something that was said spells a token that is the template's to write."""
        return self.forged(row) is not None

    def forged(self, row: Row) -> str | None:
        """The first token that is the template's to write, and that something that was said spells."""
        if self._spelt is None:
            return None
        found = filter(None, map(self._spelt.search, (row.prompt, *(turn.content for turn in row.turns))))
        return next((one[0] for one in found), None)

    def count(self, text: str) -> int:
        """How many tokens a text has that a model has said."""
        return len(self._encoded(text, plain=True))

    def tokens(self, row: Row) -> tuple[int, ...]:
        """The prompt's tokens: a bare text as the tokenizer begins one, or the turns in the model's own template."""
        if not row.turns:
            return self._bare(row.prompt)
        if not self.is_forged(row):
            return self._encoded(self._rendered(row.turns))
        return self._guarded(row.turns)

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
        return whole[:begin] + self._plain(text) + whole[begin + len(body) :]

    def _guarded(self, turns: Sequence[Turn]) -> tuple[int, ...]:
        """The turns in the template, which sees signs instead of what is spelt; between its own tokens all is plain text."""
        assert self._spelt is not None
        mark = f"q{secrets.token_hex(8)}q"
        spelt: list[str] = []

        def hide(found: re.Match[str]) -> str:
            spelt.append(found[0])
            return mark

        hidden = [Turn(role=turn.role, content=self._spelt.sub(hide, turn.content)) for turn in turns]
        text = self._rendered(hidden)
        if text.count(mark) != len(spelt):
            raise BatosError(
                "BAD_ARGUMENT",
                f"the turns spell {spelt[0]!r}, a token of the model's chat template, which then changes them",
                "Leave it out of the text.",
            )
        signs = iter(spelt)
        tokens: list[int] = []
        end = 0
        for piece in self._pieces(text):
            if mark in piece:
                tokens += self._plain(re.sub(mark, lambda _: next(signs), piece))
            else:
                tokens += self._encoded(piece)
            end += len(piece)
        return tuple(tokens)

    def _pieces(self, text: str) -> list[str]:
        """The text cut before and after each token that the template has written."""
        assert self._spelt is not None
        cuts = sorted({0, len(text), *(place for found in self._spelt.finditer(text) for place in found.span())})
        return [text[start:end] for start, end in itertools.pairwise(cuts)]

    def _plain(self, text: str) -> tuple[int, ...]:
        """The text's tokens, of which none steers. What is a token all the same is cut after its first character."""
        tokens = self._encoded(text, plain=True)
        if self._control.isdisjoint(tokens) or self._spelt is None:
            return tokens
        cuts = sorted({0, len(text), *(found.start() + 1 for found in self._spelt.finditer(text))})
        pieces = [text[start:end] for start, end in itertools.pairwise(cuts)]
        return tuple(token for piece in pieces for token in self._encoded(piece, plain=True))

    def _encoded(self, text: str, *, plain: bool = False) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False, split_special_tokens=plain)["input_ids"])
