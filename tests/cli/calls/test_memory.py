"""`search`: over a real broker, with a memory of ours behind it."""

from __future__ import annotations

from cli.main import main
from protocol.messages import Found, Hit

OID, TID = "000000000000002a", "03f1000000000001"
HIT = Hit(chunk_oid=OID, doc_id="a", chunk_index=0, score=1.5, text="a wing\nof it", metadata={"kind": "document"})
HIT_FIELDS = {field: getattr(HIT, field) for field in HIT.__struct_fields__}


def test_search(memory, batos):
    memory.replies["search"] = Found(hits=[HIT], seconds=0.01)
    code, lines = batos("search", "a wing?", "--top-k", "3")
    hit = {"chunk_oid": OID, "doc_id": "a", "chunk_index": 0, "score": 1.5, "text": "a wing\nof it"}
    hit |= {"start": 0, "context": "", "alike": 0, "before": [], "after": [], "explained": None}
    assert (code, lines) == (0, [{"hits": [{**hit, "metadata": {"kind": "document"}}], "seconds": 0.01, "by": "words"}])
    ((_, asked),) = memory.asked
    assert (asked.query, asked.top_k, asked.where) == ("a wing?", 3, {})
    for top_k in ("0", "101", "x"):
        assert batos("search", "wing", "--top-k", top_k)[0] == 2


def test_a_search_is_narrowed_explained_and_of_a_moment(memory, batos):
    memory.replies["search"] = Found(hits=[HIT], seconds=0.01)
    entries = ["--where", "n=1", "--where", "kind=document", "--where", "who=", "--where", "eq=a=b"]
    times = ["--since", "1970-01-02T00:00+00:00", "--until", "1970-01-03T00:00Z", "--at", TID]
    assert batos("search", "wing", *entries, *times, "--around", "2", "--explain")[0] == 0
    ((_, asked),) = memory.asked
    assert asked.where == {"n": 1, "kind": "document", "who": "", "eq": "a=b"}
    assert (asked.since, asked.until, asked.at, asked.around, asked.explain) == (86400.0, 172800.0, TID, 2, True)
    for wrong in (["--where", "n"], ["--where", "=1"], ["--since", "soon"], ["--at", "soon"], ["--around", "21"]):
        assert batos("search", "wing", *wrong)[0] == 2


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
