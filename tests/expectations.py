"""The marks of fixtures (`analyzer.trials.marks`), and what only our own fixtures keep to."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from analyzer.trials.marks import CHECKS, Expectation, Found, MarkError, difference, functions, read

__all__ = [
    "CHECKS",
    "Expectation",
    "Found",
    "MarkError",
    "difference",
    "fixture_programs",
    "functions",
    "read",
    "unnamed",
]


def unnamed(source: str, expected: Sequence[Expectation]) -> list[str]:
    """Where function names and marks disagree.

    A function whose name ends in ``_bad`` holds the mark of a finding that is there or should be (FN); in one
    that ends in ``_ok`` nothing but FP may stand, the mark of a finding that should not be there.
    """
    problems = []
    counts: Counter[str] = Counter()
    for span in functions(source):
        counts[span.name] += 1
        inside = [e for e in expected if e.word in CHECKS and span.first <= e.line <= span.last]
        true = [e for e in inside if e.known != "FP"]
        if span.name.endswith("_bad") and not true:
            problems.append(f"line {span.first}: {span.name} carries no mark")
        if span.name.endswith("_ok") and true:
            problems.append(f"line {true[0].line}: {span.name} carries //~ {true[0]}")
    problems += [f"{name} is defined {count} times" for name, count in counts.items() if count > 1]
    return problems


def fixture_programs(root: Path) -> list[tuple[Path, ...]]:
    """What is analysed together: one file each; below units/ and incident/ all files of a folder."""
    files = sorted(p for p in root.rglob("*.c") if p.relative_to(root).parts[0] not in ("frontend", "include"))
    folders: dict[Path, list[Path]] = {}
    for path in files:
        together = path.relative_to(root).parts[0] in ("units", "incident")
        folders.setdefault(path.parent if together else path, []).append(path)
    return [tuple(paths) for _, paths in sorted(folders.items())]
