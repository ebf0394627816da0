"""What this machine gives the jail, for `batos doctor`: each layer tried, and the jail as a whole, with one run in it.

One line of JSON: `{"layers": {layer: why it is missing, or ""}, "jail": why it cannot serve, or "", "run_ms": …}`.
Needs nothing running, and leaves nothing behind.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any, Final

from actors.guardian.confinement import survey
from actors.guardian.confinement.confine import LAYERS
from actors.guardian.jail.jail import Jail
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Done, Run

_METHOD: Final = "def one_(self):\n    return 1\n"
_RUNS: Final = 9


async def examine() -> dict[str, Any]:
    """The layers one by one, and then all that there are of them at work."""
    layers = survey.layers()
    jail = Jail(workers=1, may_lack=LAYERS)
    took: list[float] = []
    try:
        await jail.start()
        for _ in range(_RUNS):
            began = time.perf_counter()
            outcome = await jail.run(Run(source=_METHOD, receiver=Ref("0" * 16)))
            took.append(time.perf_counter() - began)
            if outcome != Done(result=1):
                return {"layers": layers, "jail": f"a method that returns 1 came to {outcome}", "run_ms": None}
    except BatosError as error:
        return {"layers": layers, "jail": error.message, "run_ms": None}
    finally:
        await jail.close()
    # What the template could not put on, though it could be had alone, counts as missing too.
    found = {layer: layers[layer] or jail.missing.get(layer, "") for layer in LAYERS}
    return {"layers": found, "jail": "", "run_ms": round(1000 * statistics.median(took), 1)}


async def run() -> int:
    """Print it; the exit code."""
    print(json.dumps(await examine()))  # noqa: T201 - the line is the result
    return 0
