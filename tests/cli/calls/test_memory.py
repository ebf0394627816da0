"""`search`: over a real broker, with a memory of ours behind it."""

from __future__ import annotations

from cli.main import main
from protocol.messages import Found, Hit

OID = "000000000000002a"
HIT = Hit(chunk_oid=OID, doc_id="a", chunk_index=0, score=1.5, text="a wing\nof it", metadata={"kind": "document"})
HIT_FIELDS = {field: getattr(HIT, field) for field in HIT.__struct_fields__}


def test_search(memory, batos):
    memory.replies["search"] = Found(hits=[HIT], seconds=0.01)
    code, lines = batos("search", "a wing?", "--top-k", "3")
    hit = {"chunk_oid": OID, "doc_id": "a", "chunk_index": 0, "score": 1.5, "text": "a wing\nof it"}
    (found,) = lines[0]["hits"]
    assert (code, lines[0]["seconds"], found | hit) == (0, 0.01, found)
    assert found["metadata"] == {"kind": "document"}
    for top_k in ("0", "101", "x"):
        assert batos("search", "wing", "--top-k", top_k)[0] == 2


def test_a_person_reads_passages_and_nothing_that_a_terminal_would_obey(memory, home, capsys):
    memory.replies["search"] = Found(hits=[HIT, Hit(**{**HIT_FIELDS, "text": "\x1b[2J " + "long " * 200})], seconds=0.1)
    assert main(["--home", str(home.root), "search", "wing"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1. a #0  1.50\n   a wing of it\n2. a #0")
    assert "\x1b" not in out
    assert "…" in out
    memory.replies["search"] = Found(hits=[], seconds=0.1)
    main(["--home", str(home.root), "search", "wing"])
    assert capsys.readouterr().out == "nothing remembered has a word of this\n"
