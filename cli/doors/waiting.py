"""What whoever asks through a door is told where a method waits for the user's word."""

from __future__ import annotations


def next_of(proposal: str | None) -> str:
    """What comes next; nothing where no method waits."""
    if proposal is None:
        return ""
    return (
        f"The user of this world decides: `batos proposals {proposal}` shows them the method, and `batos accept {proposal}` "
        "lets it stand. Go on with something else, or ask them."
    )
