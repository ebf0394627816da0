"""Who writes by hand: whoever asks by a door, or the user under whose account the home runs. Nobody else can open its sockets."""

from __future__ import annotations

import os
import pwd

from protocol.origin import Origin


def author_of(origin: Origin | None) -> str:
    """The author of what is written by hand there."""
    return user_author() if origin is None else origin.label


def user_author() -> str:
    """The author of what the user of the home writes by hand: `user:` and the login."""
    return f"user:{login()}"


def login() -> str:
    """The login name that this process runs under, or the number where the system has no name."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
