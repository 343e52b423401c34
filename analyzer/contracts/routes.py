"""The ways by which a resource goes out of sight, told by the contracts of the program's own functions."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.contracts.model import Route

__all__ = ["MOST_ROUTES", "Route", "add_routes"]

MOST_ROUTES = 8  # kept for one place; more of them mean that no single contract would help


def add_routes(known: dict[str, Route], more: Iterable[Route]) -> None:
    """Takes in further routes, the first of each function, up to a limit."""
    for route in more:
        key = route.function or route.what
        if key not in known and len(known) < MOST_ROUTES:
            known[key] = route
