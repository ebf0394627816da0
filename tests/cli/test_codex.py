"""`codex`: printed as it stands, loaded from a file or a pipe, and what is no codex refused before it is sent."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from cli.main import main
from protocol.errors import BatosError
from protocol.messages import CodexReply

TEXT = '[roles]\nclosing = "ALFRED"\n'
TID = "03f1000000000001"


@pytest.fixture
def codex(system):
    """A world with a codex; `load` says what comes of another one. `asked`: the texts that came."""

    loaded = CodexReply(text=TEXT, personas=["BRICK", "ROBIN"], forgotten=["BRICK.guide_facet_"], tid=TID)
    world = SimpleNamespace(asked=[], load=loaded)

    async def serve(request, _call):
        world.asked.append(request.text)
        if request.text is None:
            return CodexReply(text=TEXT, personas=["BRICK", "ROBIN"])
        if isinstance(world.load, BatosError):
            raise world.load
        return world.load

    system.handlers["codex"] = serve
    system.start()
    return world


def test_the_codex_is_printed_to_the_letter(codex, batos, home, capsys):
    code, lines = batos("codex")
    assert (code, lines) == (0, [{"text": TEXT, "personas": ["BRICK", "ROBIN"], "forgotten": [], "tid": None}])
    assert main(["--home", str(home.root), "codex"]) == 0
    assert capsys.readouterr().out == TEXT
    assert codex.asked == [None, None]


def test_a_file_becomes_the_codex(codex, batos, home, capsys, tmp_path):
    path = tmp_path / "codex.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    code, (loaded,) = batos("codex", str(path))
    assert (code, loaded["forgotten"], loaded["tid"]) == (0, ["BRICK.guide_facet_"], TID)
    assert codex.asked == [TEXT]
    assert main(["--home", str(home.root), "codex", str(path)]) == 0
    assert capsys.readouterr().out == (
        "the codex has 2 personas: BRICK, ROBIN\n  BRICK.guide_facet_ will be written again when it is needed\n"
    )
    codex.load = CodexReply(text=TEXT, personas=["BRICK"])
    assert main(["--home", str(home.root), "codex", str(path)]) == 0
    assert capsys.readouterr().out.endswith("nothing has changed\n")


def test_a_codex_comes_through_a_pipe(codex, batos, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert batos("codex", "-")[0] == 0
    assert codex.asked == [TEXT]


def test_what_the_world_refuses_is_said(codex, batos, tmp_path):
    codex.load = BatosError("BAD_CODEX", "the persona BRICK has 2 pillars; it needs 3", "`batos codex` prints it.")
    path = tmp_path / "codex.toml"
    path.write_text(TEXT)
    code, (line,) = batos("codex", str(path))
    assert (code, line["error"]["code"]) == (2, "BAD_CODEX")
    assert "BRICK" in line["error"]["message"]


@pytest.mark.parametrize(
    ("data", "code"),
    [(None, "UNREADABLE"), (b"\xff\xfe", "UNREADABLE"), (b"#" * ((1 << 18) + 1), "TOO_LARGE")],
)
def test_what_is_no_text_is_not_sent(codex, batos, tmp_path, data, code):
    path = tmp_path / "codex.toml"
    if data is not None:
        path.write_bytes(data)
    got, (line,) = batos("codex", str(path))
    assert (got, line["error"]["code"]) == (2, code)
    assert str(path) in line["error"]["message"]
    assert line["error"]["hint"]
    assert codex.asked == []


def test_a_file_without_an_end_has_one_here(codex, batos, tmp_path):
    for path, code in (("/dev/zero", "TOO_LARGE"), (str(tmp_path), "UNREADABLE")):
        got, (line,) = batos("codex", path)
        assert (got, line["error"]["code"]) == (2, code)
    assert codex.asked == []
