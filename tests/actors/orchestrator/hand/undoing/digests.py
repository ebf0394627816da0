"""The world of a user in one number: all names, with the slots of what they mean, and of what that owns."""

from __future__ import annotations

from protocol import codec
from world.finding import reach
from world.method import UvmMethod
from world.store import snapshot
from world.values import NotPlain, oid_of, plain


def digest(db, at=None):
    with snapshot(db, None if at is None else bytes.fromhex(at)) as connection:
        found = {}
        for label, here in reach.objects(connection):
            slots = {}
            for name, value in here._slots.items():
                if isinstance(value, UvmMethod):
                    slots[name] = [value.sha256, [plain(example, lambda _: None) for example in value.examples]]
                else:
                    slots[name] = shown(value)
            parents = [name for name in here._slots if name.endswith("*")]
            found[label] = [oid_of(here), here._name, slots, parents]
        return codec.digest(found)


def shown(value):
    try:
        return plain(value, lambda _: None)
    except NotPlain:
        return "a blob or a tree"
