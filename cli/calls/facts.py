"""What this house is, in a few sentences: the document that the demo lets it remember, and what it asks about it.

The sentences are short because the embedded model is small. The question is of the kind that goes to one persona alone,
whose three facets are then all of the plan, so that the same question again needs no other one.
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
