"""What kind of commit one is, by who has written it and what it says: whether a person cares, and whether it can be taken back."""

from __future__ import annotations

from typing import Final

import msgspec

from actors.orchestrator.publish import GONE, HAND, MAKES, MANDATE, MANY, MEMOS, REWINDS, SETTLED
from protocol import codec
from protocol.messages import ForgetDerived
from world.past.commits import Commit

DOCUMENT: Final = "document"
CYCLE: Final = "cycle"
FORGET: Final = str(ForgetDerived.__struct_config__.tag)


class Kind(msgspec.Struct, frozen=True):
    """`is_shown`: it is more than bookkeeping. `why_not`: why it cannot be taken back, "" where it can; `instead`: what to do."""

    is_shown: bool
    why_not: str = ""
    instead: str = ""


_UNDOABLE: Final = Kind(is_shown=True)
_OWN: Final = {
    "awakening": Kind(True, "it is a step of the world's own form", "A backup from before it has the older world."),
    "pack": Kind(True, "what a pack has forgotten is nowhere any more", "A backup from before it has it."),
}


def kind_of(commit: Commit) -> Kind:
    """The kind of a commit."""
    facts = commit.facts
    if commit.user in _OWN:
        return _OWN[commit.user]
    if commit.user == "memory":
        doc_id = facts.get(DOCUMENT, "")
        is_outbox = commit.why.startswith("outbox ")
        return Kind(bool(doc_id) and not is_outbox, "memory has written it", _of_document(commit, doc_id))
    if commit.user == "inference":
        return Kind(True, "inference has written it", "See `batos expert ls`; an expert is imported anew or pinned.")
    if commit.why == "codex" and commit.user == "user":
        return Kind(True, "a codex is replaced as a whole", "Load the one from before: `batos codex FILE`.")
    if MANDATE not in facts and MAKES not in facts:
        cycle = facts.get(CYCLE, "")
        whole = f"Take the whole cycle back: `batos undo {cycle}`." if cycle else "See `batos log`."
        return Kind(False, "it is only a part of what a mandate did" if cycle else "it is the system's own", whole)
    if facts.get(HAND) == FORGET:
        return Kind(True, "what was forgotten is not brought back", "Remember it again, or have it learned again.")
    if commit.touched is None:
        return Kind(
            True, "it does not say what it has changed", "`batos diff` shows it; `batos revert`, `set` change it."
        )
    if MANY in (facts.get(fact) for fact in (MEMOS, GONE, SETTLED)):
        return Kind(True, "it told memory more than a commit can say", "`batos diff` shows what else it changed.")
    return _UNDOABLE


def listed(commit: Commit, fact: str) -> list[str]:
    """What a fact of several says."""
    said = commit.facts.get(fact)
    return codec.convert(msgspec.json.decode(said), list[str]) if said and said != MANY else []


def changes_nothing(commit: Commit) -> bool:
    """Whether nothing of it is left to take back."""
    return not commit.touched and not any(commit.facts.get(fact) for fact in (MEMOS, GONE, SETTLED, REWINDS))


def _of_document(commit: Commit, doc_id: str) -> str:
    if not doc_id:
        return "See `batos log`."
    return f"`batos {'remember' if commit.why.startswith('unindex ') else 'forget'} {doc_id}` does."
