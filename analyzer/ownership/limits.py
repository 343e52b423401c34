"""The caps that shape a result. All count steps and states, so a result is the same on any machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """Every cap of the engine; raising one never removes a true finding.

    states: states kept apart at one block (by ownership state and holders) before they are merged and marked.
    steps: block executions in one run over one resource before the run gives up.
    lent_steps: the same in a run that follows what a caller lends; over it, it counts as out of sight.
    witness_steps: block executions while one alarm is searched for an exactly feasible path.
    witnesses: feasible paths tried at most for the loss points of one resource.
    path: steps shown of one path.
    resources: acquisitions followed in one function.
    """

    states: int = 24
    steps: int = 6000
    lent_steps: int = 1500
    witness_steps: int = 1500
    witnesses: int = 48
    path: int = 40
    resources: int = 96
