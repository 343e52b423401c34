"""`mustfree baseline update` and `mustfree check --baseline`."""

import json

from tests.cli.conftest import LEAK

MORE = LEAK.replace("if (n > 3)", "if (n == 7)\n\t\treturn -7;\n\tif (n > 3)")


def test_only_what_is_new_is_reported(mustfree, project):
    outcome = mustfree("baseline", "update", "known.json", ".")
    assert (outcome.status, outcome.out) == (0, "known.json: 1 loss points; 1 new, 0 gone\n")
    outcome = mustfree("check", "--baseline", "known.json", ".")
    assert (outcome.status, outcome.out, outcome.err) == (0, "0 findings in 2 files; 1 known\n", "")
    (project / "leak.c").write_text("\n\n" + MORE)
    outcome = mustfree("check", "--baseline", "known.json", ".")
    assert outcome.status == 1
    assert outcome.out.startswith("leak.c:14:3: warning[leak]:")
    assert outcome.last == "1 finding in 2 files; 1 known"


def test_what_is_mended_is_counted_and_leaves_at_the_next_update(mustfree, project):
    mustfree("baseline", "update", "known.json", ".")
    (project / "leak.c").write_text(LEAK.replace("\t\treturn -2;", "\t{\n\t\tfree(p);\n\t\treturn -2;\n\t}"))
    outcome = mustfree("check", "--baseline", "known.json", ".")
    assert (outcome.status, outcome.last) == (0, "0 findings in 2 files; 1 gone since the baseline")
    assert mustfree("baseline", "update", "known.json", ".").out == "known.json: 0 loss points; 0 new, 1 gone\n"
    assert json.loads((project / "known.json").read_text())["loss_points"] == []


def test_our_sarif_log_is_a_baseline(mustfree, project):
    assert mustfree("check", ".", "--sarif", "old.sarif").status == 1
    assert mustfree("check", ".", "--baseline", "old.sarif", "--sarif", "new.sarif").status == 0
    (result,) = json.loads((project / "new.sarif").read_text())["runs"][0]["results"]
    assert result["baselineState"] == "unchanged"


def test_an_update_of_one_file_keeps_the_others(mustfree, project):
    (project / "other.c").write_text(LEAK.replace("f(", "h("))
    mustfree("baseline", "update", "known.json", ".")
    (project / "leak.c").write_text(MORE)
    assert mustfree("baseline", "update", "known.json", "leak.c").out == "known.json: 3 loss points; 1 new, 0 gone\n"


def test_a_missing_baseline_is_an_error(mustfree):
    outcome = mustfree("check", "--baseline", "nowhere.json", ".")
    assert outcome.status == 2
    assert "`mustfree baseline update nowhere.json PATH...` writes it" in outcome.err


def test_an_update_says_what_it_could_not_see(mustfree, project):
    (project / "broken.c").write_text("int f( { malloc(3);\n")
    outcome = mustfree("baseline", "update", "known.json", ".")
    assert outcome.status == 3
    assert "broken.c" in outcome.err
    assert mustfree("baseline", "update", "known.json", "missing.c").status == 2
    assert mustfree("baseline", "update", "known.json").status == 2


def test_another_version_is_told(mustfree, project):
    mustfree("baseline", "update", "known.json", ".")
    text = (project / "known.json").read_text()
    (project / "known.json").write_text(text.replace('"mustfree": "', '"mustfree": "9'))
    outcome = mustfree("check", "--baseline", "known.json", ".")
    assert outcome.status == 0
    assert outcome.err.startswith("known.json: note: written with mustfree 9")
