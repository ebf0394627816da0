"""The closed list of codes is the one that the tree uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from protocol.errors import CODES, BatosError, Disposition

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "bus", "world", "actors", "cli", "ops", "bench", "experts")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "image" not in path.parts:
                yield path, ast.parse(path.read_text(), str(path))


def first_literals(call: ast.Call) -> list[str]:
    """The codes that a call's first argument can be, as far as they stand there: `"A"`, `"A" if x else "B"`."""
    if not call.args:
        return []
    return [
        node.value for node in _choices(call.args[0]) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _choices(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.IfExp):
        return [*_choices(node.body), *_choices(node.orelse)]
    return [node]


def raised_codes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in ("BatosError", "Failure"):
                    for code in first_literals(node):
                        found.setdefault(code, set()).add(str(path.relative_to(ROOT)))
    return found


def test_every_code_that_is_raised_is_in_the_list() -> None:
    raised = raised_codes()
    assert len(raised) > 10, "the search itself must find something"
    assert {code: places for code, places in raised.items() if code not in CODES} == {}


def test_every_code_has_an_exit_code_that_is_documented() -> None:
    assert all(code.isupper() and code.isidentifier() for code in CODES)
    assert {code.exit_code for code in CODES.values()} <= {1, 2, 3, 4, 5, 6, 7, 130}
    for code, (exit_code, _) in CODES.items():
        assert BatosError(code, "x").exit_code == exit_code
    assert BatosError("FROM_A_NEWER_PEER", "x").exit_code == 1


# What may be done ---------------------------------------------------------------------------------------------

WORDS = ("is_away", "is_passing", "is_fatal", "is_hopeless", "is_input")


def codes_that(word: str) -> set[str]:
    return {code for code in CODES if getattr(BatosError(code, "x"), word)}


def test_what_is_away_is_asked_again_and_cannot_be_caught_unless_it_is_only_busy() -> None:
    assert codes_that("is_away") == {"BUSY", "NOT_READY", "NOT_RUNNING"}
    assert codes_that("is_away") <= codes_that("is_passing")
    assert codes_that("is_away") - codes_that("is_fatal") == {"BUSY"}


def test_what_passes_is_attempted_again_under_its_key() -> None:
    assert codes_that("is_passing") - codes_that("is_away") == {"CONFLICT", "OUT_OF_MEMORY", "STORAGE", "TIMEOUT"}


def test_what_ends_a_mandate_is_no_answer_to_a_send() -> None:
    assert codes_that("is_fatal") - codes_that("is_passing") == {"BUDGET_EXCEEDED", "CANCELLED", "INTERNAL"}
    # These a method may meet, and go on.
    assert codes_that("is_fatal").isdisjoint({"SEND_FAILED", "METHOD_FAILED", "NOT_SYNTHESIZED", "REFUSED", "BUSY"})


def test_no_waiting_mends_what_only_a_person_can() -> None:
    setup = {"BAD_CONFIG", "BAD_MODEL", "LIMIT", "NO_JAIL", "PATH_TOO_LONG"}
    store = {"DAMAGED", "NEWER_WORLD", "STEP_FAILED", "HALF_RESTORED"}
    assert codes_that("is_hopeless") == setup | store | {"OUT_OF_MEMORY", "REFUSED"}
    assert codes_that("is_hopeless").isdisjoint(codes_that("is_away") | codes_that("is_input"))


def test_the_fault_of_what_was_given_is_nobody_elses() -> None:
    given = codes_that("is_input")
    assert {CODES[code].exit_code for code in given} == {2}
    # A person may mend the file's rights, the configuration or the home; what was given stays as it is.
    others = {code for code, (exit_code, _) in CODES.items() if exit_code == 2} - given
    assert others == {"BAD_CONFIG", "PATH_TOO_LONG", "UNREADABLE"}
    assert given.isdisjoint(codes_that("is_passing") | codes_that("is_fatal"))


def test_of_what_a_newer_peer_says_nothing_is_known() -> None:
    assert not any(getattr(BatosError("FROM_A_NEWER_PEER", "x"), word) for word in WORDS)


def test_every_disposition_has_its_property_and_says_what_it_means() -> None:
    assert [f"is_{name.lower()}" for name in Disposition.__members__] == list(WORDS)
    for word, each in zip(WORDS, Disposition, strict=True):
        assert codes_that(word) == {code for code, row in CODES.items() if each in row.disposition}
        assert (getattr(BatosError, word).__doc__ or "").endswith(".")


def test_a_loss_is_a_fact_of_the_case_and_not_of_the_code() -> None:
    assert BatosError("NOT_READY", "x", lost=True).is_lost
    assert not BatosError("NOT_READY", "x").is_lost
    assert not BatosError("STORAGE", "x", lost=False).is_lost


def test_no_set_of_codes_stands_beside_the_table() -> None:
    """Two codes or more in a set or a tuple are a disposition that the table lacks, or one case that says why."""
    known = {
        "actors/guardian/runtime/trial.py": {"BAD_VALUE", "TOO_LARGE"},
        "cli/shipped.py": {"EXPIRED", "UNKNOWN_OBJECT"},
        "actors/inference/remote/server.py": {"BAD_ARGUMENT", "GENERATION_FAILED", "TOO_LARGE"},
    }
    found: dict[str, set[str]] = {}
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Set | ast.Tuple | ast.List):
                codes = {
                    each.value
                    for each in node.elts
                    if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value in CODES
                }
                if len(codes) > 1:
                    found.setdefault(str(path.relative_to(ROOT)), set()).update(codes)
    assert found == known
