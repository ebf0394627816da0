"""The training's process: its lines, over the world's own base model, and what it refuses before the first step."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from actors.inference.actor import Inference
from actors.inference.decoding.bank import linears
from actors.inference.training import train
from actors.inference.weights.adapter import read_adapter
from bus.stub import StubBus
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import ExpertReply, Import

ROWS = "".join(json.dumps({"prompt": f"{n}?", "response": f"{2 * n}."}) + "\n" for n in range(8))


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Signals stay as they are, and products as small as these are not worth a second thread."""
    monkeypatch.setattr(train.signal, "signal", lambda *_: None)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
async def kept(home):
    """A home whose world has the tiny model."""
    inference = Inference(home)
    await inference.begin()
    await inference.close()
    return home


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(ROWS)
    return path


@pytest.fixture
def run(home, capsys):
    """Run the process's main on the home; its exit code and its lines."""

    def go(*words, **changes):
        numbers = {"rank": 4, "epochs": 1, "steps": 2, "rate": 0.01, "seed": 0} | changes
        code = train.main([*words, "--home", str(home.root), *(f"--{name}={value}" for name, value in numbers.items())])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return go


def refusal(told):
    code, lines = told
    (line,) = lines
    assert line["error"]["hint"]
    return code, line["error"]["code"]


async def test_rows_become_an_adapter_that_inference_takes(kept, run, rows):
    code, (data, *steps, result) = run("brick", "--jsonl", str(rows))
    assert code == 0, result
    assert (data["event"], data["samples"], data["held_out"], data["truncated"], data["steps"]) == ("data", 7, 1, 0, 2)
    assert [(line["event"], line["step"], line["of"]) for line in steps] == [("training", n, 2) for n in range(3)]
    assert steps[0]["loss"] is None
    assert steps[1]["loss"] > 0
    assert (result["name"], result["path"]) == ("brick", str(kept.root / "training" / "brick" / "adapter"))
    assert (result["steps"], result["resumed"], result["held_out"]) == (2, 0, steps[-1]["held_out"])
    inference = Inference(kept)
    await inference.begin()
    bus = StubBus({("inference", "import"): inference.take})
    came: ExpertReply = await bus.call(verbs.IMPORT, Import(path=result["path"], name="brick"), seconds=30)
    await inference.close()
    assert (came.expert.rank, came.expert.name) == (4, "brick")


async def test_a_text_is_cut_into_windows_and_again_under_its_name_only_if_it_is_the_same(kept, run, rows):
    code, (data, *_, result) = run("brick", "--text", str(rows))
    assert (code, data["length"]) == (0, 128)
    assert data["samples"] + data["held_out"] == -(-len(ROWS) // 128)
    code, lines = run("brick", "--text", str(rows))
    assert (code, lines[-1]["resumed"]) == (0, 2)
    assert lines[-1]["path"] == result["path"]
    code, lines = run("brick", "--text", str(rows), rate=0.02)
    assert (code, lines[-1]["error"]["code"]) == (6, "NAME_TAKEN")
    code, lines = run("brick", "--text", str(rows), "--restart", rate=0.02)
    assert (code, lines[-1]["resumed"]) == (0, 0)


async def test_nobody_listens_any_more_so_it_stops_with_a_checkpoint(kept, run, rows, monkeypatch):
    class Closed:
        def write(self, _text):
            raise BrokenPipeError

        def flush(self):
            """There is nothing to flush."""

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Closed())
        assert train.main(words(kept, rows)) == 130
    code, lines = run("brick", "--jsonl", str(rows))
    assert (code, lines[-1]["resumed"]) == (0, 1)


