"""Parses a file, and again with what it misses: headers that lie near, stand-ins for headers, stubs for names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

from analyzer.frontend.options import FrontendOptions
from analyzer.libclang.parse import ParserMessage, Unit, parsed
from analyzer.sources import SourceView
from analyzer.sources.view import absolute


@final
@dataclass(frozen=True, slots=True)
class Repaired:
    """A parsed unit and how it came to be.

    errors: those that are left. missing: headers that were not found. contents: text by libclang's file name for
    files that are not on disk.
    """

    unit: Unit
    errors: tuple[ParserMessage, ...]
    missing: tuple[str, ...]
    contents: Mapping[str, bytes]
    flags: tuple[tuple[str, str], ...]


@contextmanager
def parse_repaired(path: str, data: bytes, view: SourceView, options: FrontendOptions) -> Iterator[Repaired]:
    """Parse the file as well as it can be."""
    main = absolute(path)
    files = {**view.overlay, main: data}
    with parsed(main, options.flags, files) as unit:
        errors = tuple(unit.errors())
        missing = tuple(dict.fromkeys(filter(None, (error.missing_header() for error in errors))))
        yield Repaired(unit, errors, missing, files, ())
