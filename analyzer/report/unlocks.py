"""Where resources go out of sight, and the skeletons of the contracts that would bring them back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analyzer.findings.model import Escape, Report, Unlock
from analyzer.report.plain import plain

FILL_IN = "FILL-IN"  # no word of the contract language: a skeleton is refused until somebody has thought about it


def unlocks_text(report: Report) -> str:
    """For each function: what its contract would decide, where it is called first, and a skeleton.

    Everything but the skeletons stands in comments, so that below `functions:` the text is that of a rule file.
    """
    lines: list[str] = []
    for unlock in report.unlocks:
        if unlock.escape.function:
            lines += [f"  # {_sentence(unlock)}", *(f"  {line}" for line in skeleton(unlock.escape))]
    others = [unlock for unlock in report.unlocks if not unlock.escape.function]
    lines += [f"  # no contract helps with {plain(u.escape.what)}: {_count(u.acquisitions)}" for u in others]
    if not lines:
        return "  # nothing goes out of sight\n"
    return "\n".join(["functions:", *lines]) + "\n"


def _count(number: int) -> str:
    return f"{number} acquisition{'' if number == 1 else 's'}"


def _sentence(unlock: Unlock) -> str:
    escape = unlock.escape
    name = plain(escape.what)
    at = f"; first in {plain(escape.at.file)}:{escape.at.line}" if escape.at else ""
    ways = _count(unlock.acquisitions)
    if unlock.decides:
        out_of = "" if unlock.decides == unlock.acquisitions else f" of the {ways} that escape through it"
        said = f"a contract for {name} would decide {unlock.decides} more{out_of}"
    else:
        said = f"{ways} escape{'s' if unlock.acquisitions == 1 else ''} through {name}, but not through it alone"
    body = "; it is defined here, but its body does not tell" if escape.defined else ""
    return said + at + body


def skeleton(escape: Escape) -> Iterator[str]:
    """A contract to fill in, as an item of `functions:`."""
    yield f"- c: {plain(escape.prototype)}"
    effects = ", ".join(f"{FILL_IN} {name}" for name in escape.takers)
    yield f"  then: [{effects}]  # take, keep, borrow or release; see docs/contracts.md"


def unlock_json(unlock: Unlock) -> dict[str, Any]:
    """One entry of `unlocks` as in docs/report.schema.json."""
    escape = unlock.escape
    return {
        "function": plain(escape.what),
        "acquisitions": unlock.acquisitions,
        "decides": unlock.decides,
        "first": {"file": plain(escape.at.file), "line": escape.at.line, "column": escape.at.column}
        if escape.at
        else None,
        "defined": escape.defined,
        "contract": "\n".join(skeleton(escape)) + "\n" if escape.function else "",
    }
