"""`models` and `model use` over a whole system."""

from __future__ import annotations

import pytest

from ..actors.inference.kinds import REFUSED, model_folder

pytestmark = pytest.mark.e2e


def test_another_model_takes_the_place_of_the_one_that_serves_and_gives_it_back(whole, tmp_path):
    before = whole.ok("models")
    assert (before["engine"], before["ready"]) == ("local", True)
    (embedded,) = before["models"]
    assert set(embedded["experts"]) >= {"brick", "robin"}
    (whole.home / "batos.toml").write_text("# mine\n[memory]\nthreads = 1  # few\n")
    others = {name: whole.pid(name) for name in ("storage", "broker", "memory", "guardian", "orchestrator")}

    # One that a look refuses: nothing is touched.
    pid = whole.pid("inference")
    code, told = whole.run("model", "use", str(tmp_path / "nowhere"))
    assert (code, told["error"]["code"]) == (2, "UNREADABLE")
    assert whole.pid("inference") == pid

    # One that looks well and cannot be served: the old one serves again.
    bad = model_folder(tmp_path / "bad", "OpenAIGPT", **REFUSED["OpenAIGPT"][0])
    code, told = whole.run("model", "use", str(bad))
    assert (code, "the old model serves" in told["error"]["hint"]) == (3, True), told
    assert (whole.home / "batos.toml").read_text() == "# mine\n[memory]\nthreads = 1  # few\n"
    assert whole.ok("models")["models"][0]["digest"] == embedded["digest"]

    # One of other shapes: it serves, and no expert keeps it from that.
    good = model_folder(tmp_path / "good", "Llama")
    used = whole.ok("model", "use", str(good))
    assert used["running"]
    text = (whole.home / "batos.toml").read_text()
    assert text.startswith("# mine\n[memory]\nthreads = 1  # few\n")
    assert str(good) in text
    (serving,) = whole.ok("models")["models"]
    assert (serving["digest"], serving["experts"]) == (used["digest"], [])
    assert set(serving["misfits"]) >= {"brick", "robin"}
    assert all("made for the base model" in one["reason"] for one in whole.ok("expert", "ls")["experts"])
    assert {name: whole.pid(name) for name in others} == others

    back = whole.ok("model", "use", "embedded")
    assert back["digest"] == embedded["digest"]
    assert "model" not in (whole.home / "batos.toml").read_text()
    assert set(whole.ok("models")["models"][0]["experts"]) >= {"brick", "robin"}
