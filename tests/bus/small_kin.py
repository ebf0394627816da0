"""A process that knows its kin: `small_kin.py RUN OUT` writes the name of each pid that it reads from `OUT.ask`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from bus.kin import Kin, look

kin = Kin(Path(sys.argv[1]))
out = Path(sys.argv[2])
out.with_suffix(".began").touch()
while True:
    ask = out.with_suffix(".ask")
    try:
        pid = int(ask.read_text())
    except (FileNotFoundError, ValueError):
        time.sleep(0.02)
        continue
    ask.unlink()
    process = look(pid)
    answer = out.with_suffix(".new")
    answer.write_text(json.dumps(kin.name(process) if process is not None else "ended"))
    answer.rename(out)
