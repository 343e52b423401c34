"""Where a user's caches belong."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_NAME = "mustfree"


def default_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path | None:
    """The folder for our cache by the custom of the platform, None where there is no home folder."""
    home = environment.get("HOME", "") or os.path.expanduser("~")  # noqa: PTH111 - it does not raise
    if platform == "win32":
        local = environment.get("LOCALAPPDATA", "")
        return Path(local) / _NAME / "Cache" if local else None
    if platform != "darwin":
        named = environment.get("XDG_CACHE_HOME", "")
        if Path(named).is_absolute():  # the specification has relative ones ignored
            return Path(named) / _NAME
    if not Path(home).is_absolute():
        return None
    return Path(home) / ("Library/Caches" if platform == "darwin" else ".cache") / _NAME
