"""A claim and how it is printed: ours beside its peers, with the target it has to reach.

Every benchmark prints a table for a reader, and with `--json` one object last. A claim that falls short is printed
as such; nothing is left out.
"""

from __future__ import annotations

import json
import platform
import subprocess
from typing import Any, NamedTuple


class Claim(NamedTuple):
    """`ratio` is ours to the first peer; `ok` whether `target`, in words, is reached."""

    id: str
    ours: float
    peers: dict[str, float]
    unit: str
    target: str
    ok: bool

    @property
    def ratio(self) -> float | None:
        first = next(iter(self.peers.values()), 0.0)
        return round(self.ours / first, 3) if first else None


def report(bench: str, claims: list[Claim], *, device: str, as_json: bool) -> None:
    """Print the claims."""
    width = max(len(claim.id) for claim in claims)
    for claim in claims:
        peers = ", ".join(f"{name} {value:g}" for name, value in claim.peers.items())
        verdict = "ok" if claim.ok else "falls short"
        print(f"{claim.id:{width}}  {claim.ours:g} {claim.unit}; {peers}; target {claim.target}: {verdict}")
    if as_json:
        print(json.dumps(document(bench, claims, device)))


def document(bench: str, claims: list[Claim], device: str) -> dict[str, Any]:
    """The claims as `--json` prints them."""
    return {
        "bench": bench,
        "commit": commit(),
        "device": device,
        "claims": [{**claim._asdict(), "ratio": claim.ratio} for claim in claims],
    }


def commit() -> str:
    """The commit that is measured, or `unknown` outside a checkout."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def processor() -> str:
    """What this machine computes on."""
    return f"{platform.machine()} CPU, {platform.system()}"
