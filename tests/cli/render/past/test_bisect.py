"""A person reads at once which commit it was, what the answer was on either side, and what it changed."""

from __future__ import annotations

import msgspec

from cli.render.past import bisect as render
from protocol.messages import Bisected, BisectProgress, ChangedObject, ChangedSlot
from protocol.messages.reasons import TriedMoment

GOOD = TriedMoment(tid="03f1000000000001", time=1.0, as_expected=True, returns=12)
BAD = TriedMoment(tid="03f1000000000009", time=9.0, as_expected=False, returns=7)
UNKNOWN = TriedMoment(tid="03f1000000000005", time=5.0, as_expected=None, code="TRIAL_SEND", message="it sent infer_")
GONE = TriedMoment(tid="03f1000000000006", time=6.0, as_expected=False, code="UNKNOWN_OBJECT", message="no box")
SLOT = ChangedSlot(slot="area_", how="changed", is_method=True)
FOUND = Bisected(
    tid="03f1000000000007",
    time=7.0,
    author="user:lena",
    why="define box",
    cycle="c3aaac57b819f9d812e60",
    good=GOOD,
    bad=BAD,
    before=GOOD,
    after=BAD,
    trials=[GOOD, BAD, GOOD],
    untried=[],
    commits=8,
    changed=[ChangedObject(oid="0" * 16, name="box", how="changed", slots=[SLOT])],
    seconds=0.25,
)


def test_a_commit_is_told_with_what_it_did():
    shown = render.bisected(FOUND)
    lines = shown.splitlines()
    assert lines[0].startswith("commit 03f1000000000007  1970-01-01")
    assert lines[1:] == [
        "  by       user:lena",
        "  cycle    c3aaac57b819f9d812e60",
        "  because  define box",
        "  before   it answered 12",
        "  after    it answered 7",
        "  changed",
        "    box ~area_",
        "1 of 8 commits, found by 3 trials in 0.2 s; nothing was written",
    ]


def test_what_could_not_be_tried_is_named_and_long_things_fit():
    untried = [f"{number:016x}" for number in range(12)]
    after = msgspec.structs.replace(GONE, message="no object is called 'box'\x1b[2J " + "x" * 200)
    shown = render.bisected(msgspec.structs.replace(FOUND, untried=untried, after=after, cycle=None, commits=1))
    assert "or one of the 12 commits before it, which could not be tried:" in shown
    assert "… and 2 more (--json)" in shown
    assert "the only commit, found by" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    one = render.bisected(msgspec.structs.replace(FOUND, untried=untried[:1]))
    assert "or the commit before it, which could not be tried:" in one


def test_each_trial_is_a_line():
    told = render.progress(BisectProgress(done=3, total=16, left=4096, moment=UNKNOWN))
    assert told == "3 of 16: 03f1000000000005 cannot be tried: it sent infer_, one of 4096 commits"
    assert "failed: UNKNOWN_OBJECT" in render.progress(BisectProgress(done=1, total=2, left=0, moment=GONE))
