"""The closed list of names: services, states, kernel selectors and slots, and what a user's name may look like."""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import Final

from protocol.errors import BatosError

SERVICES: Final = ("orchestrator", "inference", "memory", "guardian")
STATES: Final = ("IDLE", "DECOMPOSING", "DELEGATING", "SYNTHESIZING", "COMPLETE", "FAILED")

ROOT: Final = "root"
ROOT_OID: Final = "0" * 16
"""The root's own: the word, and the OID that no object can take from it."""

MIND: Final = "orchestrator_obj"
"""The object that questions are sent to."""

METHOD_DOC: Final = "method:"
"""How the id of a document begins that is what memory knows of a method: it follows from what stands on the object."""

SIGNAL: Final = "_p_changed"

KERNEL_SELECTORS: Final = frozenset(
    {
        "_clone_persistent_",
        "_doesNotUnderstand_",
        "_orc_start_cognitive_cycle_",
        "_construct_architectural_covenant_prompt",
        "_process_synthesis_",
        "activate_expert_",
        "load_adapter",
        "set_adapter",
        "delete_adapter",
        "infer_",
        "index_document_",
        "unindex_document_",
        "search_",
    }
)
"""Selectors of the kernel, the ones without a final underscore too; the rest of the seed's are ordinary."""

KERNEL_SLOTS: Final = frozenset({"_tmp_synthesis_data"})
"""Underscore slots that methods under kernel traits may read and write."""

KERNEL_NAMES: Final = frozenset({n for n in KERNEL_SELECTORS if n.startswith("_")} | KERNEL_SLOTS)
"""The underscore names that source under kernel traits may use; the guardian refuses every other one."""

LEARNING: Final = "_learning"
"""The slot that says whether the mind may write methods on an object and its heirs: the user's alone, no method meets it."""
AUTO, PROPOSE, DENY = LEARNINGS = ("auto", "propose", "deny")
"""What it may hold: the mind installs what holds its contract, or proposes it, or writes nothing there."""

UNREADABLE_SLOTS: Final = frozenset(
    [
        "ag_await",
        "ag_code",
        "ag_frame",
        "co_code",
        "cr_await",
        "cr_code",
        "cr_frame",
        "cr_origin",
        "f_back",
        "f_builtins",
        "f_code",
        "f_generator",
        "f_globals",
        "f_locals",
        "f_trace",
        "format",
        "format_map",
        "gi_code",
        "gi_frame",
        "gi_yieldfrom",
        "tb_frame",
        "tb_next",
    ]
)
"""Attributes that no method may read: Python's own ways into frames and code, and formats that walk attributes."""

RESERVED_PARAMETERS: Final = frozenset({"print", "printed", "builtins", "breakpoint", "getattr", "hasattr"})
"""Names that no method may bind, or may only call."""

MAX_NAME: Final = 100

_IDENTIFIER: Final = re.compile(r"[^\W\d]\w*")
_OBJECT: Final = re.compile(r"[^\W\d_][\w.-]*")
_OID: Final = re.compile(r"[0-9a-f]{16}")


def is_selector(name: str) -> bool:
    """Whether `name` is sent rather than read: it ends in `_`, or the kernel's list says so."""
    return name.endswith("_") or name in KERNEL_SELECTORS


def is_delegation(name: str) -> bool:
    """Whether the slot `name` delegates lookup (`parent*`)."""
    return name.endswith("*")


def is_oid(text: str) -> bool:
    return _OID.fullmatch(text) is not None


def check_selector(name: str) -> str:
    """`name` if a user may send it; BAD_SELECTOR otherwise."""
    if not _is_identifier(name) or not is_selector(name) or (name.startswith("_") and name not in KERNEL_SELECTORS):
        raise BatosError(
            "BAD_SELECTOR",
            f"{name[:MAX_NAME]!r} is no selector",
            "A selector is an identifier that ends in an underscore, such as area_ or increment_(by).",
        )
    return name


def check_slot(name: str) -> str:
    """`name` if a user may give an object a slot of that name; BAD_NAME otherwise."""
    if keyword.iskeyword(name):
        raise BatosError("BAD_NAME", _keyword(name), "Choose another name: no method could say `self.` and this word.")
    if name in UNREADABLE_SLOTS:
        raise BatosError(
            "BAD_NAME", f"methods may not read {name}, so a slot of that name is of no use", "Choose another name."
        )
    if not _is_identifier(name) or name.startswith("_") or is_selector(name):
        raise BatosError(
            "BAD_NAME",
            f"{name[:MAX_NAME]!r} is no slot name",
            "A slot is an identifier without a leading or a final underscore; a final one marks a message.",
        )
    return name


def check_setting(slot: str) -> str:
    """`slot` if a person may write it by hand; BAD_NAME otherwise."""
    return slot if slot == LEARNING else check_slot(slot.removesuffix("*"))


def check_parameter(name: str) -> str:
    """`name` if a method may have a parameter of that name; BAD_SELECTOR otherwise."""
    if keyword.iskeyword(name):
        raise BatosError("BAD_SELECTOR", _keyword(name), "Choose another name for the parameter.")
    if name in RESERVED_PARAMETERS:
        raise BatosError("BAD_SELECTOR", f"{name} means something else in a method", "Choose another name.")
    if not _is_identifier(name) or name.startswith("_") or name == "self":
        raise BatosError("BAD_SELECTOR", f"{name[:MAX_NAME]!r} is no parameter name", "Name it like `increment_(by)`.")
    return name


def check_object(name: str) -> str:
    """`name` if an object of the user may be called so; BAD_NAME otherwise."""
    if len(name) > MAX_NAME or _OBJECT.fullmatch(name) is None or is_oid(name):
        raise BatosError(
            "BAD_NAME",
            f"{name[:MAX_NAME]!r} is no object name",
            "Begin with a letter; then letters, digits, '_', '-' and '.', at most 100 characters.",
        )
    return name


def _keyword(name: str) -> str:
    return f"{name} is a keyword of Python"


def _is_identifier(name: str) -> bool:
    return (
        len(name) <= MAX_NAME
        and _IDENTIFIER.fullmatch(name) is not None
        and unicodedata.normalize("NFKC", name) == name
        and not keyword.iskeyword(name)
    )
