"""What it costs to bring a GGUF file into the world as torch's weights, beside its floor: to read, dequantize and write once.

    python -m bench.conversion [FILE.gguf] [--json]

Seconds are those of the processor, of this process: a busy machine makes the others longer, and both alike.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

from actors.inference.model import incarnation
from actors.inference.model.gguf.header import GgufHeader, read_header
from actors.inference.model.gguf.reading import dequantize
from bench.claims import Claim, processor, report

MOST = 1.5


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    source = incarnation.find(words[0] if words else "")
    header = read_header(source.path)
    with tempfile.TemporaryDirectory(prefix="batos-bench-") as folder:
        # The libraries that a conversion imports stay, so the second one is what it costs by itself.
        for attempt in range(2):
            began = time.process_time()
            incarnation.convert(source, Path(folder) / f"made{attempt}")
            ours = time.process_time() - began
        floor = _floor(header, Path(folder) / "floor.safetensors")
    claim = Claim(
        id="conversion",
        ours=round(ours, 2),
        peers={"read, dequantize and write once": round(floor, 2)},
        unit="s of processor time",
        target=f"<= {MOST}",
        ok=ours <= MOST * floor,
    )
    report("conversion", [claim], device=processor(), as_json="--json" in sys.argv)


def _floor(header: GgufHeader, path: Path) -> float:
    began = time.process_time()
    blob = np.memmap(header.parts[0], mode="r", dtype=np.uint8)
    made = {}
    for tensor in header.tensors:
        raw = blob[tensor.offset : tensor.offset + tensor.bytes]
        kind = gguf.GGMLQuantizationType[tensor.kind]
        numbers = raw.view(np.float32) if tensor.kind == "F32" else dequantize(raw.reshape(1, -1), kind)
        made[tensor.name] = torch.from_numpy(np.array(numbers)).to(torch.bfloat16).reshape(tensor.shape)
    save_file(made, path)
    return time.process_time() - began


if __name__ == "__main__":
    main()
