"""Commits are replayed through the gate, and what it says is counted with what was judged."""

import csv

import pytest

from tests.change.conftest import CODE, Repository

CLEAN = CODE.replace("\t\treturn -3;", "\t\tgoto out;").replace(
    "\tfree(p);\n\treturn 0", "out:\n\tfree(p);\n\treturn 0"
)


@pytest.fixture
def replayed(tmp_path):
    """The replay of versions of one file, without the first, which has no base."""

    def run(*versions):
        from history import History
        from replay import replay

        root = tmp_path / "project"
        root.mkdir()
        origin = Repository(root)
        for text in versions:
            origin.commit(a_c=text)
        history = History(root, tmp_path / "work")
        chosen = history.commits(99, "HEAD", "--min-parents=1")
        return {"project": [replay(history, commit, tmp_path / "cache", 100) for commit in chosen]}

    return run


def judged(tmp_path, *rows):
    from replay import JUDGEMENT, read_judgements

    file = tmp_path / "judged.tsv"
    file.write_text("".join("\t".join(row) + "\n" for row in (JUDGEMENT, *rows)))
    return read_judgements(file)


def test_each_commit_is_compared_with_its_parent(replayed, tmp_path):
    from replay import finding_table, overview, stale, times, write_sheet

    projects = replayed(CLEAN, CODE, "/* nothing */\n" + CODE, CLEAN)
    commits = projects["project"]
    assert [(one.status, len(one.introduced), one.fixed) for one in commits] == [(1, 1, 0), (0, 0, 0), (0, 0, 1)]
    finding = commits[0].introduced[0]
    assert finding["at"]["line"] == 14
    mark = ("project", commits[0].commit, finding["fingerprint"])
    assert "| 3 | 0 | 0 | 1 | 1 | 0 | 0 | 1 | 0 | 1 |" not in overview(projects, {})
    said = judged(tmp_path, (*mark, "a", "true", "yes", "the error path lost its free()"))
    counts = [cell.strip() for cell in overview(projects, said).splitlines()[2].split("|")[5:-1]]
    assert counts == ["2", "1", "0", "0", "1", "1", "0", "0", "0", "1"]
    assert "| true | yes | the error path lost its free() |" in finding_table(projects, said)
    assert times(projects).splitlines()[2].startswith("| project | 3 |")
    assert stale(projects, said) == []
    other = judged(
        tmp_path,
        (mark[0], mark[1], "no such", "a", "true", "yes", "x"),
        (mark[0], "later", "y", "a", "true", "no", "x"),
    )
    assert stale(projects, other) == [f"project {commits[0].commit} no such"]
    write_sheet(tmp_path / "sheet.tsv", commits)
    with (tmp_path / "sheet.tsv").open(newline="") as stream:
        (row,) = csv.DictReader(stream, delimiter="\t")
    assert (row["function"], row["line"], row["fingerprint"]) == ("f", "14", finding["fingerprint"])


def test_what_is_out_of_sight_is_told_with_its_reason(replayed):
    from replay import gap_table

    projects = replayed(CODE, "int f( { malloc(3);\n", CODE)
    assert projects["project"][0].status == 3
    assert "lost sight of" in gap_table(projects)
    assert len(gap_table(projects).splitlines()) == 3


def test_a_command_that_writes_no_report_is_told(tmp_path):
    from harness import Cost
    from replay import gap_table, summed_up

    one = summed_up("project", "0123456789abcdef", "title", Cost(1, 1, 1, 124, "too long"), None)
    assert (one.commit, one.introduced) == ("0123456789", [])
    assert "| project | 0123456789 | 124 | too long |" in gap_table({"project": [one]})


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], ("open", "open")),
        ([("true", "yes")], ("true", "yes")),
        ([("true", "yes"), ("false", "yes")], ("false", "yes")),
        ([("true", "no"), ("true", "yes")], ("true", "no")),
    ],
)
def test_doubt_wins(tmp_path, verdicts, expected):
    from replay import outcome

    rows = [("p", "c", "f", str(number), true, caused, "x") for number, (true, caused) in enumerate(verdicts)]
    assert outcome(judged(tmp_path, *rows).get(("p", "c", "f"), ())) == expected


def test_a_bad_judgement_is_named(tmp_path):
    with pytest.raises(SystemExit, match="perhaps"):
        judged(tmp_path, ("p", "c", "f", "a", "true", "perhaps", "x"))
