"""A person sees the trace of a thought, whether it is that of then, and where it is not."""

from __future__ import annotations

import msgspec

from cli.render.past import replay as render
from protocol.messages import Replayed
from protocol.messages.reasons import Difference, Ending, ReplayedStep

STEPS = [
    ReplayedStep(path="m.0.IDLE.0", send="become_", state="IDLE", size=1, tokens=0),
    ReplayedStep(path="m.0.SYNTHESIZING.1.0", send="infer_", state="SYNTHESIZING", size=9, tokens=20),
    ReplayedStep(path="m.0.SYNTHESIZING.1", send="write_method_", state="SYNTHESIZING", size=1, tokens=20),
    ReplayedStep(path="m.0", send="_orc_start_cognitive_cycle_", state="", size=1, tokens=20),
]
SAME = Replayed(
    mandate="01M8PEAADR72DPD16Y76SJF0C2",
    cycle="c3aaac57b819f9d812e60",
    target="box",
    selector="area_",
    tid="03f1000000000001",
    time=1.0,
    same=True,
    steps=STEPS,
    total=4,
    then=Ending(state="COMPLETE", result=30, sha256="ab" * 32),
    now=Ending(state="COMPLETE", result=30, sha256="ab" * 32),
    difference=None,
    stopped=None,
    sources=[],
    seconds=0.4,
)


def test_the_same_trace_is_said_to_be_the_same():
    lines = render.replayed(SAME).splitlines()
    assert lines[0] == "mandate 01M8PEAADR72DPD16Y76SJF0C2, cycle c3aaac57b819f9d812e60"
    assert lines[1].startswith("box.area_, in the world of 1970-01-01")
    assert [line.split() for line in lines[2:6]][1] == ["infer_", "m.0.SYNTHESIZING.1.0", "20", "tokens"]
    assert lines[-3] == "the same: 4 steps (20 tokens then, none now), in 0.4 s; nothing was written"
    assert lines[-2] == "  then  COMPLETE 30, method abababababab"


def test_the_first_difference_ends_the_trace_that_is_told():
    difference = Difference(path="m.0.SYNTHESIZING.1.0", then="judge_", now="infer_")
    shown = render.replayed(msgspec.structs.replace(SAME, same=False, difference=difference, cycle=None))
    assert "write_method_" not in shown
    assert "the first difference:\n  at    m.0.SYNTHESIZING.1.0\n  then  judge_\n  now   infer_" in shown
    assert "not the same: 4 steps" in shown


def test_where_it_stops_there_is_no_end_of_now():
    stopped = Difference(path="m.0.2", then="nothing", now="inference.infer, to which the journal has no reply")
    other = {"name": "box", "selector": "area_", "sha256": "cd" * 32}
    found = msgspec.structs.replace(
        SAME, same=False, now=None, difference=stopped, stopped=stopped, sources=[other], selector=""
    )
    shown = render.replayed(found)
    assert "by hand on box" in shown
    assert "with another box.area_ (cdcdcdcdcdcd)" in shown
    assert "it stops at m.0.2: it asks inference.infer, to which the journal has no reply" in shown
    assert "  now   COMPLETE" not in shown


def test_a_long_trace_and_a_failure_fit():
    steps = [
        msgspec.structs.replace(STEPS[0], path="m." + ".".join(["SYNTHESIZING"] * 9) + f".{number}")
        for number in range(90)
    ]
    failed = Ending(state="FAILED", code="NOT_SYNTHESIZED", message="none\x1b " * 40)
    shown = render.replayed(msgspec.structs.replace(SAME, steps=steps, total=90, then=failed, now=failed))
    assert "… 50 steps before (--json)" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80
