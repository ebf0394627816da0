"""What may be called what."""

from __future__ import annotations

import builtins
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st
from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from actors.guardian.runtime.run import compile_source
from protocol import names
from protocol.errors import BatosError
from protocol.messages import Violation

CHECKS = (names.check_selector, names.check_slot, names.check_parameter, names.check_object)


@pytest.mark.parametrize("name", ["area_", "increment_by_", "größe_", "infer_", "_clone_persistent_", "load_adapter"])
def test_selectors(name: str) -> None:
    assert names.check_selector(name) == name
    assert names.is_selector(name)


@pytest.mark.parametrize(
    "name", ["", "area", "_private_", "__init__", "1st_", "a b_", "a-b_", "\uff41rea_", "x" * 100 + "_", "_"]
)
def test_no_selectors(name: str) -> None:
    with pytest.raises(BatosError) as caught:
        names.check_selector(name)
    assert caught.value.code == "BAD_SELECTOR"
    assert caught.value.hint


@pytest.mark.parametrize("name", ["width", "n2", "größe"])
def test_slots(name: str) -> None:
    assert names.check_slot(name) == name


@pytest.mark.parametrize(
    "name", ["", "area_", "_hidden", "_p_changed", "parent*", "class", "load_adapter", "a.b", "ﬁeld"]
)
def test_no_slots(name: str) -> None:
    with pytest.raises(BatosError) as caught:
        names.check_slot(name)
    assert caught.value.code == "BAD_NAME"


@pytest.mark.parametrize("name", ["self", "_x", "lambda", "", "1", "a*"])
def test_no_parameters(name: str) -> None:
    with pytest.raises(BatosError) as caught:
        names.check_parameter(name)
    assert caught.value.code == "BAD_SELECTOR"


@pytest.mark.parametrize("name", ["box", "box-2", "a.b_c", "Ärger"])
def test_objects(name: str) -> None:
    assert names.check_object(name) == name


@pytest.mark.parametrize("name", ["", "2box", "_box", "-", "a b", "a/b", "x" * 101, "abcdef0123456789", "a\n"])
def test_no_objects(name: str) -> None:
    with pytest.raises(BatosError) as caught:
        names.check_object(name)
    assert caught.value.code == "BAD_NAME"


@given(st.text())
def test_any_text_is_accepted_as_it_is_or_refused(text: str) -> None:
    refusals = []
    for check in CHECKS:
        try:
            assert check(text) == text
        except BatosError as error:
            refusals.append(error)
    assert {error.code for error in refusals} <= {"BAD_NAME", "BAD_SELECTOR"}
    assert all(len(error.message) < 1000 for error in refusals)


@given(st.text(min_size=1))
def test_no_name_is_both_a_slot_and_a_selector(text: str) -> None:
    accepted = 0
    for check in (names.check_selector, names.check_slot):
        try:
            check(text)
        except BatosError:
            continue
        accepted += 1
    assert accepted <= 1


def test_the_closed_lists_are_consistent() -> None:
    assert names.SIGNAL not in names.KERNEL_NAMES
    assert names.KERNEL_SLOTS.isdisjoint(names.KERNEL_SELECTORS)
    assert all(name.startswith("_") for name in names.KERNEL_NAMES)
    for selector in names.KERNEL_SELECTORS:
        assert names.check_selector(selector) == selector
        assert not keyword.iskeyword(selector)
    assert names.is_delegation("parent*")
    assert not names.is_delegation("parent")
    assert names.is_oid("00000000000000af")
    assert not names.is_oid("00000000000000AF")


@pytest.mark.parametrize("word", keyword.kwlist)
def test_a_keyword_is_called_one_wherever_it_is_a_name(word):
    for check in (names.check_slot, names.check_parameter):
        with pytest.raises(BatosError, match=f"{word} is a keyword of Python"):
            check(word)


WORDS = sorted(
    {*dir(builtins), *keyword.softkwlist, *INSPECT_ATTRIBUTES, "format", "format_map", "math", "printed", "width"}
)
WORDS = [word for word in WORDS if not word.startswith("_") and not keyword.iskeyword(word)]


def accepted(check, word):
    try:
        check(word)
    except BatosError:
        return False
    return True


@pytest.mark.parametrize("word", WORDS)
def test_the_names_that_are_allowed_are_those_that_a_method_can_use(word):
    reads = f"def m_(self):\n    self.{word} = 1\n    self._p_changed = True\n    return self.{word}\n"
    assert accepted(names.check_slot, word) is not isinstance(compile_source(reads, kernel=False), Violation)
    takes = f"def m_(self, {word}):\n    return {word}\n"
    assert accepted(names.check_parameter, word) is not isinstance(compile_source(takes, kernel=False), Violation)
