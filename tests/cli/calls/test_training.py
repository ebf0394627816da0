"""`expert train`: the command over a training of ours, and once over the real one in a running house."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bus.process.lock import hold
from cli.calls import training
from cli.main import main
from protocol.messages import ExpertReply, ExpertView, MandateReply

HERE = Path(__file__).parent
VIEW = ExpertView(name="well", sha256="ab" * 32, tier="cold", bytes=1_800_000, rank=8, base_model="cd" * 32)
TRAINED = {"steps": 2, "resumed": 0, "samples": 9, "truncated": 2, "held_out": 0.5, "seconds": 1.0}


@pytest.fixture
def small(monkeypatch):
    """A small training in the place of the real one."""
    monkeypatch.setattr(training, "MODULE", "small_training")
    monkeypatch.setenv("PYTHONPATH", str(HERE))


@pytest.fixture
def inference(serving):
    made = serving()
    made.replies["import"] = ExpertReply(expert=VIEW, seconds=0.5, tid="03f1000000000001")
    made.start()
    return made


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a", "response": "b"}\n')
    return path


def failure(lines):
    return lines[-1]["error"]


def test_its_steps_are_events_and_what_comes_of_it_is_imported(small, inference, batos, home, file):
    code, lines = batos("expert", "train", "well", "--jsonl", str(file), "--rank", "4")
    assert code == 0, lines
    assert [line["event"] for line in lines[:-1]] == ["data", "training", "training", "training"]
    assert lines[-1]["sha256"] == "ab" * 32
    assert lines[-1]["training"] == {"name": "well", "path": str(home.root), **TRAINED}
    ((verb, request),) = inference.asked
    assert (verb, request.path, request.name) == ("import", str(home.root), "well")
    words = json.loads((home.root / "words.json").read_text())
    assert words[:4] == ["well", "--home", str(home.root), f"--jsonl={file}"]
    assert {"--rank=4", "--epochs=3", "--steps=0", "--rate=0.001", "--seed=0"} <= set(words)


def test_a_persona_takes_it_up(small, system, inference, batos, file):
    async def mandate(_request, _call):
        return MandateReply(mandate="M1", state="COMPLETE")

    system.handlers["mandate"] = mandate
    system.start_orchestrator()
    code, lines = batos("expert", "train", "well", "--text", str(file), "--for", "BRICK", "--restart")
    assert (code, lines[-1]["persona"], lines[-1]["mandate"]) == (0, "BRICK", "M1")


def test_a_person_sees_what_it_comes_to(small, inference, home, file, capsys):
    assert main(["expert", "train", "well", "--jsonl", str(file), "--home", str(home.root)]) == 0
    told = capsys.readouterr()
    assert "well is trained in 2 steps, loss 0.500" in told.out
    assert "2 rows are cut after 512 tokens" in told.err
    assert "step 2 of 2: loss 1.500, held out 0.500" in told.err


def test_what_is_wrong_with_the_rows_is_the_failure(small, inference, batos, file):
    code, lines = batos("expert", "train", "bad", "--jsonl", str(file))
    assert (code, failure(lines)["code"], failure(lines)["data"]) == (2, "BAD_JSON", {"line": 3})
    assert inference.asked == []


def test_a_process_that_dies_is_a_failure(small, inference, batos, file):
    code, lines = batos("expert", "train", "dies", "--jsonl", str(file))
    assert (code, failure(lines)["code"]) == (1, "TRAINING_FAILED")
    assert "(9)" in failure(lines)["message"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_and_the_answer_waited_for(small, inference, home, file, number):
    command = [
        sys.executable,
        "-c",
        "import sys; from cli import main; from cli.calls import training; training.MODULE = 'small_training'; ",
    ]
    command[2] += "sys.exit(main.main(sys.argv[1:]))"
    words = ["expert", "train", "waits", "--jsonl", str(file), "--json", "--events", "--home", str(home.root)]
    path = os.pathsep.join([str(HERE), str(HERE.parents[2])])
    with subprocess.Popen(
        [*command, *words], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        ending = threading.Timer(60, process.kill)
        ending.start()
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("step") == 0:
                break
        process.send_signal(number)
        *_, last = process.stdout
        ending.cancel()
    assert process.returncode == 130
    assert json.loads(last)["error"]["hint"] == "The same command goes on."
    with hold(home.root / "training" / "waits.lock", "the name"):
        pass


def test_a_name_is_trained_by_one_at_a_time(small, inference, batos, home, file):
    (home.root / "training").mkdir()
    with hold(home.root / "training" / "well.lock", "the name"):
        code, lines = batos("expert", "train", "well", "--jsonl", str(file))
    assert (code, failure(lines)["code"]) == (3, "BUSY")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["well"], "USAGE"),
        (["well", "--text", "a", "--jsonl", "b"], "USAGE"),
        (["_well", "--text", "a"], "BAD_NAME"),
        (["../well", "--text", "a"], "BAD_NAME"),
        (["well", "--text", "a", "--for", "a b"], "BAD_NAME"),
        (["well", "--text", "a", "--rank", "x"], "USAGE"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_started(small, inference, batos, home, words, said):  # noqa: PLR0917
    code, lines = batos("expert", "train", *words)
    assert (code, failure(lines)["code"]) == (2, said)
    assert not (home.root / "words.json").exists()


def test_nothing_runs(batos, home, file):
    code, lines = batos("expert", "train", "well", "--jsonl", str(file))
    assert (code, failure(lines)["code"]) == (3, "NOT_RUNNING")
    assert "up" in failure(lines)["hint"]


@pytest.mark.e2e
@pytest.mark.model
def test_in_a_running_house(whole, tmp_path):
    """Stopped after a step, gone on with, imported, and taken up by a persona that then speaks through it."""
    rows = [{"prompt": f"What is {n} and {n}?", "response": f"It is {2 * n}, sir."} for n in range(6)]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    words = ("expert", "train", "sum", "--jsonl", str(file), "--for", "ALFRED", "--rank", "2", "--steps", "3")
    with whole.start(*words) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("step") == 1:
                process.send_signal(signal.SIGINT)
        assert process.wait() == 130, process.stderr.read()
    assert "goes on" in json.loads(line)["error"]["hint"]
    steps = []
    code, made = whole.follow(lambda event: steps.append(event.get("step")), *words)
    assert code == 0, made
    assert (made["persona"], made["rank"], made["training"]["steps"]) == ("ALFRED", 2, 3)
    assert made["training"]["resumed"] >= 1
    assert steps[:2] == [None, made["training"]["resumed"]]
    assert "sum" in [one["name"] for one in whole.ok("expert", "ls")["experts"]]
    assert whole.ok("look", "ALFRED")["slots"]["expert"] == "sum"
    code, refused = whole.run(*words[:-1], "4")
    assert (code, refused["error"]["code"]) == (6, "NAME_TAKEN")
