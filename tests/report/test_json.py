import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from analyzer.findings.model import Acquisition, Suppression, Verdict
from analyzer.report.json_report import json_report
from analyzer.report.verdicts import verdicts_csv, verdicts_json, verdicts_text
from tests.report.samples import EMPTY, ESCAPED, LEAK, REPORT

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("report", [REPORT, EMPTY])
@pytest.mark.parametrize("everything", [False, True])
def test_reports_fit_the_published_schema(report, everything):
    content = json.loads(json_report(report, everything))
    VALIDATOR.validate(content)
    assert len(content["findings"]) == content["summary"]["shown"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c.pop("version"),
        lambda c: c["findings"][0]["at"].update(line=0),
        lambda c: c["findings"][0].update(check="other"),
        lambda c: c["acquisitions"][0].update(verdict="lost"),
        lambda c: c.update(extra=1),
    ],
)
def test_the_schema_rejects_what_is_wrong(spoil):
    content = json.loads(json_report(REPORT))
    spoil(content)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(content)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_in_the_schema(verdict):
    VALIDATOR.validate(json.loads(json_report(replace(REPORT, acquisitions=(replace(ESCAPED, verdict=verdict),)))))


def test_the_exit_status_is_the_one_of_the_process():
    assert json.loads(json_report(EMPTY))["summary"]["exit_status"] == 0
    assert json.loads(json_report(REPORT))["summary"]["exit_status"] == 2


def test_undecodable_file_names_are_escaped():
    odd = replace(LEAK, at=replace(LEAK.at, file="a\udcff\x1b.c"))
    content = json.loads(json_report(replace(REPORT, findings=(odd,))))
    assert content["findings"][0]["at"]["file"] == "a\\udcff\\x1b.c"


def test_verdict_table_ends_with_totals():
    lines = verdicts_text(REPORT).splitlines()
    assert lines[1] == "src/a.c:3:12: f(): malloc() ret (p): escaped: keep()"
    assert lines[2:] == ["2 acquisitions", "      1  leaked", "      1  escaped"]


def test_verdicts_as_csv_and_json_agree():
    rows = verdicts_csv(REPORT).split("\r\n")
    assert rows[0] == "file,line,column,function,callee,slot,holder,kind,verdict,reason,limits"
    assert rows[2] == "src/a.c,3,12,f,malloc,ret,p,heap,escaped,keep(),"
    content = json.loads(verdicts_json(REPORT))
    assert content["totals"] == {"leaked": 1, "escaped": 1}
    assert content["acquisitions"][1]["reason"] == "keep()"


def test_a_spreadsheet_sees_no_formula():
    hostile = Acquisition(replace(ESCAPED.at, file="=cmd()"), "f", "m", "ret", "p", "k", Verdict.RELEASED)
    assert verdicts_csv(replace(REPORT, acquisitions=(hostile,))).split("\r\n")[1].startswith("'=cmd()")


def test_suppressed_findings_stand_apart():
    allowed = replace(LEAK, suppression=Suppression(LEAK.at, "because", ""), point="11" * 32)
    content = json.loads(json_report(replace(REPORT, findings=(allowed,))))
    VALIDATOR.validate(content)
    assert content["findings"] == []
    assert content["summary"]["suppressed"] == 1
    (found,) = content["suppressed"]
    assert found["suppression"]["reason"] == "because"
    point = {"fingerprint": "11" * 32, "at": found["at"], "variants": [], "growth": "per message"}
    assert found["loss_points"] == [point]
