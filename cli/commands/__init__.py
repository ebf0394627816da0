"""The commands: each reads its words, has the work done elsewhere, and renders what comes back.

Imports stand in the commands: what one of them needs costs the others nothing.
"""

from cli.commands import (
    bundles,
    contracts,
    doors,
    experts,
    gate,
    hand,
    learning,
    life,
    memory,
    models,
    objects,
    proposals,
    thought,
)
from cli.commands.group import batos
from cli.commands.keeping import backup, pack
from cli.commands.past import bisect, log, replay, undo, why

__all__ = [
    "backup",
    "batos",
    "bisect",
    "bundles",
    "contracts",
    "doors",
    "experts",
    "gate",
    "hand",
    "learning",
    "life",
    "log",
    "memory",
    "models",
    "objects",
    "pack",
    "proposals",
    "replay",
    "thought",
    "undo",
    "why",
]
