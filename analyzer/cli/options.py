"""Options and helpers that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TextIO, TypedDict, TypeVar

import click

from analyzer.contracts.beliefs import BORROW, ESCAPE, pattern_mistake
from analyzer.errors import MustfreeError
from analyzer.program.variants import defined_together

FLAGS_KEY = "mustfree.flags"
_Command = TypeVar("_Command", bound=Callable[..., Any])
NO_DATABASE = ("", "-")  # values of -p that name none


class DatabaseSettings(TypedDict):
    """The part of the settings that says where compiler flags come from."""

    database: str
    find_database: bool


class FlagsCommand(click.Command):
    """A command whose arguments after ``--`` are compiler flags, kept apart from the paths."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Splits at the first ``--``."""
        flags: list[str] = []
        if "--" in args:
            place = args.index("--")
            args, flags = args[:place], args[place + 1 :]
        ctx.meta[FLAGS_KEY] = tuple(flags)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Shows the flags in the usage line."""
        return [*super().collect_usage_pieces(ctx), "[-- COMPILER FLAGS]"]


def compiler_flags(context: click.Context) -> tuple[str, ...]:
    """What stood after ``--``."""
    flags: tuple[str, ...] = context.meta[FLAGS_KEY]
    return flags


database_option = click.option(
    "-p",
    "--compile-commands",
    "database",
    default="",
    metavar="DIR|FILE",
    help="Take each file's compiler flags from this compile_commands.json. Nothing in it is executed. "
    "Without -p, one above the PATHs, or in a folder `build` there, is used; -p -: none.",
)


def database_settings(value: str) -> DatabaseSettings:
    """The settings that `-p` amounts to: a database, or none, or the one that is found."""
    return {"database": "" if value == "-" else value, "find_database": not value}


toolchain_option = click.option(
    "--toolchain",
    default="",
    metavar="FILE",
    help="Analyse for the machine of this compiler, recorded with `mustfree toolchain record`.",
)
_PROGRAM_OPTIONS = (
    toolchain_option,
    click.option(
        "--define",
        "variants",
        multiple=True,
        metavar="NAME[=VALUE]",
        callback=lambda _context, _parameter, texts: defined_together(texts),
        help="Analyse the program with this macro defined, too. Several that belong together: --define 'A B=2'. "
        "Repeatable: each is a configuration of its own.",
    ),
    click.option("--no-variants", is_flag=True, help="Leave out the configurations that the settings name."),
    click.option(
        "--noreturn",
        multiple=True,
        metavar="NAME",
        callback=lambda _context, _parameter, names: _checked_patterns(names),
        help="This function never returns; a pattern such as 'fatal_*' will do. Repeatable.",
    ),
    click.option(
        "--unknown-calls",
        type=click.Choice([ESCAPE, BORROW]),
        default=ESCAPE,
        show_default=True,
        help="What a function of which nothing is known does with what it is given.",
    ),
)


def _checked_patterns(names: tuple[str, ...]) -> tuple[str, ...]:
    for wrong in filter(None, map(pattern_mistake, names)):
        raise MustfreeError(f"--noreturn: {wrong}")
    return names


def program_options(command: _Command) -> _Command:
    """Adds the options that say what the program is, beside its files and flags."""
    for option in reversed(_PROGRAM_OPTIONS):
        command = option(command)
    return command


rules_option = click.option(
    "--rules",
    multiple=True,
    metavar="FILE",
    help="Also read this rule file; its contracts win. Repeatable.",
)


def wants_colour(choice: str, stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`: always, never, or (auto) on a terminal without NO_COLOR."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(text: str) -> None:
    """One line to standard error."""
    print(text, file=sys.stderr)
