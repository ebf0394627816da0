"""Who is let in: the token that a request shows, and what stands behind it."""

from __future__ import annotations

from starlette.requests import Request

from cli.doors.http.errors import Refusal
from cli.doors.line import Line
from protocol import verbs
from protocol.checks.tokens import digest_of
from protocol.messages import Admit
from protocol.origin import Origin


def token_of(request: Request) -> str:
    """The token that a request shows; Refusal for none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Refusal(401, "missing_token", "show a token: Authorization: Bearer …; `batos token new NAME` makes one")
    return token.strip()


async def admitted(line: Line, token: str) -> Origin:
    """Who shows this token. It is asked each time, so that one that is revoked ends at once. UNKNOWN_TOKEN, NOT_RUNNING."""
    return (await line.ask(verbs.ADMIT, Admit(digest=digest_of(token)))).origin
