"""Finds the shipped packs and the user's rule files, and builds the table of a run."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from analyzer.contracts.loader import load_pack
from analyzer.contracts.model import Pack, Provenance, ResourceKind
from analyzer.contracts.table import ContractTable, check_references
from analyzer.errors import ContractError

_PACKAGE = Path(__file__).resolve().parent.parent


def rules_directory() -> Path:
    """Where the shipped packs are: inside the installed package, or beside it in a source tree."""
    inside = _PACKAGE / "rules"
    return inside if inside.is_dir() else _PACKAGE.parent / "rules"


def shipped_files() -> list[Path]:
    """The shipped packs, sorted by name."""
    return sorted(rules_directory().glob("*.yaml"))


def load_packs(extra: Sequence[str] = (), overlay: Mapping[str, bytes] | None = None) -> ContractTable:
    """The shipped packs and the rule files named in `extra`, which win over them.

    overlay: path -> bytes that stand for the contents of a file in `extra`.

    Raises ContractError with all problems of all files.
    """
    with _no_collection():
        return _loaded(extra, overlay or {})


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection meanwhile: all that is made stays, and looking through it took long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _loaded(extra: Sequence[str], overlay: Mapping[str, bytes]) -> ContractTable:
    packs: list[Pack] = []
    problems: list[str] = []
    shipped = [(path, Provenance.PACK, f"rules/{path.name}") for path in shipped_files()]
    named = [(Path(name), Provenance.PROJECT, name) for name in extra]
    shared: Mapping[str, ResourceKind] | None = None
    for path, provenance, shown in [*shipped, *named]:
        if provenance is Provenance.PROJECT and shared is None:
            shared = ContractTable(packs).kinds
        try:
            packs.append(load_pack(path, provenance, shown, overlay.get(str(path)), shared))
        except ContractError as error:
            problems.extend(error.problems)
    if problems:
        raise ContractError(problems)
    table = ContractTable(packs)
    check_references(table, Provenance.PROJECT)
    return table