def words(home, rows):
    source = ["--home", str(home.root), "--jsonl", str(rows)]
    return ["brick", *source, "--rank=4", "--epochs=1", "--steps=2", "--rate=0.01", "--seed=0"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rank": 9}, "BAD_ARGUMENT"),
        ({"rank": 0}, "BAD_ARGUMENT"),
        ({"epochs": 0}, "BAD_ARGUMENT"),
        ({"steps": -1}, "BAD_ARGUMENT"),
        ({"rate": "nan"}, "BAD_ARGUMENT"),
        ({"rate": 1}, "BAD_ARGUMENT"),
        ({"seed": -1}, "BAD_ARGUMENT"),
    ],
)
def test_settings_that_cannot_be(run, rows, changes, code):
    assert refusal(run("brick", "--jsonl", str(rows), **changes)) == (2, code)


def test_bad_files_are_refused_before_the_world_is_opened(run, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "open_store", lambda *_, **__: pytest.fail("the world was opened"))
    assert refusal(run("brick", "--text", str(tmp_path / "nothing"))) == (2, "UNREADABLE")
    rows.write_text(ROWS + "{\n")
    code, (line,) = run("brick", "--jsonl", str(rows))
    assert (code, line["error"]["code"]) == (2, "BAD_JSON")
    assert "line 9" in line["error"]["message"]
    assert refusal(run("_brick", "--text", str(rows))) == (2, "BAD_NAME")


async def test_data_that_cannot_be_learned_from_leaves_no_links(kept, run, rows):
    rows.write_text(json.dumps({"prompt": "much " * 100, "response": "little"}))
    assert refusal(run("brick", "--jsonl", str(rows))) == (2, "BAD_DOCUMENT")
    assert list((kept.root / "training").iterdir()) == []


async def test_a_home_that_cannot_be_written_is_named(kept, run, rows):
    (kept.root / "training").write_text("no folder")
    code, (line,) = run("brick", "--jsonl", str(rows))
    assert (code, line["error"]["code"]) == (7, "STORAGE")
    assert str(kept.root / "training" / "brick") in line["error"]["message"]


async def test_an_adapter_that_finds_no_place_fails_after_its_checkpoint(kept, run, rows):
    place = kept.root / "training" / "brick" / "adapter"
    place.parent.mkdir(parents=True)
    place.write_text("no folder")
    code, lines = run("brick", "--jsonl", str(rows))
    assert (code, lines[-1]["error"]["code"]) == (7, "STORAGE")
    assert str(place) in lines[-1]["error"]["message"]
    assert [path.name for path in (kept.root / "training").iterdir()] == ["brick"]
    place.unlink()
    code, lines = run("brick", "--jsonl", str(rows))
    assert (code, lines[-1]["resumed"]) == (0, 2)


async def test_what_cannot_be_cleared_is_not_gone_on_with(kept, run, rows):
    assert run("brick", "--jsonl", str(rows))[0] == 0
    place = kept.root / "training" / "brick"
    place.symlink_to(place.rename(place.with_name("elsewhere")))
    assert refusal(run("brick", "--jsonl", str(rows), "--restart")) == (7, "STORAGE")


def test_over_a_servers_model_nothing_can_be_trained(home, run, rows):
    text = home.config.read_text().replace(
        "[inference]\n", '[inference]\nengine = "openai"\nurl = "http://127.0.0.1:9"\n'
    )
    home.config.write_text(text)
    assert refusal(run("brick", "--jsonl", str(rows))) == (2, "BAD_CONFIG")


def test_a_world_without_a_model(run, rows):
    assert refusal(run("brick", "--jsonl", str(rows))) == (3, "NOT_READY")


async def test_nothing_is_written_into_the_world(kept, run, rows):
    before = kept.database.read_bytes()
    run("brick", "--jsonl", str(rows))
    assert kept.database.read_bytes() == before


async def test_the_adapter_names_its_base_model(kept, run, rows, tiny):
    *_, result = run("brick", "--jsonl", str(rows))[1]
    shapes = linears(LlamaForCausalLM.from_pretrained(tiny))
    with pytest.raises(BatosError, match="made for the base model"):
        read_adapter(Path(result["path"]), shapes, rank=8, base_model="0" * 64)
