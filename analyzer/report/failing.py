"""Which findings decide about exit status 1: `--fail-on`.

A level stands for itself and all above it, and so does a growth class: a finding decides when it fits any word. A
growth class speaks of leaks alone, so findings of other checks decide as well, unless a level says which of them do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzer.findings.model import Finding, Growth, Level

_LEVELS = {level.value: number for number, level in enumerate(Level)}  # the worst first, as the next
_GROWTHS = {growth.value.replace(" ", "-"): number for number, growth in enumerate(Growth)}
FAIL_ON = (*_LEVELS, *_GROWTHS)


def decides(finding: Finding, words: Sequence[str]) -> bool:
    """Whether a finding decides. words: of `FAIL_ON`; none: every finding does."""
    level = _last(words, _LEVELS)
    growth = _last(words, _GROWTHS)
    if level < 0 and growth < 0:
        return True
    if _LEVELS[finding.level.value] <= level:
        return True
    if finding.growth is None:
        return level < 0
    return _GROWTHS[finding.growth.value.replace(" ", "-")] <= growth


def _last(words: Iterable[str], order: dict[str, int]) -> int:
    """The place of the mildest word, -1 without any."""
    return max((order[word] for word in words if word in order), default=-1)
