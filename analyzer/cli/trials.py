"""`mustfree rules test`: packs tried on their fixtures."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.contracts.packs import rules_directory, shipped_files
from analyzer.errors import ContractError, MustfreeError

if TYPE_CHECKING:
    from analyzer.trials.trial import Trial

_Pair = tuple[Path, Path, bool]  # rule file, fixture, whether the pack is shipped


@click.command("test")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("-v", "--verbose", is_flag=True, help="Also list the functions that are tried in both directions.")
def test(files: tuple[str, ...], verbose: bool) -> None:
    """Try packs on their fixtures: C files that use each function well, and wrongly.

    FILE is a rule file, its fixture (a C file of the same name, beside it when it is not named), or the name of a
    shipped pack; without any, all shipped packs. The findings must be those that the fixture's marks ask for; each
    function with an effect must be called; and each contract is weakened, one effect or condition at a time: some
    mark must fail then. docs/packs-howto.md leads through it.

    \b
      mustfree rules test my.yaml my.c
      mustfree rules test libnl

    Exit status: 0 when every pack passed, 1 otherwise, 2 for a file that cannot be used.
    """
    from analyzer.trials.trial import try_pack

    failed = False
    try:
        for pack, fixture, shipped in _pairs(files):
            start = time.monotonic()
            trial = try_pack(pack, fixture, shipped, _progress)
            shown = f"rules/{pack.name}" if shipped else str(pack)
            click.echo("\n".join(_told(trial, shown, verbose)))
            click.echo(f"{pack.name}: {time.monotonic() - start:.1f} s", err=True)
            failed = failed or not trial.passed
    except ContractError as error:
        raise _refused("\n".join(error.problems)) from None
    except MustfreeError as error:
        raise _refused(str(error)) from None
    if failed:
        raise SystemExit(1)


def _refused(message: str) -> SystemExit:
    click.echo(message, err=True)
    return SystemExit(2)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total} weakened contracts\033[K", nl=False, err=True)
        if done + 1 == total:
            click.echo("\r\033[K", nl=False, err=True)


def _pairs(files: Sequence[str]) -> list[_Pair]:
    """Which packs are to be tried on which fixtures. Raises MustfreeError where one is missing."""
    fixtures = [Path(file) for file in files if file.endswith(".c")]
    packs = [Path(file) for file in files if not file.endswith(".c")] or ([] if fixtures else shipped_files())
    if not packs:
        raise MustfreeError(f"{fixtures[0]}: a fixture without a pack; name the rule file, too")
    if len(packs) == len(fixtures) == 1:
        return [_pair(packs[0], fixtures[0])]
    named = {path.stem: path for path in fixtures}
    return [_pair(pack, named.get(pack.stem)) for pack in packs]


def _pair(pack: Path, fixture: Path | None) -> _Pair:
    pack, own = named_pack(pack)
    return pack, fixture or _fixture(pack, own), own


def named_pack(pack: Path) -> tuple[Path, bool]:
    """The rule file that the user names, and whether it is a shipped one. Raises MustfreeError for anything else."""
    ours = {path.stem: path for path in shipped_files()}.get(pack.stem)
    if pack.suffix not in (".yaml", ".yml") and ours is not None:
        pack = ours
    elif pack.suffix not in (".yaml", ".yml"):
        raise MustfreeError(f"{pack}: neither a rule file (.yaml), nor a C file, nor the name of a shipped pack")
    return pack, ours is not None and pack.exists() and pack.samefile(ours)


def _fixture(pack: Path, shipped: bool) -> Path:
    folder = rules_directory().parent / "fixtures" / "contracts" if shipped else pack.parent
    fixture = folder / f"{pack.stem}.c"
    if not fixture.is_file():
        where = "the fixtures of the shipped packs are in the source tree only" if shipped else f"there is no {fixture}"
        raise MustfreeError(f"{pack}: no fixture: {where}; name one: mustfree rules test {pack} FILE.c")
    return fixture


def _told(trial: Trial, pack: str, verbose: bool) -> Iterator[str]:
    """What to say of a trial."""
    yield f"{pack} on {_shown(trial.fixture)}"
    yield from (f"  {problem}" for problem in trial.problems)
    yield from _table(trial, verbose)
    if trial.problems:
        yield "  the findings are not those that the marks ask for; nothing was weakened"
        return
    yield f"  {trial.mutants} weakened contracts, {trial.mutants - len(trial.survivors)} noticed by a mark"
    for one in trial.survivors:
        yield f"    not noticed: {one.contract.name}: {one.what}"


def _shown(fixture: str) -> str:
    """A fixture of ours by the name that it has in every source tree."""
    ours = rules_directory().parent
    return Path(fixture).relative_to(ours).as_posix() if Path(fixture).is_relative_to(ours) else fixture


def _table(trial: Trial, verbose: bool) -> Iterator[str]:
    from analyzer.cli.rules import role

    rows = [one for one in trial.functions if not one.borrows]
    lacking = [one for one in rows if (one.wants[0] and not one.wrong) or not one.right]
    shown = rows if verbose else lacking
    if shown:
        width = max(len(one.contract.name) for one in shown)
        yield f"  {'function':{width}}  {'wrong':>5}  {'right':>5}  what it does"
        for one in shown:
            yield f"  {one.contract.name:{width}}  {one.wrong:5}  {one.right:5}  {role(one.contract)}"
    both = len(rows) - len(lacking)
    borrowers = [one for one in trial.functions if one.borrows]
    called = sum(1 for one in borrowers if one.wrong + one.right)
    yield f"  {len(rows)} functions with effects, {both} used wrongly and rightly, {len(trial.untried)} not called"
    yield f"  {len(borrowers)} functions that only borrow, {called} called"
