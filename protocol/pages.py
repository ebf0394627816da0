"""`python -m protocol.pages` prints `docs/protocol.md`: every service, verb, message and error code, made from the code.

Types are shown as they are written in `protocol.messages`, so that `Value` stays a name. What a field means stands in
the docstring of its message, which is copied whole.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any, Final, get_args, get_type_hints

import msgspec

from protocol import codec, envelope, origin
from protocol.checks import rights
from protocol.errors import CODES, BatosError, Disposition
from protocol.failure import Failure
from protocol.meanings import MEANINGS
from protocol.verbs import VERBS, AnyVerb

Message = type[msgspec.Struct]

_HEAD: Final = """# Protocol

Made from the code by `python -m protocol.pages`; a test says that this page is what the code says. It lists what travels
between the processes of a home. Words are explained in [glossary.md](glossary.md).

A client sends one request and gets `partial` replies (some verbs have them), then one `final` or one `failure`. Fields
that a reader does not know are passed over, so a newer peer of the same major version is understood. A field without a
default must be given."""

_RIGHT: Final = "Right: `{}`."

_SHARED: Final = "status"
"""The one verb that all services have in common; it is described once."""


def page() -> str:
    """`docs/protocol.md`."""
    lines = [_HEAD, "", "## The envelope", "", *_prose(envelope), "", *_message(envelope.Envelope, "###")]
    lines += ["", "## Who asks", "", *_prose(origin), "", *_message(origin.Origin, "###"), "", *_prose(rights)]
    lines += ["", "## Values and frames", "", *_prose(codec), "", _limits()]
    shared = VERBS["orchestrator"][_SHARED]
    lines += ["", "## Every service", "", *_verb(_SHARED, shared)]
    for service, verbs in VERBS.items():
        own = {name: verb for name, verb in verbs.items() if name != _SHARED}
        if own:
            lines += ["", f"## {service}"]
        for name, verb in own.items():
            lines += ["", *_verb(f"{service}.{name}", verb)]
    lines += ["", "## Parts of messages"]
    for part in _parts():
        lines += ["", *_message(part, "###")]
    lines += ["", "## Errors", "", *_errors()]
    return "\n".join(lines) + "\n"


def _limits() -> str:
    return (
        f"A value has at most {codec.MAX_VALUE_BYTES} bytes, {codec.MAX_DEPTH} levels, and integers of at most "
        f"{codec.MAX_INT_BITS} bits; a frame has at most {codec.MAX_FRAME_BYTES} bytes."
    )


def _prose(documented: Any) -> list[str]:
    """A docstring, without the indentation of the source."""
    return inspect.cleandoc(documented.__dict__.get("__doc__") or "").splitlines()


def _verb(title: str, verb: AnyVerb) -> list[str]:
    lines = [f"### {title}", "", _RIGHT.format(verb.right) if verb.right else "Whoever comes by the bus may ask this."]
    roles = {"Request": verb.request, "Reply": verb.reply, "Partial reply": verb.partial}
    for role, message in roles.items():
        if message is not None:
            lines += ["", *_message(message, "####", role)]
    return lines


def _message(message: Message, level: str, role: str = "") -> list[str]:
    """A heading, the docstring, and a table of the fields."""
    lines = [f"{level} {role}: `{message.__name__}`" if role else f"{level} `{message.__name__}`"]
    prose = _prose(message)
    if prose:
        lines += ["", *prose]
    tag = message.__struct_config__.tag
    if tag is not None:
        lines += ["", f"On the wire: `type` is `{tag}`."]
    written, meant = inspect.get_annotations(message), get_type_hints(message)
    fields = msgspec.structs.fields(message)
    if not fields:
        return [*lines, "", "It has no fields."]
    lines += ["", "| field | type | default |", "|---|---|---|"]
    for field in fields:
        type_ = _type(written[field.name], meant[field.name]).replace("|", "\\|")
        lines.append(f"| `{field.encode_name}` | `{type_}` | {_default(field)} |")
    return lines


def _type(written: str, meant: Any) -> str:
    """A type as it is written; a name that stands for several is spelt out."""
    choices = get_args(meant)
    if not (written.isidentifier() and choices):
        return written
    return " | ".join(choice.__name__ if isinstance(choice, type) else repr(choice) for choice in choices)


def _default(field: msgspec.structs.FieldInfo) -> str:
    """As source; empty for a field that must be given."""
    if field.required:
        return ""
    if field.default_factory is not msgspec.NODEFAULT:
        return f"`{field.default_factory()!r}`"
    if field.default is msgspec.UNSET:
        return "absent"
    return f"`{field.default!r}`"


def _parts() -> list[Message]:
    """Every struct within a message that is itself neither request nor reply, in alphabetical order."""
    messages = {
        message
        for verbs in VERBS.values()
        for verb in verbs.values()
        for message in (verb.request, verb.reply, verb.partial)
        if message is not None
    }
    parts: set[Message] = {Failure}
    waiting = [*messages, Failure]
    while waiting:
        for found in _within(get_type_hints(waiting.pop())):
            if found not in messages | parts:
                parts.add(found)
                waiting.append(found)
    return sorted(parts, key=lambda part: part.__name__)


def _within(hint: Any) -> Iterator[Message]:
    """The structs in a type, however deep in lists, dicts and unions."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for inner in hint.values() if isinstance(hint, dict) else get_args(hint):
        yield from _within(inner)


def _errors() -> list[str]:
    words = {each: name.lower() for name, each in Disposition.__members__.items()}
    lines = [
        "A failure is a `Failure` with one of these codes. The exit code of `batos` follows from the code alone, and so does",
        "what a program that meets it may do without a person. The hint of an error knows the case and says more than the",
        "last column.",
        "",
        *(f"* **{word}**: {inspect.getdoc(getattr(BatosError, f'is_{word}'))}" for word in words.values()),
        "",
        "| code | exit | a program may take it as | what has happened | what to do |",
        "|---|---|---|---|---|",
    ]
    for name, code in CODES.items():
        what, then = MEANINGS[name]
        taken = ", ".join(words[each] for each in code.disposition)
        lines.append(f"| `{name}` | {code.exit_code} | {taken} | {what} | {then} |")
    return lines


if __name__ == "__main__":
    sys.stdout.write(page())
