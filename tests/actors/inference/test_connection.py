"""What is known of a model from its configuration alone, and which configurations lead nowhere."""

from __future__ import annotations

import shutil

import pytest

from actors.inference.connection import connect, identity, model_shapes
from protocol.errors import BatosError
from protocol.home import Home, Inference
from protocol.messages import Row

from .fake_server import FakeServer
from .small_house import refused


@pytest.fixture
def bare(tiny, tmp_path):
    """A folder with the tiny model's configuration, and without its weights."""
    folder = tmp_path / "bare"
    folder.mkdir()
    shutil.copy(tiny / "config.json", folder)
    return folder


def test_the_linears_follow_from_the_configuration(bare, engine):
    assert dict(model_shapes(str(bare))) == dict(engine._tiers.layout.shapes)


def test_the_identity_is_the_name_and_the_configuration(bare):
    first = identity(str(bare), "tiny")
    assert first == identity(str(bare), "tiny")
    assert identity(str(bare), "other") != first
    (bare / "config.json").write_text((bare / "config.json").read_text() + " ")
    assert identity(str(bare), "tiny") != first


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({}, "BAD_CONFIG", "inference.url"),
        ({"url": "ftp://somewhere"}, "BAD_CONFIG", "ftp://somewhere"),
        ({"url": "http://[::1"}, "BAD_CONFIG", "http://[::1"),
        ({"url": "http://127.0.0.1:9", "model": ""}, "BAD_MODEL", "config.json"),
        ({"url": "http://127.0.0.1:9", "model": "/nowhere"}, "BAD_MODEL", "/nowhere"),
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
