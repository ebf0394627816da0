"""`/v1` as OpenAI's client finds it: models, completions whole and streamed, vectors, and every refusal."""

from __future__ import annotations

import asyncio
import struct
import time

import httpx2
import openai
import pytest

from protocol.errors import BatosError
from protocol.messages import Cancelled, Embedded, Event, Generated, Inferred, MandateReply, Piece, Turn
from tests.cli.doors.http.conftest import ORIGIN, TOKEN

HELLO = [{"role": "user", "content": "Say hello."}]
ANSWER = {
    "answer": "It is 12 m long.",
    "citations": [
        {
            "sentence": "It is 12 m long.",
            "at": 0,
            "to": 16,
            "supported": True,
            "doc_id": "a",
            "chunk_oid": "02",
            "chunk_index": 0,
            "start": 3,
            "end": 9,
        }
    ],
}


def generated(request, text="Hello there.", **more):
    return Inferred(rows=[Generated(text=text, tokens=3, finish="stop", **more)], prompt_tokens=7, seconds=0.1)


def speaks(bus, *pieces, **more):
    """Inference that says these pieces, and keeps what it was asked."""
    asked = []

    def infer(request, call):
        asked.append(request)
        for piece in pieces:
            call.partial(Piece(row=0, text=piece))
        return generated(request, "".join(pieces), **more)

    bus.handlers["inference", "infer"] = infer
    return asked


async def test_models_are_the_mind_the_personas_and_the_base_model(client, voices):
    assert [model.id async for model in await client.models.list()] == ["batos", "BRICK", "ROBIN", "Small-1B"]
    assert (await client.models.retrieve("BRICK")).owned_by == "persona"
    with pytest.raises(openai.NotFoundError, match="there are batos, BRICK"):
        await client.models.retrieve("gpt-7")


async def test_a_persona_speaks_by_its_expert(client, voices):
    asked = speaks(voices, "Hello", " there.")
    found = await client.chat.completions.create(
        model="BRICK",
        messages=[{"role": "developer", "content": "Be brief."}, *HELLO],
        temperature=0.5,
        top_p=0.9,
        seed=3,
        max_completion_tokens=11,
        user="somebody",
        metadata={"a": "b"},
    )
    assert (found.choices[0].message.content, found.choices[0].finish_reason) == ("Hello there.", "stop")
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.total_tokens) == (7, 3, 10)
    (row,) = asked[0].rows
    assert row.turns == [Turn(role="system", content="Be brief."), Turn(role="user", content="Say hello.")]
    assert (row.expert, row.sampling.temperature, row.sampling.top_p, row.seed, row.max_tokens) == (
        "brick",
        0.5,
        0.9,
        3,
        11,
    )
    asked_by = [origin for (_, verb, _), origin in zip(voices.calls, voices.origins, strict=True) if verb == "infer"]
    assert asked_by == [ORIGIN]


@pytest.mark.parametrize("model", ["ROBIN", "Small-1B"])
async def test_without_an_expert_the_base_model_speaks(client, voices, model):
    asked = speaks(voices, "Hello")
    await client.chat.completions.create(model=model, messages=HELLO)
    assert asked[0].rows[0].expert is None


async def test_a_completion_is_streamed_as_it_comes(client, voices):
    speaks(voices, "Hel", "lo", ".")
    stream = await client.chat.completions.create(
        model="BRICK", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "Hel", "lo", ".", None]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (chunks[-2].choices[0].finish_reason, chunks[-1].usage.total_tokens) == ("stop", 10)
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_schema_binds_the_answer(client, voices):
    asked = speaks(voices, "{}")
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    await client.chat.completions.create(model="BRICK", messages=HELLO, response_format=form)
    assert asked[0].rows[0].schema == schema


def answers(bus, reply):
    asked = []

    def mandate(request, call):
        asked.append(request)
        call.partial(Event(event="accepted", mandate="M1"))
        return reply

    bus.handlers["orchestrator", "mandate"] = mandate
    return asked


