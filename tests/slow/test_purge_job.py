"""What was forgotten for good on real parts: a document is told, asked about, learned from, and then no file of the home has it.

supervisord, ZEO, the broker, all actors and the embedded models, through the command.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FIRST = "The zephyr lamp of Ljubljana was made by Ottilie Brändström-Quokka out of nine tins."
SECOND = "It stands under the café's third table, and its number is 44827713."
OTHER = "The fountain was built by Emil Rask in 1922."
CANARIES = ("Ottilie Brändström-Quokka", "café's third table", "44827713")


def spellings(text):
    """A text as a file may spell it: in bytes, in sixteen bits, escaped, and in base64 at each of its three places."""
    plain = text.encode()
    coded = [base64.b64encode(bytes(shift) + plain)[(shift * 4 + 2) // 3 : -4] for shift in range(3)]
    return {plain, text.encode("utf-16-le"), json.dumps(text)[1:-1].encode(), repr(plain)[2:-1].encode(), *coded}


def holding(home):
    """The files that have any of the canaries, in any spelling."""
    words = [word for text in CANARIES for word in spellings(text)]
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted(str(path.relative_to(home)) for path in files if any(word in path.read_bytes() for word in words))


@pytest.fixture
def folder():
    made = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


def test_after_a_purge_no_file_of_the_home_has_a_byte_of_what_was_forgotten(folder, start_whole):
    home = folder / "home"
    (folder / "lamp.txt").write_text(f"{FIRST}\n\n{SECOND}\n")
    (folder / "fountain.txt").write_text(OTHER)
    with start_whole(home) as whole:
        whole.ok("remember", str(folder / "lamp.txt"), "--id", "lamp")
        whole.ok("remember", str(folder / "fountain.txt"), "--id", "fountain")
        answer = whole.ok("ask", "--deep", "Who made the zephyr lamp, and where does it stand?", "--thread", "talk")
        assert "lamp" in [source["doc_id"] for source in answer["sources"]]
        named = whole.ok("forget", "lamp", "--dry-run")["derived"]
        assert f"answer:{answer['cycle']}" in named["answers"]
        assert [(one["name"], one["turns"]) for one in named["threads"]] == [("talk", 1)]
        if answer["facets"]:
            assert named["methods"], "a facet was written in a cycle that was told of it"
        assert holding(home)
        gone = whole.ok("forget", "lamp", "--derived", "--yes")
        assert gone["derived_tid"]
        assert gone["derived"]["answers"] == named["answers"]
        code, line = whole.run("pack", "--purge", "--yes")
        assert (code, line["error"]["code"], "batos down" in line["error"]["hint"]) == (3, "HOME_HELD", True)
        whole.ok("down")
        done = whole.ok("pack", "--purge", "--yes")
        assert "lamp" in done["purged"]["documents"]
        assert done["purged"]["left"] == []
        assert holding(home) == []
        check = [sys.executable, "-m", "actors.storage", "--home", str(home), "--check"]
        assert json.loads(subprocess.run(check, capture_output=True, text=True, check=True).stdout) == {"world": []}
