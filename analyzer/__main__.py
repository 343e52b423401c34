"""Entry of the command `mustfree` and of `python -m analyzer`."""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from typing import TextIO

import click

from analyzer.cli.app import app
from analyzer.errors import MustfreeError

INTERRUPTED = 130
# What writing can end with. Files are opened by name and told by those who do it, so what has no name is the output.
_OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EBADF)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and ends the process with the documented status."""
    # An analysis makes much that stays and few cycles: looking for those took a tenth of the time.
    gc.set_threshold(50_000, 20, 50)
    if sys.stdout is None:  # `>&-`
        _say("error: standard output is closed; redirect it, to /dev/null if nothing is wanted")
        sys.exit(2)
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
        status = _status(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()  # whoever read our output has left (`| head`)
        return 2
    except OSError as error:
        _drop_output()
        _say(f"error: standard output cannot be written: {error.strerror or error}")
        return 2
    return status


def _drop_output() -> None:
    """Nothing must be written when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _status(arguments: list[str] | None) -> int:
    """The same; OSError: standard output cannot be written."""
    try:
        status = app.main(arguments, prog_name="mustfree", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 2
    except click.ClickException as error:
        error.show()
        return 2
    except MustfreeError as error:
        _say(f"error: {error}")
        return 2
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return INTERRUPTED
    except Exception as error:  # Python's own status would be 1, which means that there are findings
        if isinstance(error, OSError) and error.filename is None and error.errno in _OUTPUT_ERRORS:
            raise
        traceback.print_exc()
        _say("error: internal error, please report it")
        return 2
    return status if isinstance(status, int) else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the last resort of the command line


if __name__ == "__main__":
    main()
