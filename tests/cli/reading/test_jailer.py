"""The children that read: whatever a file does to one, it is that file which is refused, and the next one is read."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cli.reading import jailer
from cli.reading.jailer import Children
from protocol.errors import BatosError

PAGE = b"<html><p>Words.</p></html>"
HARM = """
import sys; sys.path[:] = sys.argv[1].split(chr(10))
from cli.reading import child
from cli.reading.readings import Reading

def harm(data, name):
    {harm}
    return Reading(text="read all the same", format="html")

child.FORMATS["harm"] = harm
child.main()
"""


@pytest.fixture
def harmful(monkeypatch):
    """Children in which the format `harm` does what is said."""

    def harmful(harm, seconds=60.0):
        monkeypatch.setattr(jailer, "_START", HARM.format(harm=harm))
        return Children(seconds)

    return harmful


def test_files_are_read_by_one_child_after_the_other_and_by_several_at_once():
    with Children() as children, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: children.read("html", "a", PAGE).text, range(20)))
        started = set(children._all)
    assert found == ["Words."] * 20
    assert len(started) <= 4
    assert all(child.poll() is not None for child in started)


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ("bytes(1 << 31)", "TOO_LARGE"),
        ("import os; os.kill(os.getpid(), 9)", "BAD_DOCUMENT"),
        ("import ctypes; ctypes.string_at(0)", "BAD_DOCUMENT"),
        ("import os; os._exit(0)", "BAD_DOCUMENT"),
        ("raise ValueError('odd')", "BAD_DOCUMENT"),
        ("f = lambda: f(); f()", "BAD_DOCUMENT"),
        ("open('/tmp/batos-written', 'w').write('x' * 100000)", "BAD_DOCUMENT"),
        ("while True: pass", "TOO_LARGE"),
        ("import time; time.sleep(1000)", "TOO_LARGE"),
    ],
)
def test_harm_is_the_files_own(harmful, harm, code):
    with harmful(harm, seconds=1.0 if code == "TOO_LARGE" else 60.0) as children:
        with pytest.raises(BatosError) as caught:
            children.read("harm", "a", b"")
        assert (caught.value.code, bool(caught.value.hint)) == (code, True)
        # A new child has a minute to come up.
        children._seconds = 60.0
        assert children.read("html", "a", PAGE).text == "Words."


def test_what_a_library_prints_is_no_answer(harmful):
    with harmful("print('noise' * 10000, flush=True)") as children:
        assert children.read("harm", "a", b"").text == "read all the same"


def test_a_child_holds_no_secret_of_ours(harmful, monkeypatch):
    monkeypatch.setenv("SECRET", "secret")
    with harmful("import os; assert 'SECRET' not in os.environ") as children:
        assert children.read("harm", "a", b"").text == "read all the same"


def test_who_leaves_waits_for_no_file(harmful):
    with harmful("import time; time.sleep(1000)") as children:
        failed = []

        def read():
            with pytest.raises(BatosError) as caught:
                children.read("harm", "a", b"")
            failed.append(caught.value.code)

        reading = threading.Thread(target=read)
        reading.start()
        while not children._all:
            pass
    reading.join(60)
    assert failed == ["BAD_DOCUMENT"]


def test_an_answer_that_says_it_has_no_end_is_none(harmful):
    # Its answers go out by the first descriptor that was free.
    with harmful("import os; os.write(3, b'\\x00' * 7 + b'\\x40'); os._exit(0)") as children:
        with pytest.raises(BatosError) as caught:
            children.read("harm", "a", b"")
        assert caught.value.code == "BAD_DOCUMENT"


def test_no_child_outlives_the_block_that_it_came_too_late_for():
    with Children() as children:
        pass
    with pytest.raises(BatosError):
        children.read("html", "a", PAGE)
    assert children._all == set()
