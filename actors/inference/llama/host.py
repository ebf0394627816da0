"""The process that is llama.cpp: it loads one GGUF file and serves it on this machine until whoever started it ends.

    python -P -m actors.inference.llama.host < order

A process of its own, because the binding does not let go of Python's lock while it loads a model, and llama.cpp ends its
process at some files, and at some lacks of memory: an actor that is deaf for so long, or gone, is taken for dead.

The order is one line of JSON on the standard input (the key in it stands in no argument and no environment); the answer is
one line on the standard output, the address. The end of the input is the end of the process; so is the end of the thread
that has started it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

import msgspec

_PR_SET_PDEATHSIG: Final = 1
_ERRORS: Final = 1
"""How much llama.cpp says of itself: no more than what goes wrong."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve and how: `context` tokens for all `rows` together, `kept_mib` for prompts that were read before.

    `is_new`: each weight is looked at for numbers that are none.
    """

    path: str
    name: str
    key: str
    context: int
    rows: int
    threads: int
    kept_mib: int
    is_new: bool = False


class Ready(msgspec.Struct, frozen=True):
    """Where it listens."""

    url: str


def main() -> None:
    _end_with_the_parent()
    # A group is told to end as a whole: who started this one ends it, when what is under way has stopped.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    answer = os.dup(1)
    os.dup2(2, 1)  # what llama.cpp prints is no answer
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    server = serve(order, answer)
    sys.stdin.buffer.read()
    assert server is not None
    os._exit(0)  # nothing here is to be saved


def serve(order: Order, answer: int) -> object:
    """The server, which lives as long as what is returned; its address is written to `answer`."""
    import xllamacpp  # noqa: PLC0415 - the extra; who has it not never starts this process

    params = xllamacpp.CommonParams()
    params.model.path = order.path
    params.model_alias = {order.name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order.key]
    params.n_ctx = order.context
    params.n_parallel = order.rows
    params.kv_unified = True
    params.cache_ram_mib = order.kept_mib
    params.n_gpu_layers = 0
    for pool in (params.cpuparams, params.cpuparams_batch):
        pool.n_threads = order.threads
        pool.poll = 0
    params.check_tensors = order.is_new
    params.fit_params = params.warmup = params.ui = params.endpoint_slots = False
    params.verbosity = _ERRORS
    try:
        server = xllamacpp.Server(params)
    except RuntimeError:
        os._exit(1)  # llama.cpp has said why
    os.write(answer, msgspec.json.encode(Ready(server.listening_address)) + b"\n")
    return server


def _end_with_the_parent() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal.SIGKILL), *[ctypes.c_ulong(0)] * 3)


if __name__ == "__main__":
    main()
