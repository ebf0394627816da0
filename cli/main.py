"""`batos`: where the command starts and where every failure of it ends.

A failure is said in one form, whoever found it (click, the command, an actor), and its code alone decides the exit
code. Modules that take time to import are imported by the command that needs them: `batos guard` answers before a
person notices.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from cli.commands import batos
from cli.console import Invocation, open_closed_streams, write
from protocol.errors import CODES, BatosError


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code."""
    open_closed_streams()
    stdout = sys.stdout
    said = list(sys.argv[1:] if words is None else words)
    invocation = Invocation()
    # A usage error can come before the option is read, and must have the same form.
    invocation.json = "--json" in said[: said.index("--") if "--" in said else None]
    try:
        done: Any = batos.main(args=said, prog_name="batos", standalone_mode=False, obj=invocation)
    except BatosError as error:
        return _fail(invocation, error)
    except click.exceptions.NoArgsIsHelpError as error:
        if not invocation.json:
            invocation.progress(error.format_message())
            return CODES["USAGE"].exit_code
        return _fail(invocation, _usage(error, "a command is missing"))
    except click.UsageError as error:
        return _fail(invocation, _usage(error, error.format_message()))
    except click.ClickException as error:
        return _fail(invocation, BatosError("UNREADABLE", error.format_message()))
    except click.Abort:
        return _fail(invocation, BatosError("INTERRUPTED", "interrupted"))
    except SystemExit as error:
        # click's way to end after a completion, and where the reader of its help has gone: then it swaps the streams
        return int(error.code or 0) if sys.stdout is stdout else 0
    except Exception as error:  # noqa: BLE001  # a bug is a failure too, and its traceback is what a report needs
        unwritten = _unwritten(error)
        if unwritten is not None:
            return _fail(invocation, invocation.unwritten(unwritten))
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        return _fail(invocation, BatosError("INTERNAL", f"{type(error).__name__}: {error}", "This is a bug."))
    return done if isinstance(done, int) else 0


def _unwritten(error: Exception) -> OSError | None:
    """`error` if it says that stdout takes nothing: what click prints itself goes past the console.

    What is longer than the stream's buffer is not held there when it fails, so that nothing is left by which a flush would tell.
    """
    if isinstance(error, OSError):
        try:
            write(sys.stdout, "", end="")
        except OSError as found:
            return found
        from traceback import walk_tb  # noqa: PLC0415

        if any(frame.f_globals.get("__name__") == "click.utils" for frame, _ in walk_tb(error.__traceback__)):
            return error
    return None


def _usage(error: click.UsageError, message: str) -> BatosError:
    path = error.ctx.command_path if error.ctx is not None else "batos"
    return BatosError("USAGE", message, f"See {path} --help")


def _fail(invocation: Invocation, error: BatosError) -> int:
    invocation.failure(error)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