async def test_the_mind_answers_with_citations(client, bus):
    asked = answers(bus, MandateReply(mandate="M1", state="COMPLETE", result=ANSWER))
    messages = [
        {"role": "system", "content": "Obey."},
        *HELLO,
        {"role": "user", "content": [{"type": "text", "text": "How long?"}]},
    ]
    found = await client.chat.completions.create(model="batos", messages=messages)
    assert found.choices[0].message.content == "It is 12 m long. [1]\n\n[1] a #0, characters 3 to 9"
    assert found.batos["citations"][0]["doc_id"] == "a"
    assert (asked[0].target, asked[0].selector, asked[0].args) == ("orchestrator_obj", "ask_", ["How long?"])
    stream = await client.chat.completions.create(model="batos", messages=HELLO, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == found.choices[0].message.content
    assert chunks[-1].batos["answer"] == "It is 12 m long."


async def test_what_waits_for_the_user_is_said(client, bus):
    answers(bus, MandateReply(mandate="M1", state="PROPOSED", proposal="P1"))
    found = await client.chat.completions.create(model="batos", messages=HELLO)
    said = found.choices[0].message.content
    assert "batos --home" in said
    assert "accept P1`" in said


async def test_texts_become_vectors(client, bus):
    rows = [struct.pack("<2f", 0.5, -0.25), struct.pack("<2f", 1.0, 0.0)]
    bus.handlers["memory", "embed"] = lambda request: Embedded(
        vectors=rows[: len(request.texts)], dimensions=2, tokens=4, model="small"
    )
    found = await client.embeddings.create(model="batos", input=["a", "b"])
    assert [row.embedding for row in found.data] == [[0.5, -0.25], [1.0, 0.0]]
    plain = await client.embeddings.create(model="small", input="a", encoding_format="float", dimensions=2)
    assert (plain.data[0].embedding, plain.usage.total_tokens) == ([0.5, -0.25], 4)
    with pytest.raises(openai.NotFoundError):
        await client.embeddings.create(model="large", input="a")
    with pytest.raises(openai.BadRequestError, match="2 dimensions"):
        await client.embeddings.create(model="batos", input="a", dimensions=3)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "a"}}]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"stop": ["x"]}, "stop"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"temperature": 7}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content",
        ),
    ],
)
async def test_what_cannot_be_honoured_is_refused_by_its_name(client, voices, more, param):
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(**{"model": "BRICK", "messages": HELLO, **more})
    assert refused.value.param == param


