"""Entry of the command `mustfree` and of `python -m analyzer`."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from typing import TextIO

import click

from analyzer.cli.app import app
from analyzer.errors import MustfreeError

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and ends the process with the documented status."""
    # An analysis makes much that stays and few cycles: looking for those took a tenth of the time.
    gc.set_threshold(50_000, 20, 50)
    for stream in (sys.stdout, sys.stderr):
        _never_fail_on_encoding(stream)
    sys.exit(run(arguments))


def _never_fail_on_encoding(stream: TextIO) -> None:
    """A character that the terminal's encoding lacks becomes an escape instead of an exception."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def run(arguments: list[str] | None = None) -> int:
    """The exit status of a command line."""
    try:
        status = app.main(arguments, prog_name="mustfree", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except MustfreeError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the last resort of the command line
        return 2
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left (`| head`); nothing must be written when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except Exception:  # Python's own status would be 1, which means that there are findings
        traceback.print_exc()
        print("error: internal error, please report it", file=sys.stderr)  # noqa: T201
        return 2
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    main()
