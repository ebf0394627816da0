"""A disk that is full to the last byte: what cannot be kept is refused, and goes well once there is room again.

The disk is a small one in memory, mounted for these tests; where that is not permitted they are skipped.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from cli.calls.facts import DOCUMENT, FACTS
from protocol.errors import CODES

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.model]

SIZE = "1200m"
"""Room for a home with the embedded model, and for the moment in which that is converted."""
EXAMPLE = '{"slots":{"width":3,"height":4},"args":[],"returns":12}'
QUESTION = "What does the document say about the guardian?"
HONEST = {"STORAGE", "TIMEOUT", "NOT_READY", "NOT_RUNNING", "CYCLE_FAILED"}


class Disk:
    """A mounted file system, and the file that fills it."""

    def __init__(self, folder):
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, *, spare=0):
        """Write until no more than `spare` bytes are left; without any, until not a byte more goes in."""
        with self._ballast.open("ab", buffering=0) as ballast:
            size = 1 << 20
            while size and not 0 < self.room() <= spare:
                try:
                    ballast.write(b"\0" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def free(self):
        self._ballast.unlink(missing_ok=True)

    def room(self):
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


@pytest.fixture(scope="module")
def disk():
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False) if mount else None
        if done is None or done.returncode:
            pytest.skip(f"a disk of our own cannot be mounted: {done.stderr.strip() if done else 'no mount'}")
        try:
            yield Disk(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.fixture(scope="module")
def system(disk, start_whole):
    with start_whole(disk.folder / "home") as made:
        try:
            yield made
        finally:
            disk.free()


def pids(system):
    return {name: actor["pid"] for name, actor in system.ok("status")["actors"].items()}


def tried(disk, system, *words):
    """The failure of a command on a disk that is full at that moment: it has its own exit code. None: there was room."""
    disk.fill()
    assert disk.room() == 0
    patience = ["--timeout", "60"] if words[0] in {"send", "ask"} else []
    code, result = system.run(*words, *patience)
    error = result.get("error")
    if error is not None:
        assert error["code"] in HONEST, error
        assert code == CODES[error["code"]].exit_code
        assert error["message"]
    return error


def test_what_a_full_disk_refuses_goes_well_once_there_is_room(disk, system):
    file = disk.folder / "house.txt"
    file.write_text(FACTS)
    for name in ("box", "crate"):
        system.ok("new", name, "width=5", "height=6")
    assert system.ok("send", "box", "area_", "--example", EXAMPLE)["result"] == 30
    before, running = system.ok("look", "box"), pids(system)
    try:
        failed = [
            tried(disk, system, "send", "crate", "area_", "--example", EXAMPLE),
            tried(disk, system, "remember", str(file), "--id", DOCUMENT),
            tried(disk, system, "ask", QUESTION),
        ]
        made = tried(disk, system, "new", "barrel", "width=1")  # so small that it may find room in a page
        assert all(failed), failed
        assert "STORAGE" in {error["code"] for error in failed}
        # Nothing is half there.
        assert system.ok("look", "box") == before
        assert system.ok("look", "crate")["methods"] == {}
        assert (system.run("look", "barrel")[0] == 0) is (made is None)
        assert system.ok("search", QUESTION)["hits"] == []
    finally:
        disk.free()
    assert system.ok("up")["already"] is True
    assert pids(system) == running  # nothing had to be started again
    assert system.ok("send", "crate", "area_", "--example", EXAMPLE)["result"] == 30
    assert system.ok("remember", str(file), "--id", DOCUMENT)["tid"]
    answer = system.ok("ask", QUESTION)
    assert (answer["state"], answer["remembered"]) == ("COMPLETE", True)
    assert system.ok("new", "tub", "width=1")["tid"]
    assert system.ok("look", "box") == before


def test_what_was_accepted_before_the_disk_was_full_ends(disk, system):
    """A mandate that was acknowledged has an end, if need be after a restart: none of it is forgotten."""
    system.ok("new", "barn", "width=5", "height=6")
    accepted = []
    # To fill all of it takes longer than a thought may.
    disk.fill(spare=16 << 20)

    def fill(event):
        if event["state"] == "SYNTHESIZING" and not accepted:
            accepted.append(event["mandate"])
            disk.fill()

    try:
        code, result = system.follow(fill, "send", "barn", "area_", "--example", EXAMPLE, "--timeout", "60")
    finally:
        disk.free()
    (mandate,) = accepted
    if code == 0:  # a small commit finds room in the last pages of its files, and is then a whole one
        assert (result["state"], result["mandate"]) == ("COMPLETE", mandate)
    else:
        assert (code, result["error"]["mandate"]) == (CODES[result["error"]["code"]].exit_code, mandate)
        assert result["error"]["code"] in HONEST
    system.ok("down")
    system.ok("up")
    code, watched = system.run("cycle", "watch", mandate)
    assert watched["state"] in {"COMPLETE", "FAILED"}
    assert list(system.ok("look", "barn")["methods"]) == (["area_"] if watched["state"] == "COMPLETE" else [])
    assert system.ok("send", "barn", "area_", "--example", EXAMPLE)["result"] == 30
    for cycle in system.ok("cycle", "ls")["cycles"]:
        system.run("cycle", "watch", cycle["mandate"])
    assert system.ok("status")["cycles"]["active"] == 0
