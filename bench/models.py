"""How fast a GGUF file is decoded and read: our engine on llama.cpp, llama.cpp itself, and our own loop in float32.

    python -m bench.models [--model PATH] [--threads N …] [--rounds R] [--json]

Ours is the inference actor's own `Serving` before llama.cpp's process; beside it the same xllamacpp server is asked directly, in this
process, with the same prompts, on as many threads, in alternating rounds, of which the best counts. Then the local engine
decodes the same file once. For the embedded default our loop stands beside transformers' `generate`, both in float32.

Without `--model` the claims on llama.cpp are left out by name. A run takes some three minutes on two slow cores.
"""

from __future__ import annotations

import argparse
import functools
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.claims import Claim, processor, report

TOKENS: Final = 32
ROWS: Final = 8
PROMPT: Final = "Write a long story about the keeper of a lighthouse who counts the ships that pass."
LONG: Final = "The keeper of the light counts the ships, and writes a letter to his sister every week. "
SELDOM: Final = 5
"""A token that no text has, which stands for the end of one where every row is to be as long as it may."""
REPEATED: Final = 24
"""Of `LONG`, in the prompt that is read: some 450 tokens."""


def rate(work: Callable[[int], int], number: int) -> float:
    """Tokens a second of the round with this number; `work` says how many tokens it has made."""
    began = time.monotonic()
    return work(number) / (time.monotonic() - began)


def alternate(ours: Callable[[int], int], theirs: Callable[[int], int], rounds: int) -> tuple[float, float]:
    """The best of each, in turns, so that whatever else the machine does meets both."""
    found = [(rate(ours, number), rate(theirs, number)) for number in range(rounds)]
    return max(one for one, _ in found), max(other for _, other in found)


def reading(number: int) -> str:
    """A long prompt that nobody has read before."""
    return f"Letter {number} of {time.monotonic_ns()}. " + LONG * REPEATED


class Ours:
    """Our engine on llama.cpp, as the actor builds it."""

    def __init__(self, path: Path, threads: int, home: Path) -> None:
        from actors.inference.base_model import KeptModel  # noqa: PLC0415 - measured apart
        from actors.inference.llama.serve import Watch, serve  # noqa: PLC0415
        from protocol.home import Home, Inference  # noqa: PLC0415

        settings = Inference(model=str(path), threads=threads)
        kept = KeptModel("0" * 64, str(path), {path.name: path})
        self._served = serve(kept, settings, Home(home), Watch(lambda _: None, lambda _: None))

    def write(self, rows: int) -> int:
        return tokens_of(self._served.engine, PROMPT, rows, TOKENS)

    def read(self, number: int) -> int:
        from protocol.messages import Row  # noqa: PLC0415

        return self._served.engine.generate([Row(prompt=reading(number), max_tokens=1)]).prompt_tokens

    def close(self) -> None:
        self._served.process.close()


class Theirs:
    """llama.cpp's server in this process, asked without HTTP."""

    def __init__(self, path: Path, threads: int) -> None:
        import xllamacpp  # noqa: PLC0415 - the extra

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = 32_768
        params.n_parallel = 20
        params.kv_unified = True
        params.n_gpu_layers = 0
        params.fit_params = params.warmup = params.ui = False
        params.verbosity = 1
        for pool in (params.cpuparams, params.cpuparams_batch):
            pool.n_threads = threads
            pool.poll = 0
        self._server = xllamacpp.Server(params)
        self.write(1)

    def write(self, rows: int) -> int:
        body = {"prompt": PROMPT, "max_tokens": TOKENS, "temperature": 1.0, "ignore_eos": True, "n": rows}
        assert len(self._server.handle_completions(body)["choices"]) == rows
        return rows * TOKENS  # none ends early, and `usage` counts the tokens of one text alone

    def read(self, number: int) -> int:
        body = {"prompt": reading(number), "max_tokens": 1, "temperature": 0.0}
        return int(self._server.handle_completions(body)["usage"]["prompt_tokens"])


def tokens_of(engine: Any, prompt: str, rows: int, tokens: int) -> int:
    """Tokens that the engine has written in so many rows of one prompt."""
    from protocol.messages import Row  # noqa: PLC0415

    made = engine.generate([Row(prompt=prompt, seed=seed, max_tokens=tokens) for seed in range(rows)])
    return sum(row.tokens for row in made.rows)


