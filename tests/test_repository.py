"""The repository itself: what its files say about each other."""

import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import analyzer
from analyzer.checks import CHECKS
from analyzer.cli.app import app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
README = (ROOT / "README.md").read_text()
PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "fixtures/README.md"]
PAGES += sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def tracked(*patterns: str) -> set[str]:
    """Files of the repository, as git names them; without git, what lies there and is not ignored."""
    if (ROOT / ".git").exists():
        done = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
        return {name for name in done.stdout.splitlines() if (ROOT / name).exists()}
    found = {path for pattern in patterns for path in (ROOT / pattern).rglob("*") if path.is_file()}
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def test_readme_and_ci_run_the_same_test_command():
    commands = [block.strip() for block in fenced("sh") if "pytest" in block]
    assert len(commands) == 1
    assert "\n" not in commands[0]
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    assert script.count(commands[0]) == 1
    before = script[: script.index(commands[0])]
    assert "rm -rf .venv" in before, "the environment is fresh"
    assert "set -euo pipefail" in before
    after = " ".join(script[script.index(commands[0]) :])
    for tool in ("ruff format --check", "ruff check", "mypy", "lint-imports"):
        assert f".venv/bin/{tool}" in after


def test_readme_has_one_line_for_the_incident():
    commands = [block.strip() for block in fenced("sh") if block.strip().endswith("fixtures/incident/leaking")]
    assert len(commands) == 1
    assert commands[0].startswith("python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/mustfree check ")


def test_continuous_integration_runs_the_script_on_every_python_we_name():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = workflow["jobs"]["check"]
    named = [line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert job["strategy"]["matrix"]["python"] == named
    assert {"run": ".ci/run"} in job["steps"]


def check_incident(monkeypatch: pytest.MonkeyPatch, folder: str) -> tuple[int, str]:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, ["check", "--jobs", "1", f"fixtures/incident/{folder}"])
    return result.exit_code, result.stdout


def test_readme_shows_what_the_incident_prints(monkeypatch: pytest.MonkeyPatch):
    status, output = check_incident(monkeypatch, "leaking")
    assert status == 1
    assert fenced("console") == [f"$ mustfree check fixtures/incident/leaking\n{output}"]


@pytest.mark.parametrize("folder", ["before", "fixed"])
def test_incident_is_silent_without_the_mistakes(monkeypatch: pytest.MonkeyPatch, folder: str):
    status, output = check_incident(monkeypatch, folder)
    assert status == 0, output


def test_readme_contract_is_right(tmp_path: Path):
    rules = tmp_path / "contracts.yaml"
    rules.write_text(fenced("yaml")[0])
    result = CliRunner().invoke(app, ["rules", "check", str(rules)])
    assert result.exit_code == 0, result.output


def test_readme_names_real_options():
    table = README.partition("| option | |")[2].partition("\n\n")[0]
    named = re.findall(r"`(--?[a-z-]+)", table)
    shown = CliRunner().invoke(app, ["check", "--help"]).output
    assert len(named) > 10
    assert [option for option in named if not re.search(rf"(?<![\w-]){option}\b", shown.replace("-vv", "-v -vv"))] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_check_has_a_page_and_fixtures(check):
    assert (ROOT / "docs" / "checks" / f"{check.id}.md").is_file()
    assert f"(docs/checks/{check.id}.md)" in README
    folder = ROOT / "fixtures" / check.id.replace("-", "_")
    text = "".join(path.read_text() for path in folder.glob("*.c"))
    assert re.search(rf"//~ {check.id}: ", text)
    assert re.search(r"_ok\(", text)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str):
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    broken = [link for link in links if not leads_somewhere((ROOT / page).parent, page, link)]
    assert broken == []


def leads_somewhere(folder: Path, page: str, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = folder / path if path else ROOT / page
    if not target.exists():
        return False
    titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE) if heading else []
    anchors = [re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles]
    return not heading or heading in anchors


def test_versions_agree():
    version = PROJECT["project"]["version"]
    assert analyzer.__version__ == version
    assert version in CliRunner().invoke(app, ["--version"]).output


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


def in_wheel(wheel: Path, prefix: str) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(prefix)]
        return {name.removeprefix(prefix): archive.read(name) for name in names}


@pytest.mark.parametrize(
    ("folder", "inside"), [("rules/", "analyzer/rules/"), ("docs/checks/", "analyzer/docs/checks/")]
)
def test_wheel_ships_exactly_the_tracked_files(wheel: Path, folder: str, inside: str):
    expected = {name.removeprefix(folder): (ROOT / name).read_bytes() for name in tracked(folder)}
    assert expected
    assert in_wheel(wheel, inside) == expected


def test_wheel_ships_headers_types_and_licence(wheel: Path):
    names = set(in_wheel(wheel, ""))
    assert "analyzer/py.typed" in names
    assert any(name.endswith("include/stdatomic.h") for name in names)
    assert {Path(name).name for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_offline_installation_is_documented():
    assert "--no-index --find-links" in README


PLACES = re.compile(
    r"(?<![\w.])/(?:home|root|Users)/\w+|https?://(?:[\w-]+\.)*(?:pypi|pythonhosted|npmjs)\.\w+",
    re.IGNORECASE,
)


def test_nothing_names_a_machine_or_a_package_host():
    told = []
    for name in sorted(tracked(".")):
        if name == "LICENSE" or name == "tests/test_repository.py":
            continue
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        told += [f"{name}: {found[0]}" for found in PLACES.finditer(text)]
    assert told == []


def test_changelog_says_what_changed_in_findings():
    text = (ROOT / "CHANGELOG.md").read_text()
    first = re.split(r"^## ", text, flags=re.MULTILINE)[1]
    assert "### Findings changed" in first
