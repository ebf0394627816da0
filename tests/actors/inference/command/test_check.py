from __future__ import annotations

import json
import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from actors.inference.command.check import check
from actors.inference.llama import sizing
from actors.inference.model import allowance
from actors.inference.model.gguf.header import read_header
from protocol import home as home_module
from protocol.errors import BatosError
from protocol.home import Home, Inference

from ..ggufs import HIDDEN, KEYS, LAYERS, write


def look(path, tmp_path, **settings):
    return check(str(path), Inference(**settings), Home(tmp_path))


def refusal(path, tmp_path, **settings):
    with pytest.raises(BatosError) as caught:
        look(path, tmp_path, **settings)
    assert caught.value.hint
    return caught.value


def test_a_folder_is_told_with_what_it_would_take_here(tiny, tmp_path):
    found = look(tiny, tmp_path)
    assert (found["kind"], found["architecture"], found["engine"]) == ("folder", "llama", "local")
    assert (found["context"], found["template"], found["fits"]) == (128, True, True)
    assert found["forms"] == ["narrow", "open", "free"]
    assert found["experts"]["fit"] is False
    shards = [json.loads(path.read_bytes()[8:].split(b"}}")[0] + b"}}") for path in tiny.glob("*.safetensors")]
    assert shards
    memory, speed = found["memory"], found["speed"]
    assert memory["weights"] in {2 * found["parameters"], 4 * found["parameters"]}
    assert memory["kv"] == memory["kv_per_token"] * 128
    assert memory["context"] == 128
    assert memory["needed"] < memory["free"]
    assert speed["estimate"] is True
    assert speed["tokens_per_s"] > 0


@pytest.mark.parametrize("llama", [False, True])
def test_a_gguf_file_is_told_with_the_engine_that_serves_it(tmp_path, monkeypatch, llama):
    monkeypatch.setattr(home_module, "has_llama", lambda: llama)
    path = write(tmp_path / "m.gguf", kinds=("Q8_0",), general__file_type=7)
    found = look(path, tmp_path, device="cpu")
    assert (found["kind"], found["quantization"]) == ("gguf", "Q8_0")
    assert found["engine"] == ("llama" if llama else "local")
    assert found["memory"]["kv_per_token"] in {LAYERS * 2 * KEYS * width for width in (2, 4)}
    matrices = LAYERS * (2 * HIDDEN * HIDDEN + 2 * KEYS * HIDDEN + 6 * HIDDEN * HIDDEN)
    assert found["parameters"] == 2 * 258 * HIDDEN + matrices + (2 * LAYERS + 1) * HIDDEN


@pytest.mark.parametrize(("free", "prefix_bytes"), [(8_000_000_000, 0), (8_000_000_000, 1_000_000), (100_000, 0)])
def test_what_llama_cpp_would_take_is_what_it_would_be_given(tmp_path, monkeypatch, free, prefix_bytes):
    monkeypatch.setattr(home_module, "has_llama", lambda: True)
    monkeypatch.setattr(allowance, "memory", lambda: free)
    path, settings = write(tmp_path / "m.gguf"), Inference(prefix_bytes=prefix_bytes)
    takes = sizing.taken(read_header(path))
    if takes.needed > free:
        memory = refusal(path, tmp_path, device="cpu").data["memory"]
        assert (memory["needed"], memory["context"]) == (takes.needed, 0)
        return
    memory = look(path, tmp_path, device="cpu", prefix_bytes=prefix_bytes)["memory"]
    given = sizing.share(read_header(path), settings)
    assert (memory["weights"], memory["beside"], memory["needed"]) == (takes.weights, takes.beside, takes.needed)
    assert (memory["context"], memory["prefixes"]) == (given.longest, given.kept)


def test_a_type_that_llama_cpp_alone_may_know_is_refused_for_torch(tmp_path, monkeypatch):
    path = write(tmp_path / "m.gguf", kinds=("Q8_0",))
    raw, name = path.read_bytes(), b"output.weight"
    place = raw.rindex(name, 0, read_header(path).tensors[0].offset) + len(name) + 4 + 2 * 8
    path.write_bytes(raw[:place] + (999).to_bytes(4, "little") + raw[place + 4 :])
    monkeypatch.setattr(home_module, "has_llama", lambda: False)
    assert "'output.weight' in type 999" in refusal(path, tmp_path, device="cpu").message
    monkeypatch.setattr(home_module, "has_llama", lambda: True)
    assert look(path, tmp_path, device="cpu")["engine"] == "llama"


def test_the_embedded_one_is_the_one_that_the_shipped_experts_fit(tmp_path):
    found = look("embedded", tmp_path)
    assert (found["experts"]["fit"], found["template"], found["why"]) == (True, True, "the embedded default")


def cut(path):
    path.write_bytes(path.read_bytes()[:-5000])


@pytest.mark.parametrize(
    ("made", "spoil", "said"),
    [
        ({}, cut, "is cut off"),
        ({"rows": 200}, None, "it is another model's"),
        ({"architecture": "nobodys"}, None, "'nobodys', which neither"),
        ({"split__count": 3}, None, "does not say which"),
        ({}, lambda path: path.write_text("<html>"), "web page"),
        ({}, lambda path: path.unlink(), "there is no model at"),
    ],
)
def test_a_file_that_is_wrong_is_named_by_what_is_wrong(tmp_path, made, spoil, said):
    path = write(tmp_path / "m.gguf", **made)
    if spoil:
        spoil(path)
    error = refusal(path, tmp_path, device="cpu")
    assert (error.code, error.exit_code) == ("UNREADABLE", 2)
    assert said in error.message


def test_a_part_of_a_set_that_is_missing_is_named(tmp_path):
    path = write(tmp_path / "m-00002-of-00003.gguf", split__count=3)
    shutil.copy(path, tmp_path / "m-00003-of-00003.gguf")
    assert "m-00001-of-00003.gguf is missing" in refusal(path, tmp_path).message


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer"),
        (lambda folder: max(folder.glob("*.safetensors")).unlink(), "lacks 1 of"),
        (lambda folder: max(folder.glob("*.safetensors")).write_bytes(b"no"), "is not whole"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "nobodys"}'), "does not know"),
    ],
)
def test_a_folder_that_is_wrong_is_named_too(tiny, tmp_path, spoil, said):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    spoil(folder)
    error = refusal(folder, tmp_path)
    assert (error.code, said in error.message) == ("UNREADABLE", True), error.message


def test_a_model_that_is_larger_than_the_memory_is_told_with_its_bytes(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(allowance, "memory", lambda: 100_000)
    error = refusal(tiny, tmp_path, device="cpu")
    assert (error.code, error.exit_code) == ("OUT_OF_MEMORY", 1)
    assert error.data["memory"]["needed"] > error.data["memory"]["free"] == 100_000
    assert error.data["architecture"] == "llama"


@contextmanager
def answering(status, body):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>hello</html>", "is no model server"),
        (404, b"nothing here", "answered 404"),
        (401, b'{"error": {"message": "no key"}}', "401"),
        (200, b'{"data": []}', "offers no model"),
    ],
)
def test_an_address_where_something_else_answers_is_no_model_server(tmp_path, status, body, said):
    with answering(status, body) as url:
        error = refusal(url, tmp_path)
    assert (error.code, error.exit_code, said in error.message) == ("BAD_CONFIG", 2, True), error.message
    assert status != 401 or "BATOS_API_KEY" in error.hint


def test_an_address_where_nobody_answers_is_not_ready(tmp_path):
    error = refusal("http://127.0.0.1:9", tmp_path)
    assert (error.code, error.exit_code) == ("NOT_READY", 3)
