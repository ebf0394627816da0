"""Where the model begins on the ladder of forms, as `doctor` says it: by the configuration, or as the world has found it."""

from __future__ import annotations

from typing import Any

from bus.client import Client
from cli.health.census import Census
from cli.health.findings import Check
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home, Settings
from protocol.messages import Look

ASK_S = 5.0


async def placed(home: Home, settings: Settings, found: Census) -> Check:
    """One line: the model, its digest, the form that it begins at, and who says so."""
    name, wanted = "form of methods", settings.inference.form
    said = f"configured: {wanted}" if wanted != "auto" else "as the model's placement finds"
    if not (found.is_ready("inference") and found.is_ready("orchestrator")):
        return Check(name=name, ok=True, required=False, detail=f"{said}; a running system says more")
    model = found.statuses["inference"].detail
    digest = str(model.get("digest", ""))
    whose = f"{model.get('model', 'the model')} ({digest[:12]})"
    if wanted != "auto":
        return Check(name=name, ok=True, detail=f"{whose} begins at {wanted}: configured")
    if not model.get("grammars", True):
        return Check(name=name, ok=True, detail=f"{whose} begins at free: no grammar binds its texts")
    try:
        found_placements = await placements(home)
    except BatosError as error:
        return Check(name=name, ok=False, required=False, detail=f"{whose}: {error.message}", hint=error.hint)
    return Check(name=name, ok=True, detail=f"{whose} {_begins(found_placements.get(digest))}")


async def placements(home: Home) -> dict[str, Any]:
    """What the world has found of each model that was placed, by its digest."""
    async with Client(home.bus, "doctor", patience=0.5) as bus:
        looked = await bus.call(verbs.LOOK, Look(target="pLLM_obj"), seconds=ASK_S)
    kept = looked.slots.get("placements")
    return kept if isinstance(kept, dict) else {}


def _begins(placement: Any) -> str:
    if not isinstance(placement, dict):
        return "is not placed yet: its first new method does that"
    tried = placement.get("tried") or []
    solved = sum(bool(one.get("solved")) for one in tried)
    how = f"found, {solved} of {len(tried)} tasks solved in the open form" if tried else "found"
    return f"begins at {placement.get('form')}: {how}"
