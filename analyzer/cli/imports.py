"""`mustfree rules import` and `draft`: rule files made from what other tools know, and from headers and sources."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.options import FlagsCommand, compiler_flags
from analyzer.errors import MustfreeError

if TYPE_CHECKING:
    from analyzer.contracts.model import FunctionContract


@click.group("import")
def import_() -> None:
    """Turn what another tool knows of a library into a rule file."""


@import_.command(cls=FlagsCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("headers", nargs=-1, metavar="[HEADER]...")
@click.option("--library", metavar="NAME", help="Name of the library; by default that of the file.")
@click.pass_context
def cppcheck(context: click.Context, /, file: Path, headers: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Print a rule file for what a cppcheck library FILE (.cfg) says of ownership.

    Such a file names functions without their types; the HEADERs that declare them do. What it does not say stands
    in the output as a comment, and so do functions that no HEADER declares.

    \b
      mustfree rules import cppcheck mine.cfg include/mine.h -- -Iinclude > mine.yaml
      mustfree rules check mine.yaml

    Exit status: 0; 2 for a file that cannot be read.
    """
    from analyzer.contracts.packs import load_packs
    from analyzer.drafts.cppcheck import read_library
    from analyzer.drafts.imported import imported
    from analyzer.drafts.prototypes import prototypes

    try:
        library = read_library(file)
        declared = prototypes(headers, compiler_flags(context)) if headers else {}
        name = options["library"] or re.sub(r"[^\w+.-]", "-", file.stem) or "imported"
        shown = tuple(Path(header).name if Path(header).is_file() else header for header in headers)
        result = imported(library, name, declared, shown, load_packs())
    except MustfreeError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
    click.echo(result.text, nl=False)
    click.echo(
        f"{result.described} functions described, {result.known} known to a pack already, {result.open} in comments, "
        "as something is missing",
        err=True,
    )


@click.command(cls=FlagsCommand)
@click.argument("headers", nargs=-1, required=True, metavar="HEADER...", type=click.Path(path_type=Path))
@click.option("--sources", metavar="DIR", help="Infer from the C files in this folder (or file) of the library.")
@click.option("--library", metavar="NAME", help="Name of the library; by default that of the first HEADER.")
@click.pass_context
def draft(context: click.Context, /, headers: tuple[Path, ...], sources: str | None, library: str | None) -> None:
    """Print a first rule file for a library: what the files HEADER declare, and what its sources do.

    Functions that inference does not know, or knows in part, stand in it as comments: they are undecided.

    \b
      mustfree rules draft include/post.h --sources src -- -Iinclude > post.yaml
      mustfree rules check post.yaml

    Exit status: 0; 2 for a file that cannot be read.
    """
    from analyzer.drafts.draft import draft as drafted
    from analyzer.drafts.draft import public
    from analyzer.drafts.prototypes import prototypes
    from analyzer.workspace import Settings, Workspace

    flags = compiler_flags(context)
    try:
        for header in headers:
            if not header.is_file():
                raise MustfreeError(f"{header}: no such file; name the library's headers as files")
        functions = public(prototypes([str(header) for header in headers], flags), headers)
        workspace = Workspace(Settings(flags=flags, summaries=True, prepass=False))
        inferred: dict[str, FunctionContract] = {}
        if sources is not None:
            if not Path(sources).exists():
                raise MustfreeError(f"{sources}: no such file or folder")
            inferred = workspace.link([sources]).inferred()
        shown = [header.name for header in headers]
        result = drafted(library or headers[0].stem, shown, functions, inferred, workspace.table.kinds)
    except MustfreeError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
    click.echo(result.text, nl=False)
    click.echo(f"{result.decided} functions decided, {result.undecided} undecided, in comments", err=True)
