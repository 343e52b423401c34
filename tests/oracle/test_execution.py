"""The whole tool against executed C: generated programs are compiled, and run for every decision.

Skipped where there is no gcc; the interpreter (test_oracle.py) does not need it.
Long runs by hand: ``pytest tests/oracle/test_execution.py --oracle-examples 5000 --oracle-seed 7``, and
``python bench/hunt.py``, which makes each disagreement small.
"""

import re
from collections import Counter
from dataclasses import replace

import pytest

from analyzer.findings.model import Verdict
from tests.oracle.execution import GCC, Event, Executed, Site, Source, Stated, compare, execute, source_of, state
from tests.oracle.generate import related_programs
from tests.oracle.helpers import Helper, WithHelpers
from tests.oracle.hunt import (
    as_fixture,
    clear_programs,
    hunt,
    programs,
    shrink,
    source_for,
    with_clear_truth,
)
from tests.oracle.interpreter import judge
from tests.oracle.language import (
    Acquire,
    Compare,
    Give,
    Help,
    If,
    Program,
    Release,
)
from tests.oracle.programs import lower
from tests.oracle.test_oracle import KNOWN

pytestmark = pytest.mark.skipif(GCC is None, reason="the execution oracle needs gcc")

NAMES = [name for name in KNOWN if name != "getline"]  # the real one hands out its block in any case
PROGRAMS = {name: KNOWN[name][0] for name in NAMES}


@pytest.fixture(scope="module")
def known():
    sources = [source_of(program, number) for number, program in enumerate(PROGRAMS.values())]
    return dict(zip(NAMES, zip(sources, execute(sources), state(sources), strict=True), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_execution_finds_what_is_known(known, name):
    _, expected = KNOWN[name]
    _, ran, _ = known[name]
    truth = judge(lower(PROGRAMS[name])[0])
    leaks = {(found.acquired_at, found.slot.lstrip("*")) for found in truth.must if found.kind == "leak"}
    assert ran.complete
    assert {(site.line, site.slot) for site in ran.leaks} == leaks
    assert {(event.kind, event.line) for event in ran.events} == {
        (kind, line) for kind, _, line in expected if kind != "leak"
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_tool_agrees_on_what_is_known(known, name):
    assert compare(*known[name]) == []


def test_execution_and_the_tool_agree(request):
    number = request.config.getoption("--oracle-examples", 0) or 100
    programs = clear_programs(False, number, request.config.getoption("--oracle-seed", 0) or 1)
    assert len(programs) > number // 2
    for program, wrong in hunt(programs):
        pytest.fail("\n" + as_fixture(source_of(program), wrong))


@pytest.mark.xfail(strict=True, reason="the order of two unknown numbers decides no other comparison of them")
def test_comparisons_that_imply_others():
    """When this passes, related_programs() belongs into hunt.strategy()."""
    for program, wrong in hunt(with_clear_truth(programs(related_programs(), 60, 1))):
        pytest.fail("\n" + as_fixture(source_of(program), wrong))


def test_programs_show_every_verdict_and_mistake():
    programs = clear_programs(False, 150, 3)
    seen: Counter[str] = Counter()
    for ran in execute([source_of(program, number) for number, program in enumerate(programs)]):
        seen.update({verdict.value for verdict in ran.verdicts.values()} | {event.kind for event in ran.events})
    for kind in (Verdict.LEAKED, Verdict.RELEASED, Verdict.HANDED_OVER, Verdict.HELD):
        assert seen[kind.value], seen
    assert seen["double-release"] and seen["use-after-release"], seen


# -- helpers

GETS = Helper(("static int h@_0(void **out)", "{", "    *out = malloc(10);", "    return *out ? 0 : -1;", "}"))
FAILS = If(Compare("n", "<", 0), (Give(-1),))


def test_what_a_helper_acquires_has_the_line_of_its_call():
    main = Program((Help("n = h@_0(&p);"), FAILS))
    (ran,) = execute([source_for(WithHelpers((GETS,), main), 0)])
    assert ran.leaks == {Site(3, "ret", 11)}


def test_a_helper_is_also_run_by_itself_when_it_can_be():
    helper = Program((Acquire("alloc", "p"),))
    (ran,) = execute([source_for(WithHelpers((helper,), Program(())), 0)])
    assert ran.leaks == {Site(4, "ret", 0)}


def test_programs_with_helpers_compile_and_leak_and_are_clean():
    programs = clear_programs(True, 60, 1)
    sources = [source_for(program, number) for number, program in enumerate(programs)]
    ran = execute(sources)
    assert sum(bool(one.leaks) for one in ran) >= 10
    assert sum(not one.leaks and not one.events and bool(one.verdicts) for one in ran) >= 5
    assert all(re.search(r"\bh\d+_\d", source.text) for source in sources if source.start)


# -- the comparison itself

SOURCE = Source("", "f", ())
LEAK = Executed(1, True, {Site(3, "ret", 9): Verdict.LEAKED})
CLEAN = Executed(1, True, {Site(3, "ret", 9): Verdict.RELEASED})


def said(line, verdict=Verdict.LEAKED, slot="ret"):
    site = Site(line, slot)
    return Stated({site: verdict}, leaks={site} if verdict is Verdict.LEAKED else set())


@pytest.mark.parametrize(
    ("ran", "told", "kinds"),
    [
        (LEAK, said(3), []),
        (LEAK, said(9, slot="*buf"), []),
        (LEAK, said(4), ["missed", "false alarm"]),
        (LEAK, Stated(), ["missed"]),
        (Executed(verdicts={Site(3, "ret"): Verdict.LEAKED}), said(3, Verdict.ESCAPED), ["missed"]),
        (Executed(verdicts={Site(3, "ret"): Verdict.HELD}), said(3, Verdict.ESCAPED), ["verdict"]),
        (LEAK, replace(said(3), leaks=set()), ["missed"]),
        (CLEAN, said(3), ["false alarm"]),
        (replace(CLEAN, complete=False), said(3), []),
        (replace(CLEAN, maybe={Site(3, "ret", 9)}), said(3), []),
        (CLEAN, Stated(events={Event("double-release", 5)}), ["false alarm"]),
        (Executed(sure={Event("double-release", 5, 8)}), Stated(), ["missed"]),
        (
            Executed(sure={Event("double-release", 5, 8)}, events={Event("double-release", 5, 8)}),
            Stated(events={Event("double-release", 8)}),
            [],
        ),
        (Executed(), Stated(trouble=["degraded"]), ["trouble"]),
    ],
)
def test_comparison_sees_both_directions(ran, told, kinds):
    assert [item.kind for item in compare(SOURCE, ran, told)] == kinds


def test_what_is_wrong_is_made_small():
    program = Program((Acquire("alloc", "p"), Acquire("open_it", "fd"), Release("fd"), If(Compare("a", ">", 0), ())))

    def leaks(candidates):
        return [bool(one.leaks) for one in execute([source_of(c, n) for n, c in enumerate(candidates)])]

    assert shrink(program, leaks) in (Program((Acquire("alloc", "p"),)), Program((Acquire("open_it", "fd"),)))
