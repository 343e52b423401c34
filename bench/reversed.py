"""Real fixes the other way round: is the leak that a fix removed *introduced* when the fix is taken back?

    python bench/reversed.py --corpus DIR --mirror DIR --work DIR [--id ID ...] [--all]

The folders are those of bench/fixes.py, and so is what counts as found in a single file. For each record whose file has
the finding before the fix, and no longer has it afterwards, `mustfree diff FIXED UNFIXED` is run. One row for each:

introduced    the finding of the single run is reported as introduced, with all of its loss points
at the step   and it stands where the reversed fix changed something: on a line that is new or changed, or where lines
              were removed

A record that keeps the finding after its fix (unchanged, of course) and one that is not found at all are counted only.
What the file loses at the same place with the fix, too, is another loss than the record's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixes import KINDS, Record, load_script
from harness import ROOT, environment, markdown, share

sys.path.insert(0, str(ROOT))

from analyzer.change.lines import LineMap, line_map

Finding = dict[str, Any]


@dataclass(frozen=True)
class Reversal:
    """What was seen of one record. state: not found, still found, kept from view, introduced, elsewhere.

    place: line, message and what the tool says of the change.
    """

    record: Record
    state: str
    place: str = ""


def on_changed(lines: LineMap, line: int) -> bool:
    """Whether a line of the head side is new or changed, or stands where lines were removed."""
    return line in lines.added or any(line == one.before for one in lines.deletions)


def points(finding: Finding) -> set[str]:
    """Fingerprints of its loss points."""
    return {point["fingerprint"] for point in finding["loss_points"]}


def verdict(record: Record, wanted: Sequence[Finding], reported: Sequence[Finding], lines: LineMap) -> Reversal:
    """How the change reports what the single run found. lines: of the file, from the fixed to the unfixed text."""
    new = [one for one in reported if one["state"] == "new"]
    for finding in wanted:
        found = [one for one in new if one["check"] == finding["check"] and points(one) & points(finding)]
        missing = points(finding) - set().union(*map(points, found))
        if missing:
            states = sorted({one["state"] for one in reported if points(one) & missing}) or ["not reported"]
            at = finding["at"]["line"]
            return Reversal(record, "kept from view", f"line {at}: {finding['message']}: {', '.join(states)}")
        for one in found:
            at = one["at"]
            if at["file"] != finding["at"]["file"] or not on_changed(lines, at["line"]):
                return Reversal(record, "elsewhere", f"line {at['line']}: {one['message']}: {one['change']}")
    one = next(one for one in new if points(one) & points(wanted[0]))
    return Reversal(record, "introduced", f"line {one['at']['line']}: {one['message']}: {one['change']}")


class Runner:
    """Materialises both sides and runs the tool on them."""

    def __init__(self, script: Any, mirror: Path, work: Path, timeout: float) -> None:
        self.script = script
        self.mirror = mirror
        self.work = work
        self.timeout = timeout

    def reversal(self, record: Record) -> Reversal:
        """One record."""
        sides = [self.script.prepare(record, side, str(self.mirror), str(self.work)) for side in ("after", "before")]
        (fixed, unfixed), (old, new) = sides, [Path(side["root"]).resolve() for side in sides]
        flags = ["-I" + str(Path(f[2:]).resolve()) if f.startswith("-I") else f for f in unfixed["flags"]]
        single = self._run(new, ["check", unfixed["file"]], flags)["findings"]
        wanted = self._strict(record, "before", unfixed, single)
        if not wanted:
            return Reversal(record, "not found")
        reported = self._run(new, ["diff", str(old), str(new)], flags)["findings"]
        after = self._run(old, ["check", fixed["file"]], [flag.replace(str(new), str(old)) for flag in flags])
        if self._strict(record, "after", fixed, after["findings"]):
            return Reversal(record, "still found")
        kept = {(one["check"], one["function"], one["message"]) for one in after["findings"]}
        wanted = [one for one in wanted if (one["check"], one["function"], one["message"]) not in kept]
        if not wanted:
            return Reversal(record, "still found")
        texts = [Path(side["file"]).read_bytes() for side in sides]
        return verdict(record, wanted, reported, line_map(*texts))

    def _strict(self, record: Record, side: str, info: dict[str, Any], findings: Sequence[Finding]) -> list[Finding]:
        """The findings that are the record's."""
        text = Path(info["file"]).read_text(encoding="utf-8", errors="replace")
        span = self.script.find_function(text, record["function"])
        found = []
        for one in findings:
            at, name = one["at"], Path(info["file"]).name
            told = {"rule": one["check"], "line": at["line"], "file": Path(at["file"]).name, "msg": one["message"]}
            judged = self.script.judge(record, side, [told | {"kind": KINDS[one["check"]]}], span)
            if judged["strict"] and Path(at["file"]).name == name:
                found.append(one)
        return found

    def _run(self, folder: Path, arguments: Sequence[str], flags: Sequence[str]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as place:
            out = Path(place) / "out.json"
            command = [sys.executable, "-m", "analyzer", *arguments, "-q", "--no-cache", "--json", str(out)]
            done = subprocess.run(
                [*command, "--", *flags],
                cwd=folder, env=environment(), capture_output=True, text=True, errors="replace",
                timeout=self.timeout, check=False,
            )  # fmt: skip
            if not out.exists():
                raise RuntimeError(f"{arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
            found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
            return found


STATES = ("not found", "still found", "kept from view", "elsewhere", "introduced")


def tables(reversals: Sequence[Reversal], everything: bool) -> str:
    """Totals by quality of the records, then each one."""
    rows: list[list[object]] = []
    for quality in ["all", *sorted({one.record["quality"] for one in reversals})]:
        group = [one for one in reversals if quality in ("all", one.record["quality"])]
        counts = {state: sum(one.state == state for one in group) for state in STATES}
        told = counts["elsewhere"] + counts["introduced"]
        reversed_ = told + counts["kept from view"]
        rows.append(
            [
                quality,
                len(group),
                counts["not found"],
                counts["still found"],
                reversed_,
                share(told, reversed_),
                share(counts["introduced"], reversed_),
            ]
        )
    head = ["quality", "records", "not found", "found after the fix, too", "reversed", "introduced", "at the step"]
    text = markdown(head, rows)
    shown = [one for one in reversals if everything or one.state in ("kept from view", "elsewhere")]
    lines = [[one.record["id"], one.state, one.place] for one in shown]
    return text + ("\n\n" + markdown(["record", "state", "place"], lines) if lines else "")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--id", action="append", default=[], help="only this record (repeatable)")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one run")
    parser.add_argument("--all", action="store_true", help="list every record")
    options = parser.parse_args()
    script = load_script(options.corpus.resolve())
    records = script.load_records(str(options.corpus / "leakfixes.yaml"))
    records = [record for record in records if not options.id or record["id"] in options.id]
    runner = Runner(script, options.mirror.resolve(), options.work.resolve(), options.timeout)
    found = []
    for number, record in enumerate(records, 1):
        try:
            found.append(runner.reversal(record))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            found.append(Reversal(record, "kept from view", f"no result: {str(error).splitlines()[-1][:150]}"))
        one = found[-1]
        print(f"{number}/{len(records)} {record['id']}: {one.state}: {one.place}", file=sys.stderr, flush=True)
    print(tables(found, options.all))
    return 0


if __name__ == "__main__":
    sys.exit(main())
