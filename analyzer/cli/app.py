"""The command `mustfree` and the list of its sub-commands."""

from __future__ import annotations

import importlib
from typing import Any

import click

from analyzer import __version__

_COMMANDS = {
    "baseline": ("analyzer.cli.baseline", "baseline"),
    "check": ("analyzer.cli.check", "check"),
    "config": ("analyzer.cli.config", "config"),
    "contracts": ("analyzer.cli.contracts", "contracts"),
    "completion": ("analyzer.cli.completion", "completion"),
    "diff": ("analyzer.cli.diff", "diff"),
    "dump": ("analyzer.cli.dump", "dump"),
    "explain": ("analyzer.cli.explain", "explain"),
    "fix": ("analyzer.cli.fix", "fix"),
    "repro": ("analyzer.cli.repro", "repro"),
    "rules": ("analyzer.cli.rules", "rules"),
    "toolchain": ("analyzer.cli.toolchain", "toolchain"),
    "why": ("analyzer.cli.why", "why"),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names for `--help` and completion."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None for an unknown name."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> Any:  # noqa: ANN401 - click
    if not wanted or context.resilient_parsing:
        return
    from analyzer.contracts import RuleSet
    from analyzer.program.run import versions

    click.echo(f"mustfree {__version__}")
    for name, version in versions(RuleSet())[1:]:
        click.echo(f"  {name} {version}")
    context.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: mustfree check FILE.c",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the versions of mustfree, libclang and the rule packs.",
)
def app() -> None:
    """Find every path on which a C program loses a resource that it must release.

    \b
      mustfree check src/                       analyse all C files below src/
      mustfree check -p build src/              with the flags of build/compile_commands.json
      mustfree check main.c -- -Iinclude -DX=1  with these compiler flags
      mustfree contracts src/                   what your own functions do to ownership
      mustfree diff origin/main                 what the work tree introduces since then
      mustfree check --baseline known.json src/ only what known.json does not hold
      mustfree fix src/                         a patch that repairs what check reports
      mustfree why main.c:31 src/               why what main.c acquires in line 31 is taken to end so
      mustfree repro main.c:31 src/             the same as a small case without names, to be reported
      mustfree explain leak                     what a check reports, and how to mend it
      mustfree rules explain nl_recv            what a library function does to ownership
    """
