"""`mustfree rules compare`: a pack held against the sources of its library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli.options import FlagsCommand, compiler_flags, say
from analyzer.cli.trials import named_pack
from analyzer.contracts.packs import rules_directory
from analyzer.errors import ContractError, MustfreeError

if TYPE_CHECKING:
    from analyzer.trials.library import Compared, Comparison


@click.command("compare", cls=FlagsCommand)
@click.argument("pack", type=click.Path(path_type=Path))
@click.option(
    "--sources",
    multiple=True,
    required=True,
    metavar="DIR",
    help="Folder (or file) of the library's C files. Repeatable.",
)
@click.option(
    "--explained",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Reasons for contradictions that are none; by default the file NAME.explained.yaml beside the rule file.",
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Also list where the contract, or the body, says less than the other."
)
@click.pass_context
def compare(
    context: click.Context, /, pack: Path, sources: tuple[str, ...], explained: Path | None, verbose: bool
) -> None:
    """Hold the contracts of PACK against what is inferred from the sources of its library.

    PACK is a rule file, or the name of a shipped pack. Inference knows nothing of the pack meanwhile, only of the
    others. docs/packs.md says when a contract agrees with a body, and when it contradicts it.

    \b
      mustfree rules compare post.yaml --sources src -- -Iinclude

    Exit status: 1 for a contradiction that is not explained, 2 for a file that cannot be used, 3 when something in the
    sources was not analysed, 0 otherwise.
    """
    from analyzer.report.summary import exit_status, summarise
    from analyzer.report.text import TextWriter
    from analyzer.trials.explained import read_explained
    from analyzer.trials.library import compare_pack

    try:
        path, shipped = named_pack(pack)
        reasons = explained or _beside(path, shipped)
        known = read_explained(reasons) if explained or reasons.is_file() else {}
        found = compare_pack(path, shipped, sources, compiler_flags(context), known, _progress)
    except ContractError as error:
        say("\n".join(error.problems))
        raise SystemExit(2) from None
    except MustfreeError as error:
        say(str(error))
        raise SystemExit(2) from None
    for line in TextWriter(False).notices(found.report, verbose=False, quiet=True):
        say(line)
    click.echo("\n".join(_told(found, sources, verbose)))
    for function, term in found.stale:
        click.echo(f"  {reasons}: {function}: `{term}` is explained, but contradicts nothing; remove the reason")
    status = exit_status(replace(summarise(found.report), shown=0))
    context.exit(status if found.passed else 1)


def _beside(pack: Path, shipped: bool) -> Path:
    folder = rules_directory().parent / "fixtures" / "contracts" if shipped else pack.parent
    return folder / f"{pack.stem}.explained.yaml"


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total} files\033[K" if done < total else "\r\033[K", nl=False, err=True)


def _told(found: Comparison, sources: tuple[str, ...], verbose: bool) -> Iterator[str]:
    """What to say of a comparison."""
    from analyzer.trials.library import Result

    files = "1 file" if found.report.files == 1 else f"{found.report.files} files"
    yield f"{found.pack.path} against {files} of {', '.join(sources)}"
    for one in found.functions:
        if verbose or one.result in (Result.CONTRADICTS, Result.OTHER):
            yield from _told_of(one, verbose)
    counts = found.counts
    yield f"  {found.seen} of {len(found.functions)} functions compared"
    yield from (f"  {counts[result]:5} {_COUNTED[result.name]}" for result in Result if counts[result])


_COUNTED = {
    "AGREES": "agree",
    "TELLS_LESS": "agree as far as the body tells",
    "SAYS_LESS": "say less than the body",
    "EXPLAINED": "contradict the body, with a reason",
    "CONTRADICTS": "contradict the body",
    "OTHER": "are declared differently",
    "NOT_INFERRED": "not compared: nothing was inferred",
    "ABSENT": "not compared: not defined in these sources",
}


def _told_of(one: Compared, verbose: bool) -> Iterator[str]:
    name = one.contract.name
    if one.why:
        yield f"  {one.contract.source}: {name}: is declared differently: {one.why}"
    for remark in one.remarks:
        contradicts = remark.standing.name == "CONTRADICTS"
        if verbose or contradicts:
            yield f"  {one.contract.source}: {name}: {remark.standing.value}: {remark.text}"
        if contradicts and remark.term in (one.reasons or {}):
            yield f"    explained: {(one.reasons or {})[remark.term]}"
