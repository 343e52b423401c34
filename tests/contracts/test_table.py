"""Which contract applies to a call, and why not another; kinds of several packs."""

import pickle

import pytest

from analyzer.contracts.model import EffectKind, Provenance
from analyzer.contracts.packs import load_packs
from analyzer.contracts.table import ContractTable
from analyzer.errors import ContractError
from analyzer.ir.function import FunctionDeclaration
from analyzer.libclang.declarations import parse_declarations
from tests.contracts.packs import pack

LIB = """\
    library: lib
    kinds: {heap: {release: [lib_free], noun: buffer}, page: {release: [page_free]}}
    functions:
      - c: "char *lib_get(int n)"
        outcomes: [{when: ret != null, then: fresh ret heap}, {when: ret == null, then: []}]
      - {c: void lib_free(void *p), then: release p}
      - {c: void lib_hold(void *p), then: share p heap}
    borrows: ["int lib_log(const char *text, ...)"]
"""
OTHER = """\
    library: other
    kinds: {heap: {release: [other_free, lib_free], noun: thing}}
    functions:
      - {c: "char *lib_get(int n, int m)", then: fresh ret heap}
      - {c: void other_free(void *p), then: release p heap}
"""
MINE = """\
    library: mine
    kinds: {heap: {release: [lib_free]}}
    functions:
      - {c: "char *lib_get(int n)", then: borrowed ret}
      - {c: void my_free(void *p), then: release p heap}
"""


def declaration(text: str, **changes: bool) -> FunctionDeclaration:
    (one,) = parse_declarations(f"{text};").functions
    return FunctionDeclaration(one.name, one.result, one.parameters, one.names, one.variadic, **changes)


def implicit(name: str, arguments: int) -> FunctionDeclaration:
    (one,) = parse_declarations(f"int {name}({', '.join(['int'] * arguments) or 'void'});").functions
    return FunctionDeclaration(name, one.result, one.parameters, prototyped=False, implicit=True)


@pytest.fixture
def table() -> ContractTable:
    return ContractTable([pack(LIB), pack(OTHER)])


def test_a_pack_whose_signature_matches_wins(table: ContractTable):
    match = table.lookup(declaration("char *lib_get(int n)"))
    assert (match.by, match.mismatch) == ("signature", "")
    assert match.contract is not None and match.contract.library == "lib"
    match = table.lookup(declaration("char *lib_get(int n, int m)"))
    assert match.contract is not None and match.contract.library == "other"


def test_a_test_double_does_not_silence_the_pack(table: ContractTable):
    match = table.lookup(declaration("char *lib_get(int n)", defined=True), defined_in_program=True)
    assert match.by == "signature"


def test_an_unrelated_function_of_the_same_name_is_not_matched(table: ContractTable):
    match = table.lookup(declaration("int lib_free(struct entry *e, int n)"), defined_in_program=True)
    assert match.contract is None
    assert match.mismatch == "lib_free() fits the contract of lib by name only: it has 2 parameters, not 1"


def test_a_name_nobody_describes(table: ContractTable):
    match = table.lookup(declaration("int something(int a)"))
    assert (match.contract, match.by, match.mismatch) == (None, "", "")


def test_by_name_where_no_prototype_is_in_sight(table: ContractTable):
    match = table.lookup(implicit("lib_get", 1))
    assert match.by == "name"
    assert match.contract is not None and match.contract.library == "lib"
    assert "no prototype is in sight" in match.mismatch
    match = table.lookup(implicit("lib_get", 2))
    assert match.contract is not None and match.contract.library == "other"


def test_by_name_needs_the_right_number_of_arguments(table: ContractTable):
    match = table.lookup(implicit("lib_get", 3))
    assert match.contract is None
    assert match.mismatch.endswith("the call has 3 arguments, not 1")
    assert table.lookup(implicit("lib_log", 3)).by == "name"
    assert table.lookup(implicit("lib_log", 0)).contract is None


def test_a_definition_wins_over_a_match_by_name(table: ContractTable):
    match = table.lookup(implicit("lib_get", 1), defined_in_program=True)
    assert match.contract is None and match.mismatch


