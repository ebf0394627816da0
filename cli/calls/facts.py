"""A few sentences about this system: the document that the demo has it remember, and the question that the demo asks.

The sentences are short because the embedded model is small. The question is of a kind that goes to one persona
alone. Its three facets are then the whole plan, so the same question needs no other facet a second time.
"""

from __future__ import annotations

from typing import Final

DOCUMENT: Final = "this-house"
FACTS: Final = """\
BAT OS VIII is a world of objects that write their own missing methods.
A small model writes candidates for a missing method.
The guardian judges every candidate, and tries it in a jail.
The jail has no network and no secrets.
One transaction publishes the method and the answer together, or nothing.
The journal keeps every message, so that kill -9 loses none of them.
Every method has an author, a cycle and a verdict.
Four personas answer a question together.
"""
QUESTION: Final = "What does the document say about the guardian?"
