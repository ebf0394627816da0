"""An OpenAI-compatible server as this house speaks to it: requests out, typed failures back.

All of them have `/v1/models` and one of the two completions endpoints, streamed as server-sent events. What else there is,
vLLM's loading of LoRAs or llama.cpp's tokenizer, is asked for where it was seen to be (`probing`). What the transport or the
server says against a request becomes a `BatosError` here, and nothing else leaves this file: NOT_READY where asking again
later may help.
"""

from __future__ import annotations

import logging
import math
import re
import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
import msgspec

from actors.inference.remote.replies import (
    Adapter,
    Answer,
    Chunk,
    Models,
    Properties,
    Rendered,
    Said,
    Served,
    Tokens,
)
from protocol.errors import BatosError

T = TypeVar("T")

# A line for each request would bury what the log is for.
logging.getLogger("httpx2").setLevel(logging.WARNING)

KEY: Final = "BATOS_API_KEY"
"""The environment variable with the server's key; it is never read from a file."""
CONNECT_S: Final = 5.0
WORK_S: Final = 60.0
"""Seconds that a request without a stream may take: the server reads an adapter from its disk."""
LOOK_S: Final = 10.0
"""Seconds for what a server only looks up. What does not speak HTTP at all is so known for what it is."""

MOST_BYTES: Final = 16_000_000
"""Of an answer without a stream; no server has so many models, and a short text is shorter."""

_TOLD_BYTES: Final = 64_000
"""Of a refusal: more is not read."""
_LATER: Final = frozenset({429, 502, 503, 504})
_NO_SUCH: Final = frozenset({404, 405, 501})
"""How a server answers to a path that it does not know."""
_TOO_LONG: Final = re.compile(r"context (length|size|window)", re.IGNORECASE)
"""In the words of a refusal, by which servers say that a prompt is too long: the field's code differs, and these do not."""
_END: Final = "[DONE]"
_WRONG: Final = "Is `url` under [inference] in batos.toml that of an OpenAI-compatible server?"
_LOG: Final = "See the server's log."


REFUSALS: Final = frozenset({"BAD_ARGUMENT", "GENERATION_FAILED", "TOO_LARGE"})
"""How a server says that it does not know what it was asked for: by a 400 or, some of them, by a 500."""


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
        """What the server has now, by id. BAD_CONFIG where what listens there is no such server."""
        try:
            return {model.id: model for model in self._typed("GET", "/v1/models", None, Models, LOOK_S).data}
        except BatosError as error:
            if error.data.get("status") in _NO_SUCH:
                raise BatosError("BAD_CONFIG", f"{error.message}, when asked for /v1/models", _WRONG) from error
            raise

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
        choices = self.answer("/v1/completions", body).choices
        if not choices or choices[0].text is None:
            raise BatosError("GENERATION_FAILED", f"{self.url} answered without a text", _LOG)
        logprobs = tuple(choices[0].logprobs.told) if choices[0].logprobs else ()
        if not all(math.isfinite(one) for one in logprobs if one is not None):
            raise BatosError(
                "GENERATION_FAILED", f"{self.url} answered with log-probabilities that are not finite", _LOG
            )
        return Said(choices[0].said, logprobs)

    def answer(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Texts without a stream."""
        return self.post(path, body, Answer)

    def post(self, path: str, body: Mapping[str, Any], kind: type[T]) -> T:
        """What the server answers at a path that its dialect alone has."""
        return self._typed("POST", path, body, kind)

    def count(self, model: str, prompt: str | Sequence[int]) -> int | None:
        """How many tokens `model` reads in `prompt`, a text or token ids; None where the server does not say."""
        body = {"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0.0}
        usage = self.answer("/v1/completions", body).usage
        return None if usage is None else usage.prompt_tokens

    def tokens(self, text: str, *, special: bool, begins: bool) -> list[int]:
        """The text in llama.cpp's tokens. `special`: what spells a control token is one. `begins`: as a prompt begins."""
        body = {"content": text, "add_special": begins, "parse_special": special}
        return self.post("/tokenize", body, Tokens).tokens

    def rendered(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The turns as llama.cpp writes them with the model's chat template; the last one goes on if it is the assistant's."""
        return self.post("/apply-template", {"messages": list(messages)}, Rendered).prompt

    def properties(self) -> Properties:
        """How llama.cpp was started."""
        return self._typed("GET", "/props", None, Properties, LOOK_S)

    def adapters(self) -> list[Adapter]:
        """The LoRAs that llama.cpp was started with."""
        return self._typed("GET", "/lora-adapters", None, list[Adapter], LOOK_S)

    def loads(self) -> bool:
        """Whether LoRAs can be loaded while it runs: an order without a name is then wrong, and not unknown."""
        try:
            self._ask("POST", "/v1/load_lora_adapter", {})
        except BatosError as error:
            if error.code not in REFUSALS:
                raise
            return error.data.get("status") not in _NO_SUCH
        return False

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

    def _typed(
        self, method: str, path: str, body: Mapping[str, Any] | None, kind: type[T], seconds: float = WORK_S
    ) -> T:
        return self._decoded(self._ask(method, path, body, seconds), kind)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, seconds: float = WORK_S) -> bytes:
        with (
            self._typed_failures(),
            httpx2.Client(**self._options(seconds)) as client,
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
        if status < 500 and _TOO_LONG.search(told):
            return BatosError("TOO_LARGE", told, "Send a shorter prompt.", status=status)
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
