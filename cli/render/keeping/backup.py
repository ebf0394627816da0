"""A backup and a restore, as a person reads them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cli.values import printable


def made(found: Mapping[str, Any]) -> str:
    """What a backup has added, and to what."""
    copied = found["copied"]
    how = "whole" if found["full"] else "what is new"
    return "\n".join(
        [
            f"generation {found['generation']} of {found['generations']}, in {found['seconds']:.1f} s",
            f"copied     {how}: {copied['files']} files, {size(copied['bytes'])}",
            f"holds      {size(found['bytes'])} when it is restored",
            f"world      up to transaction {found['world']['tid']}",
            *([f"removed    {found['swept']} files that a killed backup had left"] if found["swept"] else []),
            f"restore it with: batos restore {printable(found['dir'])} --home NEW",
        ]
    )


def generations(found: Mapping[str, Any]) -> str:
    """A line for each generation, the oldest first."""
    lines = [f"{'GENERATION':18}{'TIME':21}{'SIZE':>9}  TRANSACTION"]
    for one in found["generations"]:
        if "problem" in one:
            lines.append(f"{one['generation']:18}cannot be read: {printable(one['problem'])}")
            continue
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one["time"]))
        lines.append(f"{one['generation']:18}{when:21}{size(one['bytes']):>9}  {one['tid']}")
    return "\n".join(lines)


def restored(found: Mapping[str, Any]) -> str:
    """What stands in the home now."""
    home = printable(found["home"])
    if found["finished"]:
        first = f"{home} is whole: what a killed restore had verified is in its place"
    else:
        first = f"{home} is generation {found['generation']}, {size(found['bytes'])}, in {found['seconds']:.1f} s"
    lines = [first]
    if "objects" in found:
        lines.append(f"verified   {found['objects']} objects, each opened, and the journal")
    if found.get("reopened"):
        lines.append(f"again      {found['reopened']} mandates whose end the world of then has not seen are taken up")
    return "\n".join([*lines, f"start it with: batos up --home {home}"])


def size(count: int) -> str:
    """Bytes, to three figures."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{count} B" if unit == "B" else f"{value:.3g} {unit}"
