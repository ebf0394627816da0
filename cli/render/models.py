"""What is known of models, as text for a person, in 80 columns."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from typing import Any, Final

from cli.console import paint
from cli.values import printable

_WIDTH: Final = 79
_NAME: Final = 12
_HASH: Final = 12


def checked(found: Mapping[str, Any]) -> str:
    """A line for each thing that somebody decides by."""
    lines = [_line("model", found["model"])]
    if found["kind"] == "server":
        lines += _server(found)
    else:
        lines += _file(found)
    lines.append(_line("context", f"{found['context']} tokens" if found["context"] else "nobody tells"))
    lines.append(_line("forms", f"{', '.join(found['forms'])}{_unbound(found['forms'])}"))
    lines.append(_line("experts", _experts(found["experts"])))
    return "\n".join(lines)


def used(found: Mapping[str, Any]) -> str:
    name = printable(found["model"])
    if not found["running"]:
        return f"{name} is configured; nothing runs, and the next `batos up` uses it"
    return f"{name} serves ({str(found['digest'])[:_HASH]}); before it was {printable(found['before'])}"


def models(found: Mapping[str, Any]) -> str:
    lines = [_line("engine", found["engine"] + (f": {found['why']}" if found["why"] else ""))]
    if found["faster"]:
        lines.append(_line("", f"faster: {found['faster']}"))
    for model in found["models"]:
        mark = paint("*", "green", sys.stdout) if model["in_use"] else " "
        lines.append(f"{mark} {printable(model['name'])}")
        if "digest" in model:
            lines += _serving(model)
    if not found["ready"]:
        what = "inference is not ready: `batos status` says why" if found["running"] else "nothing runs: `batos up`"
        lines.append(f"  {what}")
    return "\n".join(lines)


def _serving(model: Mapping[str, Any]) -> list[str]:
    speed, context = model["speed"], model["abilities"].get("context")
    placed = model["form"] or "not placed yet: the first new method does that"
    lines = [_line("digest", model["digest"][:_HASH]), _line("source", model["source"])]
    lines.append(_line("form", placed if model["grammars"] else "free: no grammar binds its texts"))
    if context:
        lines.append(_line("context", f"{context} tokens"))
    if speed.get("one"):
        lines.append(_line("speed", f"{speed['one']:.1f} tokens/s alone, {speed['many']:.1f} with others"))
    lines.append(_line("experts", ", ".join(model["experts"]) or "none fit: personas speak through prompts"))
    if model["misfits"]:
        lines.append(_line("", f"made for another model: {', '.join(model['misfits'])}"))
    return lines


def _file(found: Mapping[str, Any]) -> list[str]:
    memory, speed = found["memory"], found["speed"]
    kind = "GGUF file" if found["kind"] == "gguf" else "Hugging Face folder"
    parts = f" in {found['parts']} parts" if found["parts"] > 1 else ""
    beside = "experts" if found["engine"] == "local" else "steps"
    fits = "fits" if found["fits"] else "does not fit"
    return [
        _line("kind", f"{kind}{parts}, {found['architecture']}, {found['quantization']}"),
        _line("size", f"{found['parameters'] / 1e6:.0f} M parameters, {_size(found['disk'])} on disk"),
        _line("engine", found["engine"] + (f": {found['why']}" if found["why"] else "")),
        *([_line("", f"faster: {found['faster']}")] if found["faster"] else []),
        _line(
            "memory",
            f"{fits}: {_size(memory['needed'])} needed, {_size(memory['free'])} free; weights "
            f"{_size(memory['weights'])} as {memory['dtype']}, {beside} {_size(memory['beside'])}, prefixes up to "
            f"{_size(memory['prefixes'])}, {memory['kv_per_token'] / 1000:.1f} kB a token of context "
            f"({_size(memory['kv'])} for all; there is room for {memory['context']})",
        ),
        _line(
            "speed",
            f"about {speed['tokens_per_s']:.1f} tokens/s, an estimate: a token reads {_size(speed['bytes_per_token'])}, "
            f"and {_size(speed['bytes_per_s'])} are read in a second now",
        ),
        _line("template", "a chat template is there" if found["template"] else "no chat template: prompts go bare"),
    ]


def _server(found: Mapping[str, Any]) -> list[str]:
    abilities = dict(found["abilities"])
    instead = abilities.pop("instead", {})
    name = abilities.pop("engine", "") or "tells no name"
    abilities.pop("context", None)
    lines = [
        _line("kind", f"model server, {name}"),
        _line("offers", ", ".join(found["models"])),
        _line("looked at", found["served"]),
    ]
    if found["loras"]:
        lines.append(_line("adapters", ", ".join(found["loras"])))
    said = {True: "yes", False: "no"}
    lines.append(_line("abilities", ", ".join(f"{key} {said.get(value, value)}" for key, value in abilities.items())))
    return lines + [_line("", f"{key}: {why}") for key, why in instead.items()]


def _unbound(forms: list[str]) -> str:
    return "" if len(forms) > 1 else ": no grammar binds its texts"


def _experts(said: Mapping[str, Any]) -> str:
    return f"the shipped ones {'fit' if said['fit'] else 'do not fit'}: {said['why']}"


def _line(name: str, text: str) -> str:
    """The text beside its name, folded beside it where it is long."""
    head = f"  {name:<{_NAME}}"
    return textwrap.fill(
        printable(str(text)),
        width=_WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
