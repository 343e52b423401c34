"""The shipped packs: well-formed, consistent with each other, and tried by a fixture each."""

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from analyzer.contracts.document import Problems, compose, read_text
from analyzer.contracts.loader import load_pack, parse_pack
from analyzer.contracts.model import EffectKind, FunctionContract, Pack
from analyzer.contracts.packs import load_packs, rules_directory, shipped_files
from analyzer.contracts.shape import Shape
from analyzer.contracts.text import pack_text
from analyzer.libclang.declarations import parse_declarations

ROOT = Path(__file__).parents[2]
FILES = shipped_files()


def name(path: Path) -> str:
    return path.name


@cache
def loaded(path: Path) -> Pack:
    return load_pack(path, shown=f"rules/{path.name}")


def borrows_only(function: FunctionContract) -> bool:
    return {effect.kind for outcome in function.outcomes for effect in outcome.effects} <= {EffectKind.STATIC}


def test_the_packs_are_found():
    assert rules_directory() in (ROOT / "rules", ROOT / "analyzer" / "rules")
    assert {"libc.yaml", "libnl.yaml"} <= {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_each_pack_has_a_fixture_that_calls_what_does_not_just_borrow(path: Path):
    source = (ROOT / "fixtures" / "contracts" / f"{path.stem}.c").read_text()
    called = set(re.findall(r"\b(\w+)\s*\(", source))
    wanted = {function.name for function in loaded(path).functions if not borrows_only(function)}
    assert sorted(wanted - called) == [] and (wanted or not loaded(path).functions)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_plain_borrowers_stand_under_borrows(path: Path):
    """A function without effects under `functions:` has a remark that says why."""
    draft = Shape(Problems(name(path))).read(compose(read_text(path, name(path)), name(path)))
    silent = [
        entry.c.value
        for entry in draft.entries
        if entry.c is not None
        and entry.at is not entry.c
        and not any(case.then for case in entry.cases or ())
        and not (entry.texts.get("doc") or entry.scans)
    ]
    assert silent == []


def test_every_function_that_a_kind_names_is_described():
    table = load_packs()
    named = {f for kind in table.kinds.values() for f in (*kind.releases, *kind.share)}
    assert sorted(named - set(table.names)) == []


def test_functions_that_a_rule_refers_to_are_described():
    table = load_packs()
    named = {old for pack in table.packs for f in pack.functions for old, _ in f.replaces}
    assert named and sorted(named - set(table.names)) == []


def test_every_kind_is_used_and_can_be_released():
    table = load_packs()
    contracts = [c for name in table.names for c in table.all_named(name)]
    acquired = {e.resource for c in contracts for o in c.outcomes for e in o.effects if e.kind.value == "fresh"}
    assert sorted(set(table.kinds) - acquired) == []
    assert sorted(kind.name for kind in table.kinds.values() if not set(kind.releases) <= table.releasing_names) == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_text_and_back(path: Path):
    pack = without_places(loaded(path))
    again = parse_pack(pack_text(loaded(path)), f"rules/{path.name}")
    assert without_places(again) == pack


def without_places(pack: Pack) -> Pack:
    return replace(
        pack,
        kinds={name: replace(kind, source="") for name, kind in pack.kinds.items()},
        functions=tuple(replace(f, source="") for f in pack.functions),
    )


@pytest.mark.parametrize("path", FILES, ids=name)
def test_text_made_from_types_alone_declares_the_same(path: Path):
    """As for an inferred contract, which has no declaration to copy (and stands beside no macro of the same name)."""
    functions = tuple(
        f if f"({f.name})" in f.declaration else replace(f, declaration="") for f in loaded(path).functions
    )
    again = parse_pack(pack_text(replace(loaded(path), functions=functions)), "again.yaml")
    assert [f.signature for f in again.functions] == [f.signature for f in loaded(path).functions]


@cache
def schema() -> Draft202012Validator:
    text = json.loads((ROOT / "rules" / "contract.schema.json").read_text())
    Draft202012Validator.check_schema(text)
    return Draft202012Validator(text)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_schema_accepts_the_pack(path: Path):
    errors = [f"{e.json_path}: {e.message}" for e in schema().iter_errors(yaml.safe_load(path.read_text()))]
    assert errors == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{library: l, kind: {}}",
        "{library: 3}",
        "{library: l, functions: [{c: int f(void)}]}",
        "{library: l, functions: [{c: int f(void), then: [], outcomes: []}]}",
        "{library: l, functions: [{c: int f(void), then: relase p}]}",
        "{library: l, functions: [{c: int f(void), then: [], returns: always}]}",
        "{library: l, functions: [{c: int f(void), outcomes: [{when: sometimes, then: []}]}]}",
        "{library: l, kinds: {heap: {}}}",
        "{library: l, borrows: [int f(void);]}",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(text: str):
    assert list(schema().iter_errors(yaml.safe_load(text)))
    with pytest.raises(Exception, match=r"l\.yaml:1:"):
        parse_pack(text, "l.yaml")


@pytest.mark.parametrize("path", FILES, ids=name)
@pytest.mark.parametrize("times", [1, 2])
def test_stand_ins_for_headers_compile_alone_and_twice(path: Path, times: int):
    table = load_packs()
    (pack,) = [p for p in table.packs if p.path == f"rules/{path.name}"]
    text = table.virtual_headers()[pack.headers[0]]
    parsed = parse_declarations(text * times)
    assert parsed.problems == ()
    assert {f.name for f in parsed.functions} >= {f.name for f in pack.functions}


@pytest.mark.parametrize("without", ["json-c", "jansson"])  # both have a json_object_get(): no program uses both
def test_stand_ins_of_all_packs_go_together(without: str):
    table = load_packs()
    headers = {pack.headers[0]: pack.library for pack in table.packs}
    texts = [text for name, text in table.virtual_headers().items() if headers.get(name, without) != without]
    assert len(texts) == len(FILES) - 1
    for ordered in (texts, texts[::-1]):
        assert parse_declarations("\n".join(ordered)).problems == ()


def test_the_example_of_the_documentation_is_right():
    example = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "contracts.md").read_text(), re.DOTALL)
    assert example is not None
    pack = parse_pack(example[1], "example.yaml")
    names = {function.name for function in pack.functions}
    assert names == {"nl_recv", "nl_addr_parse", "nlmsg_free", "nla_type", "nla_len", "nl_geterror"}
