"""Who is let in: the token that a request shows, and what stands behind it."""

from __future__ import annotations

import contextlib

from starlette.requests import Request

from batos.line import Line
from cli.doors.http.errors import Refusal
from protocol import verbs
from protocol.checks.tokens import digest_of
from protocol.errors import BatosError
from protocol.messages import Admit, Charge
from protocol.origin import Origin


def token_of(request: Request) -> str:
    """The token that a request shows; Refusal for none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Refusal(401, "missing_token", "show a token: Authorization: Bearer …; `batos token new NAME` makes one")
    return token.strip()


class Guest:
    """Who has been let in: a line to the system under their origin, and what is written down for their token."""

    def __init__(self, line: Line, own: Line, digest: str) -> None:
        self.line = line
        self._own = own
        self._digest = digest

    async def charge(self, tokens: int) -> None:
        """Note that so many were generated. What cannot be noted because the system is gone was not generated for long."""
        if tokens:
            with contextlib.suppress(BatosError):
                await self._own.ask(verbs.CHARGE, Charge(digest=self._digest, tokens=tokens))


async def admitted(line: Line, token: str, *, generates: bool) -> Origin:
    """Who shows this token. It is asked each time, so that one that is revoked ends at once. UNKNOWN_TOKEN, NOT_RUNNING.

    BUSY where texts are to be generated, and the token has no tokens left today.
    """
    return (await line.ask(verbs.ADMIT, Admit(digest=digest_of(token), generates=generates))).origin
