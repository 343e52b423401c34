"""Contracts that say less than a given one."""

from analyzer.contracts.weaker import weaker
from tests.contracts.packs import function


def differences(entry: str) -> list[str]:
    return [what for _, what in weaker(function(entry))]


GET = """
    c: int lib_get(char **out, char **more)
    outcomes:
      - {when: ret > 0, then: [fresh *out heap, maybe fresh *more heap]}
      - {when: ret <= 0, then: [unchanged *out, null *more]}
"""


def test_each_effect_condition_and_limit_once():
    assert differences(GET) == [
        "without `fresh *out heap` when ret > 0",
        "without `maybe fresh *more heap` when ret > 0",
        "without `null *more` when ret <= 0",
        "`fresh *more heap` in place of `maybe fresh *more heap` when ret > 0",
        "`fresh *out heap, maybe fresh *more heap` also when ret <= 0",
        "ret == 0 is the other case",
    ]


def test_what_they_become():
    found = {what: contract for contract, what in weaker(function(GET))}
    other = found["ret == 0 is the other case"].outcomes
    assert [outcome.when[0].operator for outcome in other] == [">=", "<"]
    both = found["`fresh *out heap, maybe fresh *more heap` also when ret <= 0"].outcomes
    assert [[effect.kind.value for effect in outcome.effects] for outcome in both] == [["fresh", "fresh"]] * 2
    less = found["without `fresh *out heap` when ret > 0"].outcomes
    assert [effect.kind.value for effect in less[0].effects] == ["fresh"]


def test_what_is_fresh_is_not_null_anyway():
    entry = """
        c: char *lib_new(int fd)
        outcomes:
          - {when: ret != null, then: [fresh ret heap, take fd]}
          - {when: ret == null, then: []}
    """
    assert differences(entry) == [
        "without `fresh ret heap` when ret != null",
        "without `take fd` when ret != null",
        "`take fd` also when ret == null",
    ]


def test_a_condition_that_always_holds_is_left():
    entry = """
        c: char *lib_new(void)
        returns: ret != null
        outcomes:
          - {when: ret != null, then: [fresh ret heap]}
    """
    assert differences(entry) == ["without `fresh ret heap` when ret != null"]


def test_what_happens_in_both_cases_is_no_condition():
    entry = """
        c: int lib_set(char *p)
        outcomes:
          - {when: ret == 0, then: [escape p]}
          - {when: ret != 0, then: [escape p]}
    """
    assert differences(entry) == ["without `escape p` when ret == 0", "without `escape p` when ret != 0"]


def test_a_limit_that_cannot_be_reached_is_not_moved():
    entry = """
        c: int lib_open(void)
        returns: ret >= -1
        outcomes:
          - {when: ret > -1, then: [fresh ret fd]}
          - {when: ret == -1, then: []}
    """
    assert "ret == -1 is the other case" in differences(entry)
    assert "ret == -1 is the other case" not in differences(entry.replace("ret >= -1", "ret >= 0"))


def test_words_that_hold_without_being_said():
    assert differences("{c: 'char *lib_find(char **out)', then: [borrowed ret, unchanged *out]}") == []
    assert differences("{c: 'void lib_find(int *out)', then: [unchanged *out]}") == ["without `unchanged *out`"]


def test_a_function_that_returns_after_all():
    ((contract, what),) = weaker(function("{c: 'void lib_die(void)', then: [noreturn]}"))
    assert what == "without `noreturn`" and not contract.noreturn
