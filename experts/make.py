"""`python -m experts.make [PERSONA …]`: train the experts that ship, from their texts, into the image of a new world.

Each is trained by a process of its own on one thread, so that two of them fill two cores and the bits do not depend on
how many there are. What is trained, and for which base model, stands beside the adapters in `index.json`, with the
identity that each has once it is imported.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from actors.inference.decoding.bank import linears
from actors.inference.model import incarnation
from actors.inference.training import samples
from actors.inference.training.training import Training, TrainingProgress, TrainingSettings
from actors.inference.weights.adapter import read_adapter
from actors.inference.weights.expert import Layout, write_expert
from actors.inference.weights.lora import CONFIG, WEIGHTS
from experts.rows import PERSONAS, Rows, rows

TARGET: Final = Path(__file__).resolve().parents[1] / "world" / "image" / "experts"
INDEX: Final = TARGET / "index.json"
SETTINGS: Final = TrainingSettings(rank=8, epochs=3, rate=1e-3, batch=512, seed=8)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="experts.make", description=__doc__)
    parser.add_argument("personas", nargs="*", metavar="PERSONA", default=PERSONAS)
    wanted = parser.parse_args(words).personas
    texts = [
        (persona, rows(persona)) for persona in wanted
    ]  # whatever is wrong with one is found before any is trained
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        digest = incarnation.convert(incarnation.find(""), model).digest
        work = functools.partial(train, model, digest, Path(folder))
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            pool.starmap(work, texts, chunksize=1)
        write_index(model, digest, Path(folder))
    print(f"{len(wanted)} experts in {time.monotonic() - began:.0f} s", file=sys.stderr)


def train(model: Path, digest: str, scratch: Path, persona: str, texts: Rows) -> None:
    """Train one persona's expert into the image."""
    base = incarnation.load({path.name: path for path in model.iterdir()}, device="cpu", threads=1)
    trained, held_out = (
        samples.from_dialogues(base.tokenizer, part, SETTINGS.length, base.stop)[0]
        for part in (texts.trained, texts.held_out)
    )
    folder = scratch / persona
    folder.mkdir()
    data = samples.Samples(trained, held_out, 0)
    training = Training(base, data, SETTINGS, base_model=digest, folder=folder)
    made = training.run(functools.partial(_report, persona), lambda: False)
    target = TARGET / persona.lower()
    target.mkdir(parents=True, exist_ok=True)
    for file in (WEIGHTS, CONFIG):
        shutil.copyfile(made.folder / file, target / file)


def write_index(model: Path, digest: str, scratch: Path) -> None:
    """Say what each adapter in the image is: for whom, over which base model, and its identity as an expert."""
    base = incarnation.load({path.name: path for path in model.iterdir()}, device="cpu", threads=1)
    layout = Layout(linears(base.model), digest, base.model.dtype, SETTINGS.rank)
    entries = []
    for persona in PERSONAS:
        name = persona.lower()
        adapter = read_adapter(TARGET / name, layout.shapes, rank=layout.rank, base_model=digest)
        manifest = write_expert(adapter, layout, scratch / f"{name}.expert")
        entries.append({"name": name, "persona": persona, "sha256": manifest.sha256, "base_model": digest})
    INDEX.write_bytes(msgspec.json.format(msgspec.json.encode(entries), indent=2) + b"\n")


def _report(persona: str, progress: TrainingProgress) -> None:
    if progress.held_out is not None:
        loss = "" if progress.loss is None else f"loss {progress.loss:.3f}, "
        print(f"{persona} {progress.step}/{progress.of}: {loss}held out {progress.held_out:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
