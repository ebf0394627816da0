"""The texts of the four personas, put as the house asks: the prompts that reach inference, and what to answer.

A row of `texts/PERSONA.jsonl` has a facet of the codex, what is known, a question and an answer. `weave` rows also have
what other facets said; `plan` rows have the facets that come into question and the plan over them. The words around them
are those of the world's own methods (`write_facet_`, `known_`, `asked_`, `decompose_`, `woven_`).
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

from actors.inference.training.dataset import Dialogue
from protocol.messages import Turn
from world.awakening import image_codex

PERSONAS: Final = ("BRICK", "ROBIN", "BABS", "ALFRED")
ENDINGS: Final = (
    "Answer in at most two sentences.",
    "Answer in one or two short sentences.",
    "Use what is known, and be brief.",
    "Be brief, and stay with the question.",
    "Say it in two sentences, in your own voice.",
)
"""How a facet's prompt may end, by its grammar; the rows take them in turn."""

_TEXTS: Final = Path(__file__).parent / "texts"


class Rows(NamedTuple):
    """A persona's rows in two parts. No document of `held_out` is in `trained`, whoever's it is."""

    trained: list[Dialogue]
    held_out: list[Dialogue]


def rows(persona: str) -> Rows:
    """The persona's conversations, in the file's order."""
    codex = tomllib.loads(image_codex())
    lines = (_TEXTS / f"{persona.lower()}.jsonl").read_text(encoding="utf-8").splitlines()
    made = Rows([], [])
    for number, line in enumerate(lines, 1):
        row = json.loads(line)
        turns = _asked(codex, persona, row, ENDINGS[number % len(ENDINGS)])
        answer = json.dumps({"steps": row["plan"]}, separators=(",", ":")) if row["facet"] == "plan" else row["answer"]
        part = made.held_out if row.get("held_out") else made.trained
        part.append(Dialogue(number, [*turns, Turn(role="assistant", content=answer)]))
    return made


def asked(persona: str, facet: str, known: str, question: str, ending: str = ENDINGS[0]) -> list[Turn]:
    """What reaches inference when a facet is asked about something that is known."""
    row = {"facet": facet, "known": known, "question": question}
    return _asked(tomllib.loads(image_codex()), persona, row, ending)


def _asked(codex: dict[str, Any], name: str, row: dict[str, Any], ending: str) -> list[Turn]:
    mandates = {persona["name"]: persona["mandate"] for persona in codex["persona"]}
    intents = {pillar["facet"]: pillar["intent"] for persona in codex["persona"] for pillar in persona["pillar"]}
    known = f"What is known:\n{row['known']}\n\n" if row.get("known") else ""
    question = row["question"]
    if row["facet"] == "plan":
        system = [mandates[name], "Divide the question among facets, and give each a short question of its own.", ""]
        system += ["Facets:", *(f"{facet}: {intents[facet]}" for facet in row["facets"])]
        return _turns("\n".join(system), f"{known}Question: {question}")
    if row["facet"] == "weave":
        said = "\n".join(f"{who} says: {what}" for who, what in row["said"])
        told = "Reconcile what was said, and claim nothing else. From this, answer the question: "
        return _turns(mandates[name], f"{known}{said}\n\n{told}{question}")
    system_prompt = f"{mandates[name]} {intents[row['facet']]} {ending}"
    return _turns(system_prompt, f"{known}From this text, answer the question: {question}" if known else question)


def _turns(system: str, user: str) -> list[Turn]:
    return [Turn(role="system", content=system), Turn(role="user", content=user)]
