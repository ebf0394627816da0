"""What a name means after a send that has changed the receiver: the slot still, or nothing that can be lost silently."""

from __future__ import annotations

import copy
import textwrap
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.guardian.runtime.slots import Slots
from actors.guardian.runtime.weight import NO_VALUE, encoding, packed, weigh
from protocol import codec
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Answer, Done, Effect, Run

ME = Ref("00000000000000aa")
SLOTS: dict[str, Any] = {
    "items": [{"n": 1}, {"n": 2}],
    "table": {"k": [1], "m": {"z": [5]}, "rows": [[1], [2]]},
    "other": [7],
}


@pytest.fixture
def play(within):
    """Run a method on `SLOTS` to its end; its n-th send does to the slots what `changes[n]` says."""

    def play(text: str, *changes: dict[str, Any], removed: tuple[str, ...] = ()):
        source = "def m_(self):\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "    ") + "\n"
        answers: list[Answer] = []
        while True:
            outcome = within(Run(source=source, receiver=ME, slots=copy.deepcopy(SLOTS), answers=answers))
            if not isinstance(outcome, Effect):
                return outcome
            answers.append(Answer(digest=outcome.digest, changed=changes[len(answers)], removed=list(removed)))

    return play


SIGNAL = "self._p_changed = True"
TWO_MORE = {"items": [{"n": 1}, {"n": 7}, {"n": 3}]}
ALL_NEW = {"items": [{"n": 0}, {"n": 9}]}


@pytest.mark.parametrize(
    ("before", "change", "changes"),
    [
        ("row = self.items[0]", "row['n'] = 5", ALL_NEW),
        ("row = self.items[1]", "row['n'] = 5", TWO_MORE),
        ("rows = self.items[:]", "rows[0]['n'] = 5", ALL_NEW),
        ("rows = [self.items[0]]", "rows[0].clear()", ALL_NEW),
        ("held = {'row': self.items[0]}", "held['row'].update(n=5)", ALL_NEW),
        ("change = lambda n, row=self.items[0]: row.update(n=n)", "change(5)", ALL_NEW),
        ("change = self.items[0].update", "change({'n': 5})", ALL_NEW),
        ("each = iter(self.items[:])", "next(each)['n'] = 5", ALL_NEW),
        ("for row in self.items:\n    break", "row['n'] = 5", ALL_NEW),
        ("row = self.items[0]\nself.other_()", "row['n'] = 5", ALL_NEW),
        ("row = self.items[0]\nself.items = [row]", "row['n'] = 5", ALL_NEW),
        ("row = self.items[0]\nrow['n'] = 4", "row['n'] = 5", ALL_NEW),
        ("row = self.items[0]", "del row['n']", {"items": [{"n": 2}]}),
        ("row = self.items[0]", "row['n'] = True", {"items": [{"n": 2}]}),
        ("row = self.items[0]", "row['n'] = 5", {"items": [{"n": 1}, {"n": 1}]}),
        ("row = self.items[0]", "row['n'] = 5", {"items": {"0": {"n": 1}}}),
        ("items = self.items", "items.append(5)", {"items": {"0": {"n": 1}}}),
        ("items = self.items", "items += [5]", {"items": None}),
        ("part = self.table['k']", "part.append(5)", {"table": {"m": {"z": [5]}}}),
        ("part = self.table['m']['z']", "part.append(5)", {"table": {"k": [1], "m": [5]}}),
        ("part = self.table['rows'][0]", "part.append(5)", {"table": {"rows": [[3], [4]]}}),
        ("self.table['twice'] = self.items\nitems = self.items", "items.append(5)", ALL_NEW),
        ("self.twin = self.items[0]\nrow = self.items[0]", "row['n'] = 5", ALL_NEW),
        ("self.twin = self.items", "self.twin.append(5)", ALL_NEW),
    ],
)
def test_a_change_of_what_a_send_has_replaced_fails_by_name(play, before: str, change: str, changes: dict[str, Any]):
    sends = before.count("self.other_()")
    outcome = play(f"{before}\nself.other_()\n{change}\n{SIGNAL}", *[{}] * sends, changes)
    assert (outcome.code, outcome.error) == ("COVENANT_BREACH", "LOST_CHANGE"), outcome
    assert f"before send {sends + 1}" in outcome.message
    slot = "table" if "table" in changes else "items"
    assert repr(slot) in outcome.message


