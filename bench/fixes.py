"""Recall on real fixes: is the leak found before the fix, and is it silent after it?

    python bench/fixes.py --corpus DIR --mirror DIR --work DIR [--id ID ...] [--quality A] [--won]

--corpus is a folder with the records (leakfixes.yaml) and their script (leakfixes.py), --mirror one with
bare clones of the repositories, --work one for the files taken out of them. The default options of `check`
are used. A record counts as found when a fitting finding in the function names the variable or is within
three lines of the recorded acquisition or loss; a pair is won when none is left after the fix.
Extra compiler flags for every file come from $LEAKFIXES_CFLAGS.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import VERDICTS, Checked, check, holder_key, markdown, share

Record = dict[str, Any]

KINDS = {
    "leak": "leak",
    "double-release": "double",
    "use-after-release": "uaf",
    "wrong-release": "mismatch",
    "uninitialized-release": "other",
}
"""Check -> kind in the words of the records."""


@dataclass(frozen=True)
class Pair:
    """What was seen of one record. reason: why the pair was not won."""

    record: Record
    found: bool
    in_function: bool
    silent: bool
    reason: str

    @property
    def won(self) -> bool:
        """Found before the fix and silent after it."""
        return self.found and self.silent


def load_script(folder: Path) -> ModuleType:
    """The records' own script."""
    spec = importlib.util.spec_from_file_location("leakfixes", folder / "leakfixes.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder}: no leakfixes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Runner:
    """Runs the check on both sides of records."""

    def __init__(self, script: ModuleType, mirror: Path, work: Path, timeout: float) -> None:
        self.script = script
        self.mirror = mirror
        self.work = work
        self.timeout = timeout

    def pair(self, record: Record) -> Pair:
        """Both sides of one record."""
        try:
            before, seen = self._side(record, "before")
            after, _ = self._side(record, "after")
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return Pair(record, False, False, True, f"no result: {str(error).splitlines()[-1][:150]}")
        if before["strict"] and after["strict"]:
            line, message = after["findings"][0][1:3]
            reason = f"still reported after the fix: line {line}: {message}"
        else:
            reason = "" if before["strict"] else self._why(record, seen, before)
        return Pair(record, before["strict"], before["func"], not after["strict"], reason)

    def _side(self, record: Record, side: str) -> tuple[dict[str, Any], Checked]:
        info = self.script.prepare(record, side, str(self.mirror), str(self.work))
        source = Path(info["file"]).resolve()
        flags = ["-I" + str(Path(flag[2:]).resolve()) if flag.startswith("-I") else flag for flag in info["flags"]]
        seen = check([source], cwd=Path(info["root"]), flags=flags, timeout=self.timeout)
        span = self.script.find_function(source.read_text(encoding="utf-8", errors="replace"), record["function"])
        findings = [
            {
                "rule": finding["check"],
                "line": finding["at"]["line"],
                "file": Path(finding["at"]["file"]).name,
                "msg": finding["message"],
                "kind": KINDS[finding["check"]],
            }
            for finding in seen.findings
        ]
        return self.script.judge(record, side, findings, span), seen

    def _why(self, record: Record, seen: Checked, judged: dict[str, Any]) -> str:
        function = record["function"]
        notes = [n["kind"] for n in seen.notices if n["function"] == function]
        trouble = f" [{', '.join(sorted(set(notes)))}]" if notes else ""
        if judged["func"]:
            line, message = judged["findings"][0][1:3]
            return f"another finding in the function: line {line}: {message}{trouble}"
        acquisitions = [a for a in seen.acquisitions if a["function"] == function]
        meant = self._meant(record, acquisitions)
        if not meant:
            others = sorted({a["callee"] for a in acquisitions})
            return (
                f"no acquisition by {record['acquire']} seen"
                f" (seen: {', '.join(others) or 'none'}; needs: {record['needs']}){trouble}"
            )
        worst = min(meant, key=lambda a: VERDICTS.index(a["verdict"]))
        reason = f": {worst['reason']}" if worst["reason"] else ""
        hidden = " (finding not shown by default)" if worst["verdict"] == "leaked" else ""
        return f"line {worst['line']}: {worst['callee']}: {worst['verdict']}{reason}{hidden}{trouble}"

    def _meant(self, record: Record, acquisitions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        line = record.get("alloc_line") or -10
        near = [a for a in acquisitions if abs(a["line"] - line) <= 3]
        if near:
            return near
        variable = holder_key(record.get("variable") or "")
        return [a for a in acquisitions if a["callee"] == record["acquire"] or a["holder"] == variable]


def summary(pairs: Sequence[Pair]) -> str:
    """The table: all, by quality, by knowledge needed, by kind."""
    groups: list[tuple[str, list[Pair]]] = [("all", list(pairs))]
    for key in ("quality", "needs", "kind"):
        for value in sorted({pair.record[key] for pair in pairs}):
            groups.append((f"{key} {value}", [pair for pair in pairs if pair.record[key] == value]))
    rows = []
    for name, group in groups:
        won = sum(pair.won for pair in group)
        rows.append(
            [
                name,
                len(group),
                sum(pair.in_function for pair in group),
                sum(pair.found for pair in group),
                sum(pair.silent for pair in group),
                won,
                share(won, len(group)),
            ]
        )
    head = ["records", "number", "finding in the function", "found", "silent after", "won", "share won"]
    return markdown(head, rows)


def main() -> int:
    """Run the pairs and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--id", action="append", default=[], help="only this record (repeatable)")
    parser.add_argument("--quality", help="only these, say AB")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one side of one record")
    parser.add_argument("--won", action="store_true", help="list the won pairs too")
    options = parser.parse_args()
    script = load_script(options.corpus.resolve())
    records = [
        record
        for record in script.load_records(str(options.corpus / "leakfixes.yaml"))
        if (not options.id or record["id"] in options.id)
        and (not options.quality or record["quality"] in options.quality)
    ]
    if not records:
        parser.error("no record is left")
    runner = Runner(script, options.mirror.resolve(), options.work.resolve(), options.timeout)
    pairs = []
    for number, record in enumerate(records, 1):
        pairs.append(runner.pair(record))
        state = "won" if pairs[-1].won else "lost"
        print(f"{number}/{len(records)} {record['id']}: {state}", file=sys.stderr)
    print(summary(pairs))
    listed = sorted((p for p in pairs if options.won or not p.won), key=lambda p: p.record["quality"])
    rows = [
        [
            p.record["id"],
            p.record["quality"],
            p.record["variable"],
            "won" if p.won else "lost",
            "" if p.won else p.reason,
        ]
        for p in listed
    ]
    print("\n" + markdown(["record", "quality", "variable", "pair", "reason"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
