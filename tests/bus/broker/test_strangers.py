"""What the broker's mind keeps of those that it does not know: nothing, and of those it knows only so much."""

from __future__ import annotations

from bus.broker.exchange import MAX_ID, MAX_STATUS, Exchange
from bus.broker.expiries import SLACK
from bus.registration import Ready
from protocol.codec import convert
from protocol.failure import Failure

from .test_exchange import Bench


def test_only_a_worker_with_a_token_for_its_service_is_given_requests() -> None:
    bench = Bench(admits=lambda token, service: (token, service) == ("t", "inference"))
    for peer, token, service in ((b"a", "", "inference"), (b"b", "x", "inference"), (b"c", "t", "memory")):
        bench.say(peer, "ready", body=Ready(capacity=9, token=token), service=service)
        (told,) = bench.sent[peer]
        assert (told.kind, told.id, convert(told.body, Failure).code) == ("failure", "", "REFUSED")
    assert bench.exchange.services() == {}
    bench.say(b"worker", "ready", body=Ready(capacity=9, token="t"))
    bench.ask("1")
    assert bench.got(b"worker") == [("request", "1")]
    assert not any(bench.got(peer)[1:] for peer in (b"a", b"b", b"c"))


def test_a_worker_that_shows_no_token_for_another_service_keeps_its_own() -> None:
    bench = Bench(admits=lambda token, service: token == service)
    bench.say(b"worker", "ready", body=Ready(token="inference"))
    bench.say(b"worker", "ready", body=Ready(token="inference"), service="orchestrator")
    assert bench.exchange.services() == {"inference": 1}


def kept(exchange: Exchange) -> int:
    """How many things it remembers."""
    known = (exchange._workers, exchange._clients, exchange._requests, exchange._expiries, *exchange._queues.values())
    return sum(map(len, known))


def test_nothing_is_kept_of_what_strangers_send() -> None:
    bench = Bench(admits=lambda _token, _service: False)
    for number in range(3000):
        peer = b"%d" % number
        bench.say(peer, "heartbeat", service="inference")
        bench.say(peer, "ready", body=Ready(capacity=99))
        bench.say(peer, "ready", body={"capacity": "many"})
        bench.say(peer, "ready", body=Ready(), service=f"no service {number}")
        bench.say(peer, "disconnect", str(number))
        bench.answer(str(number), peer)
        bench.ask("x" * (MAX_ID + 1), peer)
        bench.ask(str(number), peer, service=f"no service {number}")
        bench.ask(f"{number}!", peer, seconds=-1)
        bench.sent.clear()
    assert kept(bench.exchange) == 0


def test_what_has_ended_is_forgotten_long_before_its_deadline() -> None:
    bench = Bench()
    bench.ready(capacity=1)
    for number in range(3 * SLACK):
        bench.ask(str(number), seconds=1e9)
        bench.answer(str(number)) if number % 2 else bench.say(b"client", "disconnect", str(number))
        if not number % 2:
            bench.answer(str(number))
        bench.sent.clear()
    assert len(bench.exchange._expiries) <= SLACK + 2
    bench.ask("last", seconds=1.0)
    bench.pass_time(1.5, b"worker", b"client")
    assert bench.failure("last").code == "TIMEOUT", "the order of the deadlines has stayed"


def test_questions_for_its_status_that_a_worker_does_not_answer_are_bounded() -> None:
    bench = Bench()
    bench.ready(capacity=1)
    for number in range(MAX_STATUS + 5):
        bench.ask(str(number), verb="status")
    assert len(bench.got(b"worker")) == MAX_STATUS
    assert bench.failure(str(MAX_STATUS)).code == "BUSY"
    bench.answer("0")
    bench.ask("another", verb="status")
    assert bench.got(b"worker")[-1] == ("request", "another")
