"""What a model server says, in the shapes that servers of this protocol have in common; what they add is ignored."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec


class Served(msgspec.Struct, frozen=True):
    """A model that the server has: `root` is the path it came from, `parent` a LoRA's base model.

    `aliases` are other names that it answers to. `max_model_len` (vLLM) and `n_ctx` in `meta` (llama.cpp) are its context.
    """

    id: str
    root: str | None = None
    parent: str | None = None
    aliases: list[str] = []
    owned_by: str = ""
    max_model_len: int | None = None
    meta: dict[str, Any] | None = None


class Models(msgspec.Struct, frozen=True):
    data: list[Served]


class Said(NamedTuple):
    """A short greedy text with the log-probability of each of its tokens, as the server computed them."""

    text: str
    logprobs: tuple[float | None, ...]


class Delta(msgspec.Struct, frozen=True):
    content: str | None = None


class TokenLogprob(msgspec.Struct, frozen=True):
    logprob: float | None = None


class Logprobs(msgspec.Struct, frozen=True):
    """The natural logarithm of how likely each token was, in the one or the other place where servers tell it."""

    token_logprobs: list[float | None] | None = None
    content: list[TokenLogprob] | None = None

    @property
    def told(self) -> list[float | None]:
        return self.token_logprobs or [one.logprob for one in self.content or []]


class Choice(msgspec.Struct, frozen=True):
    """What the text number `index` has grown by: `text` in a completion, `delta` in a chat."""

    index: int = 0
    text: str | None = None
    delta: Delta | None = None
    finish_reason: str | None = None
    logprobs: Logprobs | None = None

    @property
    def grown(self) -> str:
        return self.text or (self.delta.content if self.delta else "") or ""


class Details(msgspec.Struct, frozen=True):
    cached_tokens: int | None = 0


class Usage(msgspec.Struct, frozen=True):
    """Tokens counted; `cached_tokens` of the prompt were not read again."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: Details | None = None

    @property
    def read_tokens(self) -> int:
        cached = (self.prompt_tokens_details.cached_tokens or 0) if self.prompt_tokens_details else 0
        return self.prompt_tokens - cached


class Chunk(msgspec.Struct, frozen=True):
    """One event of a stream; `model` is the one that the server says it used."""

    model: str = ""
    choices: list[Choice] = []
    usage: Usage | None = None
    error: Any = None


class Written(msgspec.Struct, frozen=True):
    """One text of an answer without a stream: `text` in a completion, `message` in a chat."""

    text: str | None = None
    message: Delta | None = None
    logprobs: Logprobs | None = None

    @property
    def said(self) -> str:
        return self.text or (self.message.content if self.message else "") or ""


class Answer(msgspec.Struct, frozen=True):
    """An answer without a stream; `model` is the one that the server says it used."""

    choices: list[Written]
    usage: Usage | None = None
    model: str = ""


class Tokens(msgspec.Struct, frozen=True):
    """A text in the server's tokens."""

    tokens: list[int]


class Rendered(msgspec.Struct, frozen=True):
    """Turns as the model's chat template writes them."""

    prompt: str


class Generation(msgspec.Struct, frozen=True):
    n_ctx: int = 0


class Properties(msgspec.Struct, frozen=True):
    """llama.cpp's: how many texts it makes at once, and what its defaults are."""

    total_slots: int
    default_generation_settings: Generation = Generation()


class Adapter(msgspec.Struct, frozen=True):
    """A LoRA that llama.cpp was started with."""

    id: int
    path: str
