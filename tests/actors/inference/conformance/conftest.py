"""Whatever generates texts, to be held to the same laws. One more of them is a fixture `serving_NAME` and its NAME in `EVERY`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.inference.base_model import KeptModel
from actors.inference.llama.serve import Watch, serve
from actors.inference.remote.connection import attach
from actors.inference.remote.server import Server
from protocol.home import Home, Inference

from ..conftest import BASE
from ..fake_server import FakeServer
from ..llama.tiny_gguf import need_llama, tiny_gguf

EVERY = ["local", "vllm", "llama", "chat", "llama_server", "hosted"]
KEY = "sesame"


@pytest.fixture(scope="module", params=EVERY)
def serving(request):
    """An engine of each kind in turn."""
    return request.getfixturevalue(f"serving_{request.param}")


@pytest.fixture(scope="module")
def serving_local(load):
    return load()


@pytest.fixture(scope="module")
def serving_vllm(tiny, tmp_path_factory):
    """A server that takes token ids and grammars, with the model's tokenizer and configuration here."""
    yield from on_fake(tiny, tmp_path_factory, "vllm", model=str(tiny))


@pytest.fixture(scope="module")
def serving_llama(tiny, tmp_path_factory):
    """A server in llama.cpp's dialect; nothing of its model lies here."""
    yield from on_fake(tiny, tmp_path_factory, "llama")


@pytest.fixture(scope="module")
def serving_chat(tiny, tmp_path_factory):
    """A server of chats alone, such as Ollama's; nothing of its model lies here."""
    yield from on_fake(tiny, tmp_path_factory, "chat")


@pytest.fixture(scope="module")
def serving_llama_server(tmp_path_factory):
    """llama.cpp itself, with the file that BATOS_TEST_GGUF names, else with a tiny one."""
    need_llama()
    folder = tmp_path_factory.mktemp("server")
    file = os.environ.get("BATOS_TEST_GGUF") or tiny_gguf(folder / "tiny.gguf")
    command = [sys.executable, str(Path(__file__).with_name("llama_server.py")), str(file), KEY]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        url = process.stdout.readline().strip()
        assert url.startswith("http"), (folder / "log").read_text()[-2000:]
        yield attach(Server(url, KEY), Inference(engine="openai"), Home(folder / "home")).engine
        process.stdin.close()
        process.wait()


@pytest.fixture(scope="module")
def serving_hosted(tmp_path_factory):
    """llama.cpp as inference starts it, with the file that BATOS_TEST_GGUF names, else with a tiny one."""
    need_llama()
    folder = tmp_path_factory.mktemp("hosted")
    file = Path(os.environ.get("BATOS_TEST_GGUF") or tiny_gguf(folder / "tiny.gguf"))
    kept = KeptModel(BASE, "tiny", {file.name: file})
    home = Home(folder / "home")
    served = serve(kept, Inference(threads=1), home, Watch(began=lambda _: None, on_end=lambda _: None))
    yield served.engine
    served.process.close()


def on_fake(tiny, tmp_path_factory, dialect, **settings):
    fake = FakeServer(tiny, dialect=dialect)
    home = Home(tmp_path_factory.mktemp(dialect))
    yield attach(Server(fake.url), Inference(engine="openai", **settings), home).engine
    fake.stop()
