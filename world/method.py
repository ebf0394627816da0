"""`UvmMethod`: behaviour as data. It holds source text with its origin, or the verb of a primitive.

Never bytecode and never a pickled function: what runs is compiled in the jail from the text that anybody can read
here. A method does not change once it is made; a new text is a new method in the same slot.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any, Final

from persistent import Persistent
from persistent.list import PersistentList
from persistent.mapping import PersistentMapping

AUTHOR: Final = "awakening"
"""Who wrote what a world starts with."""


class UvmMethod(Persistent):
    """`author` is a cycle's id or `awakening`; `model` and `expert` are digests; `created` is Unix time in seconds.

    `examples` and `intent` are its contract: what it must do, and what it is for. `origin` names the method of the world that
    was adopted (`box.area_`); empty: it was written. `asked_by` is whoever asked for it from elsewhere (`mcp:claude-code`);
    empty: the user of the home. `told` are the ids of the documents of which whoever wrote it was told a passage; None: nobody has
    noted that.
    """

    selector: str
    parameters: PersistentList
    source: str | None
    primitive: str | None
    sha256: str | None
    author: str
    model: str | None
    expert: str | None
    verdict: str
    examples: PersistentList
    created: float
    intent: str = ""  # a method made before there were intents has none
    origin: str = ""
    asked_by: str = ""
    told: tuple[str, ...] | None = None

    def __init__(
        self,
        selector: str,
        *,
        source: str | None = None,
        primitive: str | None = None,
        parameters: list[str] | None = None,
        author: str = AUTHOR,
        verdict: str = "accept",
        model: str | None = None,
        examples: list[Any] | None = None,
        intent: str = "",
        origin: str = "",
        asked_by: str = "",
        told: tuple[str, ...] | None = None,
    ) -> None:
        if (source is None) == (primitive is None):
            raise ValueError(f"{selector} needs either a source or a primitive's verb")
        self.selector = selector
        self.parameters = PersistentList(parameters or [])
        self.source = source
        self.primitive = primitive
        self.sha256 = None if source is None else digest(source)
        self.author = author
        self.model = model
        self.expert = None
        self.verdict = verdict
        self.examples = PersistentList(PersistentMapping(example) for example in examples or [])
        self.created = time.time()
        self.intent = intent
        self.origin = origin
        if asked_by:
            self.asked_by = asked_by
        if told is not None:
            self.told = told


def digest(source: str) -> str:
    """The sha256 of a source text in UTF-8, 64 hex digits."""
    return hashlib.sha256(source.encode()).hexdigest()


def slots_named(source: str) -> list[str]:
    """The names that `source` has of its receiver, each once: of slots, and of messages too."""
    return list(dict.fromkeys(re.findall(r"\bself\s*\.\s*(\w+)", source)))
