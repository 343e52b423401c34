"""Rows that hold in another folder: paths below the root of the project are written without it."""

from __future__ import annotations

import os
from typing import final

from analyzer.cache.codec import dumps


@final
class Relocation:
    """Takes the root off the paths in JSON texts, and puts it on again. root: absolute."""

    def __init__(self, root: str) -> None:
        # A text that starts with a path below the root; no text of ours starts with the zero.
        self._here = dumps(root + os.sep)[:-1] if root.strip(os.sep) else ""
        self._anywhere = dumps("\0" + os.sep)[:-1]

    def portable(self, text: str) -> str:
        """The text as a row holds it."""
        return text.replace(self._here, self._anywhere) if self._here else text

    def local(self, text: str) -> str:
        """The text as this run needs it."""
        return text.replace(self._anywhere, self._here) if self._here else text
