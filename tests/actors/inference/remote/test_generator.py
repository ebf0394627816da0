"""Texts from a model server over real sockets, beside those of the local engine; and what a server may do wrong."""

from __future__ import annotations

import gc
import itertools
import json
import threading

import pytest

from actors.inference.remote.generator import RemoteGenerator
from actors.inference.weights.expert import Content
from protocol.errors import BatosError
from protocol.messages import Row, Sampling, Turn

from ..fake_server import NAME

GREEDY = Sampling(temperature=0)
FREE = Sampling(temperature=2, top_p=1)
TURNS = [Turn(role="system", content="s"), Turn(role="user", content="hi")]
NAMES = ["brick", "robin", "alfred"]
CODE = 'start: "def " NAME ":\\n    pass"\nNAME: /[a-z]{1,4}/'
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "boolean"}, "b": {"enum": ["x", "y"]}},
    "required": ["a", "b"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def contents(load, saved, tmp_path_factory):
    """Three experts: (local engine, contents by name)."""
    engine, folder = load(slots=2, rank=8), tmp_path_factory.mktemp("experts")
    contents = {}
    for number, name in enumerate(NAMES, 1):
        # Different ranks by linear, so that what is exported has to be made even.
        config = {"lora_alpha": 16, "rank_pattern": {"q_proj": 2}, "target_modules": ["q_proj", "v_proj", "up_proj"]}
        made = engine.convert(saved(number, repr(config)), folder / name)
        contents[name] = Content(name, made.sha256, made.base_model, made.rank, made.bytes, folder / name)
    return engine, contents


def row(prompt="hello", expert=None, limit=12, sampling=GREEDY, **more):
    return Row(prompt=prompt, expert=expert, max_tokens=limit, sampling=sampling, **more)


def texts(inferred):
    return [one.text for one in inferred.rows]


def refused(work):
    with pytest.raises(BatosError) as caught:
        work()
    return caught.value


def test_texts_and_counts_are_those_of_the_local_engine(remote, engine):
    rows = [row("hello"), row("a", limit=5), Row(turns=TURNS, max_tokens=9, sampling=GREEDY), row("hello", limit=3)]
    rows.append(Row(turns=[*TURNS, Turn(role="assistant", content="we")], max_tokens=9, sampling=GREEDY))
    here, there = engine.generate(rows), remote.generate(rows)
    assert there.rows == here.rows
    assert there.prompt_tokens == here.prompt_tokens
    assert remote.stats()["generated_tokens"] == sum(one.tokens for one in there.rows)


def test_a_seed_is_a_rows_own(remote, fake):
    rows = [row(seed=seed, sampling=FREE) for seed in (1, 2, 1, -(2**70))]
    first = texts(remote.generate(rows))
    assert (first[0] == first[2], len(set(first)), texts(remote.generate(rows))) == (True, 3, first)
    seeds = [body["seed"] for body in fake.streamed()]
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_experts_say_what_they_say_here_however_few_the_slots_are(remote, contents):
    local, known = contents
    rows = [row("hello", expert) for expert in (None, "brick", "robin", "alfred", "brick", None)]
    here, there = local.generate(rows, experts=known), remote.generate(rows, experts=known)
    assert texts(there) == texts(here)
    assert len(set(texts(here))) == 4
    assert there.prompt_tokens == here.prompt_tokens
    tiers = sorted(remote.tiers.place(known[name].sha256).tier for name in NAMES)
    assert tiers == ["hot", "hot", "warm"]


def test_the_server_has_what_is_hot_under_its_digest_and_nothing_else(remote, fake, contents, tmp_path):
    _, known = contents
    for name in NAMES:
        remote.tiers.activate(known[name])
    hot = {content.sha256 for content in known.values() if remote.tiers.place(content.sha256).tier == "hot"}
    assert set(fake.roots) == hot
    assert {folder.name for folder in (tmp_path / "home" / "exchange").iterdir()} == hot
    remote.tiers.activate(known["brick"], pin=True)
    assert refused(lambda: remote.tiers.evict(known["brick"])).code == "BUSY"
    remote.tiers.unpin(known["brick"])
    remote.tiers.evict(known["brick"])
    assert known["brick"].sha256 not in fake.roots
    assert remote.tiers.place(known["brick"].sha256).tier == "cold"
    remote.tiers.release(known["alfred"].sha256, "replaced")
    assert known["alfred"].sha256 not in fake.roots


def test_what_a_plan_will_use_is_loaded_while_others_speak(remote, fake, contents):
    _, known = contents
    rows = [row(expert="brick"), row()]
    before = texts(remote.generate(rows, experts=known))
    fetching = threading.Thread(target=remote.tiers.prefetch, args=("plan", [known["robin"]]))
    fetching.start()
    assert texts(remote.generate(rows, experts=known)) == before
    fetching.join()
    assert set(fake.roots) == {known["brick"].sha256, known["robin"].sha256}
    assert remote.tiers.place(known["robin"].sha256).last_used is None


def test_a_new_life_begins_with_a_clean_server(reach, fake, contents, tmp_path):
    _, known = contents
    fake.load("somebody's", str(reach_one(reach, known["brick"], tmp_path)))
    assert set(fake.roots) == {known["brick"].sha256, "somebody's"}
    fake.roots["somebody's"] = "/elsewhere"
    again = reach()
    assert set(fake.roots) == {"somebody's"}
    assert list((tmp_path / "home" / "exchange").iterdir()) == []
    assert texts(again.generate([row(expert="brick")], experts=known))


def reach_one(reach, content, tmp_path):
    reach().tiers.activate(content)
    return tmp_path / "home" / "exchange" / content.sha256


def test_forms_are_kept(remote, engine, fake):
    rows = [row("x", limit=60, sampling=FREE, grammar=CODE), row("x", limit=60, sampling=FREE, schema=SCHEMA)]
    for one in remote.generate(rows).rows:
        assert (one.finish, bool(one.text)) == ("stop", True)
    bodies = fake.streamed()
    assert [body.get("structured_outputs") for body in bodies if "structured_outputs" in body] == [{"grammar": CODE}]
    assert [body["response_format"]["json_schema"]["schema"] for body in bodies if "response_format" in body] == [
        SCHEMA
    ]
    cut = remote.generate([row("x", limit=3, sampling=FREE, grammar=CODE)]).rows[0]
    assert (cut.finish, cut.tokens) == ("length", 3)


@pytest.mark.parametrize("form", [{"grammar": 'start: "ab"'}, {"schema": SCHEMA}], ids=["grammar", "schema"])
def test_a_form_that_the_server_ignores_is_a_failure(remote, fake, form):
    event = {"model": NAME, "choices": [{"text": '{"a": 1}', "finish_reason": "stop"}]}
    fake.faults["raw"] = ("text/event-stream", f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode())
    assert texts(remote.generate([row()])) == ['{"a": 1}']
    error = refused(lambda: remote.generate([row(**form)]))
    assert (error.code, "docs/engines.md" in error.hint) == ("GENERATION_FAILED", True)


def test_what_is_wrong_with_a_row_costs_no_request(remote, fake, contents):
    _, known = contents
    fake.asked.clear()
    for bad, code in (
        (Row(), "BAD_ARGUMENT"),
        (row(limit=0), "BAD_ARGUMENT"),
        (row(expert="stranger"), "UNKNOWN_EXPERT"),
    ):
        assert refused(lambda bad=bad: remote.generate([row(), bad], experts=known)).code == code
    assert refused(lambda: remote.generate([row()] * 65)).code == "TOO_LARGE"
    assert fake.asked == []


def test_pieces_join_to_the_texts(remote):
    said = {}
    rows = [row("a", seed=seed, sampling=FREE, limit=20) for seed in range(4)]
    whole = remote.generate(rows, lambda number, text: said.__setitem__(number, said.get(number, "") + text))
    assert [said.get(number, "") for number in range(4)] == texts(whole)


def test_a_stop_ends_a_silent_stream_and_closes_it(remote, fake):
    fake.faults["hang"] = 3
    heard = []
    stopped = remote.generate(
        [row("a", limit=100, sampling=FREE)], lambda _, text: heard.append(text), lambda: len(heard) > 2
    )
    one = stopped.rows[0]
    assert (one.finish, one.tokens, one.text) == ("length", 3, "".join(heard))
    fake.go_on.set()
    assert fake.broken.wait(10), "the server goes on writing to a stream that is open"


def test_a_stop_is_seen_while_nothing_comes(remote, fake):
    fake.faults["hang"] = 0
    asked = itertools.count()
    nothing = remote.generate([row("a")], None, lambda: next(asked) > 4).rows[0]
    assert (nothing.text, nothing.finish, nothing.tokens) == ("", "length", 0)


def test_what_is_cancelled_already_is_not_asked_for(remote, fake):
    fake.asked.clear()
    assert remote.generate([row()], None, lambda: True).rows[0].finish == "length"
    assert fake.asked == []


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ({"cut": 2}, "GENERATION_FAILED", "cut off"),
        ({"reset": 2}, "NOT_READY", "lost"),
        ({"finish": "abort"}, "GENERATION_FAILED", "abort"),
        ({"model": "another"}, "GENERATION_FAILED", "another"),
        ({"status": (400, "too many words")}, "BAD_ARGUMENT", "too many words"),
        ({"status": (401, "who are you")}, "BAD_CONFIG", "who are you"),
        ({"status": (503, "warming up")}, "NOT_READY", "warming up"),
        ({"status": (500, "out of memory")}, "GENERATION_FAILED", "out of memory"),
        ({"raw": ("application/json", b"{}")}, "GENERATION_FAILED", "without a stream"),
        ({"raw": ("text/event-stream", b"data: {]\n\n")}, "GENERATION_FAILED", "not of its protocol"),
        ({"raw": ("text/event-stream", b'data: {"error": {"message": "boom"}}\n\n')}, "GENERATION_FAILED", "boom"),
        ({"raw": ("text/event-stream", b"data: [DONE]\n\n")}, "GENERATION_FAILED", "without saying why"),
    ],
    ids=str,
)
def test_what_a_server_may_do_wrong_is_a_typed_failure(remote, fake, fault, code, words):
    fake.faults |= fault
    error = refused(lambda: remote.generate([row(limit=9), row(limit=9)]))
    assert (error.code, words in error.message) == (code, True), error.message
    fake.faults.clear()
    assert remote.generate([row(limit=9)]).rows[0].tokens > 0


