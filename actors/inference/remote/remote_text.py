"""The texts of one request to a model server: what is asked for, what comes of it, and what makes it no text.

A prompt goes as token ids wherever the server takes them. They are made here or by the server's own tokenizer, so that what a
person has written never becomes a token that steers the model. To a server that takes texts alone the same words go as words,
for its own template; one that spells a token of the model is not sent, for nobody could keep the server from reading it so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from actors.inference.forms.bytewise import Bytes
from actors.inference.forms.constraints import Form
from actors.inference.remote import dialect
from actors.inference.remote.dialect import CHAT, COMPLETIONS
from actors.inference.remote.replies import Choice, Chunk, Usage
from actors.inference.remote.server_prompts import Tokenizer
from protocol.errors import BatosError
from protocol.messages import Abilities, Generated, Row

_LOG: Final = "See the server's log, and docs/engines.md for how it must run."


class Prompt(NamedTuple):
    """Where a prompt is sent, and as which part of the body. `tokens` is 0 where the server makes them."""

    path: str
    words: dict[str, Any]
    tokens: int


class Job(NamedTuple):
    """One text to ask for: where, with which body, and under which `names` it may come.

    `prompt_tokens` is 0 where the server makes the tokens. `scored`: it is asked how likely each token was.
    """

    path: str
    body: dict[str, Any]
    names: frozenset[str]
    most_tokens: int
    most_characters: int
    prompt_tokens: int
    scored: bool = False

    @property
    def model(self) -> str:
        return str(self.body["model"])


class Words:
    """From rows to what the server is sent: `prompts` makes its tokens, `abilities` say how it is told what it is to do."""

    def __init__(self, prompts: Tokenizer, abilities: Abilities, served: str, names: frozenset[str]) -> None:
        """`served` is the base model on the server, and `names` are those under which its texts come."""
        self._prompts = prompts
        self._abilities = abilities
        self._served = served
        self._names = names

    def prompt(self, row: Row) -> Prompt:
        """The row's prompt as the server takes it; BAD_ARGUMENT where its words cannot be sent, TOO_LARGE."""
        return self._tokens(row) if self._abilities.token_ids else self._texts(row)

    def job(self, row: Row, prompt: Prompt, voice: Mapping[str, Any]) -> Job:
        """The row as a request; `voice` are the fields that say whose text it is, the `model` among them."""
        context = self._abilities.context
        limit = min(row.max_tokens, context - prompt.tokens) if context and prompt.tokens else row.max_tokens
        scored = row.scored and self._abilities.likelihood != "none"
        asked = dialect.body(row, self._abilities, tokens=limit)
        body = {**asked, **voice, **prompt.words, **(dialect.likelihood(prompt.path) if scored else {})}
        names = self._names if voice["model"] == self._served else frozenset({voice["model"]})
        # A token has that many characters at most, and some tokenizers put a blank before each.
        most = limit * (self._prompts.longest + 1)
        return Job(prompt.path, body, names, limit, most, prompt.tokens, scored)

    def count(self, text: str) -> int:
        return self._prompts.count(text)

    def _tokens(self, row: Row) -> Prompt:
        context = self._abilities.context
        # No text has fewer tokens than this; so one that is far too long is not cut into them.
        least = max(map(len, (row.prompt, *(turn.content for turn in row.turns)))) // self._prompts.longest
        ids = () if context and least >= context else self._prompts.tokens(row)
        length = max(least, len(ids))
        if context and length >= context:
            raise BatosError(
                "TOO_LARGE",
                f"a prompt of {length} tokens does not fit the model server's context of {context}",
                "Send a shorter prompt.",
                tokens=length,
                context=context,
            )
        return Prompt(COMPLETIONS, {"prompt": ids}, len(ids))

    def _texts(self, row: Row) -> Prompt:
        spelt = self._prompts.forged(row)
        if spelt is not None:
            raise BatosError(
                "BAD_ARGUMENT",
                f"the prompt spells {spelt[:100]!r}, and the model server, which takes no token ids, would read it as that token",
                "Leave it out of the text, or use a server that takes token ids at /v1/completions: docs/engines.md",
            )
        if not row.turns and self._abilities.completions:
            return Prompt(COMPLETIONS, {"prompt": row.prompt}, 0)
        messages = [{"role": turn.role, "content": turn.content} for turn in row.turns]
        continued = bool(row.turns) and row.turns[-1].role == "assistant"
        how = {"add_generation_prompt": False, "continue_final_message": True} if continued else {}
        return Prompt(CHAT, {"messages": messages or [{"role": "user", "content": row.prompt}], **how}, 0)


