"""What settings make of findings, and the schema of the settings."""

import json
from pathlib import Path

import jsonschema
import pytest

from analyzer.findings.model import Confidence, Finding, Level, Region, Report, Withheld
from analyzer.program.discovery import fits
from analyzer.project.apply import apply
from analyzer.project.keys import CHECK_IDS, KEYS
from analyzer.report.summary import last_line, shown_findings, summarise

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "settings.schema.json").read_text())


def report(**fields):
    at = Region("x.c", 1, 1, 1, 2)
    return Report(
        tuple(
            Finding("leak", "exit", "lost", at, "f", "p", "malloc", (), confidence=confidence, **fields)
            for confidence in Confidence
        ),
        files=1,
    )


@pytest.mark.parametrize(
    ("floor", "shown"), [("low", 3), ("medium", 2), ("high", 1), ("", 2)], ids=["low", "medium", "high", "none"]
)
def test_the_floor_hides_and_counts(tmp_path, floor, shown):
    (tmp_path / "mustfree.toml").write_text(f'confidence = "{floor}"\n' if floor else "")
    done = apply(report(), str(tmp_path), everything=False, generated=False)
    assert len(shown_findings(done, True)) == shown
    assert summarise(done, True).hidden == 3 - shown
    assert ("hidden for low confidence" in last_line(summarise(done, True))) is (shown < 3)
    assert len(shown_findings(apply(report(), str(tmp_path), everything=True, generated=False), True)) == 3


def test_loss_points_follow_their_finding(tmp_path):
    (tmp_path / "mustfree.toml").write_text('checks = []\nlevels = {leak = "note"}\n')
    whole = report(points=(report().findings[0],))
    done = apply(whole, str(tmp_path), everything=True, generated=True).findings[0]
    assert (done.withheld, done.points[0].withheld) == (Withheld.OFF, Withheld.OFF)
    assert (done.level, done.points[0].level) == (Level.NOTE, Level.NOTE)


@pytest.mark.parametrize(
    ("path", "good"), [("/p/gen/x.c", True), ("/p/gen/deep/x.c", True), ("/p/generic.c", False), ("/p/x.c", False)]
)
def test_a_folder_stands_for_what_lies_below_it(path, good):
    assert fits(path, ["/p/gen/"]) is good


def test_the_schema_knows_the_same_keys_and_choices():
    properties = SCHEMA["properties"]
    assert set(properties) == set(KEYS)
    assert tuple(properties["checks"]["items"]["enum"]) == CHECK_IDS
    assert tuple(properties["levels"]["properties"]) == CHECK_IDS
    assert tuple(properties["confidence"]["enum"]) == KEYS["confidence"].choices
    assert tuple(properties["fail-on"]["items"]["enum"]) == KEYS["fail-on"].choices
    jsonschema.validate({"checks": ["leak"], "levels": {"leak": "note"}, "jobs": 2, "strict": True}, SCHEMA)


@pytest.mark.parametrize(
    "wrong", [{"chekcs": []}, {"jobs": -1}, {"strict": 1}, {"checks": ["x"]}, {"paths": "x"}, {"fail-on": ["bad"]}]
)
def test_the_schema_refuses_what_the_reader_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)
