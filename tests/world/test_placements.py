"""Where models begin, as the world keeps it."""

from __future__ import annotations

import json
from importlib.resources import files

from ZODB import DB
from ZODB.MappingStorage import MappingStorage

from world import placements
from world.awakening import awaken
from world.store import commit, snapshot


def test_a_new_world_knows_where_its_own_model_begins_and_keeps_what_it_has_found():
    db = DB(MappingStorage())
    awaken(db)
    index = json.loads((files("world") / "image" / "experts" / "index.json").read_text())
    [digest] = {expert["base_model"] for expert in (index if isinstance(index, list) else index.values())}
    assert placements.shipped().keys() == {digest}
    with commit(db, user="test", description="a finding") as connection:
        assert placements.placement_of(connection, digest)["form"] in placements.FORMS
        placements.keep_placement(connection, "other", {"form": "open", "tried": [{"solved": True}]})
        placements.keep_placement(connection, digest, {"form": "free", "tried": []})
    with snapshot(db) as connection:
        assert placements.placement_of(connection, "other") == {"form": "open", "tried": [{"solved": True}]}
        assert placements.placement_of(connection, digest) == placements.shipped()[digest]
        assert placements.placement_of(connection, "unknown") is None
    db.close()


def test_an_older_world_finds_anew_where_models_begin():
    db = DB(MappingStorage())
    awaken(db)
    with commit(db, user="test", description="a world before the leaner open form") as connection:
        placements.keep_placement(connection, "other", {"form": "narrow", "tried": []})
        connection.root()["schema_version"] = 5
    awaken(db)
    with snapshot(db) as connection:
        assert placements.placement_of(connection, "other") is None
        assert all(placements.placement_of(connection, digest) for digest in placements.shipped())
    db.close()


def test_a_world_that_has_no_such_slot_gets_it_with_the_first_finding():
    db = DB(MappingStorage())
    awaken(db)
    with commit(db, user="test", description="an old world") as connection:
        del connection.root()["pLLM_obj"]._slots[placements.SLOT]
    with commit(db, user="test", description="a finding") as connection:
        assert placements.placement_of(connection, "d") is None
        placements.keep_placement(connection, "d", {"form": "narrow"})
    with snapshot(db) as connection:
        assert placements.placement_of(connection, "d") == {"form": "narrow"}
    db.close()
