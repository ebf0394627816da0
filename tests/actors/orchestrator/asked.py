"""A question to a house whose model and memory are played, and what each lane is made to say."""

from __future__ import annotations

import json

from protocol.messages import Hit

TEXT = "The pump of the old fountain is silent because its valve broke. The valve was made by Emil Rask in 1922. The water is cold."
SIMPLE = "Who made the valve of the pump?"
QUESTION = "Why is the pump of the old fountain silent, and who made its valve?"
FIRST, SECOND = "Why is the pump of the old fountain silent?", "who made its valve?"
FEELING = "I am stuck on this project and do not know how to go on"
SAID = {
    "plain": "It is silent because its valve broke, and Emil Rask made it.",
    FIRST: "It is silent because its valve broke.",
    SECOND: "Emil Rask made its valve.",
    "woven": "The pump is silent because its valve broke, which Emil Rask made.",
}
SAGE = [
    {"facet": "sage_facet_", "query": "What can be let go of this project?"},
    {"facet": "simple_heart_facet_", "query": "Who is stuck on it?"},
]


def hit(text=TEXT, doc_id="fountain", oid="aa", **metadata):
    metadata = {"kind": "document", **metadata}
    return Hit(chunk_oid=oid.rjust(16, "0"), doc_id=doc_id, chunk_index=0, score=1.0, text=text, metadata=metadata)


def plan(steps):
    return [json.dumps({"steps": steps})]


def written(grammar):
    """The shortest facet that its grammar allows."""
    start = next(line for line in grammar.splitlines() if line.startswith("start: "))
    head, tail = start.removeprefix('start: "').removesuffix('"').split('" ENDING "')
    return (head + "Be brief." + tail).encode().decode("unicode_escape")


def spoken(row, said):
    """What a row is given: a facet's method, a plan, or what is said by the lane that asks."""
    prompt = row.turns[-1].content
    if "ENDING" in str(row.grammar):
        return written(row.grammar)
    if row.schema is not None:
        return said["plan"]
    if "Reconcile what was said" in prompt:
        return said["woven"]
    if row.turns[0].role == "system":
        return next((text for ending, text in said.items() if prompt.endswith(ending)), said.get("facet", ""))
    return said["plain"]


def playing(house, rounds=12, **said):
    """Every round is answered by `said`; what stands nowhere there, as in SAID."""

    async def play():
        rows = house.played.asked[-1].rows
        return [spoken(row, {**SAID, **said}) for row in rows]

    house.played.rounds = [play] * rounds


async def ask(house, question=QUESTION, key="k", **rest):
    return await house.send("orchestrator_obj", "ask_", question, key=key, **rest)


def lanes(reply):
    return reply.result["lane"], {each["lane"]: each["why"] for each in reply.result["dropped"]}


def prompts(house):
    return [row.turns[-1].content for request in house.played.asked for row in request.rows]
