"""A git repository to make changes in, and the report on a change."""

import os
import subprocess

import pytest

from analyzer.change import ChangeOptions, analyse_change, from_folders, from_revisions
from analyzer.workspace import Settings

HEAD = """#include <stdlib.h>
int odd(int n);
"""
CODE = (
    HEAD
    + """int f(int n)
{
	char *p = malloc(n);

	if (!p)
		return -1;
	if (odd(n)) {
		free(p);
		return -2;
	}
	if (odd(n + 1))
		return -3;
	free(p);
	return 0;
}
"""
)


class Repository:
    """A work tree with a history."""

    def __init__(self, root):
        self.root = root
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments):
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "x@y.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, **files):
        for name, text in files.items():
            self.put(name.replace("_", "."), text)

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, **files):
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """An empty repository, the current folder during the test."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return Repository(root)


def settings(**changes):
    return Settings(**{"jobs": 1, "guard": False, **changes})


@pytest.fixture
def changed(tmp_path):
    """The report on a change of one file, or of several."""

    def report(before, after, **options):
        for side, files in (("before", before), ("after", after)):
            (tmp_path / side).mkdir(exist_ok=True)
            for name, text in ({"a.c": files} if isinstance(files, str) else files).items():
                (tmp_path / side / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / side / name).write_text(text)
        change = from_folders(str(tmp_path / "before"), str(tmp_path / "after"))
        return analyse_change(change, ChangeOptions(settings(), **options)).report

    return report


def of_revisions(*names, **options):
    """The report on a change in the current folder."""
    return analyse_change(from_revisions(".", *names), ChangeOptions(settings(), **options)).report


def by_state(report):
    """state -> places of the findings."""
    found = {"new": [], "unchanged": [], "absent": []}
    for finding in report.findings:
        found[finding.state.value].append(f"{finding.at.file}:{finding.at.line}")
    return found
