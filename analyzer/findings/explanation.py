"""Why an acquisition has its verdict, or why there is none at a place: plain data for `mustfree why`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from analyzer.findings.model import Acquisition, Region, Verdict


@final
@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """One step of a path: what happens, and how the resource stands afterwards ("" as before)."""

    at: Region
    message: str
    state: str = ""


@final
@dataclass(frozen=True, slots=True)
class ExplainedPath:
    """One way on which the resource ends. ending: as a sentence without full stop."""

    verdict: Verdict
    ending: str
    steps: tuple[ExplainedStep, ...]


@final
@dataclass(frozen=True, slots=True)
class UsedContract:
    """What was known of a function that hands the resource out or is given it.

    at: the call. origin: "project", "pack", "attribute", "inferred", or "unknown" for a function without contract.
    source: file:line of the rule, or of the definition. says: what it does, a sentence for each outcome; for an unknown
    function what was assumed, and why.
    """

    function: str
    at: Region
    origin: str
    source: str
    says: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class ExplainedAcquisition:
    """An acquisition with its reasons.

    paths: one for each way to end that was found, the one that decides the verdict first. complete: all ways were
    followed to their end. changes: what would change the answer.
    """

    acquisition: Acquisition
    paths: tuple[ExplainedPath, ...]
    complete: bool
    contracts: tuple[UsedContract, ...]
    assumptions: tuple[str, ...]
    changes: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to `why FILE:LINE`. notes: why it speaks of another line, or why there is nothing to explain."""

    file: str
    line: int
    notes: tuple[str, ...]
    acquisitions: tuple[ExplainedAcquisition, ...] = ()
