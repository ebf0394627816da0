"""An awakened world without a server, a thought over it, and a driver that answers what the thought asks.

The guardian is played by `Script`: a method's source is the name of a Python function over `Run`, which answers as the
jail would. What the jail itself does is tested where the jail stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import transaction
from ZODB import DB
from ZODB.MappingStorage import MappingStorage

from actors.orchestrator.asks import Answered, Begin, Call, Ended, Entered, Judged
from actors.orchestrator.overlay import Overlay
from actors.orchestrator.publish import begin
from actors.orchestrator.thinking import PERFORMERS
from actors.orchestrator.thought import Thought
from protocol.errors import BatosError
from protocol.home import Orchestrator
from protocol.messages import Ran
from world.awakening import awaken
from world.method import UvmMethod
from world.store import commit, snapshot
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
    """Answers a thought. `methods`: what a source does. `others`: replies by verb. `asked`: all that was asked."""

    db: DB
    methods: dict = field(default_factory=dict)
    others: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def answer(self, ask):
        self.asked.append(ask)
        match ask:
            case Call(verb="run"):
                return Ran(outcome=self.methods[ask.request.source](ask.request))
            case Call():
                return self.others[ask.verb](ask.request)
            case Begin():
                return begin(self.db, "m1", ask)
            case Entered() | Judged() | Ended() | Answered():
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
