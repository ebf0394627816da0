"""The codex: which personas think, in which manner, and about what; from TOML into the world.

In the world it is `codex_obj`, and an object for each persona whose slots hold its mandate and its pillars. A facet is a
method like any other, written when it is first needed; where its pillar changes, the method goes with it and is
written again. A persona keeps the expert that it has adopted, whatever becomes of its pillars.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from ZODB.Connection import Connection

from protocol import names
from protocol.errors import BatosError
from world import history
from world.method import UvmMethod
from world.root import KERNEL_OBJECTS
from world.uvm import UvmObject

PILLARS: Final = 3
FACET: Final = "_facet_"

Line = Annotated[str, Meta(min_length=1, max_length=400, pattern=r"^[^\x00-\x1f\x7f\"\\]*$")]
"""Text that can stand within a method: one line, without double quotes or backslashes."""
Temperature = Annotated[float, Meta(ge=0, le=2)]
TopP = Annotated[float, Meta(gt=0, le=1)]


class Roles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The personas that lead a cycle's parts."""

    decomposition: str
    synthesis: str
    closing: str


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`facets` at most in a plan, chosen among a `shortlist` of the nearest."""

    facets: Annotated[int, Meta(ge=2, le=8)] = 3
    shortlist: Annotated[int, Meta(ge=2, le=12)] = 4
    temperature: Temperature = 0.3
    top_p: TopP = 0.9


class Weaving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sentences` at most in an answer (0: as many as the model likes)."""

    sentences: Annotated[int, Meta(ge=0, le=20)] = 3
    max_tokens: Annotated[int, Meta(ge=16, le=4096)] = 180
    temperature: Temperature = 0.4
    top_p: TopP = 0.9


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often an answer may be woven again; whether the model rates it too, and the least mean."""

    attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    score: bool = False
    threshold: Annotated[float, Meta(ge=1, le=5)] = 4.0


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Line
    personas: Annotated[list[str], Meta(min_length=1)]
    asks: Annotated[list[Line], Meta(min_length=1)]


class Pillar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`facet` is the selector of its method, `intent` what that method's system prompt says, `asks` are questions for it."""

    name: Line
    facet: str
    intent: Line
    temperature: Temperature
    top_p: TopP
    asks: list[Line] = []


class Persona(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    stands_for: Line
    mandate: Line
    pillar: list[Pillar] = []


class Codex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A codex as its file says it."""

    roles: Roles
    persona: list[Persona]
    route: Annotated[list[Route], Meta(min_length=1)]
    plan: Plan = Plan()
    weaving: Weaving = Weaving()
    gate: Gate = Gate()


def read(text: str) -> Codex:
    """The codex that the TOML `text` states; BAD_CODEX says what is wrong with it."""
    try:
        codex = msgspec.toml.decode(text, type=Codex)
    except (msgspec.DecodeError, ValueError) as error:
        raise _bad(str(error)) from error
    _once([persona.name for persona in codex.persona], "the persona")
    _once([pillar.facet for persona in codex.persona for pillar in persona.pillar], "the facet")
    for persona in codex.persona:
        _check(persona)
    known = {persona.name for persona in codex.persona}
    for role, name in msgspec.structs.asdict(codex.roles).items():
        if name not in known:
            raise _bad(f"the role {role} goes to {name!r}, which is no persona of this codex")
    _once([route.kind for route in codex.route], "the route")
    for route in codex.route:
        for name in route.personas:
            if name not in known:
                raise _bad(f"the route {route.kind!r} leads to {name!r}, which is no persona of this codex")
    return codex


def load(connection: Connection, text: str) -> list[str]:
    """Make `text` the world's codex; the facets whose methods went because their pillars changed. Nothing is committed.

    BAD_CODEX where it makes no sense, NAME_TAKEN where an object of the user has a persona's name.
    """
    codex = read(text)
    root = connection.root()
    forgotten: list[str] = []
    for persona in codex.persona:
        if persona.name in root["objects"] or persona.name in {names.ROOT, *KERNEL_OBJECTS}:
            raise BatosError(
                "NAME_TAKEN", f"there is already an object called {persona.name}", "Give the persona another name."
            )
        forgotten += _place(root, persona)
    for name in [name for name in root["personas"] if name not in {persona.name for persona in codex.persona}]:
        forgotten += [f"{name}.{pillar['facet']}" for pillar in root["personas"].pop(name).pillars]
    kept = root["codex_obj"]
    kept.set_slot("text", text)
    for part in ("roles", "plan", "weaving", "gate"):
        kept.set_slot(part, msgspec.to_builtins(getattr(codex, part)))
    kept.set_slot("routes", msgspec.to_builtins(codex.route))
    kept.set_slot("personas", {persona.name: root["personas"][persona.name] for persona in codex.persona})
    return forgotten


def _place(root: Any, persona: Persona) -> list[str]:
    """Make the persona's object, or change it; the facets whose methods went."""
    pillars: list[dict[str, Any]] = msgspec.to_builtins(persona.pillar)
    stands = root["personas"].get(persona.name)
    if stands is None:
        stands = root["personas"][persona.name] = UvmObject(persona.name, expert=None, pillars=[])
        stands.set_slot("parent*", root["persona_traits"])
        root._p_jar.add(stands)  # so that the commit can name it
    before = [_written(pillar) for pillar in stands.pillars]
    keep = {pillar["facet"] for pillar in pillars if _written(pillar) in before}
    if stands._slots.get("mandate") != persona.mandate:
        keep = set()  # a facet's prompt begins with the persona's mandate
    gone = [name for name, slot in stands._slots.items() if isinstance(slot, UvmMethod) and name not in keep]
    gone = [name for name in gone if name.endswith(FACET)]
    for name in gone:
        history.drop(stands, name, author="user", why="its pillar has changed")
    stands.set_slot("stands_for", persona.stands_for)
    stands.set_slot("mandate", persona.mandate)
    stands.set_slot("pillars", pillars)
    return [f"{persona.name}.{name}" for name in gone]


def _written(pillar: Mapping[str, Any]) -> dict[str, Any]:
    """What of a pillar its facet's method is written from."""
    return {part: pillar[part] for part in ("facet", "intent", "temperature", "top_p")}


def _check(persona: Persona) -> None:
    try:
        names.check_object(persona.name)
        for pillar in persona.pillar:
            names.check_selector(pillar.facet)
    except BatosError as error:
        raise _bad(f"persona {persona.name[:100]!r}: {error.message}") from error
    if len(persona.pillar) != PILLARS:
        raise _bad(f"the persona {persona.name} has {len(persona.pillar)} pillars; it needs {PILLARS}")
    for pillar in persona.pillar:
        if not pillar.facet.endswith(FACET):
            raise _bad(f"the facet {pillar.facet!r} of {persona.name} must be named like `sage{FACET}`")


def _once(found: Iterable[str], what: str) -> None:
    for name, count in Counter(found).items():
        if count > 1:
            raise _bad(f"{what} {name!r} is named {count} times")


def _bad(message: str) -> BatosError:
    return BatosError(
        "BAD_CODEX", message, "`batos codex` prints the one that stands; correct yours and load it again."
    )
