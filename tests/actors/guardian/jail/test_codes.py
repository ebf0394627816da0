"""Compiled methods: kept by the digest of their source, made where nothing but that source was seen, and worth no more."""

from __future__ import annotations

import asyncio
import marshal
from typing import Any

import pytest

from actors.guardian.confinement.confine import LAYERS
from actors.guardian.jail import launching
from actors.guardian.jail.codes import Codes, key_of
from actors.guardian.jail.jail import Jail
from protocol.codec import Ref
from protocol.messages import Done, Failed, Run

ME = Ref("00000000000000aa")
ONE = "def m_(self):\n    return 1\n"
TWO = "def m_(self):\n    return 2\n"
KERNEL = "def m_(self):\n    return self._tmp_synthesis_data\n"


def outcomes(*runs: Run) -> list[Any]:
    async def story() -> list[Any]:
        jail = Jail(workers=1, may_lack=LAYERS)
        await jail.start()
        try:
            return [await jail.run(run) for run in runs]
        finally:
            await jail.close()

    return asyncio.run(story())


def test_what_was_not_asked_for_longest_is_forgotten():
    codes = Codes(most=10)
    one, two, three = (key_of(source, kernel=False) for source in ("1", "2", "3"))
    codes.add(one, b"1" * 4)
    codes.add(two, b"2" * 4)
    assert codes.get(one) == b"1" * 4
    codes.add(three, b"3" * 4)
    assert [codes.get(key) is None for key in (one, two, three)] == [False, True, False]
    codes.add(three, b"3" * 11)
    assert [codes.get(key) for key in (one, two, three)] == [None, None, None]
    assert key_of(ONE, kernel=True) != key_of(ONE, kernel=False)


def test_a_method_is_refused_or_run_by_its_own_source_and_place():
    slots: dict[str, Any] = {"_tmp_synthesis_data": 7}
    runs = [Run(source=KERNEL, receiver=ME, slots=slots, kernel=kernel) for kernel in (True, False, True)]
    found = outcomes(*runs, Run(source=ONE, receiver=ME), Run(source=TWO, receiver=ME), Run(source=ONE, receiver=ME))
    assert [found[0], found[2], *found[3:]] == [Done(result=7), Done(result=7), *map(_done, (1, 2, 1))]
    assert isinstance(found[1], Failed)
    assert (found[1].code, found[1].error, found[1].line) == ("REFUSED", "POL008", 2)


def _done(result: int) -> Done:
    return Done(result=result)


@pytest.mark.parametrize("lie", [b"", b"nonsense", marshal.dumps("self"), marshal.dumps(compile("1", "x", "eval"))])
def test_code_that_is_none_costs_that_method_alone(monkeypatch: pytest.MonkeyPatch, lie: bytes):
    words = f"""
from actors.guardian.jail import child
real = child._compile
def lying(request):
    found = real(request)
    return found if "return 2" in request.source else child.Compiled(code={lie!r})
child._compile = lying
"""
    monkeypatch.setattr(launching, "_START", launching._START.replace("from actors", f"{words}\nfrom actors", 1))
    bad, good, again = outcomes(*(Run(source=source, receiver=ME) for source in (ONE, TWO, ONE)))
    assert isinstance(bad, Failed)
    assert (good, again) == (Done(result=2), bad)
