"""The cycle's own methods as plain Python, for who wants a request or a form of the house without a house around it."""

from __future__ import annotations

from typing import Any

from world import awakening


def cycle() -> Any:
    """A receiver that has the cycle's methods of the image, and nothing else."""
    made = type("Cycle", (), {})
    for method in awakening.image():
        if method.holder == "cycle_traits":
            scope: dict[str, Any] = {}
            exec(method.source, scope)
            setattr(made, method.selector, scope[method.selector])
    return made()
