"""Experts: import, list, activate, pin. They talk to inference itself, since nothing needs thinking.

An import is idempotent: the same adapter under the same name a second time writes nothing. So a request whose answer was
lost is sent again. A persona adopts an expert by a message, which is a mandate like any other.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Never

import msgspec

from cli import wire
from cli.calls import mandate, sending
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Activate, ExpertReply, Experts, ExpertView, Import, Mandate
from protocol.names import check_object
from protocol.verbs import Request, Verb

SERVICE: Final = "inference"
WORK_S: Final = 600.0
"""Seconds that an import or a load may take: it waits for the batch that is being generated."""
ADOPT_S: Final = 120.0
ADOPT: Final = "adopt_expert_"


class Expert(msgspec.Struct, frozen=True, kw_only=True):
    """What an import, an activation or a pin came to. `persona` and `mandate` say who took the expert up, if anybody.

    `reason` says why it is not where it was, or where its pin would have it.
    """

    name: str
    sha256: str
    tier: str
    bytes: int
    rank: int
    base_model: str
    pinned: bool
    reason: str
    seconds: float
    tid: str | None
    persona: str | None = None
    mandate: str | None = None


async def bring(home: Home, path: str, name: str, persona: str | None) -> Expert:
    """Import the adapter at `path` as the expert `name`, and have `persona` take it up where one is named."""
    check_object(name)
    if persona is not None:
        mandate.check_target(persona)
    whole = _existing(path)
    came = _expert(await _ask(home, verbs.IMPORT, Import(path=str(whole), name=name)))
    if persona is None:
        return came
    wanted = Mandate(target=persona, selector=ADOPT, args=[name])
    try:
        reply = await sending.Sending(home, wanted, None, ADOPT_S).run(lambda _: None)
    except BatosError as error:
        hint = f"The expert {name} is imported; {persona} has not taken it up. {error.hint}".rstrip()
        raise BatosError(error.code, error.message, hint, **{**error.data, "sha256": came.sha256}) from error
    return msgspec.structs.replace(came, persona=persona, mandate=reply.mandate)


async def activate(home: Home, name: str, pin: bool | None = None) -> Expert:
    """Bring the expert to the device; `pin` True keeps it there, and False lets it go where it is."""
    return _expert(await _ask(home, verbs.ACTIVATE, Activate(name=check_object(name), pin=pin)))


async def listed(home: Home) -> list[ExpertView]:
    """Every expert, in name order."""
    return (await wire.ask(home, verbs.EXPERTS, Experts())).experts


async def _ask(home: Home, verb: Verb[Request, ExpertReply, Never], request: Request) -> ExpertReply:
    async with wire.client(home) as bus:
        await wire.reach(home, bus, SERVICE)
        try:
            return await bus.call(verb, request, seconds=WORK_S)
        except BatosError as error:
            raise wire.told(home, error) from error


def _existing(path: str) -> Path:
    """The whole path: inference works in another folder. Links stay as they are."""
    whole = Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 - Path.absolute keeps a/../b
    if not os.path.lexists(whole):
        raise BatosError(
            "UNREADABLE",
            f"there is nothing at {path}",
            "Give the folder that PEFT's `save_pretrained` wrote, or the .safetensors in it.",
        )
    return whole


def _expert(reply: ExpertReply) -> Expert:
    view = reply.expert
    return Expert(
        name=view.name,
        sha256=view.sha256,
        tier=view.tier,
        bytes=view.bytes,
        rank=view.rank,
        base_model=view.base_model,
        pinned=view.pinned,
        reason=view.reason,
        seconds=reply.seconds,
        tid=reply.tid,
    )
