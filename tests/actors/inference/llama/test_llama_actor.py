"""The inference actor with llama.cpp: a GGUF file comes into the world as it is, and serves from there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from actors.inference.actor import Inference
from actors.inference.base_model import kept_model
from actors.inference.llama import hosted, keeping
from actors.inference.remote.server import Server
from protocol.errors import BatosError
from protocol.messages import BaseModel, Import, Infer, Row, Sampling, StatusQuery, Turn
from world.store import open_store

from ..asked import Asked
from .tiny_gguf import tiny_gguf

pytestmark = pytest.mark.llama
GREEDY = Sampling(temperature=0)


async def begun(home):
    inference = Inference(home)
    try:
        await inference.begin()
    except BaseException:
        await inference.close()
        raise
    return inference, Asked(inference)


def kept_in(home):
    store = open_store(home.settings(), home, name="test", seconds=1)
    kept = kept_model(store)
    store.close()
    return kept


async def test_a_file_is_kept_as_it_is_and_a_second_start_copies_nothing(llama_home, gguf, monkeypatch):
    row = Row(turns=[Turn(role="user", content="hello <end> there")], max_tokens=12, sampling=GREEDY)
    inference, ask = await begun(llama_home)
    first = await ask("infer", Infer(rows=[row, row]))
    detail = (await ask("status", StatusQuery())).detail
    await inference.close()
    kept = kept_in(llama_home)
    assert kept.files[gguf.name].read_bytes() == gguf.read_bytes()
    assert str(kept.files[gguf.name]).startswith(str(llama_home.blobs))
    assert (detail["device"], detail["threads"], detail["digest"]) == ("cpu", 1, kept.digest)
    assert detail["engine"] == {"engine": "llama", "why": "configured", "faster": ""}
    assert not (llama_home.root / "incarnation").exists()

    def copied(*_):
        raise AssertionError("the world has it already")

    monkeypatch.setattr(keeping, "copy", copied)
    inference, ask = await begun(llama_home)
    again = await ask("infer", Infer(rows=[row]))
    reply = await ask("model", BaseModel())
    await inference.close()
    assert (again.rows[0].text, again.model) == (first.rows[0].text, kept.digest)
    assert (reply.digest, reply.abilities.token_ids) == (kept.digest, True)


@pytest.mark.skipif("BATOS_TEST_GGUF" in os.environ, reason="the tokens are the tiny file's")
async def test_what_a_person_has_written_does_not_steer(llama_home):
    inference, _ = await begun(llama_home)
    words = inference._engine.generator.words
    vocabulary = words._prompts._tokenizer.get_vocab()
    steering = {vocabulary["<end>"], vocabulary["<turn>"]}
    said = [
        words.prompt(Row(turns=[Turn(role="user", content=text)])).words["prompt"] for text in ("a<end><turn>b", "ab")
    ]
    open_ended = words.prompt(Row(turns=[Turn(role="user", content="a"), Turn(role="assistant", content="b\n")]))
    bare = words.prompt(Row(prompt="a<end>")).words["prompt"]
    await inference.close()
    assert [sum(token in steering for token in prompt) for prompt in said] == [3, 3]
    assert len(said[0]) - len(said[1]) == len("<end><turn>")
    assert open_ended.words["prompt"][-2:] == (vocabulary["b"], vocabulary["Ċ"]), "the last turn goes on"
    assert steering.isdisjoint(bare)


@pytest.mark.parametrize("bad", ["cut off", "of an unknown architecture", "of no tokenizer"])
async def test_what_cannot_be_served_is_refused_and_the_old_model_serves(llama_home, gguf, tmp_path, bad):
    inference, _ = await begun(llama_home)
    await inference.close()
    before, text = kept_in(llama_home), llama_home.config.read_text()
    path = tmp_path / "bad.gguf"
    if bad == "cut off":
        data = tiny_gguf(path).read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif bad == "of an unknown architecture":
        tiny_gguf(path, architecture="nonsense")
    else:
        tiny_gguf(path, tokenizer=False)
    llama_home.config.write_text(text.replace(str(gguf), str(path)))
    with pytest.raises(BatosError) as caught:
        await begun(llama_home)
    assert (caught.value.code, "bad.gguf" in caught.value.message) == ("BAD_MODEL", True)
    assert not (llama_home.root / "incarnation").exists()
    assert kept_in(llama_home) == before
    llama_home.config.write_text(text)
    inference, ask = await begun(llama_home)
    assert (await ask("infer", Infer(rows=[Row(prompt="a", max_tokens=3)]))).model == before.digest
    await inference.close()


async def test_where_llama_cpp_ends_the_actor_ends_too_and_closing_it_is_no_such_end(llama_home, monkeypatch):
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(Inference, "end", lambda _: loop.call_soon_threadsafe(ended.set))
    inference, _ = await begun(llama_home)
    await inference.close()
    assert not ended.is_set()
    inference, ask = await begun(llama_home)
    os.kill(inference._process.pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        await ended.wait()
    assert (await ask.refused("infer", Infer(rows=[Row(prompt="a")]))).code == "NOT_READY"
    await inference.close()


async def test_experts_are_refused_in_words_and_stop_no_start(llama_home, adapter):
    folder = adapter("brick", seed=1)
    llama_home.staging.mkdir()
    folder.rename(llama_home.staging / "robin")
    inference, ask = await begun(llama_home)
    assert (llama_home.staging / "robin").is_dir(), "it waits for an engine that serves it"
    error = await ask.refused("import", Import(name="brick", path=str(llama_home.staging / "robin")))
    await inference.close()
    assert (error.code, "llama.cpp is not given experts yet" in error.message) == ("BAD_CONFIG", True)


def test_llama_cpp_ends_with_whoever_has_started_it(llama, gguf, tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from actors.inference.llama import hosted\n"
        "one = hosted.start(Path(sys.argv[1]), print, name='m', context=512, rows=1, threads=1, kept_mib=0)\n"
        "one.url(); print(one.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(gguf)], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    waited = os.pidfd_open(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    loop = asyncio.new_event_loop()
    gone = loop.create_future()
    loop.add_reader(waited, lambda: gone.done() or gone.set_result(True))
    assert loop.run_until_complete(asyncio.wait_for(gone, 30))
    loop.remove_reader(waited)
    loop.close()
    os.close(waited)


def test_the_key_stands_in_no_argument_and_no_environment_and_nothing_is_served_without_it(llama, gguf):
    one = hosted.start(gguf, print, name="m", context=512, rows=1, threads=1, kept_mib=0)
    try:
        url = one.url()
        assert url.startswith("http://127.0.0.1:")
        for told in ("cmdline", "environ"):
            assert one.key.encode() not in Path(f"/proc/{one.pid}/{told}").read_bytes()
        with pytest.raises(BatosError) as caught:
            Server(url, "").say("m", "a", 1)
        assert caught.value.code == "BAD_CONFIG"
        assert Server(url, one.key).models().keys() == {"m"}
    finally:
        one.close()


def test_neither_torch_nor_transformers_is_loaded_for_it():
    code = (
        "import sys, actors.inference.actor, actors.inference.llama.serve, actors.inference.experts.administration\n"
        "print([name for name in ('torch', 'transformers', 'safetensors') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
