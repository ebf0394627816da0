"""A codex makes sense or is refused by name; loading another one changes what it must and nothing else."""

from __future__ import annotations

import msgspec
import pytest

from protocol.errors import BatosError
from world import awakening, codex
from world.method import UvmMethod
from world.store import commit, snapshot
from world.uvm import UvmObject

TEXT = awakening.image_codex()
SAGE = """
[[persona.pillar]]
name = "The Sage"
facet = "sage_facet_"
intent = "Meet what is there with calm acceptance instead of trying to fix it, and name what can be let go."
temperature = 0.8
top_p = 0.9
asks = ["I am stuck and nothing that I try helps.", "How do I live with what cannot be changed?", "I have lost something dear."]
"""


@pytest.fixture
def world(db):
    awakening.awaken(db)
    with commit(db, user="test", description="facets, as cycles write them") as connection:
        for persona in connection.root()["personas"].values():
            for pillar in persona.pillars:
                source = f"def {pillar['facet']}(self, user_query):\n    return 1\n"
                persona.set_slot(pillar["facet"], UvmMethod(pillar["facet"], source=source, author="c1"))
    return db


def load(world, text):
    with commit(world, user="test", description="codex") as connection:
        return codex.load(connection, text)


def test_the_codex_that_ships_is_the_one_that_was_agreed():
    read = codex.read(TEXT)
    assert [persona.name for persona in read.persona] == ["BRICK", "ROBIN", "BABS", "ALFRED"]
    assert [read.roles.decomposition, read.roles.synthesis, read.roles.closing] == ["BRICK", "ROBIN", "ALFRED"]
    assert {route.kind: route.personas[0] for route in read.route} == {
        "technical": "BRICK",
        "emotional": "ROBIN",
        "research": "BABS",
        "self-improvement": "ALFRED",
    }
    sampling = {pillar.facet: (pillar.temperature, pillar.top_p) for one in read.persona for pillar in one.pillar}
    assert sampling["tamland_facet_"] == (0.1, 0.7)
    assert sampling["joyful_spark_facet_"] == (0.9, 0.95)
    assert not read.gate.score


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        (SAGE, "", "ROBIN has 2 pillars; it needs 3"),
        ('name = "BABS"', 'name = "ROBIN"', "the persona 'ROBIN' is named 2 times"),
        ("guide_facet_", "tamland_facet_", "the facet 'tamland_facet_' is named 2 times"),
        ("guide_facet_", "guide_", "must be named like"),
        ("guide_facet_", "guide facet_", "is no selector"),
        ('closing = "ALFRED"', 'closing = "ALBERT"', "the role closing goes to 'ALBERT'"),
        ('personas = ["BABS"]', 'personas = ["BABE"]', "leads to 'BABE'"),
        ("temperature = 0.1", "temperature = 9", "temperature"),
        ("[roles]", "[rules]", "rules"),
        ("[roles]", "[roles", "line 5"),
        ('stands_for = "the analyst: what and how"', "", "stands_for"),
        ("infer no intent.", "infer\\nno intent.", "intent"),
        ("infer no intent.", 'infer \\"no\\" intent.', "intent"),
        ('name = "BRICK"', 'name = "B RICK"', "is no object name"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(world, was, becomes, message):
    assert TEXT.count(was) >= 1
    before = world.lastTransaction()
    with pytest.raises(BatosError, match=message) as caught:
        load(world, TEXT.replace(was, becomes, 1))
    assert caught.value.code == "BAD_CODEX"
    assert caught.value.exit_code == 2
    assert world.lastTransaction() == before


def test_a_name_that_is_taken_is_left_to_its_owner(world):
    with commit(world, user="test", description="an object") as connection:
        connection.root()["objects"]["BRUCE"] = UvmObject("BRUCE")
    with pytest.raises(BatosError) as caught:
        load(world, TEXT.replace("BABS", "BRUCE"))
    assert caught.value.code == "NAME_TAKEN"


def test_a_changed_pillar_takes_its_method_along_and_no_other(world):
    assert load(world, TEXT.replace("calm acceptance", "quiet acceptance")) == ["ROBIN.sage_facet_"]
    with snapshot(world) as connection:
        robin = connection.root()["personas"]["ROBIN"]
        assert "sage_facet_" not in robin._slots
        assert "simple_heart_facet_" in robin._slots
        assert "quiet acceptance" in robin.pillars[0]["intent"]
        assert connection.root()["codex_obj"].personas["ROBIN"] is robin


def test_a_changed_mandate_takes_all_methods_of_its_persona(world):
    forgotten = load(world, TEXT.replace("You are BABS, the researcher.", "You are BABS, who reads."))
    assert forgotten == ["BABS.tech_bat_facet_", "BABS.iceman_facet_", "BABS.hitchhiker_facet_"]


def test_a_persona_that_is_gone_is_gone_and_an_expert_stays(world):
    with commit(world, user="test", description="an expert") as connection:
        connection.root()["personas"]["BRICK"].expert = "steel"
    load(world, TEXT.replace("ALFRED", "WINSTON"))
    with snapshot(world) as connection:
        personas = connection.root()["personas"]
        assert set(personas) == {"BABS", "BRICK", "ROBIN", "WINSTON"}
        assert personas["BRICK"].expert == "steel"
        assert personas["WINSTON"].expert is None
        assert dict(connection.root()["codex_obj"].roles)["closing"] == "WINSTON"


def test_other_questions_for_a_pillar_leave_its_method(world):
    assert load(world, TEXT.replace("I have lost something dear.", "It is over.")) == []
    with snapshot(world) as connection:
        assert "It is over." in connection.root()["personas"]["ROBIN"].pillars[0]["asks"]


def test_only_spaces_or_comments_changed_forget_nothing(world):
    assert load(world, "# mine\n" + TEXT) == []


def test_a_codex_is_frozen_data():
    with pytest.raises(AttributeError):
        codex.read(TEXT).roles = None
    assert msgspec.to_builtins(codex.read(TEXT))["plan"]["facets"] == 3
