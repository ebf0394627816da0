"""What a server can do, as it is seen to do it: nothing is concluded from its name.

A server that does not know a field may refuse it, or answer as if it had not been there. So a form is tried with one that
leaves a single odd text, a seed by writing twice, and a prompt in tokens by having it counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeVar

import msgspec

from actors.inference.remote import dialect
from actors.inference.remote.dialect import CHAT, COMPLETIONS
from actors.inference.remote.replies import Answer, Served
from actors.inference.remote.server import REFUSALS, Server
from actors.inference.remote.server_prompts import NoPrompts, ServerPrompts, Tokenizer
from protocol.errors import BatosError
from protocol.messages import MAX_ROWS, Abilities, Row

T = TypeVar("T")

_SAMPLE: Final = "In 1984 naïve foxes (东京 😀)\n\tif x != 'y_z': return {}"
"""Other tokenizers cut this otherwise."""
_QUESTION: Final = "1 + 1 ="
_WORD: Final = "zq"
_GRAMMAR: Final = f'start: "{_WORD}"'
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {_WORD: {"type": "string", "enum": [_WORD]}},
    "required": [_WORD],
    "additionalProperties": False,
}
_SEEDED_TOKENS: Final = 8
_FORM_TOKENS: Final = 24

_ENGINES: Final = {"vllm": "vLLM", "llamacpp": "llama.cpp", "library": "Ollama", "organization_owner": "LM Studio"}
"""By what servers say in /v1/models of who owns a model."""

_GRAMMARS: Final[tuple[Literal["structured_outputs", "grammar"], ...]] = ("structured_outputs", "grammar")
_SCHEMAS: Final[tuple[Literal["response_format", "json_schema"], ...]] = ("response_format", "json_schema")

_INSTEAD: Final = {
    "grammar": "no grammar binds its texts: methods are written in free text, and judged here as always",
    "schema": "no JSON schema binds its texts: whether they have their form is seen here when they have come",
    "token_ids": "it takes no token ids: prompts go as texts, and one that spells a control token is refused where a tokenizer is known",
    "completions": "it continues no bare text: a prompt without turns goes as what a user has said",
    "likelihood": "it does not tell how likely a token was: candidates are chosen without that",
    "seeds": "the same seed gives other texts: a run is not repeated by asking again",
    "lora": "it serves no experts: personas speak through their prompts alone",
}


class Probed(NamedTuple):
    """What a server was seen to do. `prompts` makes its prompts; `names` are those under which its model answers."""

    abilities: Abilities
    prompts: Tokenizer
    names: frozenset[str]


def probe(server: Server, served: Served, prompts: Tokenizer | None, *, alone: bool, lends: bool) -> Probed:
    """Try everything once, with texts of a few tokens.

    `prompts` is the tokenizer that lies here, if one does; `alone`: the server has this model and no other; `lends`: what the
    model is made of is known here, so that experts can be served. BAD_CONFIG where it writes no text.
    """
    makes = prompts or _tokenizer(server)
    token_ids = makes is not None and reads_tokens(server, served.id, makes)
    trial = _Trial(server, served.id, token_ids=token_ids)
    slots = _tried(server.properties)
    abilities = Abilities(
        engine=_ENGINES.get(served.owned_by, served.owned_by),
        token_ids=token_ids,
        completions=trial.completes,
        grammar=trial.grammar(),
        schema=trial.schema(),
        likelihood=trial.likelihood(),
        seeds=trial.keeps_seeds(),
        texts=trial.texts(slots.total_slots) if slots is not None and token_ids else 1,
        context=served.max_model_len or (slots.default_generation_settings.n_ctx if slots is not None else 0),
        lora=lora(server) if lends else "none",
    )
    instead = {name: why for name, why in _INSTEAD.items() if getattr(abilities, name) in {"none", False}}
    if not lends:
        instead["lora"] = f"no config.json says here what the model is made of, so that {_INSTEAD['lora']}"
    names = _names(server, served, trial.signed, alone=alone)
    return Probed(msgspec.structs.replace(abilities, instead=instead), makes or NoPrompts(), names)


def reads_tokens(server: Server, served: str, prompts: Tokenizer) -> bool:
    """Whether the server takes token ids for a prompt, and its tokens are those of this house.

    It does where it counts as many in the ids as there are. BAD_MODEL where it then cuts a text into another number of them:
    the tokenizer here is that of another model.
    """
    ids = prompts.tokens(Row(prompt=_SAMPLE))
    there = _tried(lambda: server.count(served, _SAMPLE))
    if there is None or _tried(lambda: server.count(served, ids)) != len(ids):
        return False
    if there != len(ids):
        raise BatosError(
            "BAD_MODEL",
            f"the tokenizer in `model` cuts a text into {len(ids)} tokens, and the one of {served} on the server into {there}",
            "Point `model` under [inference] in batos.toml at a folder with the served model's config.json and tokenizer.",
        )
    return True


def lora(server: Server) -> Literal["load", "none"]:
    """How the server is given experts."""
    return "load" if server.loads() else "none"


class _Trial:
    """Short texts of the model, asked for where its rows will be: at the completions, or in a chat where turns go as texts."""

    def __init__(self, server: Server, served: str, *, token_ids: bool) -> None:
        self._server = server
        self._served = served
        self.signed = ""
        self._path = COMPLETIONS
        first = self.ask()
        self.completes = first is not None
        if not token_ids:
            self._path = CHAT
            if (chat := self.ask()) is None:
                self._path = COMPLETIONS
            first = chat or first
        if first is None:
            raise BatosError(
                "BAD_CONFIG",
                f"{server.url} lists {served}, and writes no text through it, at {COMPLETIONS} or at {CHAT}",
                "See the server's log. Is it a model that generates texts?",
            )
        self.signed = first.model

    def ask(self, tokens: int = 1, **more: Any) -> Answer | None:
        """What comes of a request with these fields; None where it is refused."""
        words = {"messages": [{"role": "user", "content": _QUESTION}]} if self._path == CHAT else {"prompt": _QUESTION}
        body = {"model": self._served, "max_tokens": tokens, "temperature": 0.0, **words, **more}
        answer = _tried(lambda: self._server.answer(self._path, body))
        return answer if answer is not None and answer.choices else None

    def grammar(self) -> Literal["structured_outputs", "grammar", "none"]:
        for field in _GRAMMARS:
            if self._text(dialect.form(Abilities(grammar=field), None, _GRAMMAR)) == _WORD:
                return field
        return "none"

    def schema(self) -> Literal["response_format", "json_schema", "none"]:
        for field in _SCHEMAS:
            if _is_kept(self._text(dialect.form(Abilities(schema=field), _SCHEMA, None))):
                return field
        return "none"

    def likelihood(self) -> Literal["token_logprobs", "content", "none"]:
        answer = self.ask(**dialect.likelihood(self._path))
        told = None if answer is None else answer.choices[0].logprobs
        if told is None or not told.told:
            return "none"
        return "token_logprobs" if told.token_logprobs else "content"

    def keeps_seeds(self) -> bool:
        """Whether a hot text comes twice."""
        first, second = (self._text({"temperature": 1.5, "seed": 1}, _SEEDED_TOKENS) for _ in range(2))
        return bool(first) and first == second

    def texts(self, slots: int) -> int:
        """How many texts of one prompt it makes for one request, where it says that it makes `slots` at once."""
        most = min(slots, MAX_ROWS)
        answer = self.ask(n=most) if most > 1 else None
        return most if answer is not None and len(answer.choices) == most else 1

    def _text(self, more: Mapping[str, Any], tokens: int = _FORM_TOKENS) -> str:
        answer = self.ask(tokens, **more)
        return "" if answer is None else answer.choices[0].said


def _tokenizer(server: Server) -> ServerPrompts | None:
    prompts = ServerPrompts(server)
    return prompts if _tried(lambda: prompts.tokens(Row(prompt=_SAMPLE))) else None


def _names(server: Server, served: Served, signed: str, *, alone: bool) -> frozenset[str]:
    """Those under which the model's texts may come; BAD_CONFIG where another one answers for it."""
    names = {served.id, *served.aliases}
    if signed and signed not in names:
        if not alone:
            raise BatosError(
                "BAD_CONFIG",
                f"{server.url} was asked for {served.id}, and {signed[:100]} answered",
                "Name the model that is to answer: `served` under [inference] in batos.toml.",
            )
        names.add(signed)
    return frozenset(names)


def _is_kept(text: str) -> bool:
    try:
        return bool(json.loads(text) == {_WORD: _WORD})
    except (ValueError, RecursionError):
        return False


def _tried(work: Callable[[], T]) -> T | None:
    """What comes of it, None where the server does not know what it was asked."""
    try:
        return work()
    except BatosError as error:
        if error.code not in REFUSALS:
            raise
        return None
