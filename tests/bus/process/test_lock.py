from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bus.process.lock import hold, holder
from protocol.errors import BatosError

HOLDER = """
import sys, time
from pathlib import Path
from bus.process.lock import hold
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


def test_what_the_disk_does_not_allow_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.lock"
    (tmp_path / "file").touch()
    assert holder(tmp_path / "file" / "a.lock") is None
    with pytest.raises(BatosError, match="Not a directory") as caught, hold(tmp_path / "file" / "a.lock", "it"):
        pass
    assert caught.value.code == "STORAGE"

    def full(*_words: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with pytest.raises(BatosError, match="No space left") as caught, hold(path, "it"):
            pass
    assert str(path) in caught.value.message
    with monkeypatch.context() as disk:
        disk.setattr(os, "open", lambda *_words: full())
        with pytest.raises(BatosError, match="cannot be used"):
            holder(path)
    path.chmod(0o400)
    assert holder(path) is None
