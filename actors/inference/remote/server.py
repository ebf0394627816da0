"""An OpenAI-compatible server with dynamic LoRA loading, as this house speaks to it: requests out, typed failures back.

The dialect is vLLM's (docs/engines.md): `/v1/models`, `/v1/load_lora_adapter`, `/v1/unload_lora_adapter`, and the two
completions endpoints, streamed as server-sent events. What the transport or the server says against a request becomes a
`BatosError` here, and nothing else leaves this file: NOT_READY where asking again later may help.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import httpx2
import msgspec

from protocol.errors import BatosError

T = TypeVar("T")

KEY: Final = "BATOS_API_KEY"
"""The environment variable with the server's key; it is never read from a file."""
CONNECT_S: Final = 5.0
WORK_S: Final = 60.0
"""Seconds that a request without a stream may take: the server reads an adapter from its disk."""

MOST_BYTES: Final = 16_000_000
"""Of an answer without a stream; no server has so many models, and a short text is shorter."""

_TOLD_BYTES: Final = 64_000
"""Of a refusal: more is not read."""
_LATER: Final = frozenset({429, 502, 503, 504})
_END: Final = "[DONE]"
_WRONG: Final = "Is `url` under [inference] in batos.toml that of an OpenAI-compatible server?"
_LOG: Final = "See the server's log."


REFUSALS: Final = frozenset({"BAD_ARGUMENT", "GENERATION_FAILED"})
"""How a server says that it does not know what it was asked for: by a 400 or, some of them, by a 500."""


class Served(msgspec.Struct, frozen=True):
    """A model that the server has: `root` is the path it came from, `parent` a LoRA's base model."""

    id: str
    root: str | None = None
    parent: str | None = None


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
    """What a text has grown by: `text` in a completion, `delta` in a chat."""

    index: int = 0
    text: str | None = None
    delta: Delta | None = None
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Chunk(msgspec.Struct, frozen=True):
    """One event of a stream; `model` is the one that the server says it used."""

    model: str = ""
    choices: list[Choice] = []
    usage: Usage | None = None
    error: Any = None


class _Models(msgspec.Struct, frozen=True):
    data: list[Served]


class _Text(msgspec.Struct, frozen=True):
    text: str
    logprobs: Logprobs | None = None


class _Texts(msgspec.Struct, frozen=True):
    choices: list[_Text]
    usage: Usage | None = None


