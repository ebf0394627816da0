"""What `doctor` finds: one thing a line."""

from __future__ import annotations

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing: whether it is there, whether it must be, what was found, and what to do where it is not."""

    name: str
    ok: bool
    required: bool = True
    detail: str = ""
    hint: str = ""

    @property
    def word(self) -> str:
        return "ok" if self.ok else "missing" if self.required else "note"