def test_what_stood_in_a_slot_that_is_gone_is_lost_too(play):
    outcome = play(f"row = self.items[0]\nself.other_()\nrow['n'] = 5\n{SIGNAL}", {}, removed=("items",))
    assert outcome.error == "LOST_CHANGE"


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        # A slot that the send has left as it is.
        ("row = self.items[0]\nself.other_()\nrow['n'] = 5", {"other": []}, {"items": [{"n": 5}, {"n": 2}]}),
        # The slot's own list or dict, and those under keys.
        ("items = self.items\nself.other_()\nitems.append(5)", ALL_NEW, {"items": [{"n": 0}, {"n": 9}, 5]}),
        (
            "part = self.table['k']\nself.other_()\npart.append(self.table['k'][-1])",
            {"table": {"new": 0, "k": [1, 2]}},
            {"table": {"new": 0, "k": [1, 2, 2]}},
        ),
        (
            "part = self.table['m']['z']\nself.other_()\npart.append(9)",
            {"table": {"m": {"y": 1, "z": [6]}}},
            {"table": {"m": {"y": 1, "z": [6, 9]}}},
        ),
        # A part of a changed list that is known by its content, wherever it stands now.
        ("row = self.items[0]\nself.other_()\nrow['n'] = 5", TWO_MORE, {"items": [{"n": 5}, {"n": 7}, {"n": 3}]}),
        (
            "row = self.items[0]\nself.other_()\nrow['n'] = 5",
            {"items": [{"n": 0}, {"n": 2}, {"n": 1}]},
            {"items": [{"n": 0}, {"n": 2}, {"n": 5}]},
        ),
        # What was replaced, and stored again.
        (
            "row = self.items[0]\nself.other_()\nrow['n'] = 5\nself.items[0] = row",
            ALL_NEW,
            {"items": [{"n": 5}, {"n": 9}]},
        ),
        ("row = self.items[0]\nself.other_()\nrow['n'] = 5\nself.kept = [row]", ALL_NEW, {"kept": [{"n": 5}]}),
        ("self.twin = self.items\nself.other_()\nself.items.append(5)", {}, None),
        # Read again.
        (
            "row = self.items[0]\nself.other_()\nrow = self.items[0]\nrow['n'] += 5",
            ALL_NEW,
            {"items": [{"n": 5}, {"n": 9}]},
        ),
        # Only looked at, or changed and changed back.
        ("row = self.items[0]\nself.other_()\nself.seen = row['n']", ALL_NEW, {"seen": 1}),
        ("row = self.items[0]\nself.other_()\nrow['n'] = 9\nrow['n'] = 1\nself.x = 1", ALL_NEW, {"x": 1}),
        ("part = self.table['m']\nself.other_()\npart['z'] = list(part['z'])\nself.x = 1", {"table": {}}, {"x": 1}),
        # A copy is the method's own, and so is what it has taken out of the slot itself.
        ("row = dict(self.items[0])\nself.other_()\nrow['n'] = 5\nself.x = row", ALL_NEW, {"x": {"n": 5}}),
        ("row = self.items.pop()\nself.other_()\nrow['n'] = 5\nself.x = 1", ALL_NEW, {"x": 1}),
    ],
)
def test_what_is_certain_is_kept(play, text: str, changes: dict[str, Any], expected: dict[str, Any] | None):
    outcome = play(f"{text}\n{SIGNAL}", changes)
    assert isinstance(outcome, Done), outcome
    if expected is not None:
        assert outcome.changed == expected


