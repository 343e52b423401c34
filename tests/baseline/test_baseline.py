"""Baseline files, and reports compared with them."""

import json
from dataclasses import replace

import jsonschema
import pytest

from analyzer.baseline import Baseline, Entry, baseline_text, compare, read_baseline, updated
from analyzer.errors import MustfreeError
from analyzer.findings.model import Notice, NoticeKind, Report, State, Suppression
from analyzer.findings.points import loss_points, merge
from analyzer.report.json_report import json_report
from analyzer.report.sarif import SarifOptions, sarif_report
from analyzer.report.summary import exit_status, shown_findings, summarise
from tests.report.samples import LEAK, SOURCE, VERSIONS
from tests.report.test_json import VALIDATOR as JSON
from tests.report.test_sarif import VALIDATOR as SARIF


def point(name, line=1, file="src/a.c", **changes):
    return replace(LEAK, at=replace(LEAK.at, line=line, file=file), point=name, **changes)


def report(*findings, seen=("src/a.c", "src/b.c"), notices=()):
    return Report(findings=findings, seen=seen, versions=VERSIONS, notices=tuple(notices), files=2)


def baseline(*points):
    return updated(report(*points), Baseline(), exists)


def exists(file):
    return file != "deleted.c"


def states(compared):
    return {(p.point, p.at.file): finding.state.value for finding in compared.findings for p in loss_points(finding)}


def test_new_unchanged_absent():
    known = baseline(point("a"), point("b"))
    compared = compare(report(point("b"), point("c", 3)), known, exists, "k.json")
    assert states(compared) == {
        ("a", "src/a.c"): "absent",
        ("b", "src/a.c"): "unchanged",
        ("c", "src/a.c"): "new",
    }
    assert [finding.point for finding in shown_findings(compared, everything=True)] == ["c"]
    summary = summarise(compared)
    assert (summary.shown, summary.known, summary.gone, summary.hidden, exit_status(summary)) == (1, 1, 1, 0, 1)
    assert compared.notices == ()


def test_what_is_known_is_success():
    known = baseline(point("a"))
    assert exit_status(summarise(compare(report(point("a")), known, exists, "k"))) == 0


def test_a_new_loss_point_of_a_known_finding_is_new():
    known = baseline(point("a"))
    compared = compare(report(merge([point("a"), point("b", 2)])), known, exists, "k")
    assert states(compared) == {("a", "src/a.c"): "unchanged", ("b", "src/a.c"): "new"}
    (new,) = shown_findings(compared, everything=True)
    assert (new.at.line, new.message) == (2, LEAK.message)


def test_equal_fingerprints_are_counted():
    known = baseline(point("a"))
    compared = compare(report(point("a", file="src/b.c"), point("a")), known, exists, "k")
    assert states(compared) == {("a", "src/a.c"): "unchanged", ("a", "src/b.c"): "new"}


def test_a_moved_loss_point_is_known():
    known = baseline(point("a", file="src/b.c"))
    assert states(compare(report(point("a")), known, exists, "k")) == {("a", "src/a.c"): "unchanged"}


@pytest.mark.parametrize(
    ("file", "notices", "gone"),
    [
        ("src/a.c", [], True),
        ("deleted.c", [], True),
        ("other.c", [], False),
        ("src/a.c", [Notice(NoticeKind.NOT_ANALYSED, "src/a.c", 0, "x")], False),
    ],
)
def test_gone_is_only_what_was_looked_for(file, notices, gone):
    known = baseline(point("a", file=file))
    now = report(notices=notices)
    assert bool(compare(now, known, exists, "k").findings) is gone
    assert bool(updated(now, known, exists).entries) is not gone


def test_a_suppressed_finding_is_no_part_of_a_baseline():
    allowed = Suppression(LEAK.at, "x")
    assert baseline(point("a", suppression=allowed)).entries == ()
    compared = compare(
        report(replace(merge([point("a"), point("b", 2)]), suppression=allowed)), baseline(point("a")), exists, "k"
    )
    assert [finding.suppression for finding in compared.findings] == [allowed, allowed]


