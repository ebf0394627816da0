"""`models` and `model use`: which models there are for a home, and another one in the place of the one that serves.

A model is changed in this order: it is looked at; the configuration is written; inference alone is started anew, and the
others wait for it as they do after a crash; it says that it is ready. Where anything of that fails, or is interrupted, the
configuration is put back as it was and the old model serves again. What the world kept of the old model stays in its history
until a pack.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from bus.client import Client
from cli import configuring, lifecycle, shipped, wire
from cli.calls import models as calls
from cli.health.census import census
from cli.health.placed import placements
from ops.supervisor import Supervisor
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home, Inference, choose
from protocol.messages import BaseModel, Experts

EMBEDDED: Final = frozenset({"embedded", "default"})
ACTOR: Final = "inference"
ASK_S: Final = 10.0
BACK_S: Final = 600.0
"""Seconds that the old model has to serve again; it is in the world already."""


async def use(home: Home, named: str, served: str | None, progress: lifecycle.Progress) -> dict[str, Any]:
    """Have the home use the model `named`: `{"model", "before", "running", "check", …}`.

    Raises what the look at it or its start has met; then everything is as it was before.
    """
    settings = home.settings().inference
    wanted = _wanted(settings, named, served)
    progress(f"looking at {named}")
    found = await calls.check(home, wanted.url if wanted.engine == "openai" else named)
    if wanted.engine == "openai":
        wanted = msgspec.structs.replace(wanted, served=_served(found, wanted.served))
    before = configuring.read(home)
    after = configuring.changed(before, _changes(wanted))
    home.prepare()
    told = {"model": named, "before": settings.model or settings.url or "embedded", "check": found}
    if Supervisor(home).pid() is None:
        configuring.write(home, after)
        _readable(home, before)
        return {**told, "running": False}
    configuring.write(home, after)
    try:
        _readable(home, before)
        await lifecycle.restart(home, ACTOR, progress)
    except (BatosError, asyncio.CancelledError) as error:
        await _back(home, before, progress, error)
        raise
    status = (await census(home)).statuses[ACTOR].detail
    await shipped.bring(home, status, progress)
    return {**told, "running": True, "digest": status.get("digest"), "source": status.get("model")}


async def listed(home: Home) -> dict[str, Any]:
    """The models that the configured engine offers, the one that serves marked: `{"engine", "why", "models"}`."""
    settings = home.settings().inference
    choice = choose(settings, home.root)
    told: dict[str, Any] = {
        "engine": choice.engine,
        "why": choice.why,
        "faster": choice.faster,
        "running": Supervisor(home).pid() is not None,
    }
    serving = await _serving(home) if told["running"] else None
    told["ready"] = serving is not None
    if choice.engine == "openai":
        found = await calls.check(home, settings.url)
        in_use = settings.served or found["served"]
        rows = [
            {"name": name, "in_use": name == in_use, **(serving or {} if name == in_use else {})}
            for name in found["models"]
        ]
        return {**told, "models": rows}
    name = settings.model or "embedded"
    return {**told, "models": [{"name": name, "in_use": True, **(serving or {})}]}


async def _serving(home: Home) -> dict[str, Any] | None:
    """What inference says of the model that it has; None where it does not run, or is not ready."""
    if not (home.run / "bus.sock").exists():
        return None
    try:
        async with Client(home.bus, wire.SENDER, patience=0.5) as bus:
            model = await bus.call(verbs.MODEL, BaseModel(), seconds=ASK_S)
            experts = (await bus.call(verbs.EXPERTS, Experts(), seconds=ASK_S)).experts
        placement = (await placements(home)).get(model.digest)
    except BatosError:
        return None
    return {
        "digest": model.digest,
        "source": model.source,
        "grammars": model.grammars,
        "abilities": msgspec.to_builtins(model.abilities),
        "speed": msgspec.to_builtins(model.speed),
        "form": placement.get("form") if isinstance(placement, dict) else None,
        "experts": [one.name for one in experts if one.base_model == model.digest],
        "misfits": [one.name for one in experts if one.base_model != model.digest],
    }


def _wanted(settings: Inference, named: str, served: str | None) -> Inference:
    """What the configuration is to say. A word that is no path is a model of the server that is configured."""
    if named in EMBEDDED:
        return Inference()
    if named.startswith(("http://", "https://")):
        return Inference(engine="openai", url=named, served=served or "")
    path = Path(os.path.abspath(os.path.expanduser(named)))  # noqa: PTH100, PTH111 - Path.absolute keeps a/../b
    if settings.engine == "openai" and not path.exists() and settings.url:
        return Inference(engine="openai", url=settings.url, served=named)
    return Inference(model=str(path))


def _changes(wanted: Inference) -> dict[str, str | None]:
    """The lines under `[inference]` that say which model it is. What else stands there holds for any model, and stays."""
    changes: dict[str, str | None] = {"model": wanted.model or None, "digest": None}
    if wanted.engine == "openai":
        return {**changes, "engine": "openai", "url": wanted.url, "served": wanted.served or None}
    return {**changes, "engine": None, "url": None, "served": None}


def _served(found: dict[str, Any], wanted: str) -> str:
    """The name on the server; BAD_CONFIG where it has several and none is named, or not that one."""
    names = found["models"]
    if wanted in names or (not wanted and len(names) == 1):
        return wanted or str(names[0])
    said = f"has no model {wanted!r}" if wanted else "has several models"
    hint = "Name one of them: `batos model use URL --served NAME`."
    raise BatosError("BAD_CONFIG", f"the server {said}; it offers {', '.join(names)[:600]}", hint, models=names)


def _readable(home: Home, before: str | None) -> None:
    """BAD_CONFIG, and the file as it was, where what was written is no configuration."""
    try:
        home.settings()
    except BatosError:
        configuring.write(home, before)
        raise


async def _back(home: Home, before: str | None, progress: lifecycle.Progress, error: BaseException) -> None:
    """Everything as it was; what went wrong says so."""
    progress("it did not become ready; going back to the model before")
    configuring.write(home, before)
    try:
        await lifecycle.restart(home, ACTOR, progress, seconds=BACK_S)
    except BatosError as again:
        back = f"The configuration is as it was, and the old model does not serve either: {again.message}"
    else:
        back = "The configuration is as it was, and the old model serves."
    if isinstance(error, BatosError):
        error.hint = f"{error.hint} {back}".strip()
    else:
        progress(back)
