"""`python -m bench.personas [--json]`: what the experts that ship change in the embedded model.

1. Perplexity of what was held out of each persona's rows, under the base model and under each expert. No document of
   them was seen in training. An expert should know its own persona better than the base model and the others do.
2. Faithful answers: questions about short documents, put to each facet in the prompt that the house really uses, under
   the house's prose grammar, taking the likeliest token; an answer counts where it holds the word that was asked for. The
   word tells what was found, not how well it is said. An expert must not cost faithfulness.

The peer is the base model in the same run.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

from actors.inference.engine import serve
from actors.inference.model import incarnation
from actors.inference.training import samples
from actors.inference.training.samples import Sample
from actors.inference.weights.expert import Content
from bench.claims import Claim, processor, report
from experts.make import TARGET
from experts.rows import PERSONAS, asked, rows
from protocol.home import Inference
from protocol.messages import Row, Sampling
from world.awakening import image_codex

QUESTIONS = Path(__file__).parent / "faithful.jsonl"
GRAMMAR = 'start: SENTENCE (" " SENTENCE){0,1}\nSENTENCE: /[^\\s.!?]([^.!?\\n]|[.!?][^\\s.!?]){1,240}[.!?]/\n'
"""What the world's `prose_grammar_` gives for two sentences."""
BATCH = 8
BASE = "base"


class Question(NamedTuple):
    known: str
    asked: str
    word: str


class Bench:
    """The embedded model with all experts that ship."""

    def __init__(self, folder: Path) -> None:
        model = folder / "model"
        self.digest = incarnation.convert(incarnation.find(""), model).digest
        self.base = incarnation.load({path.name: path for path in model.iterdir()}, threads=1)
        self.engine = serve(self.base, Inference(slots=len(PERSONAS), rank=8), self.digest)
        self.experts = {persona: self._content(persona, folder) for persona in PERSONAS}

    def _content(self, persona: str, folder: Path) -> Content:
        path = folder / persona
        made = self.engine.convert(TARGET / persona.lower(), path)
        return Content(persona, made.sha256, made.base_model, made.rank, made.bytes, path)

    @contextmanager
    def lent(self, content: Content | None) -> Iterator[None]:
        """The model computes one row with this expert inside the block, None the base model."""
        bank = self.engine.generator.bank
        if content is None:
            yield
            return
        with self.engine.tiers.hold([content]) as slots:
            bank.serve([slots[content.sha256]])
            try:
                yield
            finally:
                bank.serve([])


def perplexities(bench: Bench) -> dict[str, dict[str, float]]:
    """By persona of the rows, then by expert (and BASE): e to the mean loss of an answer's token."""
    found: dict[str, dict[str, float]] = {}
    for persona in PERSONAS:
        held, _ = samples.from_dialogues(bench.base.tokenizer, rows(persona).held_out, 1024, bench.base.stop)
        found[persona] = {BASE: perplexity(bench, held, None)}
        found[persona] |= {expert: perplexity(bench, held, content) for expert, content in bench.experts.items()}
    return found


def perplexity(bench: Bench, held: Sequence[Sample], content: Content | None) -> float:
    total, count = 0.0, 0
    with torch.inference_mode():
        for sample in held:
            with bench.lent(content):
                logits = bench.base.model(input_ids=torch.tensor([sample.tokens])).logits[0, :-1].float()
            wanted = torch.tensor(sample.tokens[1:])
            losses = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
            learned = torch.tensor(sample.learned[1:])
            total += float(losses[learned].sum())
            count += int(learned.sum())
    return math.exp(total / count)


def questions() -> list[Question]:
    lines = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    return [Question(line["known"], *ask) for line in lines for ask in line["asks"]]


def faithful(bench: Bench, *, show: bool = False) -> dict[str, tuple[int, int]]:
    """By persona: in how many answers of the base model, and of the expert, the word stands that was asked for."""
    codex = tomllib.loads(image_codex())
    facets = {one["name"]: [pillar["facet"] for pillar in one["pillar"]] for one in codex["persona"]}
    found: dict[str, tuple[int, int]] = {}
    for persona in PERSONAS:
        hits = [0, 0]
        wanted = questions()
        for start in range(0, len(wanted), BATCH):
            part = list(enumerate(wanted[start : start + BATCH], start))
            batch = [
                Row(
                    turns=asked(persona, facets[persona][number % 3], one.known, one.asked),
                    expert=expert,
                    grammar=GRAMMAR,
                    sampling=Sampling(temperature=0),
                    max_tokens=120,
                )
                for number, one in part
                for expert in (None, persona)
            ]
            texts = bench.engine.generate(batch, experts=bench.experts).rows
            for place, (_, one) in enumerate(part):
                for way in (0, 1):
                    text = texts[2 * place + way].text
                    hits[way] += one.word.lower() in text.lower()
                    if show:
                        print(f"{persona} {('base', 'expert')[way]}: {one.asked} {text}", file=sys.stderr)
        found[persona] = (hits[0], hits[1])
    return found


def claims(bench: Bench, *, show: bool = False) -> list[Claim]:
    made = []
    for persona, row in perplexities(bench).items():
        own = row[persona]
        others = {name: round(value, 2) for name, value in row.items() if name != persona}
        made.append(
            Claim(
                id=f"{persona}'s held-out rows: perplexity under its expert",
                ours=round(own, 2),
                peers=others,
                unit="",
                target="< base and every other expert",
                ok=own < min(others.values()),
            )
        )
    count = len(questions())
    for persona, (base, expert) in faithful(bench, show=show).items():
        made.append(
            Claim(
                id=f"{persona}, {count} questions about short documents: answers with the fact",
                ours=expert,
                peers={BASE: base},
                unit="answers",
                target=">= base",
                ok=expert >= base,
            )
        )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.personas", description=__doc__)
    parser.add_argument("--show", action="store_true", help="print every answer on standard error")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = claims(Bench(Path(folder)), show=options.show)
    report("personas", made, device=processor(), as_json=options.json)


if __name__ == "__main__":
    main()
