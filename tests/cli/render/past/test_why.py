"""A person understands at the first reading where something comes from."""

from __future__ import annotations

import msgspec

from cli.render.past import why as render
from protocol.messages import ChangedObject, ChangedSlot, Reasons
from protocol.messages.reasons import (
    Cause,
    DocumentReason,
    DrawnTexts,
    Ending,
    MandateReason,
    MethodReason,
    ToldPassage,
    UsedBy,
    WrittenReason,
)

CYCLE, MANDATE = "c3aaac57b819f9d812e60", "01M8PEAADR72DPD16Y76SJF0C2"
METHOD = MethodReason(
    name="box",
    holder="0" * 15 + "1",
    selector="area_",
    parameters=["by"],
    sha256="ab" * 32,
    source="def area_(self, by):\n    return by\n",
    stands=True,
    tid="03f1000000000001",
    time=1.0,
    author=CYCLE,
    put_by="user:lena",
    asked_by="mcp:claude-code",
    why="accept 01",
    intent="the area",
    origin="plot.area_",
    model="cd" * 32,
    expert=None,
    verdict="accept",
    examples=[{"slots": {"width": 3}, "args": [], "kwargs": {}, "returns": 12}],
    versions=2,
    replaced="ef" * 32,
    cycle=CYCLE,
    read="03f1000000000000",
    candidates=7,
)
CAUSE = Cause(
    mandate=MANDATE,
    cycle=None,
    said="send box area_ 3",
    asked_by="user:lena",
    time=1.0,
    state="COMPLETE",
    intent="the area",
)
TEXT = DrawnTexts(
    path="m.0",
    prompt="[user]\nwrite it",
    prompt_sha256="12" * 32,
    seeds=[5, 6, 7],
    temperatures=[0.0, 0.8, 0.8],
    tokens=30,
    model="cd" * 32,
    expert="brick",
    reply="34" * 32,
)
PASSAGE = ToldPassage(
    doc_id="house", chunk_index=2, chunk_oid="0" * 16, score=0.5, query="who", text="The pump\nof the fountain"
)
USED = UsedBy(
    methods=["till.cost_"], mandates=[CAUSE], documents=["answer:c1"], proposals=[], threads=["talk"], unknown=["x"]
)


def test_a_method():
    causes = [CAUSE, msgspec.structs.replace(CAUSE, cycle=CYCLE, said="box.area_ was not understood", asked_by="")]
    shown = render.told(
        Reasons(
            kind="method",
            what="box.area_",
            method=METHOD,
            causes=causes,
            texts=[TEXT],
            passages=[PASSAGE],
            used_by=USED,
        )
    )
    lines = shown.splitlines()
    assert lines[0] == "box.area_(by)"
    assert lines[1] == f"  sha256      {'ab' * 32}"
    assert lines[3] == f"  written by  cycle {CYCLE}"
    for line in [
        "  put by      user:lena: accept 01",
        "  asked by    mcp:claude-code",
        "  for         the area",
        "  adopted     from plot.area_",
        "  model       cdcdcdcdcdcd",
        "  verdict     accept, of 7 candidates; it owes 1 example",
        '              {"slots": {"width": 3}, "returns": 12}',
        f"  mandate {MANDATE}, by user:lena, COMPLETE",
        "    send box area_ 3",
        f"  cycle {CYCLE}, COMPLETE",
        "    box.area_ was not understood",
        "drawn: 3 texts, 30 tokens (prompts: --json)",
        "  prompt 121212121212, seed 5 to 7, model cdcdcdcdcdcd, expert brick",
        "told: 1 passage",
        "  house #2: The pump of the fountain",
        "what came of it",
        "  method      till.cost_",
        "  document    answer:c1",
        "  thread      talk",
    ]:
        assert line in lines, line
    assert max(map(len, lines)) <= 80


def test_a_method_of_the_system_and_one_that_stands_no_more():
    kernel = msgspec.structs.replace(
        METHOD,
        author="awakening",
        put_by="awakening",
        cycle=None,
        sha256=None,
        verdict="primitive",
        stands=False,
        examples=[],
    )
    shown = render.told(Reasons(kind="method", what="box.infer_", method=kernel))
    assert "which stands no more" in shown
    assert "the system, which the world began with" in shown
    assert "none: it is done by the system itself" in shown
    assert "verdict" not in shown


def test_a_mandate_whole_and_one_that_is_forgotten():
    reason = MandateReason(
        mandate=MANDATE,
        cycles=[msgspec.structs.replace(CAUSE, cycle=CYCLE, said="box.area_ was not understood")],
        wrote=[
            WrittenReason(name="box", oid="0" * 16, selector="area_", sha256="ab" * 32, cycle=CYCLE, installed=False)
        ],
        ending=Ending(state="FAILED", code="CONFLICT", message="\x1bchanged"),
        tid="03f1000000000001",
        read="03f1000000000000",
        changed=[ChangedObject(oid="0" * 16, name="box", how="changed", slots=[ChangedSlot(slot="width", how="new")])],
        documents=["method:1:area_"],
        digests={},
    )
    shown = render.told(Reasons(kind="mandate", what=MANDATE, mandate=reason, causes=[CAUSE]))
    lines = shown.splitlines()
    assert lines[0] == f"mandate {MANDATE}: send box area_ 3"
    assert "  wrote       box.area_ (abababababab), which was not put there" in lines
    assert "  published   commit 03f1000000000001" in lines
    assert "    box +width" in lines
    assert "  remembered  method:1:area_" in lines
    assert "\x1b" not in shown
    gone = msgspec.structs.replace(reason, ending=None, digests={"message": "ab" * 32, "end": "cd" * 32})
    told = render.told(
        Reasons(
            kind="mandate",
            what=MANDATE,
            mandate=gone,
            causes=[msgspec.structs.replace(CAUSE, said="")],
            missing=["the prompts: EXPIRED"],
        )
    )
    assert "what it asked for is not kept any more" in told
    assert "of which no more is kept" in told
    assert "not known any more:\n  the prompts: EXPIRED" in told
    assert max(map(len, told.splitlines())) <= 80


def test_a_document():
    reason = DocumentReason(
        doc_id="house",
        sha256="ab" * 32,
        passages=1,
        time=1.0,
        metadata={"kind": "document", "path": "/home/lena/house.txt", "pages": 3, "sources": ["a"]},
        sources=["a", "b"],
    )
    nothing = UsedBy(methods=[], mandates=[], documents=[], proposals=[], threads=[], unknown=[])
    shown = render.told(Reasons(kind="document", what="house", document=reason, used_by=nothing)).splitlines()
    assert shown[0] == "document house"
    assert "  path        /home/lena/house.txt" in shown
    assert "  pages       3" in shown
    assert "  made from   a" in shown
    assert shown[-1] == "nothing came of it, as far as is known"
