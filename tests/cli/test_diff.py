"""`mustfree diff`, and the incident as a git history: the acceptance test of the gate."""

import json
import shutil
from pathlib import Path

import pytest

from tests.change.conftest import Repository
from tests.cli.conftest import CLEAN, LEAK
from tests.report.test_json import VALIDATOR as JSON
from tests.report.test_sarif import VALIDATOR as SARIF

INCIDENT = Path(__file__).parents[2] / "fixtures" / "incident"


@pytest.fixture
def incident(project):
    """The incident in three commits: before, leaking, fixed."""
    for file in project.iterdir():
        file.unlink()
    repository = Repository(project)
    for name in ("before", "leaking", "fixed"):
        for file in (INCIDENT / name).iterdir():
            text = "".join(line for line in file.read_text().splitlines(True) if "//~" not in line)
            repository.put(file.name, text)
        repository.commit()
        repository.git("tag", name)
    return repository


def test_the_leaking_commit_is_stopped(mustfree, incident, project):
    outcome = mustfree("diff", "before", "leaking", "--sarif", "x.sarif", "--json", "x.json")
    assert outcome.status == 1
    assert outcome.last.startswith("3 introduced, 0 fixed, 0 unchanged in 6 files")
    heads = [line for line in outcome.out.splitlines() if "[leak]" in line]
    assert [head.split(": ")[0].rpartition(":")[0] for head in heads] == [*["receive.c:31"] * 2, "request.c:27"]
    sentence = "replaced nl_recvmsgs_default(), which frees the buffer itself, by nl_recv(), whose caller must"
    assert outcome.out.count(f"  change: this change {sentence}\n") == 3
    growth = "growth: 4 pages per message: lost in a loop that waits for a message in nl_recv()"
    assert outcome.out.count(f"  {growth}\n") == 1
    log, report = (json.loads((project / name).read_text()) for name in ("x.sarif", "x.json"))
    SARIF.validate(log)
    JSON.validate(report)
    assert {result["baselineState"] for result in log["runs"][0]["results"]} == {"new"}
    assert all(sentence in result["message"]["text"] for result in log["runs"][0]["results"])
    assert log["runs"][0]["properties"] == {"base": "before", "head": "leaking"}
    assert report["change"] == {"base": "before", "head": "leaking"}
    assert report["summary"]["exit_status"] == 1
    assert [finding["growth"] for finding in report["findings"]] == ["per message", "per message", "per error"]
    properties = [result["properties"] for result in log["runs"][0]["results"]]
    assert [one["growth"] for one in properties] == ["per message", "per message", "per error"]
    assert [result["level"] for result in log["runs"][0]["results"]] == ["error", "error", "warning"]
    assert properties[0]["growthReason"] == "lost in a loop that waits for a message in nl_recv()"
    assert [one.get("cost") for one in properties] == ["4 pages", None, "4 pages"]


@pytest.mark.parametrize(
    ("words", "status", "spared"),
    [(("per-message",), 1, 1), (("error",), 1, 1), (("per-error",), 1, 0), (("per-message", "warning"), 1, 0)],
)
def test_the_leaking_commit_is_stopped_for_what_it_loses_with_each_message(mustfree, incident, words, status, spared):
    options = [option for word in words for option in ("--fail-on", word)]
    outcome = mustfree("diff", "before", "leaking", *options, "--json", "-")
    summary = json.loads(outcome.out)["summary"]
    assert (outcome.status, summary["exit_status"], summary["spared"]) == (status, status, spared)


def test_what_is_lost_where_something_fails_need_not_stop_a_commit(mustfree, incident):
    """Of the leaking commit only the request, which loses its buffer where a message is too short."""
    incident.git("checkout", "-q", "before")
    incident.put("request.c", (INCIDENT / "leaking" / "request.c").read_text())
    incident.commit()
    assert mustfree("diff", "before", "HEAD").status == 1
    outcome = mustfree("diff", "before", "HEAD", "--fail-on", "per-message")
    assert outcome.status == 0
    assert outcome.last.startswith("1 introduced, 0 fixed, 0 unchanged in 6 files; 1 of them does not fail (--fail-on)")


def test_the_repair_is_seen(mustfree, incident):
    outcome = mustfree("diff", "leaking", "fixed")
    assert outcome.status == 0
    assert outcome.last.startswith("0 introduced, 3 fixed, 0 unchanged in 6 files")
    assert outcome.out.splitlines()[0].startswith("receive.c: fixed[leak]: in receive_loop(): `buf` from nl_recv()")


def test_over_both_nothing_is_left(mustfree, incident):
    assert mustfree("diff", "before", "fixed").last.startswith("0 introduced, 0 fixed, 0 unchanged in 6 files")
    assert mustfree("diff", "before...fixed", "--reach", "files").status == 0


def test_the_work_tree_against_a_revision(mustfree, incident, project):
    shutil.copy(INCIDENT / "leaking" / "request.c", project / "request.c")
    outcome = mustfree("diff", "fixed")
    assert outcome.status == 1
    assert outcome.last.startswith("1 introduced, 0 fixed")


def test_two_folders(mustfree, project):
    for name, text in (("old", CLEAN), ("new", LEAK)):
        (project / name).mkdir()
        (project / name / "a.c").write_text(text)
    outcome = mustfree("diff", "old", "new")
    assert outcome.status == 1
    assert outcome.out.startswith("a.c:12:3: warning[leak]")
    assert mustfree("diff", "new", "old").status == 0
    assert mustfree("diff", "new", "new").last == "0 introduced, 0 fixed, 0 unchanged in 0 files"


def test_a_patch_file(mustfree, project):
    (project / "p.patch").write_text("--- a/leak.c\n+++ b/leak.c\n@@ -12,2 +12,1 @@\n \t\treturn -2;\n-\tfree(p);\n")
    outcome = mustfree("diff", "p.patch")
    assert outcome.status == 1
    assert outcome.last == "1 introduced, 0 fixed, 1 unchanged in 1 file"
    assert "  change: this change removed `free(p);` here\n" in outcome.out


def test_flags_and_database_serve_both_sides(mustfree, project):
    for name, text in (("old", LEAK), ("new", "\n" + LEAK)):
        (project / name).mkdir()
        (project / name / "a.c").write_text(text.replace("free(p);", "#ifdef FREE\n\tfree(p);\n#endif"))
    assert "1 unchanged" in mustfree("diff", "old", "new", "--", "-DFREE").last
    entry = {"directory": str(project / "new"), "file": "a.c", "command": "cc -DFREE -c a.c"}
    (project / "compile_commands.json").write_text(json.dumps([entry]))
    assert mustfree("diff", "old", "new", "-p", ".").last == "0 introduced, 0 fixed, 1 unchanged in 1 file"


@pytest.mark.parametrize("arguments", [[], ["nowhere"], ["old", "new", "third"], ["leak.c"]])
def test_usage(mustfree, arguments):
    outcome = mustfree("diff", *arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err
