"""The bench of kills, as far as it can be checked without one: what it makes of what it has seen."""

from __future__ import annotations

import json
from collections import Counter

from bench import kill_sweep
from bench.kill_sweep import START, claims_of, tallied


def by_id(claims):
    return {claim.id: claim for claim in claims}


def test_a_load_of_models_is_told_apart_and_counts_only_where_it_was_waited_for():
    felt = {"inference killed at rest": [3.0, 4.0, 9.0], "memory killed at rest": [0.4, 0.5]}
    loads = {"inference killed at rest": [2.5, 3.5, 4.0], "memory killed at rest": [3.0, 3.0]}
    found = by_id(claims_of(felt, loads, {"memory killed at rest": [0.01, 0.03]}))
    inference, memory = found["inference killed at rest, p50"], found["memory killed at rest, p50"]
    assert (inference.ours, inference.ok) == (0.5, True)
    assert inference.peers == {"max": 9.0, "p50 with models": 4.0, "models p50": 3.5}
    assert (memory.ours, memory.ok) == (0.45, True)
    assert memory.peers["without a kill"] == 0.02


def test_each_row_has_the_limit_of_its_kind():
    felt = {"broker killed at work": [0.7], "broker stopped": [0.7], "supervisord killed, `up` until ready": [4.0]}
    found = by_id(claims_of(felt, {}, {}))
    assert {name: claim.ok for name, claim in found.items()} == {
        "broker killed at work, p50": False,
        "broker stopped, p50": True,
        "supervisord killed, `up` until ready, p50": True,
    }


def test_what_was_lost_or_done_twice_shows_in_the_answers():
    def counts(counted, width):
        return [claim.ours for claim in tallied(counted, START + width, Counter())[:2]]

    assert counts([4, 5, 6], 3) == [0, 0]
    assert counts([4, 5, 5], 2) == [1, 0], "one of both is not in the world"
    assert counts([4, 5, 6], 2) == [1, 0], "the world has gone back"
    assert counts([4, 6], 3) == [0, 1], "one was done that nobody was answered for"
    assert not tallied([4], START + 1, Counter(STORAGE=1))[2].ok


def test_the_load_is_the_actors_own_word_after_the_kill(tmp_path):
    log = tmp_path / "inference.log"
    old, new = ({"event": "ready", "seconds": seconds} for seconds in (9.0, 2.5))
    log.write_text(json.dumps(old) + "\n")
    said = log.stat().st_size
    log.write_text(f"{json.dumps(old)}\nno JSON\n{json.dumps({'event': 'other'})}\n{json.dumps(new)}\n")
    assert kill_sweep._load(log, said) == 2.5
