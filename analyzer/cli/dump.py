"""`mustfree dump`: what the tool sees inside a file: operations, graph, ownership states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from analyzer.cli.options import (
    NO_DATABASE,
    FlagsCommand,
    compiler_flags,
    database_option,
    database_settings,
    rules_option,
)
from analyzer.errors import MustfreeError
from analyzer.ir.function import Function, TranslationUnit
from analyzer.workspace import Settings, Workspace


@click.group()
def dump() -> None:
    """Show the insides of a C file: ir (operations), cfg (graph), states (ownership per block)."""


def _workspace(context: click.Context, options: dict[str, Any]) -> Workspace:
    settings = Settings(
        rules=options["rules"],
        flags=compiler_flags(context),
        **database_settings(options["database"]),
        guard=False,
    )
    return Workspace(settings)


def _chosen(unit: TranslationUnit, name: str | None) -> Iterable[Function]:
    functions = [function for function in unit.functions if name in (None, function.name)]
    if name is not None and not functions:
        known = ", ".join(function.name for function in unit.functions) or "none"
        raise MustfreeError(f"{unit.path}: no function {name}; there are: {known}")
    return functions


@dump.command(cls=FlagsCommand)
@click.argument("file")
@click.argument("function", required=False)
@database_option
@rules_option
@click.pass_context
def ir(context: click.Context, /, file: str, function: str | None, **options: Any) -> None:  # noqa: ANN401
    """Print the operations of FILE, or of one FUNCTION."""
    from analyzer.ir.text import print_function, print_unit

    unit = _workspace(context, options).lower(file)
    if function is None:
        click.echo(print_unit(unit), nl=False)
        return
    for chosen in _chosen(unit, function):
        click.echo(print_function(chosen), nl=False)


@dump.command(cls=FlagsCommand)
@click.argument("file")
@click.argument("function", required=False)
@click.option("--dot", is_flag=True, help="In the DOT language, for Graphviz.")
@database_option
@rules_option
@click.pass_context
def cfg(context: click.Context, /, file: str, function: str | None, dot: bool, **options: Any) -> None:  # noqa: ANN401
    """Print the control-flow graphs of FILE, or that of one FUNCTION."""
    from analyzer.ir.function import edges
    from analyzer.ir.graph import guard_text, to_dot
    from analyzer.ir.text import Printer

    for chosen in _chosen(_workspace(context, options).lower(file), function):
        if dot:
            click.echo(to_dot(chosen))
            continue
        click.echo(f"function {chosen.name}: {len(chosen.blocks)} blocks")
        printer = Printer(chosen)
        for edge in edges(chosen):
            guard = f"  when {guard_text(printer, edge.guard)}" if edge.guard else ""
            click.echo(f"  bb{edge.source} -> bb{edge.target}{guard}")


@dump.command(cls=FlagsCommand)
@click.argument("file")
@click.argument("function", required=False)
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@database_option
@rules_option
@click.pass_context
def states(
    context: click.Context,
    /,
    file: str,
    function: str | None,
    paths: tuple[str, ...],
    **options: Any,  # noqa: ANN401
) -> None:
    """Print the ownership states at the entry of each block of FILE, or of one FUNCTION.

    PATHs are the program that FILE belongs to, as for `mustfree check`: the contracts of its functions are inferred.
    Without any, these are the files of the compile database, or FILE alone.
    """
    from analyzer.ir.text import Printer

    workspace = _workspace(context, options)
    unit = workspace.lower(file)
    known = list(_chosen(unit, function))
    program = workspace.link(paths if paths or options["database"] not in NO_DATABASE else [file])
    for chosen in known:
        result = workspace.states(chosen, unit, program)
        click.echo(f"function {chosen.name}")
        printer = Printer(chosen)
        entries = dict(result.states)
        for number, block in enumerate(chosen.blocks):
            click.echo(f"bb{number}:")
            for line in entries.get(number, ()):
                click.echo(f"  | {line}")
            for op in block.ops:
                click.echo(f"    {printer.op(op)}")
