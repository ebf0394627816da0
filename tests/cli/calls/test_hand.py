"""The user's hand from the command: words in, one request with a key out, and what a person is told."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest

from protocol.errors import BatosError
from protocol.messages import (
    Defined,
    DefinedMethod,
    Dropped,
    Listed,
    Looked,
    MethodVersion,
    MethodView,
    Renamed,
    Reverted,
    SlotsSet,
    SourceText,
    Versions,
)

OID = "00000000000000ab"
AREA = "def area_(self):\n    return 1\n"
BROKEN = [
    {
        "selector": "up_",
        "sha256": "s",
        "verdict": "reject",
        "violations": [{"rule": "COV001", "line": 4, "message": "m"}],
    }
]


@pytest.fixture
def asked(system):
    """Every request with its key; `answers` and `errors` by verb may be changed."""
    seen = []
    answers = {
        "define": Defined(
            name="box", oid=OID, methods=[DefinedMethod(selector="area_", sha256="ab" * 32, verdict="accept")], tid=OID
        ),
        "set": SlotsSet(name="box", oid=OID, slots=["width"], tid=OID),
        "drop": Dropped(name="box", oid=OID, tid=OID),
        "rename": Renamed(name="crate", before="box", oid=OID, tid=OID),
        "revert": Reverted(name="box", oid=OID, selector="area_", sha256="cd" * 32, tid=OID),
        "list": Listed(kind="objects", items=[], next=None),
        "history": Versions(name="box", holder="box", versions=[]),
        "look": Looked(name="box", oid=OID, tid=OID, slots={}, parents=[], methods={}),
        "source": SourceText(
            selector="area_",
            holder="box",
            method=MethodView(sha256="ab" * 32, author="a", source=AREA, verdict="accept"),
        ),
    }

    def answering(verb):
        async def handler(request, call):
            seen.append((verb, request, call.envelope.idem))
            if isinstance(answers[verb], BatosError):
                raise answers[verb]
            return answers[verb]

        return handler

    system.handlers = {verb: answering(verb) for verb in answers}
    system.start()
    system.answers = answers
    return seen


def test_a_file_is_defined_under_a_key(asked, batos, tmp_path):
    file = tmp_path / "area.py"
    file.write_text(AREA)
    code, [made] = batos("define", "box", str(file), "--drop-contract", "--key", "k1")
    assert (code, made["methods"][0]["selector"], made["tid"]) == (0, "area_", OID)
    [(verb, request, key)] = asked
    assert (verb, request.source, request.drop_contract, request.replaces, key) == ("define", AREA, True, None, "k1")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("define", "box", "{missing}"), "UNREADABLE"),
        (("define", "box", "{empty}"), "BAD_ARGUMENT"),
        (("define", "_box", "{empty}"), "BAD_ARGUMENT"),
        (("set", "box"), "USAGE"),
        (("set", "box", "width"), "USAGE"),
        (("set", "box", "width=wide"), "BAD_JSON"),
        (("set", "box", "_x=1"), "BAD_NAME"),
        (("set", "box", "area_=1"), "BAD_NAME"),
        (("rename", "box", "_x"), "BAD_NAME"),
        (("revert", "box", "area"), "BAD_SELECTOR"),
        (("history", "box", "area"), "BAD_SELECTOR"),
        (("ls", "things"), "USAGE"),
        (("edit", "box", "area"), "BAD_SELECTOR"),
        (("look", "box", "--at", "tomorrow"), "USAGE"),
        (("source", "box", "area_", "--at", "tomorrow"), "USAGE"),
    ],
)
def test_bad_words_are_refused_here_with_the_next_step(asked, batos, tmp_path, words, code):
    (tmp_path / "empty").write_text("\n \n")
    places = {"missing": str(tmp_path / "none"), "empty": str(tmp_path / "empty")}
    exit_code, lines = batos(*(word.format(**places) for word in words))
    assert (exit_code, lines[-1]["error"]["code"]) == (2, code)
    assert lines[-1]["error"]["hint"]
    assert [verb for verb, *_ in asked if verb != "look"] == []


def test_a_refused_file_is_told_line_by_line(asked, system, told, tmp_path):
    file = tmp_path / "up.py"
    file.write_text(AREA)
    system.answers["define"] = BatosError("REFUSED", "line 4: COV001 m", "Nothing has changed.", methods=BROKEN)
    code, out, err = told("define", "box", str(file))
    assert (code, out) == (4, "")
    assert f"{file}:4: COV001 m" in err
    assert "error REFUSED" in err


def test_every_word_reaches_the_request(asked, batos):
    batos("set", "box", "width=7", "parent*=@pen")
    batos("drop", "box", "area_", "--force")
    batos("rename", "box", "crate")
    batos("revert", "box", "area_", "--to", "abcd")
    batos("ls", "methods", "--after", "box.area_", "--limit", "3")
    batos("history", "box", "area_", "--after", "2")
    batos("source", "box", "area_", "--at", OID)
    requests = [request for _, request, _ in asked]
    assert requests[0].slots == {"width": 7, "parent*": {"$ref": "pen"}}
    assert (requests[1].entry, requests[1].force) == ("area_", True)
    assert (requests[2].name, requests[2].to) == ("box", "crate")
    assert (requests[3].selector, requests[3].to) == ("area_", "abcd")
    assert (requests[4].kind, requests[4].after, requests[4].limit) == ("methods", "box.area_", 3)
    assert (requests[5].selector, requests[5].after) == ("area_", 2)
    assert requests[6].at == OID
    assert all(key for _, _, key in asked[:4])


def test_lists_and_versions_fit_a_terminal(asked, system, told):
    long = "a-very-long-name-of-an-object-" * 3
    items = [
        {"name": name, "oid": OID, "parents": ["traits_obj"], "slots": 12, "methods": 1} for name in ("box", long[:100])
    ]
    system.answers["list"] = Listed(kind="objects", items=items, next=long[:100])
    code, out, _ = told("ls")
    lines = out.splitlines()
    assert code == 0
    assert all(len(line) <= 80 for line in lines[:2])
    assert "12 slots" in lines[1]
    assert lines[-1].endswith(f"--after {long[:100]}")
    version = MethodVersion(
        selector="area_",
        tid=OID,
        time=1.0,
        sha256="ab" * 32,
        author=f"user:{getpass.getuser()}",
        why="why " * 40,
        verdict="accept",
        stands=True,
    )
    system.answers["history"] = Versions(name="box", holder="shape", versions=[version], next=1)
    _, out, _ = told("history", "box", "area_")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert out.startswith("box has it from shape\n* ")


@pytest.mark.parametrize("kind", ["objects", "methods", "documents", "experts", "names"])
def test_an_empty_list_says_how_to_fill_it(asked, system, told, kind):
    system.answers["list"] = Listed(kind=kind, items=[])
    code, out, _ = told("ls", kind)
    assert (code, len(out.splitlines())) == (0, 1)


# The editor ----------------------------------------------------------------------------------------------------


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """An editor that does what a line of shell says to the file "$1"."""

    def use(script):
        program = tmp_path / "editor.sh"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("VISUAL", os.fspath(program))

    return use


def defined(asked):
    return [request for verb, request, _ in asked if verb == "define"]


def test_what_was_saved_is_defined_in_the_place_of_what_was_read(asked, batos, editor):
    editor('sed -i s/1/2/ "$1"')
    code, [made] = batos("edit", "box", "area_")
    assert (code, made["tid"]) == (0, OID)
    [request] = defined(asked)
    assert (request.source, request.replaces) == (AREA.replace("1", "2"), "ab" * 32)


def test_an_inherited_method_becomes_one_of_its_own(asked, system, batos, editor):
    system.answers["look"] = Looked(name="heir", oid=OID, tid=OID, slots={}, parents=[], methods={})
    editor('sed -i s/1/2/ "$1"')
    assert batos("edit", "heir", "area_")[0] == 0
    assert defined(asked)[0].replaces == ""


def test_a_new_method_begins_with_its_first_line(asked, system, batos, editor):
    system.answers["source"] = BatosError("UNKNOWN_METHOD", "no", "")
    editor('echo "# why" >> "$1"')
    assert batos("edit", "box", "up_(by)")[0] == 0
    assert defined(asked)[0].source == "def up_(self, by):\n    return None\n# why\n"


@pytest.mark.parametrize("script", ["true", ': > "$1"', 'rm "$1"'])
def test_an_editor_that_saves_nothing_changes_nothing(asked, batos, editor, script):
    editor(script)
    code, [made] = batos("edit", "box", "area_")
    assert (code, made["tid"], defined(asked)) == (0, None, [])


def test_an_editor_that_fails_changes_nothing(asked, batos, editor, monkeypatch):
    editor('sed -i s/1/2/ "$1"; exit 3')
    code, [line] = batos("edit", "box", "area_")
    assert (code, line["error"]["code"], defined(asked)) == (2, "UNREADABLE", [])
    assert "ended with 3" in line["error"]["message"]
    assert Path(line["error"]["data"]["file"]).read_text() == AREA.replace("1", "2"), "what it had saved is not lost"
    assert "text" not in line["error"]["data"]
    Path(line["error"]["data"]["file"]).unlink()
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    assert batos("edit", "box", "area_")[0] == 2


def test_a_refused_text_is_kept_and_edited_on(asked, system, batos, editor):
    good = system.answers["define"]
    system.answers["define"] = BatosError("REFUSED", "line 4: COV001 m", "Nothing has changed.", methods=BROKEN)
    editor('sed -i s/1/2/ "$1"')
    code, [line] = batos("edit", "box", "area_")
    assert (code, line["error"]["code"]) == (4, "REFUSED")
    place = line["error"]["data"]["file"]
    assert place in line["error"]["hint"]
    assert Path(place).read_text() == AREA.replace("1", "2")
    system.answers["define"] = good
    editor('sed -i s/2/3/ "$1"')
    assert batos("edit", "box", "area_")[0] == 0
    assert defined(asked)[-1].source == AREA.replace("1", "3")
    assert not Path(place).exists()
