"""The engine against the truth: small programs, executed for every decision of their environment.

A failure shows the smallest program found, as C and as IR text, with the decisions that lead to what is missing.
Long runs by hand: ``pytest tests/oracle --oracle-examples 5000 --oracle-seed 7``.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, example, given, seed, settings
from hypothesis import strategies as st

from analyzer.ir.text import parse_function, print_function
from analyzer.ir.validate import validate
from analyzer.ownership.limits import Limits
from tests.oracle.compare import compare, describe, plain, reported, run_engine
from tests.oracle.generate import dense_programs, idiomatic_programs
from tests.oracle.interpreter import RejectedError, Truth, judge
from tests.oracle.language import (
    Acquire,
    Assign,
    Compare,
    Env,
    Give,
    If,
    Loop,
    Program,
    Realloc,
    Release,
    Touch,
)
from tests.oracle.language import Truth as IsTrue
from tests.oracle.programs import lower

RUNS, LOOP_RUNS = 3000, 400


def check(request, strategy, examples, judged):
    """Run `judged` on programs of the strategy: so many, or as many as the command line asks for."""
    number = request.config.getoption("--oracle-examples", 0) or examples
    chosen = request.config.getoption("--oracle-seed", 0)
    test = given(strategy)(judged)
    if chosen:
        test = seed(chosen)(test)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    settings(max_examples=number, derandomize=not chosen, database=None, suppress_health_check=checks)(test)()


def truth_of(function, max_runs=RUNS) -> Truth:
    try:
        return judge(function, max_runs=max_runs)
    except RejectedError:
        assume(False)
        raise


def agrees(program: Program, max_runs: int) -> None:
    function, text = lower(program)
    truth = truth_of(function, max_runs)
    comparison = compare(run_engine(function), truth)
    if not truth.complete:
        comparison = replace(comparison, extra=(), verdicts=())
    wrong = comparison.missing or comparison.extra or comparison.verdicts
    assert not wrong, describe(text, function, truth, comparison)


@pytest.mark.parametrize("programs", [dense_programs, idiomatic_programs])
def test_without_loops_engine_and_truth_are_equal(request, programs):
    check(request, programs(loops=False), 200, lambda program: agrees(program, RUNS))


@pytest.mark.parametrize("programs", [dense_programs, idiomatic_programs])
def test_with_loops_engine_and_truth_are_equal(request, programs):
    """The loops of these programs show everything in three rounds; where there are too many runs, truth is a part."""
    check(request, programs(loops=True), 80, lambda program: agrees(program, LOOP_RUNS))


@pytest.mark.parametrize("programs", [dense_programs, idiomatic_programs])
def test_generated_functions_are_well_formed_and_read_back(request, programs):
    def judged(program):
        function, text = lower(program)
        assert validate(function) == [], text
        assert parse_function(print_function(function)) == function

    check(request, programs(loops=True), 60, judged)


small_limits = st.builds(
    Limits,
    states=st.integers(1, 6),
    steps=st.integers(1, 60),
    ways=st.integers(1, 8),
    search=st.integers(1, 60),
    alarms=st.integers(1, 3),
)


def test_raising_a_cap_removes_no_true_finding(request):
    def judged(program, limits, name, more):
        function, text = lower(program)
        truth = {plain(found) for found in truth_of(function, LOOP_RUNS).must}
        before = {reported(event) for event in run_engine(function, limits).events} & truth
        raised = replace(limits, **{name: getattr(limits, name) + more})
        after = {reported(event) for event in run_engine(function, raised).events}
        assert before <= after, f"{limits}, {name} + {more} loses {before - after}\n{text}"

    caps = st.sampled_from(["states", "ways", "steps", "search", "alarms"])
    strategy = st.tuples(
        dense_programs(loops=True) | idiomatic_programs(loops=True), small_limits, caps, st.integers(1, 60)
    )
    check(request, strategy, 100, lambda drawn: judged(*drawn))


# -- the oracle itself

P_FAILS = If(IsTrue("p", negated=True), (Give(-1),))
KNOWN = {
    "clean": (Program((Acquire("alloc", "p"), Release("p"))), set()),
    "exit": (Program((Acquire("alloc", "p"), Touch("p"))), {("leak", "exit", 6)}),
    "early return": (
        Program((Acquire("recv_msg", "n", "p"), If(Compare("n", ">", 0), (If(Env(), (Give(1),)), Release("p"))))),
        {("leak", "exit", 8)},
    ),
    "overwritten": (Program((Acquire("alloc", "p"), Assign("p", 0))), {("leak", "overwritten", 5)}),
    "discarded": (Program((Acquire("alloc"),)), {("leak", "discarded", 3)}),
    "realloc": (
        Program((Acquire("alloc", "p"), P_FAILS, Realloc("p", "p"), Release("p"))),
        {("leak", "overwritten", 8)},
    ),
    "double": (Program((Acquire("alloc", "p"), Release("p"), Release("p"))), {("double-release", "", 6)}),
    "used": (Program((Acquire("alloc", "p"), Release("p"), Touch("p"))), {("use-after-release", "", 6)}),
    "unset": (
        Program((Acquire("recv_msg", "n", "p"), Release("p")), unset=("p",)),
        {("uninitialized-release", "", 6)},
    ),
    "null is released": (Program((Release("p"),)), set()),
    "descriptor 0 is standard input": (
        Program((Acquire("open_it", "fd"), If(Compare("fd", ">", 0), (Release("fd"),)))),
        set(),
    ),
    "descriptor 1 is not": (
        Program((Acquire("open_it", "fd"), If(Compare("fd", "<=", 0), (Release("fd"),)))),
        {("leak", "exit", 8)},
    ),
    "alias": (Program((Acquire("alloc", "p"), Assign("q", "p"), Assign("p", 0), Release("q"))), set()),
    "loop": (
        Program((Loop(Env(), (Acquire("alloc", "p"),)),)),
        {("leak", "overwritten", 5), ("leak", "exit", 7)},
    ),
    "getline": (
        Program((Loop(Env(), (Acquire("get_line", "n", "p"),)), Release("p"))),
        set(),
    ),
    "handed over": (Program((Acquire("alloc", "p"),), value="p", gives_pointer=True), set()),
    "same condition twice": (
        Program((If(IsTrue("a"), (Acquire("alloc", "p"),)), If(IsTrue("a"), (Release("p"),)))),
        set(),
    ),
    "flag set before": (
        Program(
            (
                Acquire("env", "n"),
                Acquire("alloc", "p"),
                If(Compare("n", ">", 0), (Release("p"),)),
                If(Compare("n", "<=", 0), (Release("p"),)),
            )
        ),
        set(),
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_truth_of_known_programs(name):
    program, expected = KNOWN[name]
    function, text = lower(program)
    truth = judge(function)
    assert {(found.kind, found.sort, found.at) for found in truth.must} == expected, text


@pytest.mark.parametrize("name", KNOWN)
def test_engine_on_known_programs(name):
    agrees(KNOWN[name][0], RUNS)


@pytest.mark.parametrize("name", sorted(name for name, (_, expected) in KNOWN.items() if expected))
def test_comparison_notices_what_is_missing_and_what_is_extra(name):
    function, _ = lower(KNOWN[name][0])
    truth, result = judge(function), run_engine(function)
    assert compare(replace(result, events=()), truth).missing
    assert compare(result, Truth()).extra


def test_generator_makes_clean_programs_and_every_mistake():
    counts: dict[str, int] = {}

    @settings(max_examples=150, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(dense_programs(loops=False) | idiomatic_programs(loops=False))
    @example(KNOWN["unset"][0])
    def count(program):
        truth = truth_of(lower(program)[0])
        for kind in {f"{found.kind} {found.sort}" for found in truth.must} or {"clean"}:
            counts[kind] = counts.get(kind, 0) + 1

    count()
    for kind in ("clean", "leak exit", "leak overwritten", "leak discarded", "double-release "):
        assert counts.get(kind, 0) >= 5, counts
