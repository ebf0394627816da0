"""The broker's mind: each rule alone, and two laws over any history."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.answer import reply_to
from bus.broker.exchange import GRACE_S, Exchange, Out
from bus.link import SILENCE_S, sealed
from bus.registration import Ready
from protocol.codec import convert
from protocol.envelope import Envelope, open_frame
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import ActorStatus, Experts, Infer, Inferred, StatusQuery


class Bench:
    """An exchange with a clock to turn; what it sends is kept by peer."""

    def __init__(self, **options: Any) -> None:
        self.now = 100.0
        options.setdefault("admits", lambda _token, _service: True)
        self.exchange = Exchange(clock=lambda: self.now, **options)
        self.sent: dict[bytes, list[Envelope]] = {}

    def say(
        self, peer: bytes, kind: Any, ident: str = "", *, body: Any = None, seconds: float = 5.0, **more: Any
    ) -> None:
        more.setdefault("service", "inference")
        deadline = self.now + seconds if kind == "request" else 0.0
        envelope = Envelope(id=ident, kind=kind, body=body, deadline=deadline, **more)
        frame = sealed(envelope)
        self.take(self.exchange.receive(peer, frame, open_frame(frame), self.now))

    def ready(self, peer: bytes = b"worker", capacity: int = 1, service: str = "inference") -> None:
        self.say(peer, "ready", body=Ready(capacity=capacity), service=service)

    def ask(self, ident: str, peer: bytes = b"client", verb: str = "infer", **more: Any) -> None:
        body = {"infer": Infer(rows=[]), "experts": Experts()}.get(verb, StatusQuery())
        self.say(peer, "request", ident, verb=verb, body=body, **more)

    def answer(self, ident: str, peer: bytes = b"worker", kind: Any = "final") -> None:
        self.say(peer, kind, ident, verb="infer", body=Inferred(rows=[], prompt_tokens=0, seconds=0.0))

    def pass_time(self, seconds: float, *beating: bytes) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += 0.1
            for peer in beating:
                self.say(peer, "heartbeat", service="inference" if peer.startswith(b"worker") else "")
            self.take(self.exchange.tick(self.now))

    def take(self, out: list[Out]) -> None:
        for peer, frame in out:
            envelope = open_frame(frame)
            if envelope.kind != "heartbeat":
                self.sent.setdefault(peer, []).append(envelope)

    def got(self, peer: bytes) -> list[tuple[str, str]]:
        return [(envelope.kind, envelope.id) for envelope in self.sent.get(peer, [])]

    def failure(self, ident: str, peer: bytes = b"client") -> Failure:
        (found,) = [e for e in self.sent[peer] if e.id == ident and e.kind == "failure"]
        return convert(found.body, Failure)


def test_a_request_goes_to_its_worker_and_the_replies_go_back_in_order() -> None:
    bench = Bench()
    bench.ready()
    bench.ask("1")
    bench.answer("1", kind="partial")
    bench.answer("1", kind="partial")
    bench.answer("1")
    assert bench.got(b"worker") == [("request", "1")]
    assert bench.got(b"client") == [("partial", "1"), ("partial", "1"), ("final", "1")]


def test_a_worker_gets_as_many_at_once_as_it_announced() -> None:
    bench = Bench()
    bench.ready(capacity=2)
    for ident in "123":
        bench.ask(ident)
    assert bench.got(b"worker") == [("request", "1"), ("request", "2")]
    bench.answer("2")
    assert bench.got(b"worker")[2:] == [("request", "3")]


def test_the_least_loaded_worker_is_chosen() -> None:
    bench = Bench()
    bench.ready(b"worker-a", capacity=9)
    bench.ready(b"worker-b", capacity=9)
    for ident in "1234":
        bench.ask(ident)
    assert len(bench.got(b"worker-a")) == len(bench.got(b"worker-b")) == 2


def test_a_verb_that_waits_holds_up_no_other_verb() -> None:
    bench = Bench(queue=1)
    bench.ready(capacity=2)
    for ident in "1234":
        bench.ask(ident)
    assert bench.got(b"worker") == [("request", "1"), ("request", "2")]
    assert bench.failure("4").code == "BUSY"
    bench.ask("5", verb="experts")
    assert bench.got(b"worker")[2:] == [("request", "5")], "its credit and its queue are its own"
    bench.answer("5")
    assert bench.got(b"worker")[3:] == [], "the credit that comes back is that of the verb, too"


def test_who_comes_gets_what_waits_of_every_verb() -> None:
    bench = Bench()
    bench.ask("1")
    bench.ask("2", verb="experts")
    bench.ready(capacity=1)
    assert sorted(bench.got(b"worker")) == [("request", "1"), ("request", "2")]


def test_a_verb_that_the_service_does_not_have_is_refused_and_keeps_nothing() -> None:
    bench = Bench()
    for n in range(5):
        bench.ask(f"{n}", verb=f"dream{n}")
        assert bench.failure(f"{n}").code == "UNKNOWN_VERB"
    assert not bench.exchange._queues


def test_status_neither_waits_nor_counts() -> None:
    bench = Bench()
    bench.ask("nobody", verb="status")
    assert bench.failure("nobody").code == "NOT_READY"
    bench.ready(capacity=1)
    bench.ask("1")
    bench.ask("2", verb="status")
    assert bench.got(b"worker") == [("request", "1"), ("request", "2")]


def test_a_request_waits_for_a_worker_to_come() -> None:
    bench = Bench()
    bench.ask("1")
    bench.pass_time(1, b"client")
    bench.ready()
    assert bench.got(b"worker") == [("request", "1")]


def test_no_worker_by_the_deadline_is_not_ready_and_a_busy_one_is_timeout() -> None:
    bench = Bench()
    bench.ask("1", seconds=1)
    bench.pass_time(1.2, b"client")
    assert bench.failure("1").code == "NOT_READY"
    bench.ready(capacity=1)
    bench.ask("2", seconds=60)
    bench.ask("3", seconds=1)
    bench.pass_time(1.2, b"client", b"worker")
    assert bench.failure("3").code == "TIMEOUT"
    bench.answer("2")
    assert bench.got(b"worker") == [("request", "2")], "the expired one must not be started"


def test_at_the_deadline_the_worker_is_told_and_its_slot_is_held_until_it_answers() -> None:
    bench = Bench()
    bench.ready(capacity=1)
    bench.ask("1", seconds=1)
    bench.ask("2", seconds=60)
    bench.pass_time(1 + GRACE_S + 0.2, b"client", b"worker")
    assert bench.failure("1").code == "TIMEOUT"
    assert bench.got(b"worker") == [("request", "1"), ("disconnect", "1")]
    bench.answer("1")
    assert bench.got(b"worker")[-1] == ("request", "2")
    assert ("final", "1") not in bench.got(b"client")


def test_what_arrives_after_its_deadline_is_not_started() -> None:
    bench = Bench()
    bench.ready()
    bench.ask("1", seconds=-1)
    assert bench.failure("1").code == "TIMEOUT"
    assert bench.got(b"worker") == []


def test_the_queue_is_bounded() -> None:
    bench = Bench(queue=2)
    for ident in "123":
        bench.ask(ident)
    assert bench.failure("3").code == "BUSY"


def test_an_unknown_service_and_a_repeated_id_are_refused_at_once() -> None:
    bench = Bench()
    bench.ask("1", service="oracle")
    assert bench.failure("1").code == "UNKNOWN_VERB"
    bench.ask("2")
    bench.ask("2", peer=b"other")
    assert bench.failure("2", b"other").code == "BAD_MESSAGE"


def test_a_silent_worker_is_lost_and_its_requesters_are_told() -> None:
    bench = Bench()
    bench.ready(capacity=2)
    bench.ask("1", seconds=60)
    bench.ask("2", peer=b"other", seconds=60)
    bench.pass_time(SILENCE_S + 0.3, b"client", b"other")
    for peer, ident in ((b"client", "1"), (b"other", "2")):
        failure = bench.failure(ident, peer)
        assert (failure.code, failure.data) == ("NOT_READY", {"lost": True})
    assert bench.exchange.services() == {}
    bench.say(b"worker", "heartbeat")
    assert bench.got(b"worker")[-1] == ("disconnect", ""), "it is told to say ready again"


def test_a_lost_client_cancels_what_runs_and_forgets_what_waits() -> None:
    bench = Bench()
    bench.ready(capacity=1)
    bench.ask("1", seconds=60)
    bench.ask("2", seconds=60)
    bench.pass_time(SILENCE_S + 0.3, b"worker")
    assert bench.got(b"worker") == [("request", "1"), ("disconnect", "1")]
    bench.answer("1")
    assert bench.got(b"worker")[2:] == []


def test_an_undeliverable_frame_means_a_lost_peer() -> None:
    bench = Bench()
    bench.ready()
    bench.ask("1")
    bench.take(bench.exchange.lost(b"worker"))
    assert bench.failure("1").data == {"lost": True}


def test_when_somebody_has_gone_everybody_is_spoken_to() -> None:
    bench = Bench()
    bench.ready()
    bench.ask("1")
    assert {peer: open_frame(frame).kind for peer, frame in bench.exchange.speak()} == {
        b"worker": "heartbeat",
        b"client": "heartbeat",
    }


def test_a_client_can_give_up_one_request() -> None:
    bench = Bench()
    bench.ready(capacity=1)
    bench.ask("1")
    bench.ask("2")
    bench.say(b"other", "disconnect", "1")
    assert bench.got(b"worker") == [("request", "1")], "only who asked may give up"
    bench.say(b"client", "disconnect", "2")
    bench.say(b"client", "disconnect", "1")
    bench.answer("1")
    assert bench.got(b"worker") == [("request", "1"), ("disconnect", "1")]


def test_a_leaving_worker_gets_nothing_new_and_gives_back_what_it_has_not_begun() -> None:
    bench = Bench()
    bench.ready(b"worker-a", capacity=2)
    bench.ask("1")
    bench.ask("2")
    bench.say(b"worker-a", "disconnect")
    bench.say(b"worker-a", "disconnect", "2")
    bench.ask("3")
    bench.ready(b"worker-b", capacity=9)
    assert bench.got(b"worker-b") == [("request", "2"), ("request", "3")]
    bench.answer("1", b"worker-a")
    assert ("final", "1") in bench.got(b"client")
    assert bench.exchange.services() == {"inference": 1}


def test_a_reply_counts_only_from_the_worker_that_has_the_request() -> None:
    bench = Bench()
    bench.ready()
    bench.ask("1")
    bench.answer("1", b"thief")
    bench.answer("unheard-of")
    assert bench.got(b"client") == []


def test_a_broker_that_stood_still_loses_nobody() -> None:
    bench = Bench()
    bench.ready()
    bench.ask("1", seconds=60)
    bench.pass_time(0.5, b"client", b"worker")
    bench.now += 30
    bench.take(bench.exchange.tick(bench.now))
    bench.answer("1")
    assert bench.got(b"client") == [("final", "1")]


@pytest.mark.parametrize("body", [None, {"capacity": 0}, {"capacity": "many"}, 7])
def test_a_malformed_ready_registers_nobody(body: Any) -> None:
    bench = Bench()
    bench.say(b"worker", "ready", body=body, service="inference" if body else "broker")
    assert bench.exchange.services() == {}


def test_the_broker_answers_for_itself() -> None:
    bench = Bench()
    bench.ready(b"worker-a")
    bench.ready(b"worker-b", service="guardian")
    bench.ask("1", verb="status", service="broker")
    (reply,) = bench.sent[b"client"]
    assert convert(reply.body, ActorStatus).detail == {"services": {"inference": 1, "guardian": 1}}
    bench.ask("2", verb="infer", service="broker")
    assert bench.failure("2").code == "UNKNOWN_VERB"


PEERS = st.sampled_from([b"worker-a", b"worker-b", b"client-a", b"client-b"])
IDENTS = st.sampled_from([f"r{n}" for n in range(6)])
SERVICES = st.sampled_from(["inference", "guardian"])
STEPS = st.one_of(
    st.tuples(st.just("ready"), st.sampled_from([b"worker-a", b"worker-b"]), SERVICES, st.integers(1, 2)),
    st.tuples(st.just("ask"), st.sampled_from([b"client-a", b"client-b", b"worker-a"]), SERVICES, st.floats(0.1, 4)),
    st.tuples(
        st.sampled_from(["experts", "status"]), st.sampled_from([b"client-a", b"client-b"]), SERVICES, st.floats(0.1, 4)
    ),
    st.tuples(st.sampled_from(["final", "failure", "partial", "disconnect"]), PEERS, SERVICES, IDENTS),
    st.tuples(st.sampled_from(["leave", "lost", "heartbeat"]), PEERS, SERVICES, st.none()),
    st.tuples(st.just("wait"), st.just(b""), SERVICES, st.floats(0.1, 3)),
)


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=40))
def test_whatever_happens_each_request_has_one_end_and_nothing_is_left(steps: list[Any]) -> None:
    """Any history: at most one final or failure a request, exactly one unless its client left; no entry stays."""
    bench = Bench(queue=3)
    asked: dict[str, bytes] = {}
    silent: set[str] = set()
    for kind, peer, service, detail in steps:
        if kind == "ready":
            bench.ready(peer, capacity=detail, service=service)
        elif kind in ("ask", "experts", "status"):
            ident = f"r{len(asked)}"
            asked[ident] = peer
            verb = {"ask": "infer" if service == "inference" else "judge"}.get(kind, kind)
            bench.ask(ident, peer=peer, service=service, seconds=detail, verb=verb)
        elif kind in ("final", "failure", "partial"):
            body = Failure("INTERNAL", "x") if kind == "failure" else Inferred(rows=[], prompt_tokens=0, seconds=0.0)
            bench.say(peer, kind, detail, verb="infer", body=body, service=service)
        elif kind == "disconnect":
            if asked.get(detail) == peer:
                silent.add(detail)
            bench.say(peer, kind, detail, service=service)
        elif kind == "leave":
            silent |= {ident for ident, client in asked.items() if client == peer}
            bench.say(peer, "disconnect", service=service)
        elif kind == "lost":
            bench.take(bench.exchange.lost(peer))
        elif kind == "heartbeat":
            bench.say(peer, kind, service=service)
        else:
            bench.pass_time(detail)
        for worker in bench.exchange._workers.values():
            loads = [count for verb, count in worker.load.items() if verb != "status"]
            assert all(0 <= count <= 2 for count in loads), "2 is the most that any of them announces"
    bench.pass_time(12)
    for ident, client in asked.items():
        ends = [e.kind for e in bench.sent.get(client, []) if e.id == ident and e.kind in ("final", "failure")]
        assert len(ends) <= 1
        assert ends or ident in silent
    exchange = bench.exchange
    assert not exchange._requests
    assert not exchange._clients
    assert not exchange._workers
    assert not any(exchange._queues.values())
    assert exchange._queued_bytes == 0


def test_a_reply_names_what_it_answers() -> None:
    request = Envelope(id="1", kind="request", service="inference", verb="infer", traceparent="00-a-b-01")
    reply = reply_to(request, "final", Inferred(rows=[], prompt_tokens=0, seconds=0.0))
    assert (reply.id, reply.causation, reply.traceparent) == ("1", "1", "00-a-b-01")


def test_what_cannot_be_read_is_not_sent() -> None:
    with pytest.raises(BatosError, match="cannot be sent") as caught:
        sealed(Envelope(id="1", kind="final", service="inference", body={"seconds": float("nan")}))
    assert caught.value.code == "BAD_VALUE"


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
def test_a_deadline_stands_whatever_the_wall_clock_does(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    bench = Bench()
    bench.ready()
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + jump)
    bench.ask("1", seconds=5.0)
    bench.pass_time(4.5, b"worker", b"client")
    assert bench.sent.get(b"client", []) == [envelope for envelope in bench.sent.get(b"client", []) if not envelope.id]
    bench.pass_time(1.0, b"worker", b"client")
    assert convert(bench.sent[b"client"][-1].body, Failure).code == "TIMEOUT"
