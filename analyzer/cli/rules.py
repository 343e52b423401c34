"""`mustfree rules`: check rule files, list what is known, explain one function. See also `trials` and `imports`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from analyzer.cli.comparing import compare
from analyzer.cli.imports import draft, import_
from analyzer.cli.trials import test
from analyzer.contracts.coverage import spelled
from analyzer.contracts.headers import prototype
from analyzer.contracts.loader import load_pack
from analyzer.contracts.model import EffectKind, FunctionContract, Pack, Provenance
from analyzer.contracts.packs import load_packs
from analyzer.contracts.syntax import closest
from analyzer.contracts.table import ContractTable
from analyzer.contracts.text import outcome_sentence, timing_sentences
from analyzer.errors import ContractError, MustfreeError

_EXTRA = click.option(
    "--rules",
    "extra",
    multiple=True,
    metavar="FILE",
    help="Also read this rule file; its contracts win. Repeatable.",
)


@click.group()
def rules() -> None:
    """Check and test rule files, list the functions they describe, explain one of them."""


rules.add_command(test)
rules.add_command(compare)
rules.add_command(import_)
rules.add_command(draft)


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check rule FILES and list every mistake with its line, column and remedy.

    Exit status: 0 when all are right, 2 otherwise.
    """
    problems: list[str] = []
    good: list[tuple[Path, str]] = []
    shared = load_packs().kinds
    for file in files:
        try:
            pack = load_pack(file, Provenance.PROJECT, str(file), shared=shared)
        except ContractError as error:
            problems.extend(error.problems)
        else:
            good.append((file, _counted(pack)))
    if not problems:
        problems = _cross_file_problems(files)
    for file, counted in good:
        if not any(problem.startswith(f"{file}:") for problem in problems):
            click.echo(f"{file}: {counted}")
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(2)


def _cross_file_problems(files: tuple[Path, ...]) -> list[str]:
    """Mistakes that show only beside the shipped packs, such as a release that no rule describes."""
    try:
        table = load_packs([str(file) for file in files])
    except ContractError as error:
        return error.problems
    return [
        _not_described(pack, name, table)
        for pack in table.packs
        if pack.provenance is Provenance.PROJECT
        for name in pack.ignores_null
        if not table.all_named(name)
    ]


def _not_described(pack: Pack, name: str, table: ContractTable) -> str:
    """That nothing describes a function of `ignores-null:`, with its place."""
    text = Path(pack.path).read_text("utf-8")
    start = re.compile(r"^ignores-null\s*:", re.MULTILINE).search(text)
    found = re.compile(rf"\b{re.escape(name)}\b").search(text, start.end() if start else 0)
    at = found.start() if found else 0
    place = f"{pack.path}:{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"
    near = closest(name, sorted(table.names))
    remedy = f"did you mean `{near[0]}`?" if near else f"add `{name}` to `functions:`"
    return f"{place}: no rule describes `{name}` of `ignores-null:`; {remedy}"


@rules.command("list")
@click.option("--library", metavar="NAME", help="Only the functions of this library.")
@_EXTRA
def list_(library: str | None, extra: tuple[str, ...]) -> None:
    """List all functions that the packs describe, one per line: name, library, what it does."""
    table = _loaded(extra)
    packs = [pack for pack in table.packs if library in (None, pack.library)]
    if not packs:
        known = ", ".join(pack.library for pack in table.packs)
        click.echo(f"no pack describes library {library}; known: {known}", err=True)
        raise SystemExit(2)
    for pack in packs:
        for function in sorted(pack.functions, key=lambda f: f.name):
            click.echo(f"{function.name}\t{pack.library}\t{role(function)}")


@rules.command()
@click.argument("function")
@_EXTRA
def explain(function: str, extra: tuple[str, ...]) -> None:
    """Say what a call of FUNCTION does to ownership, and where that is written.

    Exit status: 0; 2 when no pack describes FUNCTION.
    """
    table = _loaded(extra)
    contracts = table.all_named(function)
    if not contracts:
        near = closest(function, sorted(table.names))
        hint = f"; near: {', '.join(near)}" if near else ""
        click.echo(f"no rule describes {function}(){hint}", err=True)
        raise SystemExit(2)
    click.echo("\n\n".join("\n".join(_explanation(contract, table)) for contract in contracts))


@rules.command()
@_EXTRA
def migrations(extra: tuple[str, ...]) -> None:
    """List the functions that tend to replace one with another duty: old, new, and what the duty was.

    When a change replaces the one by the other and introduces a loss, `mustfree diff` says so.
    """
    table = _loaded(extra)
    pairs = {
        (old, contract.name, does)
        for name in table.names
        for contract in table.all_named(name)
        for old, does in contract.replaces
    }
    for old, new, does in sorted(pairs):
        click.echo(f"{old}() -> {new}(): {old}() {does}" if does else f"{old}() -> {new}()")


def _replaced(name: str, does: str) -> str:
    return f"{name}(), which {does}" if does else f"{name}()"


def _loaded(extra: tuple[str, ...]) -> ContractTable:
    try:
        return load_packs(extra)
    except MustfreeError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None


def _counted(pack: Pack) -> str:
    borrowers = sum(1 for function in pack.functions if _is_borrower(function))
    functions = len(pack.functions)
    return f"{functions} functions ({borrowers} borrow only), {len(pack.kinds)} resource kinds, no mistake found"


def _is_borrower(function: FunctionContract) -> bool:
    return all(not outcome.effects for outcome in function.outcomes)


def role(function: FunctionContract) -> str:
    """What a function does, in a few words."""
    kinds = {effect.kind for outcome in function.outcomes for effect in outcome.effects}
    roles = [
        name
        for name, members in (
            ("acquires", {EffectKind.FRESH, EffectKind.SHARE}),
            ("releases", {EffectKind.RELEASE}),
            ("takes over", {EffectKind.TAKE}),
            ("keeps a pointer", {EffectKind.KEEP}),
            ("does not return", {EffectKind.NORETURN}),
        )
        if kinds & members
    ]
    return ", ".join(roles) or ("borrows" if not kinds else "describes its results")


def _explanation(contract: FunctionContract, table: ContractTable) -> list[str]:
    lines = [prototype(contract)]
    if contract.doc:
        lines.append(f"  {contract.doc}")
    if contract.returns:
        lines.append("  returns: " + " and ".join(spelled(atom, contract.signature) for atom in contract.returns))
    lines += ["  " + outcome_sentence(outcome, contract.signature, table.kinds) for outcome in contract.outcomes]
    lines += ["  " + sentence for sentence in timing_sentences(contract)]
    releases = [
        f"{name} (noun: {kind.noun}): {', '.join(kind.releases)}"
        for name, kind in table.kinds.items()
        if any(effect.resource == name for outcome in contract.outcomes for effect in outcome.effects)
    ]
    if releases:
        lines.append(f"  released by: {'; '.join(releases)}")
    for label, value in (
        ("since version", contract.since),
        ("until version", contract.until),
        ("a lost one costs", contract.bytes),
        ("tends to replace", ", ".join(_replaced(name, does) for name, does in contract.replaces)),
    ):
        if value:
            lines.append(f"  {label}: {value}")
    lines.append(f"  library: {contract.library}; rule: {contract.source}")
    return lines
