from __future__ import annotations

import pytest

from cli.calls.mandate import read_mandate, read_selector
from protocol.errors import BatosError
from protocol.messages import Example


def refused(code, *words, **more):
    with pytest.raises(BatosError) as caught:
        read_mandate(*words, **more)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)


def test_words_become_a_mandate():
    mandate = read_mandate(
        "box", "grow_(by, times)", ["-4"], ["times=2"], ['{"slots":{"n":1},"args":[2],"slots_after":{"n":3}}']
    )
    assert (mandate.selector, mandate.parameters) == ("grow_", ["by", "times"])
    assert (mandate.args, mandate.kwargs) == ([-4], {"times": 2})
    assert mandate.examples == [Example(slots={"n": 1}, args=[2], slots_after={"n": 3})]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("area_", ("area_", [])),
        ("area_()", ("area_", [])),
        (" increment_( by ) ", ("increment_", ["by"])),
        ("größe_(höhe,breite)", ("größe_", ["höhe", "breite"])),
    ],
)
def test_selectors(text, read):
    assert read_selector(text) == read


@pytest.mark.parametrize(
    "text",
    ["area", "", "_area_", "1_", "a b_", "area_(", "area_(a))", "area_(a,)", "area_(1)", "area_(self)", "class_()x"],
)
def test_what_is_no_selector(text):
    refused("BAD_SELECTOR", "box", text)


def test_a_parameter_named_twice():
    refused("BAD_SELECTOR", "box", "area_(a, a)")


@pytest.mark.parametrize("name", ["", "1box", "a b", "_box", "box/area"])
def test_what_no_object_is_called(name):
    refused("BAD_NAME", name, "area_")


def test_an_object_may_be_named_by_its_oid():
    assert read_mandate("000000000000002a", "area_").target == "000000000000002a"


def test_arguments_that_no_method_could_take():
    refused("BAD_ARGUMENT", "box", "add_(a)", ["1", "2"])
    refused("BAD_ARGUMENT", "box", "add_(a)", [], ["b=1"])
    refused("BAD_ARGUMENT", "box", "add_(a)", ["1"], ["a=1"])
    refused("BAD_ARGUMENT", "box", "add_", [], ["self=1"])


def test_a_mandate_of_ten_megabytes():
    refused("TOO_LARGE", "box", "say_", ['"' + "x" * 10_000_000 + '"'])
    refused("TOO_LARGE", "box", "say_", cases=['{"returns":"' + "x" * 2_000_000 + '"}'])
    refused("TOO_LARGE", "box", "say_", kwargs=['a="' + "x" * 2_000_000 + '"'])


def test_bad_json_says_where():
    with pytest.raises(BatosError, match="argument 2"):
        read_mandate("box", "say_", ["1", "Hello"])
    with pytest.raises(BatosError, match="example 1"):
        read_mandate("box", "say_", cases=["{"])


def test_a_contradiction_between_examples():
    refused("BAD_EXAMPLE", "box", "say_", cases=['{"returns":1}', '{"returns":2}'])


def test_an_object_is_named_by_a_word_or_in_json():
    found = read_mandate(
        "order", "add_(what)", ["@pen"], cases=['{"args":[{"$ref":"pen"}],"objects":{"pen":{}},"returns":1}']
    )
    assert found.args == [{"$ref": "pen"}]
    assert found.examples[0].args == [{"$ref": "pen"}]
    assert list(found.examples[0].objects) == ["pen"]