class Texts:
    """The texts of one request under way, a row each, in the order of their index."""

    def __init__(self, jobs: Sequence[Job], forms: Sequence[Form] = ()) -> None:
        walks = [form.walk() for form in forms] or [None] * len(jobs)
        self.texts = [Text(job, walk) for job, walk in zip(jobs, walks, strict=True)]
        self.errors: dict[int, BatosError] = {}
        self._names = jobs[0].names
        self._model = jobs[0].model
        self._is_signed = False

    @property
    def are_whole(self) -> bool:
        """Whether all have come to the end of their form, whatever the server goes on with."""
        return all(text.is_whole or place in self.errors for place, text in enumerate(self.texts))

    def take(self, chunk: Chunk) -> list[tuple[int, str]]:
        """What which text has grown by. What is wrong with one of several is noted in `errors`; GENERATION_FAILED where none is left."""
        if chunk.model and chunk.model not in self._names:
            raise _strange(f"{self._model} was asked for, and the model server used {chunk.model[:100]}")
        self._is_signed = self._is_signed or bool(chunk.model)
        grown = []
        for choice in chunk.choices:
            if not 0 <= choice.index < len(self.texts):
                raise _strange(f"{len(self.texts)} texts were asked for, and the model server gave more texts")
            if choice.index not in self.errors and (piece := self._taken(choice)):
                grown.append((choice.index, piece))
        if chunk.usage is not None:
            self._count(chunk.usage, [choice.index for choice in chunk.choices])
        self._check()
        return grown

    def close(self, words: Words) -> None:
        """No more is coming; GENERATION_FAILED where nothing says why, or who has written it. What the server has not counted is counted here."""
        if not self._is_signed and any(text.finish for text in self.texts):
            raise _strange("the model server does not say which model has written a text")
        for place, text in enumerate(self.texts):
            if place not in self.errors:
                self._try(place, partial(text.close, words))
        self._check()

    def _taken(self, choice: Choice) -> str:
        text = self.texts[choice.index]
        before = len(text.text)
        self._try(choice.index, lambda: text.take(choice))
        return text.text[before:]

    def _count(self, usage: Usage, places: Sequence[int]) -> None:
        """It is that of the one text that the event is about, or of the request's only one."""
        if len(places) == 1 or len(self.texts) == 1:
            place = places[0] if len(places) == 1 else 0
            self._try(place, lambda: self.texts[place].count(usage))

    def _try(self, place: int, work: Callable[[], None]) -> None:
        try:
            work()
        except BatosError as error:
            self.errors.setdefault(place, error)

    def _check(self) -> None:
        if len(self.errors) == len(self.texts):
            raise self.errors[min(self.errors)]


class Text:
    """One text under way.

    A server's grammar may cease to bind in the middle of a text: llguidance gives up where a state of it grows too large, and
    llama.cpp then goes on without. So the text is followed with `walk`. It ends where its form does, and has failed where it
    leaves it before.
    """

    def __init__(self, job: Job, walk: Bytes | None = None) -> None:
        self.text = ""
        self.tokens = 0
        self.prompt_tokens = job.prompt_tokens
        self.finish: Literal["stop", "length"] | None = None
        self.job = job
        self.is_whole = False
        self._walk = walk
        self._is_counted = False
        self._logprob: float | None = 0.0 if job.scored else None

    def take(self, choice: Choice) -> None:
        """Grow; GENERATION_FAILED where it is not the text that was asked for."""
        if self.is_whole:
            return
        grown = choice.grown
        if grown and self.finish is not None:
            raise _strange("the model server went on with a text after its end")
        kept = self._within_form(grown)
        self.text += kept
        if kept != grown:
            self.finish, self.is_whole = "stop", True
            return
        self._score(choice, grown)
        match choice.finish_reason:
            case None:
                pass
            case "stop" | "length" as finish:
                self.finish = finish
            case strange:
                raise _strange(f"the model server ended a text with {strange[:100]!r}")
        if len(self.text) > self.job.most_characters:
            raise _strange(f"the model server gave more text than {self.job.most_tokens} tokens have")
        self.tokens += bool(grown and not self._is_counted)  # a piece is a token, as long as no usage says better

    def count(self, usage: Usage) -> None:
        """What the server has counted; GENERATION_FAILED where that cannot be."""
        if self.is_whole:
            return  # what came after the end is not of the text
        made, read = usage.completion_tokens, usage.read_tokens
        if not (0 <= made <= self.job.most_tokens and read >= 0):
            raise _strange(
                f"the model server counts {made} tokens after {read}, and at most {self.job.most_tokens} were asked for"
            )
        self.tokens, self._is_counted = made, True
        self.prompt_tokens = read if usage.prompt_tokens else self.job.prompt_tokens

    def close(self, words: Words) -> None:
        if self.finish is None:
            raise _strange("the model server ended a text without saying why")
        if not self._is_counted:
            self.tokens = min(max(self.tokens, words.count(self.text)), self.job.most_tokens)

    def generated(self, form: Form) -> Generated:
        """The text as it travels; GENERATION_FAILED where it has not this form."""
        finish = self.finish or "length"
        if not (form.is_kept(self.text) if finish == "stop" else form.is_begun(self.text)):
            raise _unkept()
        return Generated(text=self.text, tokens=self.tokens, finish=finish, logprob=self._logprob)

    def _within_form(self, grown: str) -> str:
        """What of it is of the form; GENERATION_FAILED where the text leaves the form before that is complete."""
        if self._walk is None or not grown:
            return grown
        kept = self._walk.most(grown)
        if not grown[len(kept) :].strip("\ufffd"):
            return grown  # a character that was cut in half comes as this sign
        if not self._walk.is_complete:
            raise _unkept()
        return kept

    def _score(self, choice: Choice, grown: str) -> None:
        """Add how likely the tokens of a piece were. One that is not told leaves the whole unknown."""
        told = choice.logprobs.told if choice.logprobs else []
        known = [one for one in told if one is not None and math.isfinite(one)]
        if self._logprob is not None and (known or grown):
            self._logprob = self._logprob + sum(known) if known and len(known) == len(told) else None


def _unkept() -> BatosError:
    return BatosError(
        "GENERATION_FAILED",
        "the model server has not kept the form that it was given",
        "`batos status` says which forms bind its texts, and docs/engines.md how it must run.",
    )


def _strange(what: str) -> BatosError:
    return BatosError("GENERATION_FAILED", what, _LOG)
