"""The line hash that GitHub code scanning uses to recognise an alert after edits elsewhere.

Algorithm: a rolling polynomial hash, base 37 modulo 2**64, over 100 characters from the start of the line on.
Blanks and tabs do not count; CR and CRLF count as LF; the end of the file counts as 65535 and is followed by
zeros. Characters are UTF-16 code units. Lines with equal hashes are numbered: ``hex:number``. GitHub's upload
action computes the same and warns about other values, so the published test vectors of
github/codeql-action (src/fingerprints.test.ts) are in our tests.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

_BLOCK = 100
_BASE = 37
_MASK = (1 << 64) - 1
_TOP = pow(_BASE, _BLOCK, 1 << 64)
_END = 65535
_NEWLINE = re.compile("\r\n?")


def _units(text: str) -> Iterator[int]:
    """UTF-16 code units of the text that count."""
    kept = _NEWLINE.sub("\n", text).replace(" ", "").replace("\t", "")
    encoding = "utf-16-le" if sys.byteorder == "little" else "utf-16-be"
    return iter(memoryview(kept.encode(encoding, "surrogatepass")).cast("H"))


def line_hashes(text: str) -> list[str]:
    """The hash of every line; item 0 is line 1."""
    values = [*_units(text), _END]
    starts = [0] + [index + 1 for index, value in enumerate(values[:-1]) if value == 0x0A]
    values += [0] * _BLOCK
    wanted = iter(starts)
    start = next(wanted)
    counts: dict[int, int] = {}
    hashes: list[str] = []
    rolling = 0
    for index, value in enumerate(values):
        if index == start + _BLOCK:
            counts[rolling] = counts.get(rolling, 0) + 1
            hashes.append(f"{rolling:x}:{counts[rolling]}")
            start = next(wanted, -_BLOCK - 1)
        leaving = values[index - _BLOCK] if index >= _BLOCK else 0
        rolling = (_BASE * rolling + value - _TOP * leaving) & _MASK
    if start >= 0:  # the window of the last line ends with the padding
        counts[rolling] = counts.get(rolling, 0) + 1
        hashes.append(f"{rolling:x}:{counts[rolling]}")
    return hashes
