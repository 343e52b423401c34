"""C beside its IR: every construct of the language, one file each (fixtures/frontend)."""

from pathlib import Path

import pytest

from analyzer.frontend import FrontendOptions, lower_file
from analyzer.ir.text import parse_function, print_function
from analyzer.ir.validate import validate

FOLDER = Path(__file__).parents[2] / "fixtures" / "frontend"
FILES = sorted(FOLDER.glob("*.c"))
FLAGS = {"c23": ("-std=c2x",), "degraded": ("-fblocks",)}
DEGRADED = {
    "c23": {"not_yet"},
    "degraded": {"nested", "broken", "block"},
    "old_style": {"wrong"},
}


def lower(path):
    flags = ("-nostdinc", "--target=x86_64-unknown-linux-gnu", *FLAGS.get(path.stem, ()))
    return lower_file(str(path), FrontendOptions(flags=flags))


def shown(unit):
    texts = []
    for function in unit.functions:
        text = print_function(function).replace(str(FOLDER) + "/", "")
        reasons = "".join(f"  # degraded: {reason}\n" for reason in function.degraded)
        texts.append(text.rstrip("\n") + "\n" + reasons)
    return "\n".join(texts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path, request):
    actual = shown(lower(path))
    golden = path.with_suffix(".ir")
    if request.config.getoption("--update-golden", default=False):
        golden.write_text(actual, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == actual


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_lowered_code_is_well_formed(path):
    unit = lower(path)
    assert unit.functions
    assert {function.name: problems for function in unit.functions if (problems := validate(function))} == {}
    assert {function.name for function in unit.functions if function.degraded} == DEGRADED.get(path.stem, set())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_text_reads_back(path):
    for function in lower(path).functions:
        assert print_function(parse_function(print_function(function))) == print_function(function)
