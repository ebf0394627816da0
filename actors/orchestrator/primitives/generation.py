"""Texts from inference: the primitive `infer_`."""

from __future__ import annotations

import json
from typing import Any

from actors.orchestrator.primitives import arguments
from actors.orchestrator.thinking.asks import Drawing, Thinking, Voice, call
from actors.orchestrator.thinking.thought import Sender
from protocol import codec, verbs
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import MAX_ROWS, MAX_TOKENS, Generated, Infer, Inferred, Row


def infer(  # noqa: PLR0917 - bound from a message, which may give them by place
    sender: Sender,
    query: Value,
    system_prompt: Value = None,
    adapter_name: Value = None,
    n: Value = None,
    schema: Value = None,
    grammar: Value = None,
    sampling: Value = None,
    seed: Value = 0,
    max_tokens: Value = MAX_TOKENS,
    scored: Value = False,
    drawing: Value = None,
) -> Thinking[Value]:
    """A text, or with `n` a list of those of `n` texts that ended; with `schema`, the values that the texts state.

    `query` is a text or a list of turns. `adapter_name` names an expert, None is the base model. `sampling` is one
    {"temperature", "top_p"}, or a list of `n`. A constrained text that was cut short is a failure, never a guess: alone it
    fails the send, among `n` it is left out.

    `scored`, with `n`: each is {"text", "logprob", "tokens"}, where `logprob` is None if nobody has counted. `drawing` says
    what is told while these texts are drawn, {"round", "form"}.
    """
    if scored and n is None:
        raise BatosError("METHOD_FAILED", "infer_: `scored` goes with `n`")
    same = {
        "turns": _turns(query, system_prompt),
        "expert": adapter_name,
        "schema": schema,
        "grammar": grammar,
        "max_tokens": max_tokens,
        "scored": bool(scored),
    }
    rows = _rows(same, n, sampling, arguments.integer(seed, "seed"))
    # One text is somebody's voice; a value is none, and of many texts one is chosen later: nobody follows those.
    is_voice = n is None and schema is None
    voice = (
        Voice(sender.thought.overlay.name(sender.receiver), sender.thought.cycle, sender.thought.state)
        if is_voice
        else None
    )
    request = Infer(rows=rows, stream=voice is not None)
    voices = (voice,) * len(rows)
    told = _drawing(sender, drawing, len(rows)) if n is not None else None
    inferred = yield from call(verbs.INFER, request, path=sender.path, keep=True, voices=voices, drawing=told)
    sender.thought.spend_tokens(sum(row.tokens for row in inferred.rows))
    for running in sender.thought.chain:
        running.model = inferred.model
    whole = _whole(inferred, constrained=schema is not None or grammar is not None)
    if n is None and not whole:
        raise BatosError("GENERATION_FAILED", f"infer_: the text did not end within {max_tokens} tokens")
    texts = [row.text if schema is None else _parsed(row) for row in whole]
    if scored:
        return [
            {"text": text, "logprob": row.logprob, "tokens": row.tokens} for text, row in zip(texts, whole, strict=True)
        ]
    return texts[0] if n is None else texts


def _rows(same: dict[str, Any], n: Value, sampling: Value, seed: int) -> list[Row]:
    """`n` rows, each with its own manner and seed."""
    count = 1 if n is None else n
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_ROWS:
        raise BatosError("METHOD_FAILED", f"infer_: n must be 1 to {MAX_ROWS}")
    manners = sampling if isinstance(sampling, list) else [sampling or {}] * count
    if len(manners) != count:
        raise BatosError("METHOD_FAILED", f"infer_: {len(manners)} samplings for {count} texts")
    return [
        _typed({**same, "sampling": manner, "seed": (seed + number) % 2**63}) for number, manner in enumerate(manners)
    ]


def _drawing(sender: Sender, said: Value, rows: int) -> Drawing | None:
    """What is told of these texts while they are drawn, where that is within a cycle that writes a method."""
    thought = sender.thought
    if thought.cycle is None or thought.chain[-1].is_question:
        return None
    match said:
        case None:
            number, form = 0, ""
        case {"round": int() as number, "form": str() as form}:
            pass
        case _:
            raise BatosError("METHOD_FAILED", 'infer_: `drawing` is {"round": an int, "form": a str}')
    left = thought.limits.tokens - thought.ledger.tokens
    return Drawing(cycle=thought.cycle, round=number, form=form, rows=rows, tokens_left=left)


def _turns(query: Value, system_prompt: Value) -> list[Value]:
    turns = [{"role": "user", "content": query}] if isinstance(query, str) else query
    if not isinstance(turns, list):
        raise BatosError("METHOD_FAILED", f"infer_: a query is a str or a list of turns, not a {type(query).__name__}")
    return turns if system_prompt is None else [{"role": "system", "content": system_prompt}, *turns]


def _whole(inferred: Inferred, *, constrained: bool) -> list[Generated]:
    """The rows whose texts count. Where every row has failed, the first row's failure is raised."""
    failed = [row for row in inferred.rows if row.finish == "failed"]
    if failed and len(failed) == len(inferred.rows):
        first = failed[0]
        raise BatosError(first.code or "GENERATION_FAILED", f"infer_: {first.reason}", first.hint)
    return [row for row in inferred.rows if row.finish == "stop" or (not constrained and row.finish != "failed")]


def _parsed(row: Generated) -> Value:
    try:
        return json.loads(row.text)
    except ValueError as error:
        raise BatosError("GENERATION_FAILED", f"infer_: the text is no JSON: {error}") from error


def _typed(row: dict[str, Any]) -> Row:
    try:
        return codec.convert(row, Row)
    except BatosError as error:
        raise BatosError("METHOD_FAILED", f"infer_: {error.message}") from error
