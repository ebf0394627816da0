"""Who writes by hand: the user under whose account the home runs. Nobody else can open its sockets."""

from __future__ import annotations

import os
import pwd


def user_author() -> str:
    """The author of what is written by hand: `user:` and the login name, or the number where the system has no name."""
    number = os.getuid()
    try:
        return f"user:{pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user:{number}"
