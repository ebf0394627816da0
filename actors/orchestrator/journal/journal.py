"""The journal: the orchestrator's own durable log of mandates, cycles and finished steps (SQLite in WAL mode).

A mandate is in here before it is acknowledged, and a reply that must never be computed twice is in here before it is
used. After a crash the journal says what is unfinished, and answers for everything that was already done.

All calls run on one thread (`Journal.run`), where those of one moment share a commit; the numbers of rows (`seq`) only
grow, so a watcher can catch up. The tables stand in `schema`, what is forgotten and when in `retention`, what is looked for in `finding`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, TypeVar

from actors.orchestrator.journal.database import Database
from actors.orchestrator.journal.finding import Finding
from actors.orchestrator.journal.retention import Retention
from actors.orchestrator.journal.rows import Answered, CycleRow, MandateRow, VerdictRow, expired
from actors.orchestrator.journal.schema import open_journal
from actors.orchestrator.journal.tokens import KnownTokens
from actors.orchestrator.journal.told import Told
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Step
from protocol.origin import Origin

__all__ = ["Answered", "CycleRow", "Journal", "MandateRow", "VerdictRow", "expired"]

T = TypeVar("T")

LEAST: Final = 4
"""Characters of an id that may stand for it."""
TOLD: Final = 4


class Journal:
    """One open journal. Methods block; call them through `run`. DAMAGED where the file is broken.

    `on_damage` is told, in the event loop, when that comes to light later, or when its file was taken away.
    """

    def __init__(self, path: Path, on_damage: Callable[[BatosError], None] = lambda _: None) -> None:
        self._on_damage = on_damage
        self._unsynced: set[str] = set()
        self._database = Database(path, open_journal, self._unsynced.clear)
        self._db = self._database.db
        self.retention = Retention(self._db)
        self.finding = Finding(self._db)
        self.tokens = KnownTokens(self._db)
        self.told = Told(self._db)

    async def run(self, work: Callable[[], T], *, durable: bool = True, alone: bool = False) -> T:
        """`work()` on the journal's thread; what SQLite raises comes out as STORAGE or DAMAGED.

        Not `durable`: what it writes may go with a power cut, unless something durable comes after it. See `database`.
        """
        return await self._told(self._database.run(work, durable=durable, alone=alone))

    def post(self, work: Callable[[], None]) -> Future[None]:
        """Have `work()` done on the journal's thread, not durably, before all that is asked later; from any thread."""
        return self._database.post(work)

    async def written(self, posted: Sequence[Future[None]]) -> None:
        """Wait for what was posted; raises the first of its errors as `run` does."""
        for one in posted:
            await self._told(asyncio.wrap_future(one))

    async def _told(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except BatosError as error:
            if error.code == "DAMAGED" or error.data.get("moved"):
                self._on_damage(error)
            raise

    async def stay(self, every: float) -> None:
        """Check regularly that the journal's file is in its place, also while nobody writes; until cancelled."""
        while True:
            await asyncio.sleep(every)
            with contextlib.suppress(BatosError):  # `on_damage` has heard of it
                await self.run(lambda: None)

    def close(self) -> None:
        self._database.close()

    # Mandates -------------------------------------------------------------------------------------------------

    def accept(self, mandate: str, key: str, body: bytes, seconds: float, origin: Origin | None = None) -> MandateRow:
        """Make a mandate durable, once for its key; the row that stands there now (perhaps an earlier one)."""
        packed, token = (None, "") if origin is None else (codec.pack(origin), origin.token)
        self._db.execute(
            "INSERT OR IGNORE INTO mandates (mandate, key, body, accepted, remaining, origin, token)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (mandate, key, body, time.time(), seconds, packed, token),
        )
        row = self._db.execute(_MANDATE + " WHERE key = ?", (key,)).fetchone()
        return MandateRow(*row)

    def attempt_again(self, row: MandateRow, seconds: float, origin: Origin | None, body: bytes = b"") -> MandateRow:
        """Open a mandate again, with so many seconds and the rights of `origin`; one that has just been opened stays as it is.

        `body` is its message, for one of which the journal has that no longer.
        """
        packed = None if origin is None else codec.pack(origin)
        self._db.execute(
            "UPDATE mandates SET state = 'accepted', reply = NULL, finished = NULL, cancelled = NULL, remaining = ?,"
            " origin = ?, attempt = attempt + 1, body = ?, body_sha256 = NULL, reply_sha256 = NULL"
            " WHERE mandate = ? AND attempt = ?",
            (seconds, packed, body or row.body, row.mandate, row.attempt),
        )
        return MandateRow(*self._db.execute(_MANDATE + " WHERE mandate = ?", (row.mandate,)).fetchone())

    def spend(self, mandate: str, remaining: float) -> None:
        """Note the seconds that a mandate still has."""
        self._db.execute("UPDATE mandates SET remaining = ? WHERE mandate = ?", (remaining, mandate))

    def by_key(self, key: str) -> MandateRow | None:
        row = self._db.execute(_MANDATE + " WHERE key = ?", (key,)).fetchone()
        return MandateRow(*row) if row else None

    def by_id(self, id_: str) -> MandateRow | None:
        """The mandate with this id, or that of the cycle with this id; a unique beginning of one will do."""
        row = self._db.execute(_MANDATE + " WHERE mandate = ?", (id_,)).fetchone()
        if row is None:
            row = self._db.execute(
                _MANDATE + " WHERE mandate = (SELECT mandate FROM cycles WHERE cycle = ?)",  # noqa: S608  all ours
                (id_,),
            ).fetchone()
        if row is None and (whole := self._whole(id_)) is not None:
            return self.by_id(whole)
        return MandateRow(*row) if row else None

    def _whole(self, beginning: str) -> str | None:
        """The one id of a mandate or a cycle that begins so; BAD_ARGUMENT where several do."""
        if len(beginning) < LEAST or not beginning.isalnum():
            return None
        found: list[str] = []
        for table, word in (("mandates", beginning.upper()), ("cycles", beginning.lower())):
            column = table[:-1]
            rows = self._db.execute(
                f"SELECT {column} FROM {table} WHERE {column} > ? AND {column} < ? LIMIT {TOLD + 1}",  # noqa: S608  ours
                (word, word + "~"),
            )
            found += [row[0] for row in rows]
        if len(found) > 1:
            more = ", …" if len(found) > TOLD else ""
            raise BatosError(
                "BAD_ARGUMENT",
                f"several mandates or cycles begin with {beginning}: {', '.join(found[:TOLD])}{more}",
                "Give more of it.",
            )
        return found[0] if found else None

    def note_read(self, mandate: str, tid: str) -> None:
        """Note in which moment of the world the mandate has been thought through."""
        self._db.execute("UPDATE mandates SET read = ? WHERE mandate = ?", (tid, mandate))

    def finish(self, mandate: str, state: str, reply: bytes, read: str = "") -> None:
        """Note the end of a mandate, `complete` or `failed`; with it its cycles end.

        `read` is as in `note_read`, where it was not noted yet. What was kept for it stays: one that failed may be attempted again,
        and any of them may be played again (`reasons`). It goes when `retention` says so.
        """
        now = time.time()
        self._db.execute(
            "UPDATE mandates SET state = ?, reply = ?, finished = ?, read = coalesce(nullif(?, ''), read) WHERE mandate = ?",
            (state, reply, now, read, mandate),
        )
        self._db.execute(
            "UPDATE cycles SET state = ?, ended = max(started, ?) WHERE mandate = ? AND ended IS NULL",
            (state.upper(), now, mandate),
        )
        self._unsynced.add(mandate)

    def cancel(self, mandate: str) -> None:
        """Make it durable that nobody wants the mandate any more, unless it has ended."""
        self._db.execute(
            "UPDATE mandates SET cancelled = ? WHERE mandate = ? AND state = 'accepted' AND cancelled IS NULL",
            (time.time(), mandate),
        )

    def unfinished(self) -> list[MandateRow]:
        """Accepted mandates without an end, oldest first."""
        rows = self._db.execute(_MANDATE + " WHERE state = 'accepted' ORDER BY seq")
        return [MandateRow(*row) for row in rows]

    def oldest_running(self) -> float | None:
        """Unix time at which the oldest mandate without an end was accepted, or None."""
        row = self._db.execute("SELECT accepted FROM mandates WHERE state = 'accepted' ORDER BY seq LIMIT 1").fetchone()
        return float(row[0]) if row else None

    def are_over(self, mandates: list[str]) -> list[str]:
        """Those of `mandates` whose end is safe even from a power cut, so that `applied` need not remember them.

        One that the journal does not know is over too: it was pruned, or is of a time that this journal has not seen.
        """
        marks = ", ".join("?" * len(mandates))
        rows = self._db.execute(
            f"SELECT mandate FROM mandates WHERE state = 'accepted' AND mandate IN ({marks})",  # noqa: S608  only marks
            mandates,
        )
        kept = {row[0] for row in rows} | self._unsynced
        return [mandate for mandate in mandates if mandate not in kept]

    # Replies --------------------------------------------------------------------------------------------------

    def reply(self, key: str) -> bytes | None:
        row = self._db.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def keep(self, key: str, mandate: str, reply: bytes) -> None:
        self._db.execute("INSERT OR IGNORE INTO replies (key, mandate, reply) VALUES (?, ?, ?)", (key, mandate, reply))

    # Cycles ---------------------------------------------------------------------------------------------------

    def begin(self, cycle: str, mandate: str, path: str, target: str, selector: str) -> None:
        self._db.execute(
            "INSERT INTO cycles (cycle, mandate, path, target, selector, state, started) VALUES (?, ?, ?, ?, ?, 'IDLE', ?)"
            " ON CONFLICT (cycle) DO UPDATE SET state = 'IDLE', error = NULL, ended = NULL",
            (cycle, mandate, path, target, selector, time.time()),
        )

    def enter(self, cycle: str, state: str) -> None:
        now = time.time()
        self._enter(cycle, state, now)
        self._db.execute(
            "UPDATE cycles SET state = ?, ended = max(started, ?) WHERE cycle = ?",
            (state, now if state in {"COMPLETE", "FAILED"} else None, cycle),
        )

    def fail(self, cycle: str, error: bytes) -> None:
        """Keep the diagnosis of a cycle that ended badly."""
        now = time.time()
        self._enter(cycle, "FAILED", now)
        self._db.execute(
            "UPDATE cycles SET state = 'FAILED', error = ?, ended = max(started, ?) WHERE cycle = ?",
            (error, now, cycle),
        )

    def _enter(self, cycle: str, state: str, now: float) -> None:
        # The wall clock may have gone back since; a cycle never does.
        self._db.execute(
            "INSERT OR IGNORE INTO transitions (cycle, state, entered) VALUES (?, ?, max(?,"
            " coalesce((SELECT max(entered) FROM transitions WHERE cycle = ?), 0),"
            " coalesce((SELECT started FROM cycles WHERE cycle = ?), 0)))",
            (cycle, state, now, cycle, cycle),
        )

    def step(self, mandate: str, step: Answered, seconds: float) -> None:
        """Add to the trace; a step that a restart repeats keeps its first entry, unless something else is sent there now."""
        self._db.execute(
            "INSERT INTO steps (mandate, cycle, path, send, seconds, tokens, state, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (mandate, path) DO UPDATE SET cycle = excluded.cycle, send = excluded.send,"
            " seconds = excluded.seconds, tokens = excluded.tokens, state = excluded.state, size = excluded.size"
            " WHERE send != excluded.send",
            (mandate, step.cycle, step.path, step.send, seconds, step.tokens, step.state, step.size),
        )

    def judged(self, cycle: str, sha256: str, verdict: str, problem: str, source: str) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO verdicts (cycle, sha256, verdict, problem, source) VALUES (?, ?, ?, ?, ?)",
            (cycle, sha256, verdict, problem, source),
        )

    def choose(self, cycle: str, sha256: str, *, is_installed: bool) -> None:
        """Mark the one of a cycle's candidates that it has come to; a cycle that thinks again may choose another."""
        self._db.execute(
            "UPDATE verdicts SET chosen = sha256 = ?, installed = sha256 = ? AND ? WHERE cycle = ?",
            (sha256, sha256, is_installed, cycle),
        )

    def cycles(self, limit: int) -> list[CycleRow]:
        rows = self._db.execute(_CYCLE + " ORDER BY seq DESC LIMIT ?", (limit,))
        return [CycleRow(*row) for row in rows]

    def cycle(self, id_: str) -> CycleRow | None:
        """The cycle with this id, or the first one of the mandate with this id; a unique beginning of one will do."""
        row = self._db.execute(_CYCLE + " WHERE cycle = ?", (id_,)).fetchone()
        if row is None:
            row = self._db.execute(_CYCLE + " WHERE mandate = ? ORDER BY seq LIMIT 1", (id_,)).fetchone()
        if row is None and (whole := self._whole(id_)) is not None and whole != id_:
            return self.cycle(whole)
        return CycleRow(*row) if row else None

    def begun(self, mandate: str) -> list[str]:
        """The cycles of a mandate, in the order in which they began."""
        rows = self._db.execute("SELECT cycle FROM cycles WHERE mandate = ? ORDER BY seq", (mandate,))
        return [row[0] for row in rows]

    def caused(self, cycle: str) -> list[CycleRow]:
        """The cycles of the same mandate that began within this one."""
        at = self._db.execute("SELECT mandate, path FROM cycles WHERE cycle = ?", (cycle,)).fetchone()
        if at is None:
            return []
        mandate, path = at
        rows = self._db.execute(
            _CYCLE + " WHERE mandate = ? AND substr(path, 1, ?) = ? ORDER BY seq",
            (mandate, len(path) + 1, path + "."),
        )
        return [CycleRow(*row) for row in rows]

    def steps(self, cycle: str) -> list[Step]:
        """The steps of a cycle, in order. A step's seconds are those of all that it caused, too."""
        rows = self._db.execute(
            "SELECT path, send, seconds, tokens, state, size, cycle FROM steps"
            " WHERE mandate = (SELECT mandate FROM steps WHERE cycle = ? LIMIT 1) ORDER BY seq",
            (cycle,),
        ).fetchall()
        spent = dict.fromkeys((row[0] for row in rows), 0.0)
        for path, _, seconds, *_ in rows:
            parts = path.split(".")
            for end in range(1, len(parts) + 1):
                above = ".".join(parts[:end])
                if above in spent:
                    spent[above] += seconds
        return [
            Step(path=path, send=send, seconds=spent[path], tokens=tokens, state=state, size=size)
            for path, send, _, tokens, state, size, owner in rows
            if owner == cycle
        ]

    def transitions(self, cycle: str) -> list[tuple[str, float]]:
        """(state, Unix time at which it was entered) of a cycle, in order."""
        rows = self._db.execute("SELECT state, entered FROM transitions WHERE cycle = ? ORDER BY seq", (cycle,))
        return [(state, entered) for state, entered in rows]

    def verdicts(self, cycle: str) -> list[VerdictRow]:
        """The verdicts on a cycle's candidates, in order."""
        rows = self._db.execute(
            "SELECT sha256, verdict, problem, source, chosen, installed FROM verdicts WHERE cycle = ? ORDER BY seq",
            (cycle,),
        )
        return [
            VerdictRow(sha256, verdict, problem, source, bool(chosen), bool(installed))
            for sha256, verdict, problem, source, chosen, installed in rows
        ]

    def counts(self) -> dict[str, int]:
        """How many cycles are active, complete, failed."""
        rows = dict(self._db.execute("SELECT name, number FROM tallies").fetchall())
        return {name: rows[name] for name in ("active", "complete", "failed")}

    def settle(self) -> None:
        """End the cycles of mandates that have ended: a crash, or a backup, may have left them open."""
        self._db.execute(
            "UPDATE cycles SET ended = max(started, ?), state = coalesce((SELECT upper(mandates.state) FROM mandates"
            " WHERE mandates.mandate = cycles.mandate), 'FAILED') WHERE ended IS NULL AND NOT EXISTS"
            " (SELECT * FROM mandates WHERE mandates.mandate = cycles.mandate AND mandates.state = 'accepted')",
            (time.time(),),
        )


_MANDATE: Final = (
    "SELECT mandate, body, accepted, remaining, attempt, state, reply, cancelled, read, origin, body_sha256"
    " FROM mandates"
)
_CYCLE: Final = "SELECT cycle, mandate, target, selector, state, error, started, ended FROM cycles"
