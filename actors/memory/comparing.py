"""Texts beside texts by what they mean: how near they are, and their vectors for whoever compares them himself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from protocol.errors import BatosError
from protocol.messages import Embed, Embedded, Rank, Ranked

if TYPE_CHECKING:
    from actors.memory.embedding import Vectors
    from actors.memory.reader import PassageReader

MAX_FAMILIAR: Final = 1000
"""Texts whose vectors are kept for the next ranking, the latest."""

MAX_EMBEDDED: Final = 256
"""Texts whose vectors are asked for at once: they fit into a frame, and a search waits for few of them."""


class Comparing:
    """Rankings, of which one often has the texts of another (a codex): their vectors are kept."""

    def __init__(self) -> None:
        self._familiar: dict[str, Vectors] = {}

    async def rank(self, reader: PassageReader, request: Rank, stopped: Callable[[], bool]) -> Ranked:
        """How near in meaning each text is to the query."""
        texts = [request.query, *request.texts]
        known = {text: self._familiar[text] for text in texts if text in self._familiar}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, await reader.vectors(new, stopped), strict=True))
        self._familiar = dict([*self._familiar.items(), *known.items()][-MAX_FAMILIAR:])
        query = known[request.query]
        # Of unit vectors the product is the cosine; rounding may carry it past 1.
        return Ranked(scores=[min(1.0, max(-1.0, float(known[text] @ query))) for text in request.texts])


async def embed(reader: PassageReader, request: Embed, model: str, stopped: Callable[[], bool]) -> Embedded:
    """The vector of each text; BAD_ARGUMENT for none, or for too many."""
    if not 1 <= len(request.texts) <= MAX_EMBEDDED:
        raise BatosError("BAD_ARGUMENT", f"{len(request.texts)} texts at once", f"Give 1 to {MAX_EMBEDDED}.")
    found = await reader.vectors(request.texts, stopped)
    return Embedded(
        vectors=[row.astype("<f4").tobytes() for row in found],
        dimensions=int(found.shape[1]),
        tokens=await reader.counted(request.texts),
        model=model,
    )
