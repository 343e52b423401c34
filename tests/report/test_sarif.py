"""The SARIF log against the standard's schema, and against what consumers are known to need."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from analyzer.checks import CHECKS
from analyzer.findings.model import Fix, Level, Notice, NoticeKind, Replacement, Report, Suppression
from analyzer.findings.points import merge
from analyzer.report.line_hash import line_hashes
from analyzer.report.sarif import SarifOptions, sarif_report
from tests.report.samples import CONDITION, EMPTY, LEAK, REPORT, SOURCE, UNSURE

SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def write(report, **options):
    return sarif_report(report, SarifOptions("/work/project", lambda file: SOURCE, **options))


def run_of(report, **options):
    log = json.loads(write(report, **options))
    VALIDATOR.validate(log)
    return log["runs"][0]


@pytest.mark.parametrize("report", [REPORT, EMPTY, Report()])
@pytest.mark.parametrize("everything", [False, True])
def test_fits_the_standard(report, everything):
    VALIDATOR.validate(json.loads(write(report, everything=everything)))


def test_same_report_same_bytes():
    assert write(REPORT) == write(REPORT)


def test_head_of_the_log():
    log = json.loads(write(REPORT))
    assert list(log)[:2] == ["$schema", "version"]
    assert log["version"] == "2.1.0"
    assert "errata01" in log["$schema"]
    run = log["runs"][0]
    assert run["columnKind"] == "utf16CodeUnits"
    assert run["automationDetails"]["id"].endswith("/")
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///work/project/"


def test_a_run_without_findings_has_an_empty_list_of_results():
    assert run_of(EMPTY)["results"] == []


def test_all_rules_are_there_even_without_findings():
    driver = run_of(EMPTY)["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [check.id for check in CHECKS]
    for rule in driver["rules"]:
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"].startswith(f"# {rule['id']}\n")
        assert rule["defaultConfiguration"]["level"] in ("warning", "error")
        properties = rule["properties"]
        assert len(properties["tags"]) <= 10
        assert any(tag.startswith("external/cwe/cwe-") for tag in properties["tags"])
        assert isinstance(properties["security-severity"], str)
        assert 0 < float(properties["security-severity"]) <= 10
        assert rule["relationships"]


def test_a_result_says_everything_explicitly():
    result = run_of(REPORT)["results"][0]
    assert (result["ruleId"], result["ruleIndex"]) == ("leak", 0)
    assert (result["level"], result["kind"]) == ("warning", "fail")
    assert result["message"]["text"].startswith(LEAK.message + ". ")
    assert "rank" not in result
    assert "suppressions" not in result
    assert result["properties"]["confidence"] == "high"
    assert result["properties"]["growth"] == "per message"
    assert result["properties"]["growthReason"] == LEAK.growth_reason
    assert result["properties"]["cost"] == "3 bytes"
    assert "Growth: 3 bytes per message: lost in a loop that waits for an event in poll()." in result["message"]["text"]


def test_only_leaks_have_a_growth_class():
    other = replace(LEAK, check="double-release", growth=None, growth_reason="", cost="")
    result = run_of(replace(REPORT, findings=(other,)))["results"][0]
    assert not {"growth", "growthReason", "cost"} & result["properties"].keys()
    assert "Growth" not in result["message"]["text"]


def test_the_exit_code_is_that_of_the_findings_that_decide():
    log = run_of(replace(REPORT, notices=(), fail_on=("error",)))
    assert log["invocations"][0]["exitCode"] == 0


@pytest.mark.parametrize("level", list(Level))
def test_the_level_is_written_even_when_it_is_the_default(level):
    result = run_of(replace(REPORT, findings=(replace(LEAK, level=level),)))["results"][0]
    assert result["level"] == level.value


def test_exactly_one_location_with_four_numbers_and_a_relative_uri():
    (location,) = run_of(REPORT)["results"][0]["locations"]
    physical = location["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "src/a.c", "uriBaseId": "SRCROOT"}
    assert physical["region"] == {
        "startLine": 6,
        "startColumn": 3,
        "endLine": 6,
        "endColumn": 12,
        "snippet": {"text": "return -1"},
    }
    assert physical["contextRegion"] == {
        "startLine": 6,
        "endLine": 6,
        "snippet": {"text": "\t\treturn -1;"},
    }


def test_the_acquisition_is_step_1_and_related_location_1():
    result = run_of(REPORT)["results"][0]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    related = result["relatedLocations"][0]
    assert related["id"] == 1
    assert "[this call](1)" in result["message"]["text"]
    assert related["physicalLocation"] == steps[0]["location"]["physicalLocation"]
    last, primary = steps[-1]["location"]["physicalLocation"], result["locations"][0]["physicalLocation"]
    assert (last["artifactLocation"], last["region"]) == (primary["artifactLocation"], primary["region"])
    assert [step["executionOrder"] for step in steps] == [1, 2, 3]
    assert [step["importance"] for step in steps] == ["essential", "important", "essential"]
    assert all(step["nestingLevel"] == 0 for step in steps)


def test_both_fingerprints():
    prints = run_of(REPORT)["results"][0]["partialFingerprints"]
    assert prints == {
        "mustfree/v1": LEAK.fingerprint,
        "primaryLocationLineHash": line_hashes(SOURCE.decode())[5],
    }


def test_cwe_references_point_into_the_taxonomy():
    run = run_of(REPORT, everything=True)
    (taxonomy,) = run["taxonomies"]
    for result in run["results"]:
        (taxon,) = result["taxa"]
        assert taxonomy["taxa"][taxon["index"]]["id"] == taxon["id"]
    for rule in run["tool"]["driver"]["rules"]:
        for relation in rule["relationships"]:
            target = relation["target"]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]


def test_low_confidence_is_left_out_unless_asked_for():
    assert [result["ruleId"] for result in run_of(REPORT)["results"]] == ["leak"]
    both = run_of(REPORT, everything=True)["results"]
    assert [result["properties"]["confidence"] for result in both] == ["high", "low"]
    assert both[1]["properties"]["confidenceReason"] == UNSURE.confidence_reason


def test_notifications_say_what_was_not_analysed():
    run = run_of(REPORT)
    (invocation,) = run["invocations"]
    execution = invocation["toolExecutionNotifications"]
    configuration = invocation["toolConfigurationNotifications"]
    ids = [entry["descriptor"]["id"] for entry in execution + configuration]
    assert sorted(ids) == sorted([*(kind.value for kind in NoticeKind), "escaped"])
    assert "not-analysed" in [entry["descriptor"]["id"] for entry in execution]
    descriptors = run["tool"]["driver"]["notifications"]
    for entry in execution + configuration:
        reference = entry["descriptor"]
        assert descriptors[reference["index"]]["id"] == reference["id"]
        assert entry["level"] in ("note", "warning", "error")


def test_the_invocation_tells_its_result_and_nothing_about_the_user():
    (invocation,) = run_of(REPORT)["invocations"]
    assert invocation["exitCode"] == 2
    assert invocation["executionSuccessful"] is False
    assert set(invocation) == {
        "executionSuccessful",
        "exitCode",
        "workingDirectory",
        "toolExecutionNotifications",
        "toolConfigurationNotifications",
    }
    (clean,) = run_of(EMPTY)["invocations"]
    assert (clean["exitCode"], clean["executionSuccessful"]) == (0, True)


@pytest.mark.parametrize(
    ("file", "location"),
    [
        ("with space#?%.c", {"uri": "with%20space%23%3F%25.c", "uriBaseId": "SRCROOT"}),
        ("ü.c", {"uri": "%C3%BC.c", "uriBaseId": "SRCROOT"}),
        ("\udcff.c", {"uri": "%FF.c", "uriBaseId": "SRCROOT"}),
        ("/elsewhere/a.h", {"uri": "file:///elsewhere/a.h"}),
    ],
)
def test_uris(file, location):
    finding = replace(LEAK, at=replace(LEAK.at, file=file))
    result = run_of(replace(REPORT, findings=(finding,)))["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == location


def test_messages_cannot_smuggle_links_or_placeholders():
    finding = replace(LEAK, message="`x[f](9)` = {0}", callee="")
    text = run_of(replace(REPORT, findings=(finding,)))["results"][0]["message"]["text"]
    assert text.startswith("`x\\[f\\](9)` = {{0}}.")


def test_long_paths_keep_their_end():
    finding = replace(LEAK, steps=LEAK.steps[:1] * 3000 + LEAK.steps[-1:])
    result = run_of(replace(REPORT, findings=(finding,)))["results"][0]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert len(steps) == 1000
    assert steps[-1]["location"]["message"]["text"] == "lost: the function returns"


def test_a_file_that_cannot_be_read_again_only_lacks_the_line_hash():
    text = sarif_report(REPORT, SarifOptions("/work", lambda file: None))
    prints = json.loads(text)["runs"][0]["results"][0]["partialFingerprints"]
    assert list(prints) == ["mustfree/v1"]


def test_a_notice_without_file_has_no_location():
    notice = Notice(NoticeKind.FLAG, "", 0, "unknown flag")
    (invocation,) = run_of(replace(EMPTY, notices=(notice,)))["invocations"]
    assert "locations" not in invocation["toolConfigurationNotifications"][0]


def test_a_suppressed_finding_is_there_with_its_status_and_reason():
    allowed = Suppression(CONDITION, "the driver frees it", "2027-01-31")
    result = run_of(replace(REPORT, findings=(replace(LEAK, suppression=allowed),)))["results"][0]
    (suppression,) = result["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("inSource", "accepted")
    assert suppression["justification"] == "the driver frees it (until 2027-01-31)"
    assert suppression["location"]["physicalLocation"]["region"]["startLine"] == CONDITION.line


def test_loss_points_have_fingerprints_of_their_own():
    first, second = replace(LEAK, point="11" * 32), replace(LEAK, point="22" * 32, at=CONDITION)
    result = run_of(replace(REPORT, findings=(merge((first, second)),)))["results"][0]
    assert result["properties"]["lossPoints"] == ["22" * 32, "11" * 32]


def test_fixes():
    at = replace(LEAK.at, line=11, column=12, end_line=12, end_column=1)
    fix = Fix("call f(a[1]](x) {first}", "src/a b.c", (Replacement(at, " {\r\n"), Replacement(LEAK.at, "")))
    (result, *_) = run_of(Report(findings=(replace(LEAK, fixes=(fix,)),)))["results"]
    assert result["fixes"] == [
        {
            "description": {"text": "call f(a\\[1\\]\\](x) {{first}}"},
            "artifactChanges": [
                {
                    "artifactLocation": {"uri": "src/a%20b.c", "uriBaseId": "SRCROOT"},
                    "replacements": [
                        {
                            "deletedRegion": {"startLine": 11, "startColumn": 12, "endLine": 12, "endColumn": 1},
                            "insertedContent": {"text": " {\r\n"},
                        },
                        {
                            "deletedRegion": {
                                "startLine": LEAK.at.line,
                                "startColumn": LEAK.at.column,
                                "endLine": LEAK.at.end_line,
                                "endColumn": LEAK.at.end_column,
                            },
                            "insertedContent": {"text": ""},
                        },
                    ],
                }
            ],
        }
    ]
