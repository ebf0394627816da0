"""TAB: what a shell offers, asked from the system that runs; and nothing, in silence, where none does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

from cli.commands.life import SHELLS
from cli.main import main
from protocol.codec import Ref
from protocol.messages import (
    CyclesReply,
    CycleSummary,
    Listed,
    Looked,
    MethodVersion,
    MethodView,
    Proposal,
    ProposalsReply,
    Versions,
)

OID = "00000000000000ab"
AREA = MethodView(sha256="ab" * 32, author="a", source="", verdict="accept", intent="How large it is.\nReally.")


@pytest.fixture
def running(system):
    asked = []
    lists = {
        "names": [{"name": name, "kind": "object"} for name in ("box", "boxes", "crate", "Ära")],
        "documents": [{"doc_id": "house", "chunks": 2}],
        "experts": [{"name": "babs", "sha256": "cd" * 32}],
    }

    async def listed(request, _call):
        asked.append(request)
        items = [item for item in lists[request.kind] if (item.get("name") or item["doc_id"]) > (request.after or "")]
        return Listed(kind=request.kind, items=items)

    async def look(request, _call):
        own = request.target == "box"
        methods = {"area_": AREA} if own else {"grow_": AREA, "_secret_": AREA}
        parents = [Ref(OID)] if own else []
        return Looked(name="box", oid=OID, tid=OID, slots={"width": 5}, parents=parents, methods=methods)

    async def cycles(_request, _call):
        one = CycleSummary(
            cycle="c8e695",
            mandate="M1",
            target=OID,
            selector="area_",
            state="COMPLETE",
            started=1.0,
            seconds=1.0,
            name="box",
        )
        return CyclesReply(cycles=[one])

    async def history(request, _call):
        one = MethodVersion(
            selector="area_", tid=OID, time=1.0, sha256="ab" * 32, author="a", why="w", verdict="accept", stands=True
        )
        return Versions(name="box", holder="box", versions=[one])

    async def proposals(_request, _call):
        texts = dict.fromkeys(
            ("mandate", "cycle", "source", "intent", "origin", "verdict", "diff", "oid", "sha256"), ""
        )
        one = Proposal(
            id="9f0c", name="box", selector="area_", state="waiting", age_s=1.0, replaces=None, result=None, moved=False,
            doubts=[], parameters=[], examples=[], cases=[], **texts,
        )  # fmt: skip
        return ProposalsReply(proposals=[one])

    handlers = {"list": listed, "look": look, "cycles": cycles, "history": history, "proposals": proposals}
    system.handlers = handlers
    system.start()
    return asked


@pytest.fixture
def tab(home, monkeypatch, capsys):
    """What fish would be told for these words, of which the last is being typed: the values, and what was said on stderr."""

    def press(*words):
        monkeypatch.setenv("_BATOS_COMPLETE", "fish_complete")
        monkeypatch.setenv("BATOS_HOME", str(home.root))
        monkeypatch.setenv("COMP_WORDS", " ".join(["batos", *words]))
        monkeypatch.setenv("COMP_CWORD", words[-1])
        assert main([]) == 0
        told = capsys.readouterr()
        return [line.partition(",")[2].split("\t")[0] for line in told.out.splitlines() if line], told.err

    return press


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["send", "bo"], ["box", "boxes"]),
        (["send", "box"], ["box", "boxes"]),
        (["look", "Ä"], ["Ära"]),
        (["send", "box", ""], ["area_", "grow_"]),
        (["source", "box", "a"], ["area_"]),
        (["revert", "box", "area_", "--to", ""], ["abababababab"]),
        (["drop", "box", ""], ["area_", "width"]),
        (["cycle", "show", "c8"], ["c8e695"]),
        (["confirm", "c8"], ["c8e695"]),
        (["accept", "9"], ["9f0c"]),
        (["check", "cr"], ["crate"]),
        (["forget", "h"], ["house"]),
        (["expert", "pin", ""], ["babs"]),
        (["new", "pen", "owner=@cr"], ["owner=@crate"]),
        (["send", "box", "area_", "@bo"], ["@box", "@boxes"]),
        (["export", "box", "cr"], ["crate"]),
        (["ls", "me"], ["methods"]),
        (["completion", "z"], ["zsh"]),
    ],
)
def test_a_word_is_completed_to_what_there_is(running, tab, words, offered):
    assert tab(*words) == (offered, "")


@pytest.mark.parametrize("words", [["send", "bo"], ["send", "box", ""], ["cycle", "show", ""]])
def test_where_nothing_runs_there_is_nothing_and_nothing_is_said(home, tab, words):
    assert tab(*words) == ([], "")
    (home.run / "bus.sock").touch()  # as a dead system leaves it
    began = time.monotonic()
    assert tab(*words) == ([], "")
    assert time.monotonic() - began < 30


def test_bash_ends_a_word_at_the_sign_of_a_reference(running, home, monkeypatch, capsys):
    monkeypatch.setenv("_BATOS_COMPLETE", "bash_complete")
    monkeypatch.setenv("BATOS_HOME", str(home.root))
    monkeypatch.setenv("COMP_WORDS", "batos set box owner = @ cr")
    monkeypatch.setenv("COMP_CWORD", "6")
    main([])
    assert capsys.readouterr().out.splitlines() == ["plain,crate"]


def test_files_are_left_to_the_shell(home, monkeypatch, capsys):
    monkeypatch.setenv("_BATOS_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "batos define box are")
    monkeypatch.setenv("COMP_CWORD", "3")
    main([])
    assert capsys.readouterr().out.splitlines() == ["file,are"]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_told_how(shell, capsys):
    assert main(["completion", shell]) == 0
    told = capsys.readouterr()
    assert SHELLS[shell] in told.err
    assert "_BATOS_COMPLETE" in told.out
    program = shutil.which(shell)
    if program is not None and shell != "zsh":
        assert subprocess.run([program, "-n"], input=told.out, text=True, check=False).returncode == 0


def test_bash_itself_offers_what_there_is(running, home, tmp_path):
    """The script in a real bash: its function is called as TAB calls it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "batos").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli.main "$@"\n')
    (folder / "batos").chmod(0o755)
    script = subprocess.run([folder / "batos", "completion", "bash"], capture_output=True, text=True, check=True).stdout
    asked = 'COMP_WORDS=(batos send bo); COMP_CWORD=2; _batos_completion batos; printf "%s\\n" "${COMPREPLY[@]}"'
    told = subprocess.run(
        ["bash", "-c", f"{script}\n{asked}"],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "BATOS_HOME": str(home.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.split() == ["box", "boxes"], told.stderr
