"""The broker as a process: one a home, and a clean end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from bus.broker import Broker
from protocol.errors import BatosError
from protocol.home import Home


async def test_a_broker_stops_cleanly_on_sigterm(broker_process: Any) -> None:
    broker_process.process.terminate()
    assert await asyncio.to_thread(broker_process.process.wait) == 0
    assert not (broker_process.home.run / "bus.sock").exists()


def test_a_stale_socket_is_replaced_and_a_live_one_refused(home: Home, broker_process: Any) -> None:
    broker_process.kill()
    assert (home.run / "bus.sock").exists(), "the dead broker's"
    broker_process.start()
    with pytest.raises(BatosError, match=str(broker_process.process.pid)) as caught:
        Broker(home.bus).run()
    assert caught.value.code == "HOME_HELD"
    second = subprocess.run(
        [sys.executable, "-m", "bus.broker", "--home", str(home.root)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 3
    assert "HOME_HELD" in second.stderr
    assert broker_process.process.poll() is None
