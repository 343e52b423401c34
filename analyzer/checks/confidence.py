"""How sure a finding is: the rule of docs/confidence.md, and nothing else.

Every weakness below is a sentence for the user. None: high; one: medium; two or more: low.
"""

from __future__ import annotations

from analyzer.findings.model import Confidence
from analyzer.ir.function import Function
from analyzer.ownership.borrowing import TRUSTED
from analyzer.ownership.events import Event, FunctionResult


def weaknesses(event: Event, function: Function, result: FunctionResult) -> tuple[str, ...]:
    """What speaks against the finding, each reason once, in fixed order."""
    found: list[str] = []
    guessed = {at for at, _, _ in result.name_only}
    if event.acquired_at in guessed or event.at in guessed:
        found.append("a library function was recognised by its name only")
    if function.degraded:
        found.append("statements of this function could not be parsed")
    if not event.proven:
        found.append("no path was found that can be executed exactly")
    if event.blurred:
        found.append("the function has so many states that some were merged")
    if event.unknown_calls:
        found.append(_about_unknown(event.unknown_calls))
    return tuple(found)


def _about_unknown(calls: tuple[str, ...]) -> str:
    names = tuple(dict.fromkeys(name.removesuffix(TRUSTED) for name in calls))
    trusted = tuple(name.removesuffix(TRUSTED) for name in calls if name.endswith(TRUSTED))
    said = f"nothing is known about {_listed(names)}, called on this path"
    return f"{said}; unknown-calls = borrow takes {_listed(trusted)} to borrow" if trusted else said


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name}()" for name in names[:3]) + (", ..." if len(names) > 3 else "")


def confidence(reasons: tuple[str, ...]) -> Confidence:
    """The written rule: counts weaknesses."""
    if not reasons:
        return Confidence.HIGH
    return Confidence.MEDIUM if len(reasons) == 1 else Confidence.LOW
