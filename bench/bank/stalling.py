"""What rows under way feel of an expert that is fetched beside them, and what whoever comes next waits for.

A step counts as disturbed where it overlaps a fetch. The peer is a second thread that loads an adapter into PEFT's model
while `generate()` runs. A model is busy with other things too: the steps between two fetches say how often.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple, Self

from actors.inference.experts.tiers import stand_back
from bench.bank.stand import Said, Scene, generate, lengths, peer, prompt, say, stand, vocabulary
from bench.claims import Claim

PAUSE: Final = 3
"""Steps between two fetches."""
PATIENCE: Final = 20
"""Further rounds, where a small model is so fast, or a machine so busy, that nothing has overlapped yet."""
QUIET: Final = 16
"""Steps of each round during which nothing is fetched at all."""


class _Felt(NamedTuple):
    """The seconds of the steps that overlapped a fetch, of the others, and how many fetches there were."""

    disturbed: list[float]
    quiet: list[float]
    fetches: int

    @property
    def slowdown(self) -> float:
        return statistics.median(self.disturbed) / statistics.median(self.quiet)

    def waited(self) -> int:
        """Disturbed steps that took over twice as long as a quiet one."""
        return sum(step > 2 * statistics.median(self.quiet) for step in self.disturbed)

    def waited_anyway(self) -> int:
        """Quiet ones that did: what the machine does by itself."""
        return sum(step > 2 * statistics.median(self.quiet) for step in self.quiet)


class _Fetching:
    """A thread that calls `fetch` again and again, with pauses, until the block ends; a failure of it is raised there."""

    def __init__(self, fetch: Callable[[int], None], pause: float, begin: Callable[[], None] = lambda: None) -> None:
        self.windows: list[tuple[float, float]] = []
        self._fetch = fetch
        self._pause = pause
        self._begin = begin
        self._enough = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._begin()
            while True:
                began = time.perf_counter()
                self._fetch(len(self.windows))
                self.windows.append((began, time.perf_counter()))
                if self._enough.wait(self._pause):
                    break
        except BaseException as error:  # noqa: BLE001 - raised where the block ends
            self._error = error


def measure(scene: Scene, rounds: int, steps: int) -> list[Claim]:
    """Stalls and slowdown, ours and, over half as many steps, PEFT's."""
    mine = stand(scene)
    theirs = peer(scene.build(), {"expert": scene.samples[0].folder})
    ids = prompt(0, 32, vocabulary(mine))
    first, *others = [sample.content for sample in scene.samples]
    misses = 0

    def fetch(number: int) -> None:
        nonlocal misses
        content = others[number % len(others)]
        mine.tiers.evict(content)
        mine.tiers.prefetch("next", [content])
        misses += mine.tiers.place(content.sha256).tier != "hot"

    def load(number: int) -> None:
        theirs.load_adapter(
            str(scene.samples[1 + number % len(others)].folder), adapter_name="next", autocast_adapter_dtype=False
        )
        theirs.delete_adapter("next")

    ours, peers = _Felt([], [], 0), _Felt([], [], 0)
    loads = 0
    pause = PAUSE * statistics.median(lengths(say(mine, [ids], [first], 9)))
    # What a first pass packs for a processor must not be read meanwhile.
    generate(theirs, [ids], 1)
    for number in range(rounds + 1 + PATIENCE):
        if number > rounds and ours.disturbed and peers.disturbed:
            break
        with _Fetching(fetch, pause, stand_back) as fetching:
            said = say(mine, [ids], [first], steps + 1)
        felt = _sorted(said, fetching.windows)
        # Who comes next finds its expert in a slot, and nothing is loaded for it.
        content = others[(len(fetching.windows) - 1) % len(others)]
        loads += mine.tiers.place(content.sha256).tier != "hot"
        say(mine, [ids], [content], 1)
        with _Fetching(load, pause) as fetching:
            said = generate(theirs, [ids], steps // 2 + 1)
        if number:
            ours = _joined(_joined(ours, felt), _sorted(say(mine, [ids], [first], QUIET + 1), []))
            peers = _joined(peers, _sorted(said, fetching.windows))
            peers = _joined(peers, _sorted(generate(theirs, [ids], QUIET + 1), []))
    return _claims(ours, peers, loads + misses)


def _sorted(said: Said, windows: list[tuple[float, float]]) -> _Felt:
    felt = _Felt([], [], len(windows))
    for start, end in said.steps:
        overlaps = any(began < end and start < ended for began, ended in windows)
        (felt.disturbed if overlaps else felt.quiet).append(end - start)
    return felt


def _joined(one: _Felt, other: _Felt) -> _Felt:
    return _Felt(one.disturbed + other.disturbed, one.quiet + other.quiet, one.fetches + other.fetches)


def _claims(ours: _Felt, peers: _Felt, loads: int) -> list[Claim]:
    if not (ours.disturbed and peers.disturbed):
        raise RuntimeError("no step overlapped a fetch: decode for longer")
    return [
        _stalls(ours, peers),
        Claim(
            id="experts not in a slot after their fetch, or when their batch came",
            ours=loads,
            peers={"fetches": ours.fetches},
            unit="experts",
            target="0",
            ok=loads == 0,
        ),
        Claim(
            id="a step beside a fetch, to one without",
            ours=round(ours.slowdown, 3),
            peers={"PEFT load_adapter in a thread": round(peers.slowdown, 3)},
            unit="x",
            target="<= 1.2",
            ok=ours.slowdown <= 1.2,
        ),
    ]


def _stalls(ours: _Felt, peers: _Felt) -> Claim:
    peer_share: dict[str, float] = {
        f"steps beside {ours.fetches} fetches": len(ours.disturbed),
        f"ours, {len(ours.quiet)} steps without a fetch": ours.waited_anyway(),
        f"PEFT load_adapter in a thread, {len(peers.disturbed)} steps": peers.waited(),
        f"PEFT, {len(peers.quiet)} steps without": peers.waited_anyway(),
    }
    return Claim(
        id="steps that waited for a fetch beside them",
        ours=ours.waited(),
        peers=peer_share,
        unit="steps over 2 x the median",
        target="0",
        ok=ours.waited() == 0,
    )
