"""`backup` and `restore` as they are typed: their shapes, their words in 80 columns, their errors."""

from __future__ import annotations

import json
import time

import pytest

from cli.calls.keeping import backup as calls
from cli.main import main
from cli.render.keeping import backup as render
from protocol.errors import BatosError
from tests.actors.storage.backup.conftest import awakened, life, tell

__all__ = ["awakened", "life", "tell"]


@pytest.fixture
def batos(life, capsys):
    """Run a command for the home of `life`: its exit code, its last line, and its events."""

    def run(*words, home=None):
        code = main(["--home", str(home or life.home.root), "--json", "--events", *map(str, words)])
        *events, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return code, last, events

    return run


def test_a_home_is_backed_up_shown_and_restored(life, tell, batos, short_path):
    life.publish()
    code, made, events = batos("backup", life.backup_folder)
    assert (code, set(made)) == (
        0,
        {"dir", "generation", "world", "full", "copied", "bytes", "generations", "swept", "seconds"},
    )
    assert [event["event"] for event in events] == ["keeping"] * len(events)
    life.publish()
    code, second, _ = batos("backup", life.backup_folder)
    assert (code, second["full"], second["generations"]) == (0, False, 2)
    code, found, _ = batos("restore", life.backup_folder, "--list")
    assert [one["generation"] for one in found["generations"]] == [made["generation"], second["generation"]]
    assert set(found["generations"][0]) == {"generation", "time", "tid", "form", "bytes", "blobs", "program", "home"}
    ways = {
        "newest": [],
        "named": ["--at", made["generation"]],
        "transaction": ["--at", made["world"]["tid"]],
        "time": ["--at", time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(found["generations"][0]["time"]))],
    }
    for name, at in ways.items():
        home = short_path / name
        code, again, events = batos("restore", life.backup_folder, *at, home=home)
        assert code == 0, again
        assert set(again) == {
            *("dir", "generation", "world", "objects", "reopened", "bytes", "home", "finished", "seconds")
        }
        assert len(tell(type(life.home)(home))[0]) == (2 if name == "newest" else 1)


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["backup", "{home}/inside"], 2, "BAD_BACKUP"),
        (["backup", ""], 2, "USAGE"),
        (["restore", "{home}"], 2, "BAD_BACKUP"),
        (["restore", "{backup}"], 2, "USAGE"),  # the home has a world
        (["restore", "{backup}", "--at", "no time"], 2, "USAGE"),
        (["restore", "{backup}", "--at", "20010101T000000Z"], 2, "BAD_BACKUP"),
        (["restore", "{backup}", "--list", "--at", "now"], 2, "USAGE"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(life, batos, words, code, error):
    life.publish()
    life.backup()
    places = {"home": life.home.root, "backup": life.backup_folder}
    found, last, _ = batos(*[word.format(**places) for word in words])
    assert (found, last["error"]["code"], bool(last["error"]["hint"])) == (code, error, True)


def test_nothing_is_too_wide_for_a_person(life):
    life.publish()
    made = life.backup()
    made = {**made, "dir": "/backup", "swept": 12}
    restored = {**life.restore()[1], "home": "/home/of/it", "reopened": 2}
    listed = {
        "generations": [
            {"generation": made["generation"], "time": 1.8e9, "bytes": 2_150_000_000, "tid": made["world"]["tid"]},
            {"generation": made["generation"], "problem": "it is damaged"},
        ]
    }
    finished = {"home": "/home/of/it", "finished": True, "seconds": 0.1}
    texts = [render.made(made), render.restored(restored), render.restored(finished), render.generations(listed)]
    assert [line for text in texts for line in text.splitlines() if len(line) > 80] == []
    assert "2.15 GB" in texts[3]
    assert "2 mandates" in texts[1]
    assert "12 files" in texts[0]


@pytest.mark.parametrize(("count", "said"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_150_000_000, "2.15 GB")])
def test_a_size_is_told_to_three_figures(count, said):
    assert render.size(count) == said


async def test_a_process_that_dies_without_a_word_is_a_failure(life, monkeypatch):
    monkeypatch.setattr(calls, "environment", lambda _home: {"PATH": "/nowhere", "PYTHONPATH": "/nowhere"})
    monkeypatch.setattr(calls.sys, "executable", "/bin/false")
    with pytest.raises(BatosError) as raised:
        await calls.backup(life.home, str(life.backup_folder), print)
    assert raised.value.code == "INTERNAL"


def test_a_process_of_a_backup_is_none_of_the_homes(life):
    """Else `down` and `up` would end it."""
    from ops.vitals import module

    child = ["python", "-P", "-m", "actors.storage", "--backup", "/b", "--home", str(life.home.root)]
    assert module(child, str(life.home.root)) == ""
