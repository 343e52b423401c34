"""The test of the tests: mistakes planted in the tool, one at a time, and after how many programs the oracles see each.

    python bench/planted.py [--count 2000] [--seed 1] [--part join ...] [--name WORDS ...]

Half of the programs are interpreted; where there is gcc, a quarter each is executed, without and with helpers. For
each plant (tests/oracle/plants.py) the number of the first program is printed on which the tool then disagrees with
the truth though without the plant it agrees. The exit status is 1 when one is not seen, unless the list says why.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from harness import ROOT, markdown

sys.path.insert(0, str(ROOT))

from tests.oracle.planting import ORACLES, Caught, make_cases, run
from tests.oracle.plants import PARTS, PLANTS


def main() -> int:
    """Plant, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="programs for each plant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", action="append", default=[], choices=PARTS, help="only these (repeatable)")
    parser.add_argument(
        "--name", action="append", default=[], help="only those whose name has these words (repeatable)"
    )
    options = parser.parse_args()
    plants = [
        plant
        for plant in PLANTS
        if (not options.part or plant.part in options.part)
        and (not options.name or any(words in plant.name for words in options.name))
    ]
    if not plants:
        parser.error("no plant is left")

    def told(caught: Caught) -> None:
        print(f"{caught.number or 'NOT SEEN'} {caught.plant.part}: {caught.plant.name}", file=sys.stderr, flush=True)

    cases = make_cases(options.count, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        found = run(plants, cases, Path(folder), told)
    made = ", ".join(f"{cases.count(oracle)} {oracle}" for oracle in ORACLES)
    print(f"Seed {options.seed}; programs: {made} (left out: {sum(cases.without.values())}).\n")
    rows = [
        [one.plant.part, one.plant.name, one.number or "-", one.oracle or "not seen", one.how or one.plant.missed]
        for one in found
    ]
    print(markdown(["part", "planted", "seen at program", "by", "as"], rows))
    seen = sum(bool(one.number) for one in found)
    print(f"\n{seen} of {len(found)} are seen.")
    return 0 if all(one.number or one.plant.missed for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
