"""What is known of a model from its configuration alone, and which configurations lead nowhere."""

from __future__ import annotations

import contextlib
import json
import shutil

import pytest

from actors.inference.remote.connection import connect, identity, model_shapes
from actors.inference.remote.replies import Served
from protocol.errors import BatosError
from protocol.home import Home, Inference
from protocol.messages import Row

from ..fake_server import FakeServer
from ..small_house import refused


@pytest.fixture
def bare(tiny, tmp_path):
    """A folder with the tiny model's configuration and tokenizer, and without its weights."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(tiny / name, folder)
    return folder


@pytest.fixture
def fake(tiny):
    fake = FakeServer(tiny)
    yield fake
    fake.stop()


def test_the_linears_follow_from_the_configuration(bare, engine):
    assert dict(model_shapes(str(bare))) == dict(engine.tiers.layout.shapes)


def test_the_identity_is_the_name_and_the_configuration(bare):
    first = identity(str(bare), Served("tiny"))
    assert first == identity(str(bare), Served("tiny", meta={"n_params": 1}))
    assert identity(str(bare), Served("other")) != first
    (bare / "config.json").write_text((bare / "config.json").read_text() + " ")
    assert identity(str(bare), Served("tiny")) != first


def test_without_a_folder_the_identity_is_what_the_server_tells_of_the_model():
    first = identity("", Served("tiny", meta={"n_params": 1, "n_ctx": 8}))
    assert first == identity("", Served("tiny", meta={"n_ctx": 16, "n_params": 1}))
    assert first != identity("", Served("tiny", meta={"n_params": 2}))


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({}, "BAD_CONFIG", "inference.url"),
        ({"url": "ftp://somewhere"}, "BAD_CONFIG", "ftp://somewhere"),
        ({"url": "http://[::1"}, "BAD_CONFIG", "http://[::1"),
        ({"url": "http://127.0.0.1:9", "model": "/nowhere", "served": "tiny"}, "BAD_MODEL", "/nowhere"),
        ({"url": "http://127.0.0.1:9", "model": ""}, "NOT_READY", "http://127.0.0.1:9"),
        ({"url": "http://127.0.0.1:9"}, "NOT_READY", "http://127.0.0.1:9"),
    ],
)
def test_what_leads_nowhere_is_named(bare, tmp_path, settings, code, words):
    with pytest.raises(BatosError) as caught:
        connect(Inference(engine="openai", **({"model": str(bare)} | settings)), Home(tmp_path))
    assert (caught.value.code, words in caught.value.message, bool(caught.value.hint)) == (code, True, True)


def test_a_configuration_of_no_model_is_named(bare, tmp_path):
    (bare / "config.json").write_text('{"model_type": "none of ours"}')
    with pytest.raises(BatosError) as caught:
        connect(Inference(engine="openai", url="http://127.0.0.1:9", model=str(bare)), Home(tmp_path))
    assert caught.value.code == "BAD_MODEL"


def test_a_server_that_is_away_is_not_ready(tiny, tmp_path):
    fake = FakeServer(tiny)
    settings = Inference(engine="openai", model=str(tiny), dtype="float32", url=f"{fake.url}/v1/")
    engine = connect(settings, Home(tmp_path)).engine
    fake.stop()
    error = refused(lambda: engine.generate([Row(prompt="hello", max_tokens=4)]))
    assert (error.code, bool(error.hint), fake.url in error.message) == ("NOT_READY", True, True)
    assert refused(lambda: connect(settings, Home(tmp_path))).code == "NOT_READY"


def test_a_key_comes_from_the_environment(tiny, tmp_path, monkeypatch):
    fake = FakeServer(tiny, key="sesame")
    settings = Inference(engine="openai", model=str(tiny), dtype="float32", url=fake.url)
    try:
        error = refused(lambda: connect(settings, Home(tmp_path)))
        assert (error.code, "BATOS_API_KEY" in error.hint) == ("BAD_CONFIG", True)
        monkeypatch.setenv("BATOS_API_KEY", "sesame")
        assert connect(settings, Home(tmp_path)).engine.generate([Row(prompt="hello", max_tokens=4)]).rows[0].text
    finally:
        fake.stop()


def test_a_folder_without_a_tokenizer_is_named(bare, tmp_path, fake):
    (bare / "tokenizer.json").unlink()
    error = refused(lambda: connect(Inference(engine="openai", url=fake.url, model=str(bare)), Home(tmp_path)))
    assert (error.code, "tokenizer" in error.hint) == ("BAD_MODEL", True)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_no_code_of_the_folder_is_run_and_nobody_is_asked(bare, tmp_path, fake, file, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody is asked"))
    said = json.loads((bare / file).read_text())
    for name in ("AutoConfig", "AutoModelForCausalLM", "AutoTokenizer"):
        said.setdefault("auto_map", {})[name] = "trap.Trap"
    if file == "config.json":
        said["model_type"] = "trap"
    else:
        said["auto_map"]["AutoTokenizer"] = ["trap.Trap", None]
        said["tokenizer_class"] = "Trap"
    (bare / file).write_text(json.dumps(said))
    (bare / "trap.py").write_text("raise SystemExit('run')")
    with contextlib.suppress(BatosError):
        connect(Inference(engine="openai", url=fake.url, model=str(bare)), Home(tmp_path))
    assert file != "config.json" or refused(lambda: model_shapes(str(bare))).code == "BAD_MODEL"


@pytest.mark.parametrize(
    ("faults", "prompts"),
    [
        ({}, "tokens"),
        ({"words": True}, "texts"),
        ({"usage": None}, "texts"),
        ({"usage": {"prompt_tokens": 3}}, "texts"),
    ],
    ids=str,
)
def test_whether_the_server_takes_tokens_is_asked_of_it(bare, tmp_path, fake, faults, prompts):
    fake.faults |= faults
    engine = connect(Inference(engine="openai", url=fake.url, model=str(bare)), Home(tmp_path)).engine
    assert engine.stats()["prompts"] == prompts


def test_the_tokenizer_of_another_model_is_named(bare, tmp_path, fake):
    read = json.loads((bare / "tokenizer.json").read_text())
    vocab = read["model"]["vocab"]
    vocab["ve"] = vocab.pop(max(vocab.keys() - {"<end>", "v", "e"}, key=vocab.get))
    read["model"]["merges"] = [["v", "e"]]
    (bare / "tokenizer.json").write_text(json.dumps(read))
    error = refused(lambda: connect(Inference(engine="openai", url=fake.url, model=str(bare)), Home(tmp_path)))
    assert (error.code, "tokens" in error.message) == ("BAD_MODEL", True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), ("BAD_CONFIG", "http://127.0.0.1:9/")),
        ((200, {"Content-Type": "text/html"}, b"<html>"), ("GENERATION_FAILED", "not of its protocol")),
        ((200, {}, b""), ("GENERATION_FAILED", "not of its protocol")),
        ((200, {}, b"\xff"), ("GENERATION_FAILED", "not of its protocol")),
        ((200, {}, b"[" * 100_000), ("GENERATION_FAILED", "not of its protocol")),
        ((200, {}, b'{"data": [{"id": 7}]}'), ("GENERATION_FAILED", "not of its protocol")),
        ((200, {}, b" " * 20_000_000), ("GENERATION_FAILED", "more than")),
        ((500, {}, b"x" * 20_000_000), ("GENERATION_FAILED", "more than")),
        ((500, {"Content-Encoding": "gzip"}, b"no gzip"), ("GENERATION_FAILED", "unreadable")),
    ],
    ids=["redirect", "html", "empty", "bytes", "deep", "types", "much", "much to refuse", "packed"],
)
def test_a_server_of_another_kind_is_named(bare, tmp_path, fake, answer, said):
    fake.faults["plain"] = {"/v1/models": answer}
    error = refused(lambda: connect(Inference(engine="openai", url=fake.url, model=str(bare)), Home(tmp_path)))
    assert (error.code, said[1] in error.message, bool(error.hint)) == (said[0], True, True), error.message
    assert len(error.message) < 1000