def written(engine: Any, rows: int, _number: int) -> int:
    """`tokens_of` as a round."""
    return tokens_of(engine, PROMPT, rows, TOKENS)


def on_llama(path: Path, threads: int, rounds: int, place: Path) -> Iterator[Claim]:
    """Batch 1, batch 8 and reading, ours beside llama.cpp itself."""
    ours, theirs = Ours(path, threads, place), Theirs(path, threads)
    on = f"{threads} thread{'s' * (threads > 1)}"
    work: list[tuple[str, Callable[[int], int], Callable[[int], int], float]] = [
        ("decode, batch 1", lambda _: ours.write(1), lambda _: theirs.write(1), 0.8),
        (f"decode, batch {ROWS}", lambda _: ours.write(ROWS), lambda _: theirs.write(ROWS), 1.0),
        ("prefill", ours.read, theirs.read, 0.9),
    ]
    try:
        for what, mine, peer, least in work:
            one, other = alternate(mine, peer, rounds)
            yield claim(f"{what}, {on}", one, {"llama.cpp": other}, least)
    finally:
        ours.close()


def local(path: str, threads: int, place: Path) -> tuple[Any, Any]:
    """The local engine on a model, and its plain model: converted as the actor does."""
    from actors.inference.engine import serve, warm  # noqa: PLC0415 - seconds of import
    from actors.inference.model import incarnation  # noqa: PLC0415
    from protocol.home import Inference  # noqa: PLC0415

    made = incarnation.convert(incarnation.find(path), place)
    files = {name: place / name for name in made.files}
    loaded = incarnation.load(files, dtype="float32", threads=threads)
    engine = serve(loaded._replace(stop=(SELDOM,)), Inference(), made.digest)
    warm(engine)
    return engine, incarnation.load(files, dtype="float32", threads=threads)


def beside_transformers(threads: int, rounds: int, place: Path) -> Iterator[Claim]:
    """The embedded default: our loop beside `generate`."""
    import torch  # noqa: PLC0415

    engine, plain = local("", threads, place)
    ids = plain.tokenizer(PROMPT, return_tensors="pt")["input_ids"]

    def generate(rows: int, _number: int) -> int:
        with torch.inference_mode():
            said = plain.model.generate(
                ids.repeat(rows, 1), do_sample=True, max_new_tokens=TOKENS, min_new_tokens=TOKENS, pad_token_id=0
            )
        return int(said.numel() - rows * ids.numel())

    for rows in (1, ROWS):
        one, other = alternate(functools.partial(written, engine, rows), functools.partial(generate, rows), rounds)
        yield claim(f"embedded default, batch {rows}, {threads} thread", one, {"transformers": other}, 1.0)


def claim(name: str, ours: float, peers: dict[str, float], least: float) -> Claim:
    ok = ours >= least * next(iter(peers.values()))
    rounded = {peer: round(rate, 2) for peer, rate in peers.items()}
    return Claim(name, round(ours, 2), rounded, "tokens/s", f"at least {least:g} of it", ok)


@contextmanager
def _place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="batos-models-") as folder:
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.models", description=__doc__)
    parser.add_argument("--model", default="", metavar="PATH", help="a GGUF file")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument(
        "--local", action="store_true", help="the local engine on the same file too: minutes to convert it"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    claims: list[Claim] = []
    with _place() as place:
        if options.model:
            llama = [
                found
                for threads in options.threads
                for found in on_llama(Path(options.model), threads, options.rounds, place)
            ]
            claims += llama
            if options.local:
                engine, _ = local(options.model, 1, place / "converted")
                slow = rate(functools.partial(written, engine, 1), 0)
                claims.append(claim("decode, batch 1, 1 thread", llama[0].ours, {"local engine": slow}, 1.0))
                del engine
                gc.collect()
        else:
            print("no --model: the claims on llama.cpp are left out")
        claims += beside_transformers(1, options.rounds, place / "embedded")
    report("models", claims, device=processor(), as_json=options.json)


if __name__ == "__main__":
    main()
