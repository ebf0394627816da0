"""`expert import`, `ls`, `activate`, `pin`: over a real broker, with an inference of ours behind it."""

from __future__ import annotations

import msgspec
import pytest

from cli.main import main
from protocol.errors import BatosError
from protocol.messages import ExpertReply, ExpertsReply, ExpertView, MandateReply

TID = "03f1000000000001"
VIEW = ExpertView(name="robin", sha256="ab" * 32, tier="cold", bytes=9_812_032, rank=16, base_model="cd" * 32)
SHAPE = {
    "name": "robin",
    "sha256": "ab" * 32,
    "tier": "cold",
    "bytes": 9_812_032,
    "rank": 16,
    "base_model": "cd" * 32,
    "pinned": False,
    "reason": "",
    "seconds": 0.5,
    "tid": TID,
    "persona": None,
    "mandate": None,
}


@pytest.fixture
def inference(serving):
    made = serving()
    made.replies["import"] = ExpertReply(expert=VIEW, seconds=0.5, tid=TID)
    made.start()
    return made


def failure(lines):
    (line,) = lines
    return line["error"]


def test_import_sends_the_whole_path(inference, batos, tmp_path, monkeypatch):
    (tmp_path / "adapter").mkdir()
    monkeypatch.chdir(tmp_path)
    assert batos("expert", "import", "adapter", "robin") == (0, [SHAPE])
    ((verb, request),) = inference.asked
    assert (verb, request.path, request.name) == ("import", str(tmp_path / "adapter"), "robin")


def test_an_import_whose_pin_cannot_be_kept_says_why(home, inference, tmp_path, capsys):
    words = ["expert", "import", str(tmp_path), "robin", "--home", str(home.root)]
    assert main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    view = msgspec.structs.replace(VIEW, pinned=True, reason="it is pinned, and the bank is full")
    inference.replies["import"] = ExpertReply(expert=view, seconds=0.5, tid=TID)
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["it is pinned, and the bank is full"]


def test_import_for_a_persona_ends_with_its_mandate(system, inference, batos, tmp_path):
    async def mandate(_request, _call):
        return MandateReply(mandate="M1", state="COMPLETE", tid=TID)

    system.handlers["mandate"] = mandate
    system.start_orchestrator()
    code, lines = batos("expert", "import", str(tmp_path), "robin", "--for", "ROBIN")
    assert (code, lines) == (0, [SHAPE | {"persona": "ROBIN", "mandate": "M1"}])
    (envelope,) = system.envelopes
    assert (envelope.body["target"], envelope.body["selector"], envelope.body["args"]) == (
        "ROBIN",
        "adopt_expert_",
        ["robin"],
    )
    assert envelope.idem


def test_a_persona_that_is_none_leaves_the_expert_imported_and_says_so(system, inference, batos, tmp_path):
    async def mandate(_request, _call):
        raise BatosError("UNKNOWN_OBJECT", "no object is called 'NOBODY'", "See `batos look`.")

    system.handlers["mandate"] = mandate
    system.start_orchestrator()
    code, lines = batos("expert", "import", str(tmp_path), "robin", "--for", "NOBODY")
    error = failure(lines)
    assert (code, error["code"], error["data"]["sha256"]) == (2, "UNKNOWN_OBJECT", "ab" * 32)
    assert "robin is imported" in error["hint"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere/at/all", "robin"], "UNREADABLE"),
        ([".", "_robin"], "BAD_NAME"),
        ([".", "robin", "--for", "a b"], "BAD_NAME"),
        (["."], "USAGE"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(inference, batos, words, said):
    code, lines = batos("expert", "import", *words)
    assert (code, failure(lines)["code"], inference.asked) == (2, said, [])


def test_a_bad_adapter_is_the_failure(inference, batos, tmp_path):
    inference.replies["import"] = BatosError("BAD_EXPERT", "the adapter lacks 14 of 28 matrices", "Train it again.")
    code, lines = batos("expert", "import", str(tmp_path), "robin")
    assert (code, failure(lines)["code"], failure(lines)["hint"]) == (2, "BAD_EXPERT", "Train it again.")


def test_ls(inference, batos, home, capsys):
    other = ExpertView(
        name="brick",
        sha256="ef" * 32,
        tier="warm",
        bytes=5,
        rank=4,
        base_model="x",
        last_used=1.5,
        reason="made\x1broom",
        invocation=[5, 7],
    )
    inference.replies["experts"] = ExpertsReply(experts=[VIEW, other])
    code, lines = batos("expert", "ls")
    assert code == 0
    assert [one["name"] for one in lines[0]["experts"]] == ["robin", "brick"]
    assert set(lines[0]["experts"][1]) >= {"name", "sha256", "tier", "bytes", "last_used", "pinned", "reason"}
    assert [one["invocation"] for one in lines[0]["experts"]] == [[], [5, 7]]
    assert main(["expert", "ls", "--home", str(home.root)]) == 0
    told = capsys.readouterr().out
    assert "robin" in told
    assert "9.8 MB" in told
    assert told.count("aLoRA") == 1
    assert "\x1b" not in told
    inference.replies["experts"] = ExpertsReply(experts=[])
    assert main(["expert", "ls", "--home", str(home.root)]) == 0
    assert "expert import" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "pin"), [(["activate", "robin"], None), (["pin", "robin"], True), (["pin", "robin", "--off"], False)]
)
def test_activate_and_pin(inference, batos, home, capsys, words, pin):  # noqa: PLR0917
    inference.replies["activate"] = ExpertReply(expert=VIEW, seconds=0.5)
    assert batos("expert", *words) == (0, [SHAPE | {"tid": None}])
    ((_, request),) = inference.asked
    assert (request.name, request.pin) == ("robin", pin)
    assert main(["expert", *words, "--home", str(home.root)]) == 0
    assert "robin is cold" in capsys.readouterr().out


def test_an_expert_that_is_none(inference, batos):
    inference.replies["activate"] = BatosError("UNKNOWN_EXPERT", "no expert is called 'robin'", "There are: brick.")
    code, lines = batos("expert", "activate", "robin")
    assert (code, failure(lines)["code"]) == (2, "UNKNOWN_EXPERT")


def test_nothing_runs(batos, tmp_path):
    for words in (["import", str(tmp_path), "robin"], ["ls"], ["activate", "robin"], ["pin", "robin"]):
        code, lines = batos("expert", *words)
        assert (code, failure(lines)["code"]) == (3, "NOT_RUNNING")
