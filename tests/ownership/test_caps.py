"""Every cap is an option, and its being met is in the report."""

from dataclasses import fields

import pytest

from analyzer.cli.check import check
from analyzer.findings.model import Verdict
from analyzer.ownership.limits import Cap, Limits
from analyzer.project.keys import KEYS
from analyzer.report.verdicts import verdicts_csv, verdicts_text
from analyzer.workspace import Settings, Workspace

LOOP = """#include <stdlib.h>
int use(const char *);
int f(int a, int b)
{
	char *p = malloc(3);
	int i;

	for (i = 0; i < a; i++)
		if (use("x") == b) {
			free(p);
			p = NULL;
		}
	free(p);
	return 0;
}
"""
# Whether `p` is freed is asked twice in other words: merged states cannot tell, a search can.
REFUTED = """#include <stdlib.h>
int use(void);
int f(int a)
{
	char *p = malloc(3);

	if (a > 5)
		use();
	if (a != 3)
		use();
	if (a > 3) {
		free(p);
		p = NULL;
	}
	if (a <= 3)
		free(p);
	return 0;
}
"""
LOST = """#include <stdlib.h>
int use(const char *);
int f(int a)
{
	char *p = malloc(3);

	while (use("x"))
		a++;
	if (use("y"))
		return -1;
	free(p);
	return 0;
}
"""
OUTCOMES = "#include <stdlib.h>\nint f(char **to)\n{\n\tchar *p = malloc(3);\n\n" + (
    "\tto[0] = malloc(1), to[1] = malloc(1), to[2] = malloc(1), to[3] = malloc(1);\n\tfree(p);\n\treturn 0;\n}\n"
)


def told(tmp_path, text, **limits):
    (tmp_path / "a.c").write_text(text)
    return Workspace(Settings(root=str(tmp_path), jobs=1, limits=Limits(**limits))).analyse(["a.c"])


def of_p(report):
    return next(one for one in report.acquisitions if one.holder == "p")


def test_each_cap_is_an_option_and_a_key():
    names = {field.name.replace("_", "-") for field in fields(Limits)}
    assert names <= {option[len("--max-") :] for parameter in check.params for option in parameter.opts}
    assert {f"max-{name}" for name in names} <= set(KEYS)
    assert {cap.value for cap in Cap} <= names


@pytest.mark.parametrize(
    ("text", "limits", "met", "verdict"),
    [
        (LOST, {"search": 1}, ("search",), Verdict.UNPROVEN),
        (LOST, {}, (), Verdict.LEAKED),
        (LOST, {"steps": 2}, ("steps",), Verdict.GAVE_UP),
        (LOOP, {"states": 1}, ("states",), Verdict.RELEASED),
        (LOOP, {}, (), Verdict.RELEASED),
        (OUTCOMES, {"ways": 1}, ("ways",), Verdict.RELEASED),
        (OUTCOMES, {}, (), Verdict.RELEASED),
    ],
)
def test_a_cap_that_is_met_is_told(tmp_path, text, limits, met, verdict):
    report = told(tmp_path, text, **limits)
    assert (of_p(report).met, of_p(report).verdict) == (met, verdict)
    shown = "".join(f" (met --max-{name})" for name in met)
    assert f"{verdict.value}{shown}" in verdicts_text(report) or verdict is Verdict.GAVE_UP
    assert f",{' '.join(met)}\r\n" in verdicts_csv(report)


def test_an_alarm_that_a_search_refutes_leaves_no_doubt(tmp_path):
    assert of_p(told(tmp_path, REFUTED)).verdict is Verdict.RELEASED


def test_more_acquisitions_than_allowed_are_told(tmp_path):
    report = told(tmp_path, OUTCOMES, acquisitions=2)
    assert [notice.message for notice in report.notices] == ["analysed in part: more than 2 acquisitions"]
