"""A world straight in a file, in which documents are remembered, changed, moved and forgotten as memory does it; and all that it ever said."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.memory import catalog
from actors.memory.documents import moving
from actors.memory.preparing import prepared
from actors.memory.texts.passages import Passage
from actors.storage.records import problems
from protocol.checks.documents import check
from protocol.home import find_home
from world.awakening import awaken
from world.store import commit, snapshot
from world.uvm import UvmObject


class World:
    """Its file is open within `opened` alone."""

    def __init__(self, root, like=None):
        """Awake; one that is `like` another has the file of that."""
        self.home = find_home(str(root)).prepare()
        if like is not None:
            shutil.copytree(like.home.world, self.home.world, dirs_exist_ok=True)
            return
        with self.opened() as db:
            awaken(db)

    @contextmanager
    def opened(self):
        db = DB(FileStorage(str(self.home.database), blob_dir=str(self.home.blobs)))
        try:
            yield db
        finally:
            db.close()

    def problems(self):
        return problems(self.home.database, self.home.blobs)

    def bytes(self):
        """All that stands in any file of the home."""
        return b"\0".join(path.read_bytes() for path in sorted(self.home.root.rglob("*")) if path.is_file())


def remember(db, doc_id, *texts, **metadata):
    document = check(doc_id, "\n".join(texts), metadata)
    pieces = prepared([Passage(text, at) for at, text in enumerate(texts)])
    for piece in pieces[:-1]:
        catalog.bring(db, document, piece)
    return catalog.keep(db, document, pieces)[0]


def move(db, doc_id, to, text):
    return moving.move(db, check(to, text, {}), doc_id, b"")


def forget(db, doc_id):
    gone = catalog.forget(db, doc_id)[0]
    while catalog.clear_some(db):
        pass
    return gone


def make(db, name, **slots):
    with commit(db, user="test", description=f"new {name}", facts={"note": name}) as connection:
        connection.root()["objects"][name] = UvmObject(name, **slots)


def change(db, name, **slots):
    with commit(db, user="test", description=f"set {name}") as connection:
        for slot, value in slots.items():
            connection.root()["objects"][name].set_slot(slot, value)


def history(db):
    """Who did what, why and when: every transaction, the newest first."""
    return [{**each, "size": None} for each in db.undoLog(0, -(10**6))]


def moments(db):
    return [transaction.tid for transaction in db.storage.iterator()]


def said(db, tid):
    """What the user's objects and the documents said right after a transaction; text by passages."""
    with snapshot(db, tid) as connection:
        root = connection.root()
        if "knowledge_catalog_obj" not in root:
            return None
        objects = {name: _plain(one) for name, one in root["objects"].items()}
        documents = root["knowledge_catalog_obj"]._slots.get("documents", {})
        return objects, {doc_id: [chunk.text for chunk in one.chunks] for doc_id, one in documents.items()}


def _plain(one):
    return {name: repr(getattr(value, "data", value)) for name, value in one._slots.items() if not name.endswith("*")}
