"""The ways by which a resource goes out of sight, told by the contracts of the program's own functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from analyzer.contracts.model import Signature

MOST_ROUTES = 8  # kept for one place; more of them mean that no single contract would help


@final
@dataclass(frozen=True, slots=True)
class Route:
    """One way out of sight.

    function: the function of which too little is known; "" where there is none to describe: then `what` says it.
    file, at: the call, as in the IR. signature: as the call sees it.
    defined: its body was seen, and does not say what becomes of the resource.
    """

    function: str
    file: str
    at: int
    signature: Signature | None = None
    defined: bool = False
    what: str = ""


def add_routes(known: dict[str, Route], more: Iterable[Route]) -> None:
    """Takes in further routes, the first of each function, up to a limit."""
    for route in more:
        key = route.function or route.what
        if key not in known and len(known) < MOST_ROUTES:
            known[key] = route