async def test_a_model_that_there_is_none_of_is_not_found(client, voices):
    with pytest.raises(openai.NotFoundError) as refused:
        await client.chat.completions.create(model="gpt-7", messages=HELLO)
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize(
    ("code", "status", "retry"),
    [
        ("NOT_ALLOWED", 403, None),
        ("BUSY", 429, "1"),
        ("NOT_READY", 503, "5"),
        ("OUT_OF_MEMORY", 503, "5"),
        ("BAD_ARGUMENT", 400, None),
        ("TOO_LARGE", 413, None),
        ("TIMEOUT", 504, None),
        ("GENERATION_FAILED", 500, None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_has_the_status_that_clients_act_on(client, voices, *, code, status, retry, stream):
    def fails(_request):
        raise BatosError(code, "so it is", "Do this.")

    voices.handlers["inference", "infer"] = fails
    with pytest.raises(openai.APIStatusError) as failed:
        await client.chat.completions.create(model="BRICK", messages=HELLO, stream=stream)
    assert (failed.value.status_code, failed.value.body["code"]) == (status, code)
    assert failed.value.body["message"] == "so it is. Do this."
    assert failed.value.response.headers.get("retry-after") == retry


async def test_a_failure_in_the_middle_ends_the_stream_with_an_error(client, voices):
    def fails(_request, call):
        call.partial(Piece(row=0, text="Hel"))
        raise BatosError("NOT_READY", "inference was lost")

    voices.handlers["inference", "infer"] = fails
    chunks = aiter(await client.chat.completions.create(model="BRICK", messages=HELLO, stream=True))
    assert [(await anext(chunks)).choices[0].delta.content for _ in range(2)] == ["", "Hel"]
    with pytest.raises(openai.APIError, match="inference was lost"):
        await anext(chunks)


async def test_a_row_that_failed_is_an_error_with_its_reason(client, voices):
    voices.handlers["inference", "infer"] = lambda _: Inferred(
        rows=[
            Generated(
                text="",
                tokens=0,
                finish="failed",
                reason="the prompt is too long",
                code="TOO_LARGE",
                hint="Shorten it.",
            )
        ],
        prompt_tokens=0,
        seconds=0.0,
    )
    with pytest.raises(openai.APIStatusError, match="the prompt is too long") as failed:
        await client.chat.completions.create(model="BRICK", messages=HELLO)
    assert failed.value.status_code == 413


async def test_a_token_is_asked_for_each_time(client, voices, url, tokens):
    speaks(voices, "Hello")
    await client.chat.completions.create(model="BRICK", messages=HELLO)
    tokens.clear()
    with pytest.raises(openai.AuthenticationError):
        await client.chat.completions.create(model="BRICK", messages=HELLO)
    async with httpx2.AsyncClient() as plain:
        found = await plain.get(f"{url}/models")
    assert (found.status_code, found.headers["www-authenticate"]) == (401, 'Bearer realm="batos"')


@pytest.fixture
def generating(voices):
    """A generation that goes on until nobody waits for it."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def infer(request, call):
        call.partial(Piece(row=0, text="a"))
        begun.set()
        await call.cancelled.wait()
        ended.set()
        return generated(request)

    voices.handlers["inference", "infer"] = infer
    return begun, ended


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_ends_its_generation(client, generating, stream):
    begun, ended = generating
    asked = asyncio.create_task(client.chat.completions.create(model="BRICK", messages=HELLO, stream=stream))
    await begun.wait()
    if stream:
        await (await asked).close()
    else:
        asked.cancel()
    await asyncio.wait_for(ended.wait(), 30)
    await asyncio.gather(asked, return_exceptions=True)


async def test_a_client_that_goes_cancels_its_question(client, bus):
    begun, cancelled = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def mandate(_request, call):
        call.partial(Event(event="accepted", mandate="M1"))
        begun.set()
        await call.cancelled.wait()
        return MandateReply(mandate="M1", state="COMPLETE", result=ANSWER)

    def cancel(request):
        cancelled.set_result(request.id)
        return Cancelled(mandate=request.id, cycle=None, state="FAILED", cancelled=True)

    bus.handlers["orchestrator", "mandate"] = mandate
    bus.handlers["orchestrator", "cancel"] = cancel
    asked = asyncio.create_task(client.chat.completions.create(model="batos", messages=HELLO))
    await begun.wait()
    asked.cancel()
    assert await asyncio.wait_for(cancelled, 30) == "M1"
    await asyncio.gather(asked, return_exceptions=True)


async def test_more_than_may_be_under_way_are_told_to_wait(client, generating, monkeypatch):
    from cli.doors.http import app

    monkeypatch.setattr(app, "AT_ONCE", 1)
    begun, ended = generating
    asked = asyncio.create_task(client.chat.completions.create(model="BRICK", messages=HELLO))
    await begun.wait()
    with pytest.raises(openai.RateLimitError):
        await client.chat.completions.create(model="BRICK", messages=HELLO)
    asked.cancel()
    await asyncio.wait_for(ended.wait(), 30)
    await asyncio.gather(asked, return_exceptions=True)


async def test_what_is_generated_is_charged(client, voices, generating, tokens):
    begun, ended = generating
    asked = asyncio.create_task(client.chat.completions.create(model="BRICK", messages=HELLO))
    await begun.wait()
    asked.cancel()
    await asyncio.wait_for(ended.wait(), 30)
    await asyncio.gather(asked, return_exceptions=True)
    speaks(voices, "Hello", " there")
    await client.chat.completions.create(model="BRICK", messages=HELLO)
    assert [request.tokens for _, verb, request in voices.calls if verb == "charge"] == [1, 3]
    await client.models.list()
    assert tokens.asked == [True, True, False]


async def test_a_token_that_has_spent_its_day_is_told_when_to_come_again(client, voices, tokens, monkeypatch):
    def spent(_request):
        raise BatosError("BUSY", "no tokens are left today", "Come again tomorrow.", until=time.time() + 1000)

    voices.handlers["inference", "infer"] = spent
    with pytest.raises(openai.RateLimitError) as refused:
        await client.chat.completions.create(model="BRICK", messages=HELLO)
    assert 990 <= int(refused.value.response.headers["retry-after"]) <= 1001


@pytest.mark.parametrize("size", [9 << 20, 100 << 20])
@pytest.mark.parametrize("is_told", [True, False])
async def test_a_body_that_is_too_large_is_refused_unread(url, voices, size, is_told):
    async def pieces():
        for _ in range(size >> 20):
            yield b"x" * (1 << 20)

    content = b"x" * size if is_told else pieces()
    async with httpx2.AsyncClient() as plain:
        found = await plain.post(
            f"{url}/chat/completions", content=content, headers={"authorization": f"Bearer {TOKEN}"}
        )
    assert found.status_code == 413
    assert found.json()["error"]["code"] == "request_too_large"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/nothing", 404), ("GET", "/v1/chat/completions", 405), ("GET", "/", 404)],
)
async def test_what_does_not_exist_says_what_does(url, method, path, status):
    async with httpx2.AsyncClient() as plain:
        found = await plain.request(method, url.removesuffix("/v1") + path)
    assert found.status_code == status
    assert "/v1/models" in found.json()["error"]["message"]