class Server:
    """The server at `url` (with or without its `/v1`). It holds no connection between two requests."""

    def __init__(self, url: str, key: str = "") -> None:
        try:
            self.url = str(httpx2.URL(url.rstrip("/").removesuffix("/v1")))
        except httpx2.InvalidURL as error:
            raise _bad_url(url) from error
        if not self.url.startswith(("http://", "https://")):
            raise _bad_url(url)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        # Made once: it takes longer than a request.
        self._tls = ssl.create_default_context() if self.url.startswith("https") else False

    def models(self) -> dict[str, Served]:
        """What the server has now, by id."""
        return {model.id: model for model in self._typed("GET", "/v1/models", None, _Models).data}

    def load(self, name: str, folder: Path) -> None:
        """Have it read the PEFT adapter in `folder`, under `name`."""
        self._ask("POST", "/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)})

    def unload(self, name: str) -> None:
        """Have it forget the adapter `name`; it may have done so already."""
        try:
            self._ask("POST", "/v1/unload_lora_adapter", {"lora_name": name})
        except BatosError as error:
            if error.data.get("status") != 404:
                raise

    def say(self, model: str, prompt: str, tokens: int) -> Said:
        """What `model` finds likeliest after `prompt`."""
        body = {"model": model, "prompt": prompt, "max_tokens": tokens, "temperature": 0.0, "logprobs": 1}
        choices = self._typed("POST", "/v1/completions", body, _Texts).choices
        if not choices:
            raise BatosError("GENERATION_FAILED", f"{self.url} answered without a text", _LOG)
        logprobs = tuple(choices[0].logprobs.told) if choices[0].logprobs else ()
        if not all(math.isfinite(one) for one in logprobs if one is not None):
            raise BatosError(
                "GENERATION_FAILED", f"{self.url} answered with log-probabilities that are not finite", _LOG
            )
        return Said(choices[0].text, logprobs)

    def count(self, model: str, prompt: str | Sequence[int]) -> int | None:
        """How many tokens `model` reads in `prompt`, a text or token ids; None where the server does not say."""
        body = {"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0.0}
        usage = self._typed("POST", "/v1/completions", body, _Texts).usage
        return None if usage is None else usage.prompt_tokens

    def binds(self, model: str) -> bool:
        """Whether a grammar binds what `model` writes: some servers refuse one, and some never look at it."""
        form = {"grammar": 'start: "ok"'}
        body = {"model": model, "prompt": "1 + 1 =", "max_tokens": 4, "temperature": 0.0, "structured_outputs": form}
        try:
            choices = self._typed("POST", "/v1/completions", body, _Texts).choices
        except BatosError as error:
            if error.code not in REFUSALS:
                raise
            return False
        return bool(choices) and choices[0].text == "ok"

    def post(self, path: str, body: Mapping[str, Any], kind: type[T]) -> T:
        """What the server answers at a path that its dialect alone has."""
        return self._typed("POST", path, body, kind)

    def session(self) -> httpx2.AsyncClient:
        """A client for `stream`, for one event loop. Reading has no limit of its own: whoever reads sees to that."""
        return httpx2.AsyncClient(**self._options(None))

    async def stream(
        self, session: httpx2.AsyncClient, path: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[Chunk, None]:
        """The chunks of one text, to its end; GENERATION_FAILED where there is no end."""
        with self._typed_failures():
            async with session.stream("POST", self.url + path, json=dict(body), headers=self._headers) as response:
                if response.status_code >= 300:
                    data = b""
                    async for part in response.aiter_bytes():
                        data += part
                        if len(data) > _TOLD_BYTES:
                            break
                    raise self._refusal(response, data)
                async for event in httpx2.EventSource(response):
                    if event.data == _END:
                        return
                    chunk = self._decoded(event.data.encode(), Chunk)
                    if chunk.error is not None:
                        raise BatosError("GENERATION_FAILED", f"{self.url} gave up: {_message(chunk.error)}", _LOG)
                    yield chunk
        raise BatosError("GENERATION_FAILED", f"the text from {self.url} was cut off", _LOG)

    def _typed(self, method: str, path: str, body: Mapping[str, Any] | None, kind: type[T]) -> T:
        return self._decoded(self._ask(method, path, body), kind)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> bytes:
        with (
            self._typed_failures(),
            httpx2.Client(**self._options(WORK_S)) as client,
            client.stream(method, self.url + path, json=body, headers=self._headers) as response,
        ):
            data = bytearray()
            for part in response.iter_bytes():
                data += part
                if len(data) > MOST_BYTES:
                    told = f"{self.url} answered {path} with more than {MOST_BYTES} bytes"
                    raise BatosError("GENERATION_FAILED", told, _WRONG)
            if response.status_code >= 300:
                raise self._refusal(response, bytes(data))
            return bytes(data)

    def _options(self, read: float | None) -> dict[str, Any]:
        # No proxy of the environment: the configuration names the server itself.
        timeout = httpx2.Timeout(WORK_S, connect=CONNECT_S, read=read)
        return {"timeout": timeout, "trust_env": False, "verify": self._tls}

    def _decoded(self, text: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            told = f"{self.url} answered what is not of its protocol: {str(error)[:300]}"
            raise BatosError("GENERATION_FAILED", told, _WRONG) from error

    @contextmanager
    def _typed_failures(self) -> Iterator[None]:
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            hint = "Start it, or correct `url` under [inference] in batos.toml."
            raise BatosError("NOT_READY", f"no model server answers at {self.url}", hint) from error
        except httpx2.SSEError as error:
            raise BatosError("GENERATION_FAILED", f"{self.url} answered without a stream: {error}", _WRONG) from error
        except httpx2.DecodingError as error:
            raise BatosError("GENERATION_FAILED", f"{self.url} answered unreadable bytes: {error}", _LOG) from error
        except httpx2.HTTPError as error:
            why = str(error) or type(error).__name__
            raise BatosError(
                "NOT_READY", f"the model server at {self.url} was lost with the request: {why}", "Try again.", lost=True
            ) from error

    def _refusal(self, response: httpx2.Response, body: bytes) -> BatosError:
        status = response.status_code
        try:
            said = msgspec.json.decode(body[:_TOLD_BYTES])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = body[:_TOLD_BYTES].decode(errors="replace")
        told = f"{self.url} answered {status}: {_message(said)}"
        if status < 400:
            # Nobody is followed elsewhere: the key would go along.
            there = response.headers.get("location", "another address")[:300]
            hint = "Give the address that answers itself: `url` under [inference] in batos.toml."
            return BatosError(
                "BAD_CONFIG", f"{self.url} answered {status} and sends on to {there}", hint, status=status
            )
        if status in _LATER:
            return BatosError("NOT_READY", told, "Try again.", status=status)
        if status in {401, 403}:
            return BatosError("BAD_CONFIG", told, f"Set {KEY} in the environment of `batos up`.", status=status)
        if status < 500:
            return BatosError("BAD_ARGUMENT", told, "See docs/engines.md for how the server must run.", status=status)
        return BatosError("GENERATION_FAILED", told, _LOG, status=status)


def _message(said: Any) -> str:
    """What a refusal says, wherever in it the dialects put that."""
    for word in ("error", "message", "detail"):
        if isinstance(said, dict) and word in said:
            return _message(said[word])
    return str(said)[:500]


def _bad_url(url: str) -> BatosError:
    return BatosError(
        "BAD_CONFIG", f"inference.url is {url!r}", 'Give the server\'s address, such as "http://127.0.0.1:8000".'
    )