def test_texts_that_fail_at_once_are_all_heard(remote, monkeypatch, caplog):
    async def fail(*_):
        raise BatosError("GENERATION_FAILED", "boom", "Look.")

    monkeypatch.setattr(RemoteGenerator, "_follow", fail)
    assert refused(lambda: remote.generate([row(), row()])).message == "boom"
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_experts_outlive_a_restart_of_the_server(remote, fake, contents):
    _, known = contents
    (before,) = texts(remote.generate([row(expert="brick")], experts=known))
    fake.restart()
    fake.faults["deaf"] = True
    assert refused(lambda: remote.generate([row(expert="brick")], experts=known)).code == "BAD_EXPERT"
    fake.faults.clear()
    assert texts(remote.generate([row(expert="brick")], experts=known)) == [before]
    fake.faults["forgets"] = True
    error = refused(lambda: remote.generate([row(expert="brick")], experts=known))
    assert (error.code, error.data["lost"]) == ("NOT_READY", True)
    fake.faults.clear()
    assert texts(remote.generate([row(expert="brick")], experts=known)) == [before]


@pytest.mark.parametrize(("fault", "words"), [("unlisted", "does not list it"), ("deaf", "base model's own")])
def test_an_expert_that_is_not_really_there_is_refused(remote, fake, contents, fault, words):
    _, known = contents
    remote.tiers.activate(known["robin"])
    before = texts(remote.generate([row(), row(expert="robin")], experts=known))
    fake.faults[fault] = True
    error = refused(lambda: remote.generate([row(expert="brick")], experts=known))
    assert (error.code, words in error.message) == ("BAD_EXPERT", True)
    fake.faults.clear()
    assert remote.tiers.place(known["brick"].sha256).tier == "cold"
    assert set(fake.roots) == {known["robin"].sha256}
    assert texts(remote.generate([row(), row(expert="robin")], experts=known)) == before


