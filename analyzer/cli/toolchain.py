"""`mustfree toolchain`: write down what a compiler says of itself. The only command that runs a compiler."""

from __future__ import annotations

import os
import shlex
import subprocess

import click

from analyzer.errors import MustfreeError
from analyzer.program.toolchain import ARGUMENTS, recorded, toolchain_text

_SECONDS = 60


@click.group()
def toolchain() -> None:
    """Record what a cross compiler knows: `mustfree check --toolchain FILE` uses it, and runs nothing."""


@toolchain.command(context_settings={"ignore_unknown_options": True})
@click.argument("compiler")
@click.argument("flags", nargs=-1, type=click.UNPROCESSED, metavar="[FLAG...]")
def record(compiler: str, flags: tuple[str, ...]) -> None:
    """Run COMPILER [FLAG...] once and print its target, include folders and predefined macros as JSON.

    It runs `COMPILER -E -dM -v -x c /dev/null`, which compiles nothing and writes no file. FLAGs are those that
    choose a machine (-mcpu=..., --sysroot=...).

    \b
      mustfree toolchain record arm-linux-gnueabihf-gcc > arm.json
      mustfree check --toolchain arm.json src/

    Exit status: 0, or 2 when the compiler cannot be run or says something else.
    """
    command = [compiler, *flags, *ARGUMENTS]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        raise MustfreeError(f"{compiler}: cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise MustfreeError(f"{compiler}: gave no answer within {_SECONDS} seconds") from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise MustfreeError(f"{shlex.join(command)}: ended with status {done.returncode}: {last[0]}")
    click.echo(toolchain_text(recorded(done.stdout, done.stderr)), nl=False)
