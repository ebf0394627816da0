"""Tokens: made here, so that none of them travels, and known to the system by their digests; asked for, and as text."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cli import wire
from cli.render.hand import table
from protocol import verbs
from protocol.checks.tokens import check_token, digest_of, new_token
from protocol.codec import convert
from protocol.home import Home
from protocol.messages import MakeToken, RevokeToken, TokenRevoked, Tokens, TokensReply
from protocol.origin import Right


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was made, as it is shown once."""

    name: str
    token: str
    rights: list[Right]
    mandates: int | None
    daily: int | None


async def new(home: Home, name: str, rights: Sequence[str], mandates: int | None, daily: int | None) -> NewToken:
    """A token of this name. NAME_TAKEN, BAD_NAME."""
    token = new_token()
    wanted = {"name": name, "digest": digest_of(token), "rights": list(rights), "mandates": mandates, "daily": daily}
    request = check_token(convert(wanted, MakeToken))
    # The same again is the same answer, so it may go out twice under any key.
    made = await wire.ask(home, verbs.MAKE_TOKEN, request, key=request.digest)
    return NewToken(name=made.name, token=token, rights=made.rights, mandates=made.mandates, daily=made.daily)


async def every(home: Home) -> TokensReply:
    """The tokens that hold."""
    return await wire.ask(home, verbs.TOKENS, Tokens())


async def revoke(home: Home, name: str) -> TokenRevoked:
    """That token lets nobody in any more. UNKNOWN_TOKEN."""
    return await wire.ask(home, verbs.REVOKE_TOKEN, RevokeToken(name=name))


def made(one: NewToken) -> str:
    """The token, by itself on its line, and that it is not shown again."""
    limits = _limits(one.mandates, one.daily)
    may = ", ".join(one.rights) + (f" ({limits})" if limits else "")
    return f"{one.token}\n{one.name} may: {may}. Keep it now: it is not shown again."


def listed(found: TokensReply) -> str:
    """One line each."""
    if not found.tokens:
        return "no token lets anybody in; make one: batos token new NAME"
    return "\n".join(
        table(
            [
                [
                    one.name,
                    ", ".join(one.rights),
                    f"{one.running} running",
                    f"{one.today} tokens today",
                    _limits(one.mandates, one.daily),
                ]
                for one in found.tokens
            ]
        )
    )


def revoked(gone: TokenRevoked) -> str:
    """That it is gone, and what went with it."""
    number = len(gone.cancelled)
    also = "" if not number else f"; {number} {'mandate was' if number == 1 else 'mandates were'} cancelled"
    return f"{gone.name} lets nobody in any more{also}"


def _limits(mandates: int | None, daily: int | None) -> str:
    parts = [
        f"at most {mandates} at once" if mandates is not None else "",
        f"at most {daily} tokens a day" if daily is not None else "",
    ]
    return ", ".join(part for part in parts if part)
