"""`python -m actors.inference.training.train`: one training as a process of its own, beside a running system.

It reads the world's own base model and writes nothing there: what comes of it lies in `$BATOS_HOME/training/NAME` and is
imported like any other adapter. On stdout stands a line of JSON for each step, `{"event": "training", …}`, and a result
or `{"error": …}` as the last. SIGTERM and SIGINT end it after the step at hand, with a checkpoint; so does a reader that
has gone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from actors.inference.base_model import KeptModel, kept_model, load_model
from actors.inference.training import dataset
from protocol.errors import BatosError
from protocol.failure import failure_of
from protocol.home import Home, Inference, choose, find_home
from protocol.names import check_object
from world.store import open_store, storage_errors

WORLD_S: Final = 10.0


class Reporter:
    """Prints lines on stdout. Tells when to stop: a signal has come, or nobody reads stdout any more."""

    def __init__(self) -> None:
        self.stopped = False

    def say(self, line: dict[str, Any]) -> None:
        try:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self.stopped = True

    def stop(self, *_: object) -> None:
        self.stopped = True


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    voice = Reporter()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, voice.stop)
    try:
        voice.say(train(find_home(options.home), options, voice.say, lambda: voice.stopped))
    except BatosError as error:
        voice.say({"error": msgspec.to_builtins(failure_of(error))})
        return error.exit_code
    return 0


def train(
    home: Home,
    options: argparse.Namespace,
    say: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
) -> dict[str, Any]:
    """Train what the options say; the result's line. What is wrong with them or the file is found before any step."""
    began = time.monotonic()
    folder = home.root / "training" / check_object(options.name)
    settings = home.settings().inference
    _check(options, settings, choose(settings, home.root).engine)
    text = dataset.read_text(Path(options.text)) if options.text else None
    rows = dataset.read_dialogues(Path(options.jsonl)) if options.jsonl else []
    kept = _kept(home)
    from actors.inference.training import samples, training  # noqa: PLC0415 - seconds, which a bad file need not wait

    with _links(folder.with_name(f"{options.name}.model")) as links:
        base = load_model(kept, settings, links)
        wanted = training.TrainingSettings(
            rank=options.rank, epochs=options.epochs, steps=options.steps, rate=options.rate, seed=options.seed
        )
        length, truncated = min(wanted.length, base.context), 0
        if text is not None:
            found = samples.from_text(base.tokenizer, text, length)
        else:
            found, truncated = samples.from_dialogues(base.tokenizer, rows, length, base.stop)
        data = samples.Samples(*samples.split(found, wanted.seed), truncated)
        if options.restart and folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        one = training.Training(base, data, wanted, base_model=kept.digest, folder=folder)

        def report(progress: training.TrainingProgress) -> None:
            say({"event": "training", **msgspec.structs.asdict(progress)})

        say(
            {
                "event": "data",
                "samples": len(data.trained),
                "held_out": len(data.held_out),
                "truncated": truncated,
                "length": length,
                "steps": one.steps,
            }
        )
        made = one.run(report, should_stop)
    return {
        "name": options.name,
        "path": str(made.folder),
        "steps": made.steps,
        "resumed": made.resumed,
        "samples": len(data.trained),
        "truncated": truncated,
        "held_out": made.held_out,
        "seconds": round(time.monotonic() - began, 3),
    }


@contextmanager
def _links(place: Path) -> Iterator[Path]:
    """Where the base model's files are linked while they are needed; STORAGE for what the disk refuses meanwhile."""
    try:
        yield place
    except OSError as error:
        raise BatosError(
            "STORAGE",
            f"the training cannot use {error.filename or place.parent}: {error.strerror or error}",
            "Is the disk full, or the folder not yours to write in?",
        ) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _check(options: argparse.Namespace, settings: Inference, engine: str) -> None:
    """BAD_CONFIG where nothing can be trained here, BAD_ARGUMENT for options that make no sense."""
    if engine != "local":
        raise BatosError(
            "BAD_CONFIG",
            f"the engine is {engine!r}: the base model is a server's or llama.cpp's, and is not here to be trained on",
            'Train it where its weights are, and import the adapter; or set engine = "local" under [inference].',
        )
    most = settings.rank
    if not 1 <= options.rank <= most:
        raise BatosError(
            "BAD_ARGUMENT",
            f"the rank is {options.rank}, and the bank holds 1 to {most} (inference.rank)",
            f"Set `rank = {options.rank}` under [inference] in batos.toml, then `batos down` and `batos up`."
            if options.rank > most
            else "Give a rank of at least 1.",
        )
    if options.epochs < 1 or options.steps < 0 or not 0 < options.rate < 1 or not 0 <= options.seed < 1 << 32:
        raise BatosError(
            "BAD_ARGUMENT",
            f"epochs {options.epochs}, steps {options.steps}, rate {options.rate:g}, seed {options.seed}: one of them "
            "cannot be",
            "Epochs are at least 1, a rate is between 0 and 1, a seed is from 0 to 4294967295.",
        )


def _kept(home: Home) -> KeptModel:
    """The base model of the world, by its files; they stay readable when the world is closed again."""
    with storage_errors():
        store = open_store(home.settings(), home, name="training", seconds=WORLD_S, read_only=True)
        try:
            kept = kept_model(store)
        finally:
            store.close()
    if kept is None:
        raise BatosError(
            "NOT_READY", "the world has no base model yet", "`batos status` says what inference waits for."
        )
    return kept


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="actors.inference.training.train", description="Train an expert for one home."
    )
    parser.add_argument("name")
    parser.add_argument("--home", required=True)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--text")
    source.add_argument("--jsonl")
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--restart", action="store_true")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
