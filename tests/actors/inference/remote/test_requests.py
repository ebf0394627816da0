"""Rows of one prompt are one request where the server makes several texts of it, and requests of one prompt do not meet."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.inference.remote.connection import attach
from actors.inference.remote.remote_text import Job
from actors.inference.remote.requests import Room, lanes
from actors.inference.remote.server import Server
from protocol.home import Home, Inference
from protocol.messages import Row, Sampling

from ..fake_server import SLOTS, FakeServer
from ..small_house import refused

GREEDY = Sampling(temperature=0)
HOT = Sampling(temperature=1.5, top_p=1)


@pytest.fixture(scope="module")
def llama(tiny, tmp_path_factory):
    """A server in llama.cpp's dialect, and an engine on it."""
    fake = FakeServer(tiny, dialect="llama")
    yield fake, attach(Server(fake.url), Inference(engine="openai"), Home(tmp_path_factory.mktemp("home"))).engine
    fake.stop()


@pytest.fixture
def there(llama):
    fake, engine = llama
    fake.reset()
    return fake, engine


def job(prompt, seed, temperature, limit):
    body = {"prompt": prompt, "seed": seed, "temperature": temperature, "max_tokens": limit, "model": "m"}
    return Job("/v1/completions", body, frozenset("m"), limit, limit, 0)


JOBS = st.lists(
    st.builds(job, st.sampled_from("ab"), st.integers(0, 3), st.sampled_from([0.0, 0.8]), st.sampled_from([1, 9]))
)


@given(made=JOBS, texts=st.integers(1, 4))
def test_every_row_is_asked_for_once_with_what_it_is(made, texts):
    jobs = dict(enumerate(made))
    requests = [request for lane in lanes(jobs, texts) for request in lane]
    assert sorted(row for request in requests for row in request.rows) == list(jobs)
    for request in requests:
        assert 1 <= len(request.rows) <= texts
        for row in request.rows:
            assert {**jobs[row].body, "seed": 0} == {**request.job.body, "seed": 0}
        assert request.job == jobs[request.rows[0]]
        assert request.body.get("n", 1) == len(request.rows)
    for lane in lanes(jobs, texts):
        assert len({request.job.body["prompt"] for request in lane}) == 1
        heat = [request.job.body["temperature"] for request in lane]
        assert heat == sorted(heat)
    if texts > 1:
        assert len(lanes(jobs, texts)) == len({one.body["prompt"] for one in made})


async def test_no_more_texts_are_made_at_once_than_there_is_room_for():
    room, inside, most = Room(4), 0, 0

    async def work(texts):
        nonlocal inside, most
        async with room.of(texts):
            inside += texts
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= texts

    tasks = [asyncio.create_task(work(texts)) for texts in (3, 2, 4, 1, 1, 3)]
    waiting = asyncio.create_task(work(4))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(*tasks)
    await work(4)
    assert most == 4


def test_rows_that_differ_in_their_seed_alone_are_one_request(there):
    fake, engine = there
    rows = [Row(prompt="same", max_tokens=6, sampling=HOT, seed=seed) for seed in range(6)]
    rows.insert(2, Row(prompt="same", max_tokens=6, sampling=GREEDY))
    rows.append(Row(prompt="other", max_tokens=6, sampling=HOT))
    made = engine.generate(rows)
    asked = [(len(body["prompt"]), body["temperature"], body.get("n", 1), body["seed"]) for body in fake.streamed()]
    same = [one for one in asked if one[0] == 4]
    assert same == [(4, 0.0, 1, 0), (4, 1.5, SLOTS, 0), (4, 1.5, 2, 4)]
    assert made.prompt_tokens == len("same") + len("other")
    assert len({one.text for one in made.rows}) > 3


def test_each_text_of_a_request_has_its_own_end_count_and_likelihood(there):
    _, engine = there
    rows = [Row(prompt="x", max_tokens=9, sampling=HOT, seed=seed, scored=True) for seed in range(4)]
    heard = {}
    made = engine.generate(rows, lambda row, piece: heard.__setitem__(row, heard.get(row, "") + piece)).rows
    assert [one.text for one in made] == [heard[row] for row in range(4)]
    assert all(0 < one.tokens <= 9 and one.logprob < 0 for one in made)
    assert len({one.logprob for one in made}) == 4


def test_what_is_wrong_with_one_text_of_a_request_costs_the_others_nothing(there):
    fake, engine = there
    rows = [Row(prompt="x", max_tokens=5, sampling=HOT, seed=seed) for seed in range(4)]
    good = engine.generate(rows).rows
    fake.faults |= {"finish": "abort", "of": 2}
    made = engine.generate(rows).rows
    assert [one.finish for one in made] == ["failed" if row == 2 else good[row].finish for row in range(4)]
    assert [made[row] for row in (0, 1, 3)] == [good[row] for row in (0, 1, 3)]
    fake.faults["index"] = 9
    error = refused(lambda: engine.generate(rows))
    assert (error.code, "more texts" in error.message) == ("GENERATION_FAILED", True)


def test_a_cancel_closes_the_stream_of_all_texts_of_a_request(there):
    fake, engine = there
    fake.faults["hang"] = 6
    heard, stop = [], threading.Event()

    def on_piece(row, piece):
        heard.append(row)
        if len(heard) >= 4:
            stop.set()

    rows = [Row(prompt="x", max_tokens=60, sampling=HOT, seed=seed) for seed in range(4)]
    made = engine.generate(rows, on_piece, stop.is_set).rows
    fake.go_on.set()
    assert fake.broken.wait(30)
    assert [one.finish for one in made] == ["length"] * 4
