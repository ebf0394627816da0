"""The hand that writes what is looked back at."""

from tests.actors.orchestrator.hand.conftest import hand

__all__ = ["hand"]
