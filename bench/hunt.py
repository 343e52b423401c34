"""Look for mistakes: generated C programs, executed for every decision, against what the tool says of them.

    python bench/hunt.py [--count 500] [--seed 1] [--programs SORT] [--kind "false alarm"] [--out DIR]

Needs gcc. Prints each disagreement, shrunk; --out writes each as a C file. Sorts of programs: usual ones; dense ones,
without sense; with helpers in their own file; helpers with slips in the paths on which one gives nothing; loops whose
rounds differ; switches that are asked again; a variable that has a second name through a pointer.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from harness import ROOT

sys.path.insert(0, str(ROOT))

from tests.oracle.hunt import (
    ORDER,
    SORTS,
    as_fixture,
    differences,
    hunt,
    programs,
    shrink,
    source_for,
    still_wrong,
    with_clear_truth,
)


def main() -> int:
    """Run, shrink, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", choices=sorted(SORTS), default="usual", help="what sort of programs")
    parser.add_argument("--kind", action="append", default=[], help="only this kind of disagreement (repeatable)")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--tries", type=int, default=200, help="programs tried to make one smaller")
    parser.add_argument("--most", type=int, default=20, help="disagreements shrunk")
    options = parser.parse_args()
    found = with_clear_truth(programs(SORTS[options.programs](), options.count, options.seed))
    print(f"{len(found)} programs with a clear truth")
    kinds: Counter[str] = Counter()
    seen: set[str] = set()
    for program, wrong in hunt(found):
        kinds_of = [item.kind for item in wrong if not options.kind or item.kind in options.kind]
        if not kinds_of:
            continue
        kind = min(kinds_of, key=ORDER.index)
        kinds[kind] += 1
        print(flush=True)
        print(f"-- {[f'{item.kind}: {item.what}' for item in wrong]}")
        if sum(kinds.values()) > options.most:
            continue
        small = shrink(program, lambda batch, kind=kind: still_wrong(batch, kind), options.tries)
        source = source_for(small, 0)
        text = as_fixture(source, differences([source])[0])
        if text in seen:
            continue
        seen.add(text)
        print(text)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            name = f"{kind.replace(' ', '-')}-{options.programs}-{options.seed}-{kinds[kind]}.c"
            (options.out / name).write_text(text)
    print(dict(kinds))
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
