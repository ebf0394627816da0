"""A small service for tests of the life cycle: `--home H SERVICE [how]`, ready after a moment."""

from __future__ import annotations

import asyncio
import os
import sys
import time

from bus.process import logs
from bus.process.last_words import leave
from bus.service import serve, stop_on_signals
from protocol.errors import BatosError
from protocol.home import find_home
from protocol.messages import ActorStatus


async def main(home: str, service: str, how: str) -> None:
    stop = stop_on_signals()
    began = time.monotonic()

    async def status(_request, _call):
        age = time.monotonic() - began
        ready = age > (2 if how == "slow" else 0.3) and how != "never"
        detail = {}
        if service == "orchestrator":
            detail = {
                "world": {"uri": "zeo://here", "tid": "0" * 16, "objects": 7},
                "cycles": {"active": 0, "complete": 1, "failed": 2},
            }
        waiting_for = "" if ready else "the moon"
        return ActorStatus(ready=ready, pid=os.getpid(), uptime_s=age, waiting_for=waiting_for, detail=detail)

    await serve(find_home(home).bus, service, {"status": status}, stop=stop)


if __name__ == "__main__":
    logs.configure(sys.argv[3])
    how = sys.argv[4] if len(sys.argv) > 4 else ""
    if how == "dies":
        sys.exit("small actor: no such model")
    if how == "dies-late":
        time.sleep(1.3)
        sys.exit(3)
    if how == "hopeless" or (how == "hopeless-later" and (find_home(sys.argv[2]).root / "broken").exists()):
        time.sleep(1.3)  # so that supervisord counts it as started
        leave(find_home(sys.argv[2]).run, sys.argv[3], BatosError("BAD_MODEL", "no model", "Give another."))
        sys.exit(3)
    asyncio.run(main(sys.argv[2], sys.argv[3], how))
