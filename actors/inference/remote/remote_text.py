"""One text of a model server: what it is asked for, what comes of it, and what makes it no text.

A prompt goes as token ids wherever the server takes them. They are made here, as for the local engine, so that what a person
has written never becomes a token that steers the model. To a server that takes texts alone the same words go as words, for
its own template; one that spells a token of the model is not sent, for nobody could keep the server from reading it so.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal, NamedTuple

from actors.inference.decoding.sampling import COLD
from actors.inference.forms.constraints import Form
from actors.inference.prompts import Prompts
from actors.inference.remote.server import Choice, Chunk
from protocol.errors import BatosError
from protocol.messages import Generated, Row

COMPLETIONS: Final = "/v1/completions"

_LOG: Final = "See the server's log, and docs/engines.md for how it must run."


class Prompt(NamedTuple):
    """Where a prompt is sent, and as which part of the body. `tokens` is 0 where the server makes them."""

    path: str
    words: dict[str, Any]
    tokens: int


class Job(NamedTuple):
    """One text to ask for: where, with which body, of which model. `prompt_tokens` is 0 where the server makes the tokens.

    `scored`: it is asked how likely each token was.
    """

    path: str
    body: dict[str, Any]
    model: str
    most_tokens: int
    most_characters: int
    prompt_tokens: int
    scored: bool = False


class Words:
    """From rows to what the server is sent. `scores`: it tells at its completions how likely a token was."""

    def __init__(self, prompts: Prompts, *, takes_tokens: bool, scores: bool = False) -> None:
        self._prompts = prompts
        self.takes_tokens = takes_tokens
        self.scores = scores

    def prompt(self, row: Row) -> Prompt:
        """The row's prompt as the server takes it; BAD_ARGUMENT where its words cannot be sent."""
        return self._tokens(row) if self.takes_tokens else self._texts(row)

    def job(self, row: Row, prompt: Prompt, model: str) -> Job:
        """The row as a request to `model`."""
        # A token has that many characters at most, and some tokenizers put a blank before each.
        most = row.max_tokens * (self._prompts.longest + 1)
        scored = row.scored and self.scores and prompt.path == COMPLETIONS
        body = {**_body(row, model), **prompt.words, **({"logprobs": 1} if scored else {})}
        return Job(prompt.path, body, model, row.max_tokens, most, prompt.tokens, scored)

    def count(self, text: str) -> int:
        return self._prompts.count(text)

    def _tokens(self, row: Row) -> Prompt:
        ids = self._prompts.tokens(row)
        return Prompt(COMPLETIONS, {"prompt": ids}, len(ids))

    def _texts(self, row: Row) -> Prompt:
        spelt = self._prompts.forged(row)
        if spelt is not None:
            raise BatosError(
                "BAD_ARGUMENT",
                f"the prompt spells {spelt!r}, and the model server, which takes no token ids, would read it as that token",
                "Leave it out of the text, or use a server that takes token ids at /v1/completions: docs/engines.md",
            )
        if not row.turns:
            return Prompt(COMPLETIONS, {"prompt": row.prompt}, 0)
        continued = row.turns[-1].role == "assistant"
        messages = [{"role": turn.role, "content": turn.content} for turn in row.turns]
        how = {"add_generation_prompt": not continued, "continue_final_message": continued}
        return Prompt("/v1/chat/completions", {"messages": messages, **how}, 0)


class Text:
    """One text under way."""

    def __init__(self, job: Job) -> None:
        self.text = ""
        self.tokens = 0
        self.prompt_tokens = job.prompt_tokens
        self.finish: Literal["stop", "length"] | None = None
        self.job = job
        self._is_counted = False
        self._is_signed = False
        self._logprob: float | None = 0.0 if job.scored else None

    def take(self, chunk: Chunk) -> str:
        """What the text has grown by; GENERATION_FAILED where it is not the one that was asked for."""
        if chunk.model and chunk.model != self.job.model:
            raise _strange(f"{self.job.model} was asked for, and the model server used {chunk.model[:100]}")
        self._is_signed = self._is_signed or bool(chunk.model)
        piece = ""
        for choice in chunk.choices:
            if choice.index != 0:
                raise _strange("one text was asked for, and the model server gave several")
            grown = choice.text or (choice.delta.content if choice.delta else "") or ""
            if grown and self.finish is not None:
                raise _strange("the model server went on with a text after its end")
            piece += grown
            self._score(choice, grown)
            match choice.finish_reason:
                case None:
                    pass
                case "stop" | "length" as finish:
                    self.finish = finish
                case strange:
                    raise _strange(f"the model server ended a text with {strange[:100]!r}")
        self.text += piece
        if len(self.text) > self.job.most_characters:
            raise _strange(f"the model server gave more text than {self.job.most_tokens} tokens have")
        self._count(chunk, piece)
        return piece

    def close(self, words: Words) -> None:
        """No more is coming; GENERATION_FAILED where nothing says why, or who has written it. What the server has not counted is counted here."""
        if self.finish is None:
            raise _strange("the model server ended a text without saying why")
        if not self._is_signed:
            raise _strange("the model server does not say which model has written a text")
        if not self._is_counted:
            self.tokens = min(max(self.tokens, words.count(self.text)), self.job.most_tokens)

    def generated(self, form: Form) -> Generated:
        """The text as it travels; GENERATION_FAILED where it has not this form."""
        finish = self.finish or "length"
        if not (form.is_kept(self.text) if finish == "stop" else form.is_begun(self.text)):
            raise BatosError(
                "GENERATION_FAILED",
                "the model server has not kept the form that it was given",
                "Run it with the guidance backend for structured outputs: docs/engines.md",
            )
        return Generated(text=self.text, tokens=self.tokens, finish=finish, logprob=self._logprob)

    def _score(self, choice: Choice, grown: str) -> None:
        """Add how likely the tokens of a piece were. One that is not told leaves the whole unknown."""
        told = choice.logprobs.told if choice.logprobs else []
        known = [one for one in told if one is not None and math.isfinite(one)]
        if self._logprob is not None and (known or grown):
            self._logprob = self._logprob + sum(known) if known and len(known) == len(told) else None

    def _count(self, chunk: Chunk, piece: str) -> None:
        if chunk.usage is None:
            self.tokens += bool(piece and not self._is_counted)  # a chunk is a token, as long as no usage says better
            return
        made, read = chunk.usage.completion_tokens, chunk.usage.prompt_tokens
        if not (0 <= made <= self.job.most_tokens and read >= 0):
            raise _strange(
                f"the model server counts {made} tokens after {read}, and at most {self.job.most_tokens} were asked for"
            )
        self.tokens, self.prompt_tokens, self._is_counted = made, read or self.job.prompt_tokens, True


def _strange(what: str) -> BatosError:
    return BatosError("GENERATION_FAILED", what, _LOG)


def _body(row: Row, model: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": row.max_tokens,
        "temperature": row.sampling.temperature if row.sampling.temperature >= COLD else 0.0,
        "top_p": row.sampling.top_p,
        "seed": row.seed % 2**63,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if row.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "form", "schema": row.schema, "strict": True},
        }
    if row.grammar is not None:
        body["structured_outputs"] = {"grammar": row.grammar}
    return body
