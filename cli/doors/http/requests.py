"""What clients send, read strictly where it matters: a parameter that would change the answer and cannot be honoured is refused.

What only says who asks or how the request is to be kept (`user`, `metadata`, `store`, …) is passed over, and so is whatever else
a newer client sends.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, TypeVar

import msgspec

from cli.doors.http.errors import Refusal, unsupported
from protocol.messages import Turn

T = TypeVar("T")

MAX_TOKENS: Final = 1024
"""Of an answer whose request says nothing else."""
_ROLES: Final[dict[str, Literal["system", "user", "assistant"]]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_INERT: Final[dict[str, tuple[Any, ...]]] = {
    "n": (None, 1),
    "tools": (None, []),
    "tool_choice": (None, "none", "auto"),
    "functions": (None, []),
    "function_call": (None, "none", "auto"),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "frequency_penalty": (None, 0),
    "presence_penalty": (None, 0),
    "stop": (None, [], ""),
    "audio": (None,),
    "modalities": (None, ["text"]),
    "prediction": (None,),
    "web_search_options": (None,),
}
"""The values of a parameter that say nothing; any other one cannot be honoured."""


_AT: Final = re.compile(r"at `\$\.(.+)`$|required field `(\w+)`$")


class Message(msgspec.Struct, frozen=True):
    role: str
    content: str | list[dict[str, Any]] | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = False


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a completion. `thread` and `way` are our own, for the model `batos`."""

    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: dict[str, Any] | None = None
    thread: str | None = None
    way: Literal["auto", "plain", "deep"] = "auto"
    answers: bool = False


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """A request for vectors."""

    model: str
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


def read_chat(body: bytes) -> Chat:
    """The request for a completion, checked; Refusal otherwise."""
    fields = _fields(body)
    for name, inert in _INERT.items():
        if fields.get(name) not in inert:
            raise unsupported(name, f"{name} is not supported here; leave it out")
    found = _converted(fields, Chat)
    if not found.messages:
        raise Refusal(400, "invalid_value", "there are no messages", "messages")
    _within("temperature", found.temperature, 0, 2)
    _within("top_p", found.top_p, 0, 1)
    _within("max_tokens", found.max_tokens, 1, 1 << 20)
    _within("max_completion_tokens", found.max_completion_tokens, 1, 1 << 20)
    _within("seed", found.seed, -(1 << 63), (1 << 63) - 1)
    return found


def read_embedding(body: bytes) -> Embedding:
    """The request for vectors, checked; Refusal otherwise."""
    return _converted(_fields(body), Embedding)


def turns(chat: Chat) -> list[Turn]:
    """The conversation as inference takes it."""
    return [_turn(message, n) for n, message in enumerate(chat.messages)]


def question(chat: Chat) -> str:
    """What the mind is asked: the last message of the user. The others are not looked at."""
    users = [(n, message) for n, message in enumerate(chat.messages) if message.role == "user"]
    if not users:
        raise Refusal(400, "invalid_value", "no message is the user's, so nothing is asked", "messages")
    number, message = users[-1]
    return _text(message, number)


def schema(chat: Chat) -> dict[str, Any] | None:
    """The JSON schema that binds the answer; None where nothing does."""
    asked = chat.response_format or {"type": "text"}
    match asked:
        case {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {"type": "object"}
        case {"type": "json_schema", "json_schema": {"schema": dict(found)}}:
            return found
        case _:
            raise unsupported(
                "response_format", "response_format is text, json_object or a json_schema with its schema"
            )


def _turn(message: Message, number: int) -> Turn:
    role = _ROLES.get(message.role)
    if role is None:
        raise unsupported(f"messages[{number}].role", f"a message of {message.role[:40]!r} is not supported here")
    return Turn(role=role, content=_text(message, number))


def _text(message: Message, number: int) -> str:
    if isinstance(message.content, str):
        text = message.content
    else:
        parts = message.content or []
        for part in parts:
            if part.get("type") != "text" or not isinstance(part.get("text"), str):
                raise unsupported(
                    f"messages[{number}].content", "a message has text alone here, no pictures and no sound"
                )
        text = "\n".join(part["text"] for part in parts)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Refusal(400, "invalid_value", "a message is no valid Unicode", f"messages[{number}].content")
    return text


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refusal(400, "invalid_json", f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Refusal(400, "invalid_json", "the body is no JSON object")
    return found


def _converted(fields: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise Refusal(400, "invalid_value", str(error), _param(str(error))) from error


def _param(message: str) -> str | None:
    """The parameter that a message of msgspec names: by its path, or as a field that is missing."""
    found = _AT.search(message)
    return found and (found[1] or found[2])


def _within(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise Refusal(400, "invalid_value", f"{name} is from {least} to {most}", name)
