"""Who asks: where a request comes from, and what may be asked from there.

The user of the home comes by the socket, which nobody else can open: such a request has no origin, and every right. A door states
its own on each request (`bus.client.Client`), and whatever the request causes keeps it. No text of a request says who asks, so that
no prompt changes it.
"""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

import msgspec

from protocol.errors import BatosError

Kind = Literal["user", "mcp", "http"]
Right = Literal["ask", "send", "propose", "install"]

RIGHTS: Final[tuple[Right, ...]] = get_args(Right)
MAX_NAME: Final = 100
"""Characters of the name of whoever asks, and of a login."""

_TO: Final[dict[Right, str]] = {
    "ask": "ask and look",
    "send": "send messages or remember anything",
    "propose": "propose methods",
    "install": "install, settle or remove anything",
}


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: the `kind` of door, the `name` there (an MCP client's, a token's), the `login` that the door runs under.

    `ask`: look at everything, and ask questions. `send`: send messages, make objects, remember texts. `propose`: have methods
    written, which wait for the user's word. `install`: what a person decides. Who may install may propose. `token` is the digest
    of the token that was shown, or "".
    """

    kind: Kind
    name: str
    login: str = ""
    rights: list[Right] = []
    token: str = ""

    def __post_init__(self) -> None:
        for text in (self.name, self.login, self.token):
            if len(text) > MAX_NAME or not text.isprintable():
                raise ValueError(f"a name of at most {MAX_NAME} printable characters is expected")
        if not self.name.strip():
            raise ValueError("whoever asks has a name")

    @property
    def label(self) -> str:
        """As it is shown: `mcp:claude-code`."""
        return f"{self.kind}:{self.name}"


def may(origin: Origin | None, right: Right) -> bool:
    """Whether whoever asks has the right."""
    if origin is None or right in origin.rights:
        return True
    return right == "propose" and "install" in origin.rights


def is_same_origin(one: Origin | None, other: Origin | None) -> bool:
    """Whether the same one asks, whichever rights it has by now."""
    if one is None or other is None:
        return one is other
    return (one.kind, one.name, one.login, one.token) == (other.kind, other.name, other.login, other.token)


def not_allowed(origin: Origin, right: Right, what: str, hint: str = "") -> BatosError:
    """The failure where `origin` lacks the `right` that `what` needs."""
    allow = {
        "mcp": "open its door with `batos mcp --allow install`",
        "http": "make it a token with that right: `batos token new NAME --right " + right + "`",
        "user": "ask as the user of the home, without an origin",
    }[origin.kind]
    facts: dict[str, Any] = {"right": right, "origin": origin.label}
    return BatosError(
        "NOT_ALLOWED",
        f"{origin.label} may not {_TO[right]}, as {what} does",
        hint or f"The user of the home can do it; or {allow}.",
        **facts,
    )