def test_two_slots_of_one_list_are_two_once_a_send_has_changed_one(play):
    outcome = play(f"self.twin = self.other\nself.ask_()\n{SIGNAL}\nreturn [self.twin, self.other]", {"other": [8]})
    assert outcome == Done(result=[[7], [8]], changed={"twin": [7]}, signalled=True)


def test_what_is_nested_in_another_slot_is_not_changed_with_it(play):
    text = f"self.twin = self.table['k']\nself.ask_()\n{SIGNAL}\nreturn [self.twin, self.table['k']]"
    outcome = play(text, {"twin": [8]})
    assert outcome.result == [[8], [1]]
    assert outcome.changed == {}


def test_many_sends_each_detach_what_they_change(play):
    text = f"""
        first = self.items[0]
        self.ask_()
        first['n'] = 5
        self.items.append(first)
        self.ask_()
        second = self.items[0]
        self.ask_()
        {SIGNAL}
        second['n'] = 6
        {SIGNAL}
    """
    changes = [ALL_NEW, {"items": [{"n": 0}, {"n": 5}]}, {"items": [{"n": 8}]}]
    outcome = play(text, *changes)
    assert outcome.error == "LOST_CHANGE"
    assert outcome.message.startswith("a dict of slot 'items', bound before send 3,")
    assert play(text.replace("second['n'] = 6", "second = 0"), *changes) == Done(signalled=True)


def test_a_signal_covers_what_is_changed_by_a_name_bound_long_before(play):
    text = "row = self.items[0]\nself._p_changed = True\nrow['n'] = 5\n"
    assert play(text).code == "COVENANT_BREACH"
    assert play(text + SIGNAL).changed == {"items": [{"n": 5}, {"n": 2}]}
    assert play("self._p_changed = True\ndel self.other").code == "COVENANT_BREACH"
    assert play("self.x = {1}\nself._p_changed = True\ndel self.other\nself.x = 1").code == "COVENANT_BREACH"
    assert play("self._p_changed = True\nself.x = {1}\ndel self.x") == Done(signalled=True)


# Laws of `Slots` alone ------------------------------------------------------------------------------------------

values = st.recursive(
    st.sampled_from([0, 1, True, 1.0, 0.0, -0.0, None, "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
states = st.dictionaries(st.sampled_from(["x", "y", "z"]), values, max_size=3)


def containers(value: Any) -> list[Any]:
    if type(value) is list:
        return [value, *(found for part in value for found in containers(part))]
    if type(value) is dict:
        return [value, *(found for part in value.values() for found in containers(part))]
    return []


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(before=states, after=states, data=st.data())
def test_a_change_through_any_name_is_kept_or_lost_by_name(before: dict[str, Any], after: dict[str, Any], data: Any):
    slots = Slots(copy.deepcopy(before))
    held = [found for slot in before for found in containers(slots.read(slot))]
    slots.apply(Answer(digest="", changed=copy.deepcopy(after), removed=[s for s in before if s not in after]), 1)
    now = {slot: slots.read(slot) for slot in after}
    assert {slot: packed(value) for slot, value in now.items()} == {slot: packed(v) for slot, v in after.items()}
    assert slots.lost() is None
    assert slots.changes(slots.encodings()) == ({}, [])
    if not held:
        return
    one = data.draw(st.sampled_from(held))
    if type(one) is list:
        one.append("changed")
    else:
        one["changed"] = 1
    changed, _ = slots.changes(slots.encodings())
    assert bool(changed) != (slots.lost() is not None)


@given(values)
def test_the_bytes_to_compare_by_are_those_of_the_encoding(value: Any):
    assert packed(value) == encoding(value) == codec.encode(value)
    assert packed(float("nan")) not in {packed(value), encoding(value)}
    assert packed([value, {1}]) == NO_VALUE


@settings(max_examples=30)
@given(values)
def test_nothing_is_refused_as_too_heavy_that_can_be_written(value: Any):
    most = (codec.MAX_VALUE_BYTES - 8) // len(codec.encode(value))
    weigh([value] * most)
    with pytest.raises(BatosError, match="TOO_LARGE"):
        weigh([[value] * 1000] * 1100)
