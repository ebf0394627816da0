"""A process's pulse, as the medic sees it."""

from __future__ import annotations

import os
import shutil

import pytest

from bus.process.pulse import Pulse
from ops.vitals import take


@pytest.mark.parametrize("removed", ["the file", "the folder"])
def test_a_pulse_that_somebody_removes_is_there_again_with_the_next_beat(tmp_path, removed):
    run = tmp_path / "run"
    run.mkdir()
    pulse = Pulse(run, "memory")
    pulse.beat()
    if removed == "the file":
        (run / "memory.pulse").unlink()
    else:
        shutil.rmtree(run)
        pulse.beat()
        assert take(str(run), "memory") is None
        run.mkdir()
    pulse.beat()
    vital = take(str(run), "memory")
    assert vital is not None
    assert vital.pid == os.getpid()
    assert vital.beat > 0
    pulse.end()
    assert take(str(run), "memory").beat == 0
