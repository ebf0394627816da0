"""Which methods send a message: those whose sources have its selector, and those that have sent it, as the journal's steps tell.

A source may come to a selector that it does not have, in a slot or an argument that it hands to `send_all_`. The steps say
under which selector the sender was sent itself, and not on which object it stands: so all methods of that selector are meant.
"""

from __future__ import annotations

from actors.orchestrator.thinking.asks import SentBy, Thinking
from actors.orchestrator.thinking.thought import Thought
from world.finding import mentions
from world.method import UvmMethod
from world.uvm import UvmObject

Sending = tuple[UvmObject, UvmMethod]
"""An object, and a method of its own."""


def senders(thought: Thought, selector: str) -> Thinking[list[Sending]]:
    """The methods that are known to send `selector`, each once, with an object on which it stands."""
    connection = thought.overlay.connection
    found = {method._p_oid: (holder, method) for holder, method in mentions.using(connection, selector)}
    asked: list[str] = yield SentBy(selector=selector)
    for name in asked:
        found.update({method._p_oid: (holder, method) for holder, method in mentions.called(connection, name)})
    return list(found.values())
