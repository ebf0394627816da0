"""A training for tests of the command: it says what its name tells it to, and keeps its words."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path


def say(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


name, home = sys.argv[1], Path(sys.argv[3])
(home / "words.json").write_text(json.dumps(sys.argv[1:]))
if name == "bad":
    say(
        error={"code": "BAD_JSON", "message": "rows.jsonl, line 3 is not JSON", "hint": "Mend it.", "data": {"line": 3}}
    )
    sys.exit(2)
if name == "dies":
    sys.exit(9)
if name == "waits":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
say(event="data", samples=9, held_out=1, truncated=2, length=512, steps=2)
for step in range(3):
    if name == "waits" and step == 1:
        signal.sigwait([signal.SIGTERM])
        say(
            error={
                "code": "INTERRUPTED",
                "message": "stopped after step 1 of 2",
                "hint": "The same command goes on.",
                "data": {},
            }
        )
        sys.exit(130)
    say(event="training", step=step, of=2, loss=1.5 if step else None, held_out=2.5 - step)
say(name=name, path=str(home), steps=2, resumed=0, samples=9, truncated=2, held_out=0.5, seconds=1.0)
