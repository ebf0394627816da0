"""What a model server says without a stream, beside what it should say."""

from __future__ import annotations

import pytest

from actors.inference.remote.server import Server
from protocol.errors import BatosError

from ..fake_server import NAME


@pytest.fixture
def server(fake):
    return Server(fake.url, "")


def test_what_is_said_has_its_log_probabilities(server):
    said = server.say(NAME, "The", 4)
    assert (len(said.logprobs), said) == (4, server.say(NAME, "The", 4))


@pytest.mark.parametrize(
    "answer",
    [
        b'{"choices": []}',
        b'{"choices": [{"logprobs": null}]}',
        b'{"choices": [{"text": "a", "logprobs": {"token_logprobs": [NaN]}}]}',
        b'{"choices": [{"text": "a", "logprobs": {"token_logprobs": [-1e999]}}]}',
        b'{"choices": [{"text": "a", "logprobs": {"token_logprobs": ["-1"]}}]}',
        b'{"choices": {"text": "a"}}',
        b"<html>",
        b"",
    ],
)
def test_what_is_no_answer_is_a_failure_with_a_next_step(server, fake, answer):
    fake.faults["plain"] = {"/v1/completions": (200, {}, answer)}
    with pytest.raises(BatosError) as caught:
        server.say(NAME, "The", 4)
    assert (caught.value.code, bool(caught.value.hint)) == ("GENERATION_FAILED", True)


@pytest.mark.parametrize(
    ("answer", "counted"), [(b'{"choices": [], "usage": {"prompt_tokens": 3}}', 3), (b'{"choices": []}', None)]
)
def test_tokens_are_counted_by_who_reads_them(server, fake, answer, counted):
    fake.faults["plain"] = {"/v1/completions": (200, {}, answer)}
    assert server.count(NAME, [1, 2, 3]) == counted


def test_nobody_is_followed_elsewhere(server, fake):
    fake.faults["plain"] = {"/v1/models": (307, {"Location": fake.url + "/v1/completions"}, b"")}
    with pytest.raises(BatosError) as caught:
        server.models()
    assert (caught.value.code, fake.url in caught.value.hint + caught.value.message) == ("BAD_CONFIG", True)
    assert fake.paths() == ["/v1/models"]
