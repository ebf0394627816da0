"""Whom a token lets in, and what is spent for it: on the journal's thread, where tokens are known."""

from __future__ import annotations

from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.thinking.author import login
from protocol.checks.tokens import check_token
from protocol.errors import BatosError
from protocol.messages import Admit, Admitted, Charge, Charged, MakeToken, Tokens, TokensReply, TokenView
from protocol.origin import Origin


def make(journal: Journal, request: MakeToken) -> TokenView:
    """The token that holds from now on. BAD_NAME, BAD_ARGUMENT, NAME_TAKEN."""
    journal.tokens.make(check_token(request))
    return next(one for one in journal.tokens.every() if one.name == request.name)


def every(journal: Journal, _: Tokens) -> TokensReply:
    """The tokens that hold."""
    return TokensReply(tokens=journal.tokens.every())


def admit(journal: Journal, request: Admit) -> Admitted:
    """The origin of who shows the token. UNKNOWN_TOKEN, BUSY."""
    held = journal.tokens.held(request.digest)
    if request.generates:
        journal.tokens.check_left(held)
    origin = Origin(kind="http", name=held.name, login=login(), rights=held.rights, token=held.digest)
    return Admitted(origin=origin, left=journal.tokens.left(held))


def charge(journal: Journal, request: Charge) -> Charged:
    """Note what was generated. UNKNOWN_TOKEN, also where it was revoked meanwhile; BAD_ARGUMENT for less than nothing."""
    if request.tokens < 0:
        raise BatosError("BAD_ARGUMENT", "fewer than no tokens were generated")
    held = journal.tokens.held(request.digest)
    journal.tokens.spend(request.digest, request.tokens)
    return Charged(left=journal.tokens.left(held))
