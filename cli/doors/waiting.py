"""What whoever asks through a door is told where a method waits for the user's word."""

from __future__ import annotations

from batos import reaching
from protocol.home import Home


def next_of(home: Home, proposal: str) -> str:
    """What comes next where the method of this proposal waits."""
    shown, accepted = (reaching.command(home, word, proposal) for word in ("proposals", "accept"))
    return (
        f"Nothing stands as yet: the user of this world decides. `{shown}` shows them the method, and `{accepted}` lets it stand. "
        "Go on with something else, or ask them."
    )
