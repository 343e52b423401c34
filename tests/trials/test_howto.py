"""docs/packs-howto.md, followed to the letter."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli.rules import rules

PAGE = (Path(__file__).parents[2] / "docs" / "packs-howto.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def shown() -> dict[str, list[str]]:
    """Command line -> what the page shows for it, each time it does."""
    found: dict[str, list[str]] = {}
    for block in blocks("console"):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            found.setdefault(command, []).append(output)
    return found


def run(command: str) -> tuple[int, str]:
    words = command.split()
    assert words[:2] == ["mustfree", "rules"]
    result = CliRunner().invoke(rules, words[2:])
    return result.exit_code, result.stdout


def test_each_command_says_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    pack, _ = blocks("yaml")
    header, first, more, source = blocks("c")
    wanted = shown()
    (tmp_path / "post.yaml").write_text(pack)
    for command in ("mustfree rules check post.yaml", "mustfree rules explain parcel_fetch --rules post.yaml"):
        assert run(command) == (0, wanted.pop(command)[0])
    test = "mustfree rules test post.yaml"
    before, after = wanted.pop(test)
    (tmp_path / "post.c").write_text(first)
    assert run(test) == (1, before)
    (tmp_path / "post.c").write_text(first + "\n" + more)
    assert run(test) == (0, after)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "post.c").write_text(source)
    (tmp_path / "post.h").write_text(header)
    compare = "mustfree rules compare post.yaml --sources src -- -I."
    assert run(compare) == (0, wanted.pop(compare)[0])
    assert wanted == {}


def test_the_fixture_is_right_beside_the_header_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    header, first, more, _ = blocks("c")
    (tmp_path / "post.h").write_text(header)
    (tmp_path / "post.yaml").write_text(blocks("yaml")[0])
    (tmp_path / "post.c").write_text(first + "\n" + more)
    assert run("mustfree rules test post.yaml")[0] == 0
