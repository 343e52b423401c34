"""Planted mistakes against the oracles: after how many generated programs is each seen?

Programs and truths are made once, by the tool as it is; what the tool says of each program with a mistake planted is
asked in a process of its own, `python -m tests.oracle.planting FILE NAME`. A program on which the tool as it is
disagrees with the truth shows nothing of a plant and is left out.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.oracle.plants import PLANTS, Plant, install

ROOT = Path(__file__).resolve().parents[2]
ORACLES = ("interpreted", "executed", "helpers")
BATCH = 25
FIRST = {"summary": "helpers", "front end": "executed"}
"""The oracle that is asked first of a part; the interpreter of all others."""


@dataclass
class Cases:
    """Programs with their truths, by oracle.

    interpreted: (program, truth). executed, helpers: batches of (source, what was executed). without: programs left
    out, by oracle: of no clear truth, or the tool as it is disagrees. Without gcc the latter two are empty.
    """

    interpreted: list[tuple[Any, Any]] = field(default_factory=list)
    executed: list[list[tuple[Any, Any]]] = field(default_factory=list)
    helpers: list[list[tuple[Any, Any]]] = field(default_factory=list)
    without: dict[str, int] = field(default_factory=dict)

    def count(self, oracle: str) -> int:
        """How many programs it has."""
        found = getattr(self, oracle)
        return len(found) if oracle == "interpreted" else sum(map(len, found))


@dataclass(frozen=True)
class Caught:
    """What became of a plant. number: of the program that showed it, counted over all oracles; 0: none did."""

    plant: Plant
    oracle: str = ""
    number: int = 0
    how: str = ""


# -- cases


def make_cases(count: int, number: int, compiled: bool = True) -> Cases:
    """So many programs: half of them interpreted, and where there is gcc a quarter each executed and with helpers.

    compiled: else, or without gcc, all are interpreted.
    """
    from tests.oracle.execution import GCC

    compiled = compiled and GCC is not None
    cases = Cases()
    for oracle, share in (("interpreted", count // 2), ("executed", count // 4), ("helpers", count // 4)):
        if oracle == "interpreted" or compiled:
            drawn = share if compiled else count
            cases.without[oracle] = _fill(cases, oracle, drawn, number)
    return cases


def _fill(cases: Cases, oracle: str, share: int, number: int) -> int:
    make = _interpreted if oracle == "interpreted" else _executed
    found = make(oracle, share, number)
    kept = [case for case, wrong in zip(found, _disagreeing(oracle, found), strict=True) if not wrong]
    if oracle == "interpreted":
        cases.interpreted = kept
    else:
        setattr(cases, oracle, [kept[start : start + BATCH] for start in range(0, len(kept), BATCH)])
    return share - len(kept)


def _interpreted(_: str, share: int, number: int) -> list[tuple[Any, Any]]:
    from hypothesis import strategies as st

    from tests.oracle.generate import (
        dense_programs,
        idiomatic_programs,
        pointed_programs,
        round_programs,
        switch_programs,
    )
    from tests.oracle.hunt import programs
    from tests.oracle.interpreter import RejectedError, judge
    from tests.oracle.programs import lower

    both = [make(loops=loops) for make in (dense_programs, idiomatic_programs) for loops in (True, False)]
    strategy = st.one_of(*both, *both, pointed_programs(), round_programs(), switch_programs())
    found = []
    for program in programs(strategy, share, number):
        function, _ = lower(program)
        try:
            found.append((function, judge(function, max_runs=400)))
        except RejectedError:
            continue
    return found


def _executed(oracle: str, share: int, number: int) -> list[tuple[Any, Any]]:
    from hypothesis import strategies as st

    from tests.oracle.execution import execute
    from tests.oracle.hunt import SORTS, programs, source_for, with_clear_truth

    sorts = ("helpers", "slips") if oracle == "helpers" else ("usual", "dense", "rounds", "switches")
    drawn = with_clear_truth(programs(st.one_of(*(SORTS[sort]() for sort in sorts)), share, number))
    sources = [source_for(program, index) for index, program in enumerate(drawn)]
    ran = [one for start in range(0, len(sources), 100) for one in execute(sources[start : start + 100])]
    return list(zip(sources, ran, strict=True))


# -- judging: what runs with a mistake planted


def _disagreeing(oracle: str, cases: Sequence[tuple[Any, Any]]) -> list[str]:
    """For each case how the tool disagrees, in a word; "" where it agrees."""
    if oracle == "interpreted":
        return [_wrong(function, truth) for function, truth in cases]
    from tests.oracle.execution import compare, state

    found = []
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        said = state([source for source, _ in batch])
        for (source, ran), stated in zip(batch, said, strict=True):
            wrong = compare(source, ran, stated)
            found.append(wrong[0].kind if wrong else "")
    return found


def _wrong(function: Any, truth: Any) -> str:
    from tests.oracle.compare import compare, run_engine

    said = compare(run_engine(function), truth)
    if said.missing:
        return "missed"
    if truth.complete and said.extra:
        return "false alarm"
    return "verdict" if truth.complete and said.verdicts else ""


def _batches(cases: Cases, oracle: str) -> Iterator[Sequence[tuple[Any, Any]]]:
    found = getattr(cases, oracle)
    if oracle == "interpreted":
        yield from ([case] for case in found)
    else:
        yield from found


def look(plant: Plant, cases: Cases) -> Caught:
    """Until the first program on which the tool disagrees; a crash counts, for a user would see it."""
    first = FIRST.get(plant.part, "interpreted")
    number = 0
    for oracle in (first, *(other for other in ORACLES if other != first)):
        for batch in _batches(cases, oracle):
            try:
                wrong = _disagreeing(oracle, batch)
            except Exception as error:
                return Caught(plant, oracle, number + 1, f"crash: {type(error).__name__}")
            for position, how in enumerate(wrong, 1):
                if how:
                    return Caught(plant, oracle, number + position, how)
            number += len(batch)
    return Caught(plant)


def child(file: Path, name: str) -> Caught:
    """In a process of its own: plant, then look."""
    plant = next(plant for plant in PLANTS if plant.name == name)
    install(plant)
    with file.open("rb") as stream:
        cases = pickle.load(stream)
    return look(plant, cases)


# -- the run


def run(plants: Sequence[Plant], cases: Cases, folder: Path, told: Callable[[Caught], None]) -> list[Caught]:
    """Look for each plant, one process after the other. told: hears of each result."""
    file = folder / "cases.pickle"
    with file.open("wb") as stream:
        pickle.dump(cases, stream)
    found = []
    for plant in plants:
        command = [sys.executable, "-m", "tests.oracle.planting", str(file), plant.name]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{plant.name}: {done.stderr[-3000:]}")
        oracle, number, how = done.stdout.splitlines()[-1].split("\t")
        found.append(Caught(plant, oracle, int(number), how))
        told(found[-1])
    return found


def main() -> None:
    """Print what `child` finds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("name")
    options = parser.parse_args()
    caught = child(options.file, options.name)
    sys.stdout.write(f"{caught.oracle}\t{caught.number}\t{caught.how}\n")


if __name__ == "__main__":
    main()