def test_an_expert_that_the_server_refuses_is_refused_with_its_words(remote, fake, contents):
    _, known = contents
    fake.max_rank = 2
    error = refused(lambda: remote.tiers.activate(known["brick"]))
    fake.max_rank = 8
    assert (error.code, "max_lora_rank" in error.message, "docs/engines.md" in error.hint) == ("BAD_EXPERT", True, True)


def test_an_expert_that_has_learned_nothing_yet_may_say_what_the_base_says(remote, fake, adapter, change, taken):
    def forget(weights):
        return {key: value * 0 if "lora_B" in key else value for key, value in weights.items()}

    fresh = taken(remote, "fresh", change(adapter("fresh", seed=6), forget))
    one, other = texts(remote.generate([row(), row(expert="fresh")], experts={"fresh": fresh}))
    assert one == other
    assert list(fake.roots) == [fresh.sha256]


def test_what_somebody_else_has_loaded_is_replaced(remote, fake, contents, adapter):
    local, known = contents
    fake.load(known["brick"].sha256, str(adapter("impostor", seed=9, r=4)))
    rows = [row(expert="brick")]
    assert texts(remote.generate(rows, experts=known)) == texts(local.generate(rows, experts=known))


def test_a_spoiled_expert_is_never_handed_over(remote, fake, contents, tmp_path):
    _, known = contents
    path = tmp_path / "spoiled"
    path.write_bytes(known["brick"].path.read_bytes()[:-1] + b"\x01")
    spoiled = known["brick"]._replace(path=path)
    error = refused(lambda: remote.generate([row(expert="brick")], experts={"brick": spoiled}))
    assert error.code == "BAD_EXPERT"
    assert fake.roots == {}


