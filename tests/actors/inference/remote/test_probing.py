"""What a server can do is seen by trying it: each dialect for what it is, and a server that only seems to have it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog

from actors.inference.remote.connection import attach, connect
from actors.inference.remote.server import Server
from protocol.home import Home, Inference
from protocol.messages import Row, Sampling, Turn

from ..fake_server import NAME, SLOTS, FakeServer
from ..small_house import refused

GREEDY = Sampling(temperature=0)


@pytest.fixture(scope="module")
def dialects(tiny):
    made = {name: FakeServer(tiny, dialect=name) for name in ("vllm", "llama", "chat")}
    yield made
    for fake in made.values():
        fake.stop()


@pytest.fixture
def attached(dialects, tmp_path):
    """Makes engines on a server of the dialect that is named, with nothing of the model here unless `model` says where."""

    def make(dialect, faults=None, **settings):
        fake = dialects[dialect]
        fake.reset()
        fake.faults |= faults or {}
        return attach(Server(fake.url), Inference(engine="openai", **settings), Home(tmp_path / "home"))

    return make


@pytest.mark.parametrize(
    ("dialect", "seen"),
    [
        ("vllm", ("vLLM", "structured_outputs", "response_format", False, True, "token_logprobs", 1)),
        ("llama", ("llama.cpp", "grammar", "json_schema", True, True, "content", SLOTS)),
        ("chat", ("Ollama", "none", "response_format", False, False, "none", 1)),
    ],
)
def test_each_dialect_is_seen_for_what_it_is(attached, dialect, seen):
    engine = attached(dialect).engine
    one = engine.generator.abilities
    told = (one.engine, one.grammar, one.schema, one.token_ids, one.completions, one.likelihood, one.texts)
    assert (told, one.seeds, one.lora) == (seen, True, "none")
    assert "config.json" in one.instead["lora"]
    assert engine.stats()["abilities"]["instead"] == one.instead


def test_with_the_models_folder_tokens_are_made_here_and_experts_are_loaded(attached, tiny):
    one = attached("vllm", model=str(tiny)).engine.generator.abilities
    assert (one.token_ids, one.lora, one.instead, one.context) == (True, "load", {}, 128)
    one = attached("llama", model=str(tiny)).engine.generator.abilities
    assert (one.token_ids, one.lora, set(one.instead)) == (True, "none", {"lora"})


@pytest.mark.parametrize("dialect", ["vllm", "llama"])
def test_a_field_that_is_taken_and_does_not_bind_is_no_ability(attached, dialect):
    one = attached(dialect, {"unbound": True}).engine.generator.abilities
    assert (one.grammar, one.schema != "none") == ("none", True)
    assert "free text" in one.instead["grammar"]


def test_what_it_cannot_do_is_said_in_the_log(attached):
    with structlog.testing.capture_logs() as logs:
        attached("chat")
    assert {log["ability"] for log in logs} == {"grammar", "token_ids", "completions", "likelihood", "lora"}


def test_an_answer_may_come_under_an_alias_and_under_no_other_name(attached, dialects):
    engine = attached("llama", served="alias").engine
    row = Row(prompt="a", max_tokens=2)
    assert engine.generate([row]).rows[0].finish in {"stop", "length"}
    dialects["llama"].faults["model"] = "another.gguf"
    error = refused(lambda: engine.generate([row]))
    assert (error.code, NAME in error.message, "another.gguf" in error.message) == ("GENERATION_FAILED", True, True)


def test_a_model_is_named_by_the_setting_that_is_no_folder(attached):
    assert attached("llama", model="alias").source.startswith(NAME)
    error = refused(lambda: attached("llama", model="nobody"))
    assert (error.code, "nobody" in error.message, NAME in error.message) == ("BAD_CONFIG", True, True)


def test_rows_say_outright_that_nothing_but_temperature_and_nucleus_draws(attached, dialects):
    engine = attached("llama").engine
    dialects["llama"].asked.clear()
    engine.generate([Row(prompt="a", max_tokens=2)])
    (body,) = dialects["llama"].streamed()
    assert body["samplers"] == ["min_p", "temperature", "top_p"]
    assert (
        "samplers"
        not in attached("chat")
        .engine.generator.words.job(Row(prompt="a"), engine.generator.prompt(Row(prompt="a")), {"model": NAME})
        .body
    )


def test_a_spelt_control_token_stays_text_by_the_servers_own_tokenizer(attached, dialects, engine):
    rows = [
        Row(turns=[Turn(role="user", content="a<end>b")], max_tokens=6, sampling=GREEDY),
        Row(
            turns=[Turn(role="user", content="a"), Turn(role="assistant", content="<end>")],
            max_tokens=6,
            sampling=GREEDY,
        ),
        Row(prompt="x<end>", max_tokens=6, sampling=GREEDY),
        Row(turns=[Turn(role="user", content="plain")], max_tokens=6, sampling=GREEDY),
    ]
    there = attached("llama").engine
    assert [one.text for one in there.generate(rows).rows] == [one.text for one in engine.generate(rows).rows]
    for body in dialects["llama"].streamed():
        assert 256 not in body["prompt"]


def test_experts_are_left_out_where_none_is_served_and_no_adapter_is_to_blame(attached, adapter, tmp_path):
    from actors.inference.weights.expert import Content

    there = attached("chat").engine
    content = Content("brick", "0" * 64, "base", 1, 1, tmp_path / "none", ())
    row, plain = (
        Row(prompt="a", max_tokens=4, sampling=GREEDY, expert="brick"),
        Row(prompt="a", max_tokens=4, sampling=GREEDY),
    )
    assert there.generate([row], experts={"brick": content}).rows == there.generate([plain]).rows
    assert refused(lambda: there.generate([row])).code == "UNKNOWN_EXPERT"
    for work in (lambda: there.convert(adapter("brick"), tmp_path / "out"), lambda: there.tiers.activate(content)):
        error = refused(work)
        assert (error.code, error.is_input) == ("BAD_CONFIG", False)


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (404, b"nothing here", "BAD_CONFIG"),
        (200, b"<html>hello</html>", "GENERATION_FAILED"),
        (200, b'{"data": []}', "BAD_CONFIG"),
        (200, b'{"data": [{"id": "m"}]}', "BAD_CONFIG"),
        (503, b"loading", "NOT_READY"),
        (401, b"who are you", "BAD_CONFIG"),
    ],
    ids=str,
)
def test_what_else_speaks_http_there_is_named(tmp_path, status, said, code):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(404)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{http.server_port}"
        error = refused(lambda: connect(Inference(engine="openai", url=url), Home(tmp_path)))
        http.shutdown()
    assert (error.code, url in error.message) == (code, True)
    assert code != "BAD_CONFIG" or status != 401 or "BATOS_API_KEY" in error.hint


@pytest.mark.parametrize("ability", ["likelihood", "grammar"])
def test_abilities_travel_as_data(attached, ability):
    one = attached("llama").engine
    assert json.loads(json.dumps(one.stats()["abilities"]))[ability] == getattr(one.generator.abilities, ability)
