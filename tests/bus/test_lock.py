from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bus.lock import hold, holder
from protocol.errors import BatosError

HOLDER = """
import sys, time
from pathlib import Path
from bus.lock import hold
with hold(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_has_one_holder_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert holder(path) is None
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert holder(path) == process.pid
        with pytest.raises(BatosError, match=f"the thing is held .* {process.pid}") as caught, hold(path, "the thing"):
            pass
        assert (caught.value.code, caught.value.data) == ("HOME_HELD", {"pid": process.pid})
        process.kill()
    assert holder(path) is None, "a dead holder holds nothing, though its file is still there"
    assert path.exists()
    with hold(path, "the thing"):
        assert holder(path) is not None
    assert holder(path) is None
