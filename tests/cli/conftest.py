"""A command line to call, in this process or in one of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from analyzer.__main__ import run

ROOT = Path(__file__).parents[2]
LEAK = """#include <stdlib.h>

int use(const char *text);

int f(int n)
{
	char *p = malloc(n);

	if (!p)
		return -1;
	if (n > 3)
		return -2;
	free(p);
	return 0;
}
"""
CLEAN = "#include <stdlib.h>\n\nvoid g(void)\n{\n\tfree(malloc(3));\n}\n"


@dataclass
class Outcome:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with leak.c and clean.c, the current one during the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    (tmp_path / "leak.c").write_text(LEAK)
    (tmp_path / "clean.c").write_text(CLEAN)
    return tmp_path


@pytest.fixture
def mustfree(project, capfd):
    """Runs a command line in this process."""

    def call(*arguments):
        capfd.readouterr()
        status = run([str(argument) for argument in arguments])
        sys.stdout.flush()
        sys.stderr.flush()
        captured = capfd.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call


@pytest.fixture
def process(project):
    """Runs a command line in a process of its own."""

    def call(*arguments, code="", env=None):
        start = ["-c", f"{code}\nfrom analyzer.__main__ import main\nmain()"] if code else ["-m", "analyzer"]
        done = subprocess.run(
            [sys.executable, *start, *map(str, arguments)],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call
