from __future__ import annotations

import builtins

import pytest

from actors.guardian import builtin_names, gates
from actors.guardian.covenant.knowledge import known
from actors.guardian.runtime import facades
from actors.guardian.runtime.run import EXHAUSTION

NAMELESS = {"ExceptionGroup", *(kind.__name__ for kind in EXHAUSTION)}
"""Errors that end the run, and the group, which only `except*` takes apart."""


def ordinary() -> set[str]:
    found = (kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, Exception))
    return {kind.__name__ for kind in found} | {"EnvironmentError", "IOError"}


def test_every_ordinary_error_of_python_has_its_name():
    assert ordinary() - NAMELESS == builtin_names.EXCEPTIONS


def test_the_page_the_run_and_the_covenant_know_the_same_names():
    given = facades.make(lambda value, name: None)
    assert set(given) == builtin_names.ALL
    assert all(issubclass(given[name], Exception) for name in builtin_names.EXCEPTIONS)
    assert builtin_names.EXCEPTIONS <= known.EXCEPTIONS
    assert builtin_names.ALL <= known.BUILT_IN


@pytest.mark.parametrize("name", sorted(builtin_names.EXCEPTIONS))
def test_an_error_may_be_raised_and_caught(name: str):
    source = f"def m_(self, n):\n    try:\n        raise {name}('no')\n    except {name} as error:\n        return error.args\n"
    assert gates.judge(source).accepted


@pytest.mark.parametrize(
    "name", [*sorted(NAMELESS), "BaseException", "SystemExit", "KeyboardInterrupt", "GeneratorExit"]
)
def test_what_ends_a_run_can_neither_be_raised_nor_caught(name: str):
    assert not gates.judge(f"def m_(self):\n    raise {name}('no')\n").accepted
    assert not gates.judge(f"def m_(self):\n    try:\n        pass\n    except {name}:\n        pass\n").accepted
