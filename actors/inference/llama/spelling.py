"""The tokenizer and the chat template of the file that llama.cpp has loaded, as `prompts` asks for them.

llama.cpp cuts texts and fills templates itself: so a prompt's tokens are those that the model was converted with, and no second
reader of the file can differ from it. What steers the model, and must not be spelt by what a person has written, the head
of the file says.
"""

from __future__ import annotations

import json
from typing import Any, Final

from actors.inference.model.gguf.header import GgufHeader
from actors.inference.prompts import Prompts
from actors.inference.remote.server import Server

_WORDS: Final = "tokenizer.ggml.tokens"
_KINDS: Final = "tokenizer.ggml.token_type"
WHOLE: Final = frozenset({_WORDS, _KINDS})
"""Long lists of a header that prompts are made with."""
_STEERING: Final = frozenset({3, 4})
"""Types of tokens that llama.cpp reads in a text: control tokens, and those that were added."""


class Tokenizer:
    """As much of a tokenizer of transformers as `Prompts` uses."""

    def __init__(self, server: Server, vocabulary: dict[str, int]) -> None:
        self._server = server
        self._vocabulary = vocabulary
        begin = self._cut("a", begins=True, steers=False)[: -len(self._cut("a", begins=False, steers=False)) or None]
        spelt = {number: word for word, number in vocabulary.items()}
        self._begin = "".join(spelt.get(token, "") for token in begin)

    def __call__(
        self, text: str, *, add_special_tokens: bool = True, split_special_tokens: bool = False
    ) -> dict[str, list[int]]:
        return {"input_ids": self._cut(text, begins=add_special_tokens, steers=not split_special_tokens)}

    def get_vocab(self) -> dict[str, int]:
        return self._vocabulary

    def apply_chat_template(self, turns: list[dict[str, str]], **_told: Any) -> str:
        """The turns as the model's template writes them; a last turn of the assistant is left open."""
        text = self._server.rendered(turns)
        # llama.cpp takes the token that begins a text off what a template has written, to write it itself.
        return text if text.startswith(self._begin) else self._begin + text

    def _cut(self, text: str, *, begins: bool, steers: bool) -> list[int]:
        return self._server.tokens(text, special=steers, begins=begins)


def prompts_of(server: Server, header: GgufHeader) -> Prompts:
    """What makes prompts for the model that `server` has loaded, whose file has this header, with the lists WHOLE."""
    words: list[str] = header.values[_WORDS]
    kinds: list[int] = header.values.get(_KINDS) or []
    steering = [
        {"content": word, "id": number}
        for number, (word, kind) in enumerate(zip(words, kinds, strict=False))
        if kind in _STEERING
    ]
    tokenizer = Tokenizer(server, {word: number for number, word in enumerate(words)})
    return Prompts(tokenizer, json.dumps({"added_tokens": steering, "normalizer": None}))
