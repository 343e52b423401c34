"""Judgements are counted by the written rule."""

import pytest


def said(*verdicts):
    from fieldtest import Judgement

    return [Judgement(judge, true, "because") for judge, true in verdicts]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "open"),
        ([("a", True)], "open"),
        ([("a", True), ("a", True)], "open"),
        ([("a", True), ("b", True)], "true"),
        ([("a", True), ("b", False)], "false"),
        ([("a", False)], "false"),
    ],
)
def test_outcome_needs_two_readers_and_disagreement_is_false(verdicts, expected):
    from fieldtest import outcome

    assert outcome(said(*verdicts)) == expected


def test_judgements_are_read_and_a_bad_one_is_named(tmp_path):
    from fieldtest import read_judgements

    good = tmp_path / "good.tsv"
    good.write_text("package\tfingerprint\tjudge\tverdict\treason\nlib\tf1\ta\ttrue\tlost on error\n")
    assert read_judgements(good)[("lib", "f1")][0].reason == "lost on error"
    bad = tmp_path / "bad.tsv"
    bad.write_text("package\tfingerprint\tjudge\tverdict\treason\nlib\tf1\ta\tperhaps\tx\n")
    with pytest.raises(SystemExit, match="perhaps"):
        read_judgements(bad)
