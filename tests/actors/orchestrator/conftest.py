"""An awakened world without a server, a thought over it, and a driver that answers what the thought asks.

The guardian is played by `Script`: a method's source is the name of a Python function over `Run`, which answers as the
jail would, a run that it is to keep too. What the jail itself does is tested where the jail stands.

A `house` is more: real journal, real jail, the image's own states; only the model and memory are played. A crash is
played by closing a mind in the middle and beginning another one on the same journal and world.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest
import transaction
from ZODB import DB
from ZODB.FileStorage import FileStorage
from ZODB.MappingStorage import MappingStorage

from actors.guardian.jail.jail import Jail
from actors.orchestrator import codex, views
from actors.orchestrator.journal.journal import Answered, Journal
from actors.orchestrator.mandates import Mandates
from actors.orchestrator.parts import Parts
from actors.orchestrator.primitives.performers import PERFORMERS
from actors.orchestrator.publish import begin
from actors.orchestrator.thinking.asks import Begin, Chosen, Ended, Entered, Judged, Left, RemoteCall
from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Thought
from actors.orchestrator.verbs import Verbs
from bus.stub import StubBus
from protocol import verbs
from protocol.codec import digest
from protocol.errors import BatosError
from protocol.home import Orchestrator, Settings, find_home
from protocol.messages import (
    Answer,
    BaseModelReply,
    CaughtUp,
    Codex,
    Done,
    Effect,
    ExpertReply,
    ExpertsReply,
    ExpertView,
    Found,
    Generated,
    Hit,
    Inferred,
    Look,
    Mandate,
    New,
    Onward,
    Ran,
    Ranked,
    Resume,
    Resumed,
    Speed,
)
from world import awakening, placements
from world.awakening import awaken
from world.method import UvmMethod
from world.store import Store, commit, snapshot
from world.uvm import UvmObject
from world.values import oid_of


@pytest.fixture
def db():
    database = DB(MappingStorage())
    awaken(database)
    yield database
    database.close()


@dataclass
class Script:
    """Answers a thought. `methods`: what a source does. `others`: replies by verb. `asked`: all that was asked.

    With `keeps`, a run waits at its sends, but for those after so many answers that `loses` names. With `ahead`, it goes on
    unasked where the one that it waits for returns, as the guardian's does.
    """

    db: DB
    methods: dict = field(default_factory=dict)
    others: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    keeps: bool = False
    ahead: bool = False
    loses: set = field(default_factory=set)
    kept: dict = field(default_factory=dict)

    def run(self, request):
        outcome = self.methods[request.source](request)
        if self.ahead and request.then is not None and isinstance(outcome, Done):
            return Ran(outcome=outcome, onward=self.onward(request.then, outcome))
        if not (self.keeps and request.suspend and isinstance(outcome, Effect)):
            return Ran(outcome=outcome)
        token = f"token {len(self.asked)}"
        self.kept[token] = request
        return Ran(outcome=outcome, suspended=token)

    def resume(self, request):
        run = self.kept.pop(request.suspended)
        if len(run.answers) in self.loses:
            return Resumed()
        return Resumed(ran=self.run(msgspec.structs.replace(run, answers=[*run.answers, request.answer])))

    def onward(self, then, done):
        changed = done.changed if then.shared else {}
        answer = Answer(digest=then.digest, value=done.result, changed=changed)
        ran = self.resume(Resume(suspended=then.suspended, answer=answer)).ran
        return ran and Onward(suspended=then.suspended, answer=digest(answer), ran=ran)

    def answer(self, ask):
        self.asked.append(ask)
        match ask:
            case RemoteCall(verb=verbs.RUN):
                return self.run(ask.request)
            case RemoteCall(verb=verbs.RESUME):
                return self.resume(ask.request)
            case RemoteCall():
                return self.others[ask.verb.name](ask.request)
            case Left():
                return 3600.0
            case Begin():
                return begin(self.db, "m1", ask)
            case Entered() | Judged() | Chosen() | Ended() | Answered():
                return None

    def drive(self, thinking):
        answer, error = None, None
        while True:
            try:
                ask = thinking.send(answer) if error is None else thinking.throw(error)
            except StopIteration as stop:
                return stop.value
            answer, error = None, None
            try:
                answer = self.answer(ask)
            except BatosError as raised:
                error = raised


@pytest.fixture
def script(db):
    return Script(db)


@pytest.fixture
def make(db):
    """Store an object of the user with these slots and methods; its OID."""

    def make(name, parent=None, methods=(), **slots):
        with commit(db, user="test", description=name) as connection:
            root = connection.root()
            made = UvmObject(name, **slots)
            made.set_slot("parent*", connection.get(bytes.fromhex(parent)) if parent else root["traits_obj"])
            for selector in methods:
                made.set_slot(selector, UvmMethod(selector, source=selector))
            connection.add(made)
            root["objects"][name] = made
            return oid_of(made)

    return make


@pytest.fixture
def think(db):
    """A new thought over the world as it is now."""
    managers = []

    def think(**limits):
        manager = transaction.TransactionManager(explicit=True)
        connection = db.open(manager)
        manager.begin()
        managers.append((manager, connection))
        return Thought("m1", Overlay(connection), Orchestrator(**limits), PERFORMERS)

    yield think
    for manager, connection in managers:
        manager.abort()
        connection.close()


@pytest.fixture
def stored(db):
    """The plain own slots of an object of the user, as they stand in the world."""

    def stored(name):
        with snapshot(db) as connection:
            here = connection.root()["objects"][name]
            return {slot: value for slot, value in here._slots.items() if not slot.endswith("*")}

    return stored


@pytest.fixture
async def jail():
    opened = Jail(workers=1)
    await opened.start()
    yield opened
    await opened.close()


class Played:
    """The inference actor: one list of texts a round; a round may also be a coroutine function or an error.

    A round is drawn in portions, whose seeds follow on each other. `asked` has the first request of each round, `drawn` all.
    """

    def __init__(self):
        self.rounds = []
        self.asked = []
        self.drawn = []
        self._rest = []
        self._seed = None

    async def infer(self, request):
        self.drawn.append(request)
        goes_on = request.rows[0].scored and request.rows[0].seed == self._seed
        self._seed = request.rows[-1].seed + 1
        if goes_on:
            texts = self._rest
        else:
            self.asked.append(request)
            texts = self.rounds.pop(0) if self.rounds else []  # what has nothing more to say ends at once
        self._rest = []
        if isinstance(texts, list):
            texts, self._rest = texts[: len(request.rows)], texts[len(request.rows) :]
        if isinstance(texts, BatosError):
            raise texts
        if callable(texts):
            texts = await texts()
        rows = [Generated(text=text, tokens=10, finish="stop") for text in texts]
        return Inferred(rows=rows, prompt_tokens=1, seconds=0.1, model="digest of the model")


class House:
    def __init__(self, tmp_path, jail):
        self.path = tmp_path
        self.db = DB(FileStorage(str(tmp_path / "world.fs"), blob_dir=str(tmp_path / "blobs")))
        awakening.awaken(self.db)
        self.played = Played()
        self.runs = 0
        self.searched, self.hits, self.caught_up = [], [], []
        self.nearness = 0.01
        self.prefetched = []
        digest = next(iter(placements.shipped()))
        self.model = BaseModelReply(digest=digest, source="a play", speed=Speed(read=100.0, one=10.0))

        async def run(request):
            self.runs += 1
            return await jail.begin(request)

        self.bus = StubBus(
            {
                ("guardian", "run"): run,
                ("guardian", "resume"): jail.resume,
                ("guardian", "trial"): jail.run,
                ("guardian", "probe"): jail.run,
                ("guardian", "judge"): jail.run,
                ("inference", "infer"): self.played.infer,
                ("inference", "prefetch"): self.prefetch,
                ("inference", "model"): lambda _request: self.model,
                ("memory", "search"): self.search,
                ("memory", "rank"): self.rank,
                ("memory", "catch_up"): self.catch_up,
            }
        )
        self.events = []
        self.settings = Settings()
        self.open()

    def prefetch(self, request):
        self.prefetched.append(request)
        return ExpertsReply(experts=[])

    def search(self, request):
        self.searched.append(request)
        return Found(hits=self.hits, seconds=0.0)

    def rank(self, request):
        """By common words, which is near enough for a play."""
        asked = set(request.query.lower().split())
        return Ranked(scores=[len(asked & set(text.lower().split())) * self.nearness for text in request.texts])

    def catch_up(self, _request):
        with snapshot(self.db) as connection:
            self.caught_up = [dict(entry) for entry in connection.root()["outbox"].values()]
        return CaughtUp(cursor=len(self.caught_up))

    def open(self):
        self.store = Store(self.db, "file://")
        self.journal = Journal(self.path / "journal.sqlite")
        self.mandates = Mandates(self.store, self.journal, self.bus, self.settings)

    def handlers(self):
        """What the orchestrator over these parts answers."""
        parts = Parts(
            find_home(str(self.path)), Settings(), self.bus, lambda: BatosError("NOT_READY", "a part is away")
        )
        parts.has_store, parts.has_journal, parts.has_mandates = self.store, self.journal, self.mandates
        return Verbs(parts).handlers()

    async def crash(self):
        """The process is gone: whatever was under way is lost, the files are as they are."""
        await self.mandates.close()
        self.journal.close()
        self.store._thread.shutdown()
        self.open()

    def new(self, name, **slots):
        return views.create(self.store, New(name=name, slots=slots))

    async def send(self, target, selector, *args, key="k", origin=None, **rest):
        mandate = Mandate(target=target, selector=selector, args=list(args), **rest)
        return await self.mandates.answer(mandate, key, self.events.append, origin)

    async def codex(self, text=None):
        return await self.store.run(lambda: codex.serve(self.store, Codex(text=text)))

    def hit(self, **facts):
        return Hit(**facts)

    def give(self, name, source):
        """An object has a method that nobody has learned."""
        selector = source.split("def ")[1].split("(")[0]
        with commit(self.db, user="test", description="given") as connection:
            connection.root()["objects"][name].set_slot(selector, UvmMethod(selector, source=source))

    def meddle(self, name, value):
        """Another one has changed the object meanwhile."""
        with commit(self.db, user="test", description="meddling") as connection:
            connection.root()["objects"][name].meddled = value

    def expert(self, name):
        view = ExpertView(name=name, sha256="s", tier="hot", bytes=1, rank=1, base_model="b")
        return ExpertReply(expert=view, seconds=0.0)

    def look(self, name):
        return views.look(self.store, Look(target=name))

    async def close(self):
        await self.mandates.close()
        self.journal.close()
        self.store.close()


@pytest.fixture
async def house(tmp_path, jail):
    built = House(tmp_path, jail)
    yield built
    await built.close()
