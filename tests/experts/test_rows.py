"""The texts of the shipped experts: what they are put into is what the house really asks."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from experts import rows as texts
from experts.make import INDEX, TARGET
from world.awakening import image, image_codex

SOURCES = {(method.holder, method.selector): method.source for method in image()}
CODEX = tomllib.loads(image_codex())
SENTENCES = re.compile(r"[^\s.!?]([^.!?\n]|[.,][0-9]){3,200}[.!?]( [^\s.!?]([^.!?\n]|[.,][0-9]){3,200}[.!?])?")


def raw(persona):
    lines = (texts._TEXTS / f"{persona.lower()}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("persona", texts.PERSONAS)
def test_the_rows_are_as_many_and_as_short_as_they_should_be(persona):
    found = texts.rows(persona)
    assert len(found.trained) >= 50
    assert len(found.held_out) >= 8
    for dialogue in [*found.trained, *found.held_out]:
        assert [turn.role for turn in dialogue.turns] == ["system", "user", "assistant"]
        answer = dialogue.turns[-1].content
        assert answer.startswith("{") or SENTENCES.fullmatch(answer), answer


def test_nobody_has_learned_a_document_that_is_held_out():
    all_ = [row for persona in texts.PERSONAS for row in raw(persona)]
    learned = {row["known"] for row in all_ if "known" in row and not row.get("held_out")}
    assert learned
    assert {row["known"] for row in all_ if row.get("held_out")} & learned == set()


@pytest.mark.parametrize("persona", texts.PERSONAS)
def test_every_facet_of_the_persona_has_rows(persona):
    (codex,) = [one for one in CODEX["persona"] if one["name"] == persona]
    facets = {pillar["facet"] for pillar in codex["pillar"]}
    learned = {row["facet"] for row in raw(persona) if not row.get("held_out")}
    roles = CODEX["roles"]
    more = {"plan"} if roles["decomposition"] == persona else {"weave"} if roles["synthesis"] == persona else set()
    assert learned == facets | more


def test_the_words_around_a_row_are_those_of_the_worlds_methods():
    talk = texts.asked("BRICK", "tamland_facet_", "It rains.", "What does it do?")
    system, user = (turn.content for turn in talk)
    assert user == "What is known:\nIt rains.\n\nFrom this text, answer the question: What does it do?"
    assert "'From this text, answer the question: '" in SOURCES["cycle_traits", "asked_"]
    assert "'What is known:\\n'" in SOURCES["cycle_traits", "known_"]
    assert system.startswith(CODEX["persona"][0]["mandate"] + " " + CODEX["persona"][0]["pillar"][0]["intent"] + " ")
    for ending in texts.ENDINGS:
        assert f"'{ending}'" in SOURCES["cycle_traits", "facet_grammar_"]


@pytest.mark.parametrize(("persona", "kind", "method"), [("ROBIN", "weave", "woven_"), ("BRICK", "plan", "decompose_")])
def test_weaving_and_planning_are_put_as_the_world_puts_them(persona, kind, method):
    numbers = [number for number, row in enumerate(raw(persona), 1) if row["facet"] == kind]
    found = {dialogue.line: dialogue for part in texts.rows(persona) for dialogue in part}
    source = SOURCES["cycle_traits", method]
    for number in numbers:
        system, user, answer = (turn.content for turn in found[number].turns)
        if kind == "weave":
            assert user.count(" says: ") >= 1
            (told,) = re.findall(r"brief \+= '(.*?)'", source)
            assert told in user
        else:
            assert system.splitlines()[1] in source
            assert "\nFacets:\n" in system
            assert {step["facet"] for step in json.loads(answer)["steps"]} <= set(re.findall(r"\w+_facet_", system))


def test_what_ships_is_what_the_index_says():
    listed = json.loads(INDEX.read_text())
    assert [(one["name"], one["persona"]) for one in listed] == [(name.lower(), name) for name in texts.PERSONAS]
    for one in listed:
        folder = TARGET / one["name"]
        assert (folder / "adapter_model.safetensors").stat().st_size <= 2_000_000
        config = json.loads((folder / "adapter_config.json").read_text())
        assert config["base_model_digest"] == one["base_model"]
        assert config["base_model_name_or_path"] is None
