"""What wrote a row: another program, or this one on another kind of machine, may come to other results."""

from __future__ import annotations

import platform
import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from analyzer import __version__
from analyzer.cache.digest import digest

_PACKAGE = Path(__file__).parent.parent


@lru_cache(maxsize=1)
def version() -> str:
    """What a user would call it: our version and the parser's."""
    return f"mustfree {__version__}, libclang {metadata.version('libclang')}"


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """The same exactly: also our own text, which changes more often than its version, and the machine's types."""
    texts = [(path.relative_to(_PACKAGE).as_posix(), path.read_bytes()) for path in sorted(_PACKAGE.rglob("*.py"))]
    parts = (part for text in texts for part in text)
    return digest((version(), sys.platform, platform.machine(), *parts))
