"""Mistakes planted in the tool are seen by the oracles: a cheap part of `python bench/planted.py`."""

import importlib
import sys
from pathlib import Path

import pytest

from tests.oracle.planting import look, make_cases, run
from tests.oracle.plants import PARTS, PLANTS, Plant, StaleError, install, planted

ROOT = Path(__file__).parents[2]
CHEAP = (
    "what one path knows of a value is taken to hold on the other",
    "an outcome does not say what the call returns",
    "a call has only the first outcome of its contract",
    "a loop is gone round once",
    "two states of a search are one though they know different things",
)
"""Seen by the interpreter alone, so also where there is no gcc, after few programs."""


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_each_plant_changes_its_module(plant):
    source = (ROOT / (plant.module.replace(".", "/") + ".py")).read_text()
    changed = planted(plant, source)
    assert changed != source
    compile(changed, plant.module, "exec")


def test_plants_are_named_once_and_cover_every_part():
    assert len({plant.name for plant in PLANTS}) == len(PLANTS) >= 20
    assert {plant.part for plant in PLANTS} == set(PARTS)


def test_a_stale_plant_is_told():
    with pytest.raises(StaleError, match="0 times instead of once"):
        planted(Plant("x", "join", "analyzer.ownership.join", "no such text", ""), "text\n")
    with pytest.raises(StaleError, match="2 times"):
        planted(Plant("x", "join", "analyzer.ownership.join", "a", ""), "aa")


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "planted_here").mkdir()
    (tmp_path / "planted_here" / "__init__.py").write_text("")
    (tmp_path / "planted_here" / "sums.py").write_text("def two():\n    return 1 + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    importlib.invalidate_caches()
    yield "planted_here.sums"
    sys.modules.pop("planted_here.sums", None)
    sys.modules.pop("planted_here", None)


def test_a_module_is_imported_with_the_mistake(package):
    install(Plant("x", "join", package, "1 + 1", "1 + 2"))
    assert importlib.import_module(package).two() == 3


def test_it_is_too_late_for_what_is_imported_already():
    with pytest.raises(RuntimeError, match="imported already"):
        install(Plant("x", "join", __name__, "a", "b"))


@pytest.fixture(scope="module")
def cases():
    return make_cases(150, 1, compiled=False)


def test_without_a_plant_nothing_is_seen(cases):
    assert len(cases.interpreted) > 50
    caught = look(PLANTS[0], cases)
    assert (caught.oracle, caught.number) == ("", 0)


def test_planted_mistakes_are_seen(cases, tmp_path):
    plants = [plant for plant in PLANTS if plant.name in CHEAP]
    assert len(plants) == len(CHEAP)
    told = []
    found = run(plants, cases, tmp_path, told.append)
    assert found == told
    assert [one.plant.name for one in found if not one.number] == []
