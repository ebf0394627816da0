"""Contracts that are tried all at once: what `check` is asked, and what it finds."""

from __future__ import annotations

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Try every contract of the world, or those of the named objects' own methods. Nothing is written."""

    names: list[str] = []


class CheckProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the contracts were tried so far, and how many of those are broken."""

    done: int
    total: int
    broken: int


class BrokenCase(msgspec.Struct, frozen=True, kw_only=True):
    """An example that a method does not hold: its number from 1, what it asks, and what came instead."""

    number: int
    asked: str
    rule: str
    message: str


class CheckedMethod(msgspec.Struct, frozen=True, kw_only=True):
    """How many examples a method holds and how many not; `cases` are those that it does not."""

    name: str
    selector: str
    passed: int
    failed: int
    cases: list[BrokenCase] = []


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check has found at the moment `tid`: `ok` where every contract holds.

    `methods` are those with a contract, the broken ones first; of so many that they would not fit a frame, not all that hold are
    told. `contracts` and `examples` count all that were tried, `without` the methods that owe nothing.
    """

    ok: bool
    methods: list[CheckedMethod]
    contracts: int
    examples: int
    without: int
    seconds: float
    tid: str
