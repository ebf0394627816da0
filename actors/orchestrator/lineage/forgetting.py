"""Forgetting what came of a document, as it was named to whoever asked for that: in one transaction, like all that is done by hand.

Answers go from memory by the outbox; methods from their objects, with the versions that came of it; turns from their threads. What
is named and is there no more, or is another text by now, is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from actors.orchestrator.lineage.holdings import ThreadTurn, turns_of
from actors.orchestrator.thinking.overlay import Memo
from actors.orchestrator.thinking.thought import Thought
from protocol.codec import Value
from protocol.messages import DerivedMethod, DerivedTurns, ForgetDerived
from world import history
from world import root as world_root


def forget_derived(thought: Thought, request: ForgetDerived) -> Value:
    """Forget it, in the overlay; what of it was there, as a `Lineage`."""
    named = request.derived
    overlay = thought.overlay
    root = overlay.connection.root()
    documents = root["knowledge_catalog_obj"].documents
    answers = [doc_id for doc_id in named.answers if doc_id in documents]
    for doc_id in answers:
        overlay.remember(Memo(doc_id, "", {}, is_gone=True))
    proposals = [id_ for id_ in named.proposals if id_ in root["proposals"]]
    for id_ in proposals:
        overlay.withdraw(id_)
    methods = _methods(thought, named.methods)
    texts: dict[tuple[str, str], list[str]] = {}
    for method in methods:
        texts.setdefault((method.oid, method.selector), []).append(method.sha256)
    for (oid, selector), sha256s in texts.items():
        overlay.forget(oid, selector, sha256s)
    known = {*named.documents, *named.answers}
    oids = [thread.oid for thread in named.threads]
    turns = [turn for turn in turns_of(overlay.connection, oids) if not known.isdisjoint(turn.documents)]
    threads = [_without(thought, thread, turns) for thread in named.threads]
    done = msgspec.structs.replace(
        named,
        answers=answers,
        methods=methods,
        proposals=proposals,
        threads=[each for each in threads if each.turns],
    )
    said: Value = msgspec.to_builtins(done)
    return {"derived": said}


def _methods(thought: Thought, named: Sequence[DerivedMethod]) -> list[DerivedMethod]:
    """Those of the methods that the world still has, standing or as a version."""
    found = []
    for method in named:
        holder = world_root.get(thought.overlay.connection, method.oid)
        texts = {one.method.sha256 for one in history.versions(holder, method.selector) if one.method is not None}
        if method.sha256 in texts:
            found.append(method)
    return found


def _without(thought: Thought, thread: DerivedTurns, turns: Sequence[ThreadTurn]) -> DerivedTurns:
    """Take the turns from their thread."""
    gone = {turn.number for turn in turns if turn.oid == thread.oid}
    kept = thought.overlay.own(thread.oid).get("turns")
    if gone and isinstance(kept, list):
        thought.overlay.write(thread.oid, {"turns": [each for at, each in enumerate(kept) if at not in gone]})
    return msgspec.structs.replace(thread, turns=len(gone))