def test_the_projects_rules_win_when_their_signature_matches():
    table = ContractTable([pack(LIB), pack(MINE, Provenance.PROJECT)])
    match = table.lookup(declaration("char *lib_get(int n)"))
    assert match.by == "project"
    assert match.contract is not None and match.contract.library == "mine"
    other = MINE.replace("lib_get(int n)", "lib_get(long *n)")
    table = ContractTable([pack(LIB), pack(other, Provenance.PROJECT)])
    assert table.lookup(declaration("char *lib_get(int n)")).by == "signature"


def test_of_several_project_files_the_last_one_wins():
    later = MINE.replace("library: mine", "library: later")
    table = ContractTable([pack(MINE, Provenance.PROJECT), pack(later, Provenance.PROJECT), pack(LIB)])
    assert [c.library for c in table.all_named("lib_get")] == ["later", "mine", "lib"]


def test_kinds_of_the_same_name_get_their_librarys_name(table: ContractTable):
    assert set(table.kinds) == {"lib/heap", "other/heap", "page"}
    assert {name: kind.name for name, kind in table.kinds.items()} == {name: name for name in table.kinds}
    (contract,) = [c for c in table.all_named("lib_get") if c.library == "other"]
    assert contract.outcomes[0].effects[0].resource == "other/heap"
    assert all(
        effect.resource in table.kinds or not effect.resource
        for pack in table.packs
        for contract in pack.functions
        for outcome in contract.outcomes
        for effect in outcome.effects
    )


def test_releasing_as_another_function_does():
    table = ContractTable([pack(LIB), pack(MINE, Provenance.PROJECT)])
    assert table.kinds["lib/heap"].releases == ("lib_free", "my_free")
    assert table.kinds["page"].releases == ("page_free",)


def test_names_the_demand_filter_asks_for(table: ContractTable):
    assert table.acquiring_names == {"lib_get", "lib_hold"}
    assert table.releasing_names == {"lib_free", "other_free"}
    assert table.relevant_names == table.acquiring_names | table.releasing_names
    assert set(table.names) == table.relevant_names | {"lib_log"}


def test_a_release_that_no_rule_describes(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("library: mine\nkinds:\n  thing: {release: [free, drop_thing], share: [hold_thing]}\n")
    with pytest.raises(ContractError) as caught:
        load_packs([str(file)])
    assert caught.value.problems == [
        f"{file}:3:3: no rule describes `drop_thing`, a release of this kind; "
        "add `drop_thing` to `functions:` with the effect `release ...`",
        f"{file}:3:3: no rule describes `hold_thing`, a share of this kind; "
        "add `hold_thing` to `functions:` with the effect `share ...`",
    ]


def test_mistakes_of_all_files_are_listed(tmp_path):
    names = []
    for number in (1, 2):
        file = tmp_path / f"{number}.yaml"
        file.write_text("version: 3\n")
        names.append(str(file))
    with pytest.raises(ContractError) as caught:
        load_packs([*names, str(tmp_path / "none.yaml")])
    assert [problem.split(":")[0].rsplit("/")[-1] for problem in caught.value.problems] == [
        "1.yaml",
        "1.yaml",
        "2.yaml",
        "2.yaml",
        "none.yaml",
    ]


def test_a_rule_file_of_the_project_applies(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("library: mine\nborrows: ['void *malloc(unsigned long size)']\n")
    match = load_packs([str(file)]).lookup(declaration("void *malloc(unsigned long n)"))
    assert match.by == "project"
    assert match.contract is not None
    assert not any(e.kind is EffectKind.FRESH for o in match.contract.outcomes for e in o.effects)


def test_a_table_can_be_sent_to_another_process(table: ContractTable):
    sent = pickle.loads(pickle.dumps(table))
    found = sent.lookup(declaration("char *lib_get(int n)"))
    assert found == table.lookup(declaration("char *lib_get(int n)"))
    assert (sent.kinds, sent.relevant_names) == (table.kinds, table.relevant_names)
