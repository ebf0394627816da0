"""What a program is answered with, and how that is shown: in a notebook as a table, elsewhere in a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

import msgspec

from batos.asking import Answer as Asked
from batos.learning import Lesson as Learnt
from protocol.messages import Learned, MethodMade

SHOWN: Final = 200
"""Characters of a value in a table."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a message came to. `result` has an object for each reference; `learned` is what is known of a method that was written.

    Where the `state` is PROPOSED there is no result as yet: `proposal` waits for the user's word. `key` and `mandate` are what to
    ask again under, and by what to follow it.
    """

    result: Any
    state: str
    mandate: str
    key: str
    cycle: str | None = None
    synthesized: bool = False
    method: MethodMade | None = None
    learned: Learned | None = None
    proposal: str | None = None
    tid: str | None = None
    remembered: bool = False

    def _repr_html_(self) -> str:
        return table(dict(_facts(self)))


class Answer(Asked, frozen=True, kw_only=True):
    """What a question came to; as a text it is the answer."""

    def __str__(self) -> str:
        return self.answer or ""

    def _repr_html_(self) -> str:
        said = escape(self.answer or self.state).replace("\n", "<br>")
        where = [one.doc_id for one in self.citations if one.supported and one.doc_id]
        return f"<p>{said}</p>" + (f"<p><small>{escape(', '.join(dict.fromkeys(where)))}</small></p>" if where else "")


class Lesson(Learnt, frozen=True, kw_only=True):
    """What `learn` came to."""

    def _repr_html_(self) -> str:
        source = self.method.source if self.method is not None else ""
        facts = {
            "state": self.state,
            "installed": self.installed,
            "proposal": self.proposal,
            "doubts": len(self.doubts),
        }
        return table(facts) + (f"<pre>{escape(source)}</pre>" if source else "")


def widened(found: msgspec.Struct, kind: type[Any]) -> Any:
    """A struct as one of a class of ours that has the same fields."""
    return kind(**{name: getattr(found, name) for name in found.__struct_fields__})


def table(facts: Mapping[str, Any]) -> str:
    """Names and values as HTML; nothing of them is taken for markup."""
    rows = (
        f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(_short(value))}</td></tr>"
        for name, value in facts.items()
    )
    return f"<table>{''.join(rows)}</table>"


def _facts(struct: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """The fields that say something."""
    for field in msgspec.structs.fields(type(struct)):
        value = getattr(struct, field.name)
        if field.required or value != field.default:
            yield field.name, value


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
