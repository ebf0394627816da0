"""`batos token`: a token is shown once, and what is told of it."""

from __future__ import annotations

from cli.doors import tokens
from protocol.checks.tokens import MARK
from protocol.messages import TokenRevoked, TokensReply, TokenView


def test_a_token_stands_alone_on_its_line_and_says_what_it_may():
    one = tokens.NewToken(name="laptop", token=MARK + "x", rights=["ask", "send"], mandates=2, daily=1000)
    first, second = tokens.made(one).splitlines()
    assert first == "batos_x"
    assert second == (
        "laptop may: ask, send (at most 2 at once, at most 1000 tokens a day). Keep it now: it is not shown again."
    )


def test_what_lets_in_is_listed():
    assert "batos token new" in tokens.listed(TokensReply(tokens=[]))
    view = TokenView(name="laptop", rights=["ask"], mandates=None, daily=9, made=1.0, today=3, running=1)
    told = tokens.listed(TokensReply(tokens=[view]))
    assert [
        word for word in ("laptop", "ask", "1 running", "3 tokens today", "at most 9 tokens a day") if word not in told
    ] == []


def test_what_went_with_a_token_is_told():
    assert tokens.revoked(TokenRevoked(name="a", cancelled=[])) == "a lets nobody in any more"
    assert tokens.revoked(TokenRevoked(name="a", cancelled=["m"])).endswith("1 mandate was cancelled")
