"""Packs tried on fixtures."""

from pathlib import Path

import pytest

from analyzer.contracts.packs import rules_directory
from analyzer.errors import MustfreeError
from analyzer.trials.trial import Trial, try_pack

PACK = """\
library: post
kinds: {parcel: {release: [parcel_drop], noun: parcel}}
declare: struct parcel;
functions:
  - c: int parcel_fetch(int counter, struct parcel **out)
    outcomes:
      - {when: ret > 0, then: [fresh *out parcel]}
      - {when: ret <= 0, then: [unchanged *out]}
  - c: void parcel_drop(struct parcel *parcel)
    then: [release parcel parcel]
borrows:
  - int parcel_weight(const struct parcel *parcel)
"""
FIXTURE = """\
#include "post.h"

int fetch_ok(int counter)
{
	struct parcel *parcel;
	int found = parcel_fetch(counter, &parcel);

	if (found <= 0)
		return found;
	found = parcel_weight(parcel);
	parcel_drop(parcel);
	return found;
}

int fetch_bad(int counter)
{
	struct parcel *parcel;

	if (parcel_fetch(counter, &parcel) > 0)
		return parcel_weight(parcel);		//~ leak: parcel
	return 0;
}

void drop_bad(int counter)
{
	struct parcel *parcel;

	if (parcel_fetch(counter, &parcel) > 0) {
		parcel_drop(parcel);
		parcel_drop(parcel);			//~ double-release: parcel
	}
}
"""


def tried(tmp_path: Path, pack: str = PACK, fixture: str = FIXTURE) -> Trial:
    (tmp_path / "post.yaml").write_text(pack.replace("declare:", 'headers: ["post.h"]\ndeclare:'))
    (tmp_path / "post.c").write_text(fixture)
    return try_pack(tmp_path / "post.yaml", tmp_path / "post.c", shipped=False)


def test_a_pack_whose_contracts_all_matter(tmp_path: Path):
    trial = tried(tmp_path)
    assert (trial.problems, trial.mutants, trial.survivors, trial.untried) == ((), 4, (), ())
    assert trial.passed
    assert [(one.contract.name, one.wrong, one.right) for one in trial.functions] == [
        ("parcel_drop", 1, 1),
        ("parcel_fetch", 2, 1),
        ("parcel_weight", 1, 1),
    ]


def test_what_no_mark_depends_on_is_said(tmp_path: Path):
    only = FIXTURE[FIXTURE.index("int fetch_bad") : FIXTURE.index("void drop_bad")]
    trial = tried(tmp_path, fixture='#include "post.h"\n' + only)
    assert trial.problems == ()
    assert [(one.contract.name, one.what) for one in trial.survivors] == [
        ("parcel_fetch", "`fresh *out parcel` also when ret <= 0"),
        ("parcel_fetch", "ret == 0 is the other case"),
        ("parcel_drop", "without `release parcel parcel`"),
    ]
    assert [one.contract.name for one in trial.untried] == ["parcel_drop"]
    assert not trial.passed


def test_findings_that_the_marks_do_not_ask_for(tmp_path: Path):
    trial = tried(
        tmp_path,
        fixture=FIXTURE.replace("		//~ leak: parcel", "").replace("return 0;", "return 0; //~ leak: other"),
    )
    assert [problem.split("//")[0] for problem in trial.problems] == ["line 20: unexpected ", "line 21: missing    "]
    assert trial.mutants == 0 and not trial.passed


def test_what_cannot_be_parsed_is_a_problem(tmp_path: Path):
    trial = tried(tmp_path, fixture=FIXTURE + "\nint broken_ok(void)\n{\n\treturn 1 +;\n}\n")
    assert len(trial.problems) == 1 and "parsed with errors" in trial.problems[0]


def test_a_function_that_is_not_called(tmp_path: Path):
    more = PACK.replace("borrows:", "  - c: void parcel_give(struct parcel *parcel)\n    then: [take parcel]\nborrows:")
    trial = tried(tmp_path, more)
    assert [one.contract.name for one in trial.untried] == ["parcel_give"]
    assert [one.what for one in trial.survivors] == ["without `take parcel`"]


def test_a_helper_of_the_fixture_takes_part(tmp_path: Path):
    """What is known of a helper depends on the contract that is weakened."""
    helper = "static void drop_it(struct parcel *parcel)\n{\n\tparcel_drop(parcel);\n}\n\nint fetch_ok"
    text = (
        FIXTURE[: FIXTURE.index("int fetch_bad")]
        .replace("int fetch_ok", helper)
        .replace("	parcel_drop(parcel);\n	return", "	drop_it(parcel);\n	return")
    )
    trial = tried(tmp_path, fixture=text.replace('#include "post.h"', '#include "post.h"\n//~ clean'))
    assert trial.problems == ()
    assert [one.contract.name for one in trial.survivors] == ["parcel_fetch"]


@pytest.mark.parametrize(("text", "said"), [("int x;\n", "has no mark"), ("int x; //~ lek: a\n", "unknown word 'lek'")])
def test_a_fixture_that_cannot_be_used(tmp_path: Path, text: str, said: str):
    with pytest.raises(MustfreeError, match=said):
        tried(tmp_path, fixture=text)


def test_a_shipped_pack():
    rules = rules_directory()
    trial = try_pack(rules / "libmnl.yaml", rules.parent / "fixtures" / "contracts" / "libmnl.c", shipped=True)
    assert trial.passed and trial.mutants > 20
    assert {one.contract.name for one in trial.functions if one.wrong and one.right} >= {"mnl_socket_open"}
