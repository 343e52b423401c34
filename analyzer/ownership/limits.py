"""The caps that shape a result. All count steps and states, so a result is the same on any machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """Every cap of the engine; raising one never removes a true finding.

    states: states kept apart at one block (by ownership state and holders) before they are merged and marked.
    ways: states that the calls of one full expression may leave before they are merged, or, in a search, the rest
        of them left out.
    steps: block executions in one run over one resource before the run gives up.
    lent_steps: the same in a run that follows what a caller lends; over it, it counts as out of sight.
    search: block executions while one alarm is searched for an exactly feasible path.
    alarms: alarms of one resource for which a path is searched.
    path: steps shown of one path.
    acquisitions: acquisitions followed in one function.
    """

    states: int = 24
    ways: int = 64
    steps: int = 6000
    lent_steps: int = 1500
    search: int = 1500
    alarms: int = 48
    path: int = 40
    acquisitions: int = 96


@final
class Cap(Enum):
    """A cap that was met while one acquisition was followed; the value is the name of its limit."""

    STATES = "states"
    WAYS = "ways"
    STEPS = "steps"
    SEARCH = "search"
    ALARMS = "alarms"
