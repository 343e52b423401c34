"""The GitHub action and the pre-commit hooks: what they run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from analyzer.cli.app import app
from tests.change.conftest import Repository
from tests.cli.conftest import CLEAN, LEAK

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


@pytest.fixture
def run(tmp_path):
    """Runs the last step of the action as a runner does, on a repository with one file."""
    root = tmp_path / "project"
    root.mkdir()
    repository = Repository(root)
    repository.commit(a_c=CLEAN)
    repository.write(a_c=LEAK)
    program = tmp_path / "mustfree" / "bin" / "mustfree"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m analyzer "$@"\n')
    program.chmod(0o755)

    def call(**inputs):
        values = {name: one.get("default", "") for name, one in ACTION["inputs"].items()} | inputs
        step = ACTION["runs"]["steps"][-1]
        given = {name: values[text.split("inputs.")[1].split()[0]] for name, text in step["env"].items()}
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), **given,
            "RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        }  # fmt: skip
        command = ["bash", "-e", "-c", step["run"]]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        return done, root, (tmp_path / "summary.md").read_text()

    return call


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
@pytest.mark.parametrize("inputs", [{}, {"base": "HEAD", "arguments": "--reach files -q"}, {"paths": "a.c"}])
def test_the_action_annotates_and_fails(run, inputs):
    done, root, summary = run(**inputs)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::warning file=a.c,line=12,")
    assert len(json.loads((root / "mustfree.sarif").read_text())["runs"][0]["results"]) == 1
    assert "| warning | a.c, line 12" in summary
    assert ("1 introduced" in summary) is ("base" in inputs)


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
def test_inputs_are_never_read_as_shell(run):
    done, root, _ = run(paths="a.c", arguments="; touch$IFS$9executed", sarif="x$(touch executed).sarif")
    assert done.returncode == 2
    assert not (root / "executed").exists()


def test_inputs_reach_the_shell_as_variables_only():
    assert [step["name"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]] == []


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_run_a_command_that_exists(hook):
    program, command, *_ = hook["entry"].split()
    assert program == "mustfree"
    assert command in app.list_commands(None)
    assert hook["language"] == "python"
