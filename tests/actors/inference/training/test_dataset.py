"""What is refused before anything is loaded, and with which line."""

from __future__ import annotations

import json

import pytest

from actors.inference.training.dataset import read_dialogues, read_text
from protocol.errors import BatosError
from protocol.messages import Turn

GOOD = {"prompt": "a", "response": "b"}


def file(tmp_path, data):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_both_forms_of_a_row(tmp_path):
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
    ]
    text = json.dumps({"messages": turns, "id": 7}) + "\n\n" + json.dumps(GOOD)
    one, two = read_dialogues(file(tmp_path, text))
    assert (one.line, [turn.role for turn in one.turns]) == (1, ["system", "user", "assistant"])
    assert (two.line, two.turns) == (3, [Turn(role="user", content="a"), Turn(role="assistant", content="b")])


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("{", "BAD_JSON", "line 2"),
        ('{"prompt": "a", "response": "b"} {}', "BAD_JSON", "line 2"),
        ("[1]", "BAD_DOCUMENT", "line 2"),
        ("{}", "BAD_DOCUMENT", "line 2"),
        ('{"prompt": "a"}', "BAD_DOCUMENT", "line 2"),
        ('{"prompt": "a", "response": 3}', "BAD_DOCUMENT", "line 2"),
        ('{"prompt": "a", "response": " "}', "BAD_DOCUMENT", "nothing to learn"),
        ('{"messages": []}', "BAD_DOCUMENT", "nothing to learn"),
        ('{"messages": [{"role": "user", "content": "a"}]}', "BAD_DOCUMENT", "nothing to learn"),
        ('{"messages": [{"role": "robot", "content": "a"}]}', "BAD_DOCUMENT", "line 2"),
        ('{"messages": "a"}', "BAD_DOCUMENT", "line 2"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path, line, code, said):
    error = refusal(read_dialogues, file(tmp_path, f"{json.dumps(GOOD)}\n{line}\n"))
    assert error.code == code
    assert said in error.message


@pytest.mark.parametrize("read", [read_text, read_dialogues])
def test_files_that_are_no_text(tmp_path, read):
    assert refusal(read, tmp_path / "nothing").code == "UNREADABLE"
    assert refusal(read, tmp_path).code == "UNREADABLE"
    assert refusal(read, file(tmp_path, " \n")).code == "BAD_DOCUMENT"
    error = refusal(read, file(tmp_path, b"one\ntwo\n\xff"))
    assert (error.code, error.data["line"]) == ("BAD_DOCUMENT", 3)


def test_a_file_without_end(monkeypatch, tmp_path):
    monkeypatch.setattr("actors.inference.training.dataset.MAX_BYTES", 10)
    assert refusal(read_text, file(tmp_path, "x" * 11)).code == "TOO_LARGE"


def refusal(read, path):
    with pytest.raises(BatosError) as caught:
        read(path)
    assert caught.value.hint
    return caught.value