def test_a_spoiled_expert_of_a_later_batch_is_found_before_anything_is_said(remote, fake, contents, tmp_path):
    _, known = contents
    path = tmp_path / "spoiled"
    path.write_bytes(b"rotten")
    rotten = known["alfred"]._replace(path=path)
    pieces = []
    rows = [row(expert=name) for name in NAMES]
    error = refused(
        lambda: remote.generate(rows, lambda *piece: pieces.append(piece), None, known | {"alfred": rotten})
    )
    assert (error.code, pieces) == ("BAD_EXPERT", [])


def test_an_exchange_folder_that_takes_nothing_is_named(remote, fake, contents, tmp_path):
    _, known = contents
    exchange = tmp_path / "home" / "exchange"
    exchange.rmdir()
    exchange.write_text("in the way")
    error = refused(lambda: remote.tiers.activate(known["brick"]))
    assert (error.code, str(exchange) in error.message) == ("STORAGE", True)
    exchange.unlink()
    remote.tiers.activate(known["brick"])
    assert list(fake.roots) == [known["brick"].sha256]


def test_an_import_is_judged_by_the_configuration_alone(remote, engine, adapter, tmp_path):
    folder = adapter("good", seed=4)
    here, there = engine.convert(folder, tmp_path / "here"), remote.convert(folder, tmp_path / "there")
    assert here == there
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()
    assert refused(lambda: remote.convert(adapter("wide", r=16), tmp_path / "wide")).code == "BAD_EXPERT"


def test_an_alora_expert_is_refused_by_name(remote, fake, contents, adapter, taken):
    local, known = contents
    folder = adapter("late", seed=5, alora_invocation_tokens=[7, 8])
    late = taken(local, "late", folder)
    for work in (
        lambda: taken(remote, "there", folder),
        lambda: remote.tiers.activate(late),
        lambda: remote.tiers.repin(late),
        lambda: remote.generate([row(), row(expert="late")], experts={"late": late}),
    ):
        error = refused(work)
        assert (error.code, "alora_invocation_tokens" in error.message, bool(error.hint)) == ("BAD_EXPERT", True, True)
    assert "alora_invocation_tokens" in remote.tiers.place(late.sha256).reason
    remote.tiers.prefetch("plan", [late, known["brick"]])
    assert list(fake.roots) == [known["brick"].sha256]


def test_a_base_model_has_one_name(fake, reach):
    assert reach(served=NAME).stats()["served"] == NAME
    error = refused(lambda: reach(served="large"))
    assert (error.code, NAME in error.message) == ("BAD_CONFIG", True)