def test_other_versions_are_told():
    known = replace(baseline(point("a")), versions=(("mustfree", "0.0.1"), ("pack libc", "1")))
    (notice,) = compare(report(point("a")), known, exists, "k.json").notices
    assert notice.kind is NoticeKind.BASELINE
    assert "mustfree 0.0.1 instead of 9.9.9, libclang none instead of 18.1.1" in notice.message
    assert "mustfree baseline update k.json" in notice.message


def test_the_file_can_be_read_again_and_has_no_lines(tmp_path):
    known = baseline(point("a", 4711), point("b", 4712, file="src/b.c"))
    text = baseline_text(known)
    assert "471" not in text
    assert sum('"fingerprint"' in line for line in text.splitlines()) == 2
    (tmp_path / "k.json").write_text(text)
    assert read_baseline(tmp_path / "k.json") == known
    (tmp_path / "k.json").write_text(baseline_text(Baseline()))
    assert read_baseline(tmp_path / "k.json") == Baseline()


def test_a_sarif_log_is_a_baseline(tmp_path):
    known = baseline(point("old"))
    allowed = point("allowed", 7, suppression=Suppression(LEAK.at, "x"))
    compared = compare(
        report(merge([point("a"), point("b", 2)]), point("c", file="src/ü b.c"), allowed), known, exists, "k"
    )
    text = sarif_report(compared, SarifOptions("/project", lambda file: SOURCE))
    SARIF.validate(json.loads(text))
    results = json.loads(text)["runs"][0]["results"]
    assert sorted(result["baselineState"] for result in results) == ["absent", "new", "new", "new"]
    (tmp_path / "k.sarif").write_text(text)
    read = read_baseline(tmp_path / "k.sarif")
    assert {(entry.file, entry.fingerprint) for entry in read.entries} == {
        ("src/a.c", "a"),
        ("src/a.c", "b"),
        ("src/ü b.c", "c"),
    }
    assert {entry.function for entry in read.entries} == {"f"}
    assert dict(read.versions) == dict(VERSIONS)


def test_without_a_baseline_there_is_no_state():
    text = sarif_report(report(point("a")), SarifOptions("/project", lambda file: SOURCE))
    assert "baselineState" not in text


def test_the_json_report_lists_known_and_gone():
    compared = compare(
        report(point("a" * 64), point("b" * 64)), baseline(point("b" * 64), point("c" * 64)), exists, "k"
    )
    content = json.loads(json_report(compared))
    JSON.validate(content)
    assert [finding["state"] for finding in content["findings"]] == ["new"]
    assert [finding["state"] for finding in content["known"]] == ["unchanged"]
    assert [gone["loss_points"] for gone in content["gone"]] == [["c" * 64]]
    assert (content["summary"]["known"], content["summary"]["gone"]) == (1, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("[]", "damaged"),
        ("{}", "is no baseline: neither"),
        ('{"format": "mustfree-baseline", "version": 9}', "version 9"),
        ('{"format": "mustfree-baseline", "version": 1}', "damaged"),
        ('{"format": "mustfree-baseline", "version": 1, "tool": {}, "loss_points": [{}]}', "damaged"),
        ('{"runs": []}', "damaged"),
        ('{"runs": [{"tool": {"driver": {"name": "other"}}, "results": []}]}', "SARIF log of other"),
    ],
)
def test_what_is_no_baseline(tmp_path, text, told):
    (tmp_path / "k").write_text(text)
    with pytest.raises(MustfreeError, match=told):
        read_baseline(tmp_path / "k")


def test_entries_are_sorted():
    first, second = Entry("a.c", "g", "leak", "2"), Entry("b.c", "f", "leak", "1")
    assert baseline_text(Baseline((second, first))) == baseline_text(Baseline((first, second)))
    assert updated(report(), Baseline((second, first)), lambda file: True).entries == (first, second)


def test_the_schema_knows_the_states():
    content = json.loads(json_report(report(point("a" * 64, state=State.NEW))))
    content["findings"][0]["state"] = "fixed"
    with pytest.raises(jsonschema.ValidationError):
        JSON.validate(content)
