"""Finds the shipped packs and the user's rule files, and builds the table of a run."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any, final

from analyzer.cache import Codec, CodecError, Store, codec, digest, fingerprint
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
    return RuleSet(extra, overlay).table


@final
class RuleSet:
    """The rule files of a run. With a cache in which they are, they are decoded when they are first wanted.

    digest: of their contents. versions: name and version of each. Otherwise as `load_packs`.
    """

    def __init__(
        self, extra: Sequence[str] = (), overlay: Mapping[str, bytes] | None = None, store: Store | None = None
    ) -> None:
        shipped = [(path, Provenance.PACK, f"rules/{path.name}") for path in shipped_files()]
        named = [(Path(name), Provenance.PROJECT, name) for name in extra]
        over = overlay or {}
        self._files = [(*file, over.get(str(file[0]))) for file in (*shipped, *named)]
        self._store = store
        self.digest = self._contents_digest() if store is not None else ""
        known = self._known("v", _VERSIONS)
        if known is None:
            table, packs = self._load()
            self.table = table
            known = tuple((pack.library, pack.version) for pack in packs)
            self._keep(known, packs)
        self.versions: tuple[tuple[str, str], ...] = known

    @cached_property
    def table(self) -> ContractTable:
        """The contracts of all files."""
        with _no_collection():
            known = self._known("r", _PACKS)
            return ContractTable(known) if known is not None else self._load()[0]

    def without(self, library: str) -> RuleSet:
        """The same, but that nothing is known of one library: what it defines is inferred, like any program."""
        other = copy(self)
        other.digest = f"{self.digest} without {library}"
        other.table = self.table.without(library)
        return other

    def _contents_digest(self) -> str:
        parts: list[str | bytes] = [fingerprint()]
        for path, provenance, shown, contents in self._files:
            with suppress(OSError):  # said when it is loaded
                parts += [provenance.value, shown, path.read_bytes() if contents is None else contents]
        return digest(parts)

    def _known(self, kind: str, of: Codec[Any]) -> Any:  # noqa: ANN401 - as the codec says
        text = self._store.get(kind + self.digest) if self._store is not None else None
        if text is None:
            return None
        try:
            return of.parse(text)
        except CodecError:
            return None

    def _keep(self, versions: tuple[tuple[str, str], ...], packs: Sequence[Pack]) -> None:
        if self._store is not None and self._store.writes:
            rows = (("v", _VERSIONS.text(versions)), ("r", _PACKS.text(tuple(packs))))
            self._store.put([(kind + self.digest, text) for kind, text in rows])

    def _load(self) -> tuple[ContractTable, list[Pack]]:
        with _no_collection():
            packs: list[Pack] = []
            problems: list[str] = []
            shared: Mapping[str, ResourceKind] | None = None
            for path, provenance, shown, contents in self._files:
                if provenance is Provenance.PROJECT and shared is None:
                    shared = ContractTable(packs).kinds
                try:
                    packs.append(load_pack(path, provenance, shown, contents, shared))
                except ContractError as error:
                    problems.extend(error.problems)
            if problems:
                raise ContractError(problems)
            table = ContractTable(packs)
            check_references(table, Provenance.PROJECT)
            return table, packs


_VERSIONS = codec(tuple[tuple[str, str], ...])
_PACKS = codec(tuple[Pack, ...])


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
