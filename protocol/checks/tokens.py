"""A token as whoever shows it has it, and as the system knows it."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

from protocol.errors import BatosError
from protocol.messages.tokens import MakeToken
from protocol.origin import RIGHTS

MARK: Final = "batos_"
"""What a token begins with, so that a scanner of leaked secrets knows one."""
MAX_DIGITS: Final = 10**12
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def new_token() -> str:
    """A token that nobody can guess: 256 random bits."""
    return MARK + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """By what a token is known: sha256, 64 hex digits. It is looked up by that, so that no comparison tells anything of it."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def check_token(request: MakeToken) -> MakeToken:
    """`request` if it makes sense; BAD_NAME or BAD_ARGUMENT otherwise."""
    if not _NAME.fullmatch(request.name):
        raise BatosError(
            "BAD_NAME",
            f"{request.name[:70]!r} cannot be the name of a token",
            "Give 1 to 64 letters, digits, dots, dashes or underscores, such as laptop or ci-1.",
        )
    if not _DIGEST.fullmatch(request.digest):
        raise BatosError("BAD_ARGUMENT", "a token is known by its sha256, 64 hex digits")
    if not request.rights:
        raise BatosError(
            "BAD_ARGUMENT", "a token without a right lets nobody do anything", f"Rights: {', '.join(RIGHTS)}."
        )
    for name, value in (("mandates", request.mandates), ("daily", request.daily)):
        if value is not None and not 1 <= value <= MAX_DIGITS:
            raise BatosError("BAD_ARGUMENT", f"{name}: {value} is no limit", "Give 1 or more, or none at all.")
    return request
