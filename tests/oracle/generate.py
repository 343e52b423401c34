"""Strategies for programs: dense ones (anything goes) and idiomatic ones (mostly right, with a slip).

All draw from hypothesis, so a failing program shrinks.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from tests.oracle.language import (
    DESCRIPTORS,
    Acquire,
    Assign,
    Both,
    Break,
    Choose,
    Compare,
    Condition,
    CopyPair,
    Count,
    Either,
    Env,
    Give,
    If,
    Keep,
    Leave,
    Loop,
    Point,
    Program,
    Realloc,
    Release,
    Scope,
    Statement,
    Touch,
    Truth,
)

OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
INTS = st.sampled_from(["n", "m", "flag", "a", "b"])
RESULTS = st.sampled_from(["n", "m"])
CELLS = st.sampled_from(["p", "q", "s.a", "r", "s.b", "t.a"])
FDS = st.sampled_from(["fd", "dd"])
LABELS = st.integers(0, 2)


def simple_conditions(pointers: st.SearchStrategy[str]) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(Compare, INTS, OPERATORS, st.integers(0, 1)),
        st.builds(Truth, pointers, st.booleans()),
        st.builds(Truth, INTS, st.booleans()),
        st.builds(Compare, FDS, OPERATORS, st.sampled_from([0, -1])),
        st.just(Env()),
        st.builds(Compare, st.just("a"), OPERATORS, st.just("b")),
    )


def conditions(pointers: st.SearchStrategy[str]) -> st.SearchStrategy[Condition]:
    simple = simple_conditions(pointers)
    pair = st.one_of(st.builds(Both, simple, simple), st.builds(Either, simple, simple))
    return st.one_of(simple, simple, simple, pair)


def acquisitions(pointers: st.SearchStrategy[str]) -> st.SearchStrategy[Statement]:
    return st.one_of(
        st.builds(Acquire, st.just("alloc"), pointers),
        st.builds(Acquire, st.just("recv_msg"), RESULTS | st.just(""), pointers),
        st.builds(Acquire, st.just("recv_msg"), RESULTS, pointers, st.just("q")),
        st.builds(Acquire, st.just("open_it"), FDS),
        st.builds(Acquire, st.just("get_line"), RESULTS, pointers),
        st.builds(Acquire, st.just("env"), RESULTS),
    )


def plain_statements(pointers: st.SearchStrategy[str]) -> st.SearchStrategy[Statement]:
    flags = st.sampled_from(["flag", "m"])
    saved = st.one_of(
        st.builds(Compare, INTS, OPERATORS, st.integers(0, 1)),
        st.builds(Truth, pointers, st.booleans()),
    )
    return st.one_of(
        acquisitions(pointers),
        acquisitions(pointers),
        st.builds(Release, pointers),
        st.builds(Release, pointers),
        st.builds(Release, FDS),
        st.builds(Assign, pointers, pointers),
        st.builds(Assign, pointers, st.just(0)),
        st.builds(Assign, flags, st.integers(0, 1)),
        st.builds(Assign, st.just("dd"), st.just("fd")),
        st.builds(Assign, st.just("fd"), st.just(-1)),
        st.builds(Assign, st.sampled_from(["shelf", "*out"]), pointers),
        st.builds(Keep, flags, saved),
        st.builds(Realloc, pointers, pointers),
        st.builds(Acquire, st.sampled_from(["alloc", "open_it"])),
        st.builds(Touch, pointers),
        st.just(CopyPair()),
        st.builds(Leave, LABELS),
        st.builds(Give, st.one_of(st.integers(-1, 1), INTS, FDS, pointers)),
        st.just(Break()),
        st.just(Break(goes_on=True)),
    )


def blocks(depth: int, size: int, loops: bool, inner: bool = False) -> st.SearchStrategy[tuple[Statement, ...]]:
    pointers = CELLS | st.just("inner") if inner else CELLS
    plain = plain_statements(pointers)
    if depth == 0:
        return st.lists(plain, max_size=size).map(tuple)
    body = blocks(depth - 1, size - 1, loops, inner)
    arms = st.lists(st.tuples(st.integers(-1, 2), body, st.booleans()), min_size=1, max_size=2)
    nested: list[st.SearchStrategy[Statement]] = [
        st.builds(If, conditions(pointers), body),
        st.builds(If, conditions(pointers), body, body),
        st.builds(Choose, INTS, arms.map(tuple), body),
        st.builds(Scope, blocks(depth - 1, size - 1, loops, inner=True)),
    ]
    if loops:
        loop = st.builds(Loop, st.just(Env()) | conditions(pointers), body, st.booleans())
        count = st.builds(Count, st.just("i"), st.integers(1, 2), body)
        nested.extend([loop, loop, count])
    return st.lists(st.one_of(plain, plain, plain, *nested), max_size=size).map(tuple)


def dense_programs(loops: bool) -> st.SearchStrategy[Program]:
    """Programs without sense; with loops at most a few."""
    return st.builds(
        Program,
        blocks(2, 6, loops),
        st.lists(st.lists(plain_statements(CELLS), max_size=3).map(tuple), max_size=2).map(tuple),
        st.one_of(st.just(0), st.just("n"), CELLS),
        st.lists(st.sampled_from(["p", "q"]), max_size=2).map(tuple),
        st.booleans(),
    )


# -- idiomatic programs

_KINDS = ("alloc", "recv_msg", "recv_both", "open_it", "get_line")
_HOLDERS = ("p", "q", "s.a", "r")


@st.composite
def idiomatic_programs(draw: st.DrawFn, loops: bool) -> Program:
    """Resources acquired one after the other, error exits, a cleanup that fits; sometimes something is left out."""
    count = draw(st.integers(1, 3))
    style = draw(st.sampled_from(["return", "goto", "flag", "nested"]))
    slip = draw(st.sampled_from([0, 0, 1]))  # how many statements are left out
    steps = [_resource(draw, number) for number in range(count)]
    body: list[Statement] = []
    labels: tuple[tuple[Statement, ...], ...] = ()
    if style == "nested":
        body.extend(_nested(draw, steps))
    elif style == "flag":
        body.extend(_flagged(draw, steps))
    else:
        body, labels = _straight(draw, steps, style)
    if loops:
        turn = draw(st.sampled_from([Env(), Compare("i", "<", 2)]))
        looped = tuple(body)
        body = [Loop(turn, looped, draw(st.booleans())) if turn == Env() else Count("i", 2, looped)]
    for _ in range(slip):
        body = _leave_one_out(draw, body)
    return Program(tuple(body), labels, draw(st.sampled_from([0, "n"])))


def _resource(draw: st.DrawFn, number: int) -> tuple[Statement, Condition, str]:
    """How it is acquired, when that has failed, and its holder."""
    kind = draw(st.sampled_from(_KINDS))
    holder = _HOLDERS[number]
    if kind == "open_it":
        name = "fd" if number % 2 == 0 else "dd"
        return Acquire("open_it", name), Compare(name, "<", 0), name
    if kind == "alloc":
        return Acquire("alloc", holder), Truth(holder, negated=True), holder
    if kind == "get_line":
        return Acquire("get_line", "n", holder), Compare("n", "<", 0), holder
    creds = "s.b" if kind == "recv_both" else ""
    return Acquire("recv_msg", "n", holder, creds), Compare("n", "<=", 0), holder


Step = tuple[Statement, Condition, str]


def _undo(step: Step) -> list[Statement]:
    found: list[Statement] = [Release(step[2])]
    if isinstance(step[0], Acquire) and step[0].creds:
        found.append(Release(step[0].creds))
    return found


def _middle(draw: st.DrawFn, step: Step) -> list[Statement]:
    """What is done with a resource while it is held."""
    holder = step[2]
    if holder in ("fd", "dd"):
        return draw(st.sampled_from([[], [Acquire("env", "m")]]))
    replaced: list[Statement] = [
        Realloc("r", holder),
        If(Truth("r", negated=True), (Release(holder), *_reset(step), Give(-1)), (Assign(holder, "r"),)),
    ]
    return draw(
        st.sampled_from(
            [[], [Touch(holder)], [Assign("t.a", holder)], [Acquire("env", "m")], [Realloc(holder, holder)]]
            + ([replaced] if holder != "r" else [])
        )
    )


def _reset(step: Step) -> tuple[Statement, ...]:
    return (Release("s.b"),) if isinstance(step[0], Acquire) and step[0].creds else ()


def _straight(
    draw: st.DrawFn, steps: list[Step], style: str
) -> tuple[list[Statement], tuple[tuple[Statement, ...], ...]]:
    body: list[Statement] = []
    for number, step in enumerate(steps):
        body.append(step[0])
        before = [undo for earlier in reversed(steps[:number]) for undo in _undo(earlier)]
        if style == "return":
            body.append(If(step[1], (*before, Give(-1))))
        else:
            body.append(If(step[1], (Leave(len(steps) - number),)))
        body.extend(_middle(draw, step))
        if draw(st.booleans()):
            undone = [*_undo(step), *before]
            away: tuple[Statement, ...] = (
                (*undone, Give("n")) if style == "return" else (Leave(len(steps) - 1 - number),)
            )
            body.append(If(draw(conditions(st.just(step[2]))), away))
    undo = [tuple(_undo(step)) for step in reversed(steps)]
    if style == "return":
        return [*body, *(item for items in undo for item in items)], ()
    return body, (*undo, ())


def _flagged(draw: st.DrawFn, steps: list[Step]) -> list[Statement]:
    """A condition is decided before the acquisition and asked again at the release."""
    body: list[Statement] = []
    ends: list[Statement] = []
    for number, step in enumerate(steps):
        name = ("flag", "a", "b")[number]
        guard: Condition = draw(
            st.sampled_from([Truth(name), Compare(name, ">", 0), Compare(name, "==", 1), Compare("a", ">", "b")])
        )
        if name == "flag":
            body.append(draw(st.sampled_from([Acquire("env", "flag"), Keep("flag", Compare("a", ">", 0))])))
        good: tuple[Statement, ...] = (*_middle(draw, step),)
        body.append(If(guard, (step[0], *good)))
        ends = [If(guard, tuple(_undo(step))), *ends]
    if draw(st.booleans()):
        body.append(If(draw(conditions(st.just("p"))), (*ends, Give(-1))))
    return [*body, *ends]


def _nested(draw: st.DrawFn, steps: list[Step]) -> list[Statement]:
    step, *rest = steps
    inside = [*_middle(draw, step), *(_nested(draw, rest) if rest else []), *_undo(step)]
    failed = _opposite(step[1])
    return [step[0], If(failed, tuple(inside))]


def _opposite(condition: Condition) -> Condition:
    if isinstance(condition, Truth):
        return Truth(condition.name, not condition.negated)
    assert isinstance(condition, Compare)
    turned = {"<": ">=", "<=": ">"}
    return Compare(condition.name, turned[condition.operator], condition.value)


def _leave_one_out(draw: st.DrawFn, body: list[Statement]) -> list[Statement]:
    """Drop one statement, at any depth of `if`."""
    if not body:
        return body
    index = draw(st.integers(0, len(body) - 1))
    chosen = body[index]
    if isinstance(chosen, If) and chosen.then and draw(st.booleans()):
        inner = tuple(_leave_one_out(draw, list(chosen.then)))
        return [*body[:index], If(chosen.condition, inner, chosen.other), *body[index + 1 :]]
    if isinstance(chosen, Loop):
        inner = tuple(_leave_one_out(draw, list(chosen.body)))
        return [*body[:index], Loop(chosen.condition, inner, chosen.at_least_once), *body[index + 1 :]]
    if isinstance(chosen, Count):
        inner = tuple(_leave_one_out(draw, list(chosen.body)))
        return [*body[:index], Count(chosen.variable, chosen.rounds, inner), *body[index + 1 :]]
    return [*body[:index], *body[index + 1 :]]


@st.composite
def late_programs(draw: st.DrawFn) -> Program:
    """Idiomatic ones that go on with what they have cleaned up: used or released once more."""
    program = draw(idiomatic_programs(loops=False))
    holder = draw(st.sampled_from(["p", "q", "s.a", "fd"]))
    late: list[Statement] = [Release(holder)]
    if holder != "fd":
        late.append(Touch(holder))
    last: Statement = draw(st.sampled_from(late))
    if draw(st.booleans()):
        last = If(draw(conditions(st.just("p"))), (last,))
    return replace(program, body=(*program.body, last))


@st.composite
def stream_programs(draw: st.DrawFn) -> Program:
    """Streams beside other resources, one inside the other."""
    inner = draw(idiomatic_programs(loops=False))
    fails: Condition = Truth("fp", negated=True)
    undo: tuple[Statement, ...] = (Release("fp"),)
    middle = draw(
        st.sampled_from(
            [
                (),
                (Assign("gp", "fp"),),
                (If(Env(), (Give(-1),)),),
                (If(Env(), (Release("fp"), Give(-1))),),
                (Acquire("open_file", "gp"), If(Truth("gp", negated=True), (Release("fp"), Give(-1))), Release("gp")),
            ]
        )
    )
    end = undo if draw(st.integers(0, 3)) else ()
    body = (Acquire("open_file", "fp"), If(fails, (Give(-1),)), *middle, *inner.body, *end)
    return replace(inner, body=body)


@st.composite
def handing_programs(draw: st.DrawFn) -> Program:
    """Idiomatic ones that end by giving away what others release: to the caller or to a global."""
    program = draw(idiomatic_programs(loops=False))
    parts = [list(program.body), *(list(part) for part in program.labels)]
    released = [
        (part, index)
        for part in parts
        for index, item in enumerate(part)
        if isinstance(item, Release) and item.name not in DESCRIPTORS
    ]
    if not released:
        return program
    part, index = draw(st.sampled_from(released))
    name = part[index].name  # type: ignore[union-attr]
    how = draw(st.sampled_from(["*out", "shelf", "return", "maybe"]))
    if how == "return" and part is parts[0]:
        rest = [item for item in part[index + 1 :] if isinstance(item, Release)]
        return replace(program, body=(*part[:index], *rest, Give(name)), value=0, gives_pointer=True)
    part[index] = Assign("*out" if how != "shelf" else how, name)
    if how == "maybe":
        part[index] = If(Env(), (part[index],), (Release(name),))
    return replace(program, body=tuple(parts[0]), labels=tuple(tuple(part) for part in parts[1:]))


@st.composite
def related_programs(draw: st.DrawFn) -> Program:
    """What one comparison of two numbers lets in, another one of the same two lets out: some pairs fit, some do not."""
    left, right = draw(st.sampled_from([("a", "b"), ("b", "a"), ("n", "a"), ("n", 0), ("a", 1)]))
    holder = draw(st.sampled_from(["p", "s.a", "fd"]))
    resource = Acquire("open_it", holder) if holder == "fd" else Acquire("alloc", holder)

    def compared() -> Condition:
        one, other = left, right
        if isinstance(other, str) and draw(st.booleans()):
            one, other = other, one
        return Compare(one, draw(OPERATORS), other)

    first, second = compared(), compared()
    body: tuple[Statement, ...]
    if draw(st.booleans()):
        body = (If(first, (resource,)), If(second, (Release(holder),)))
    else:
        body = (If(first, (Give(1),)), resource, If(second, (Release(holder), Give(0))))
        if draw(st.booleans()):
            body = (*body, If(compared(), (Release(holder),)))
    return Program((Acquire("env", "n"), *body))


@st.composite
def pointed_programs(draw: st.DrawFn) -> Program:
    """A variable has a second name through a pointer, and pointers are compared with each other."""
    cells = st.sampled_from(["p", "q", "s.a"])
    named = st.sampled_from(["*w", "*w", "p", "q"])
    conditions_here = st.one_of(
        st.builds(Truth, named, st.booleans()),
        st.builds(Compare, cells, st.sampled_from(["==", "!="]), named),
        st.just(Env()),
    )
    plain = st.one_of(
        st.builds(Acquire, st.just("alloc"), named),
        st.builds(Acquire, st.just("alloc"), named),
        st.builds(Release, named),
        st.builds(Release, named),
        st.builds(Assign, cells, st.just("*w")),
        st.builds(Assign, st.just("*w"), st.one_of(cells, st.just(0))),
        st.builds(Assign, cells, st.one_of(cells, st.just(0))),
        st.builds(Point, cells),
        st.builds(Touch, named),
    )
    body = st.lists(plain, max_size=3).map(tuple)
    branch = st.builds(If, conditions_here, body, body)
    rest = draw(st.lists(st.one_of(plain, plain, branch), min_size=2, max_size=7))
    return Program((Point(draw(cells)), *rest), value=0)


@st.composite
def round_programs(draw: st.DrawFn) -> Program:
    """Loops whose rounds differ: by their number, by a `continue` or `break` in the middle, by what is left over."""
    holder, fails = draw(st.sampled_from([("p", Truth("p", negated=True)), ("fd", Compare("fd", "<", 0))]))
    away = st.sampled_from([Break(), Break(goes_on=True), Break(goes_on=True)])
    asked = st.one_of(
        st.just(Env()), st.builds(Compare, st.just("i"), st.sampled_from(["==", "!=", ">"]), st.integers(0, 1))
    )
    acquire: Statement = Acquire("open_it" if holder == "fd" else "alloc", holder)
    body: list[Statement] = [acquire] if draw(st.integers(0, 3)) else [If(draw(asked), (acquire,))]
    if draw(st.booleans()):
        body.append(If(fails, (draw(away),)))
    if draw(st.booleans()):
        freed: tuple[Statement, ...] = (Release(holder),) if draw(st.booleans()) else ()
        body.append(If(draw(asked), (*freed, draw(away))))
    if draw(st.integers(0, 2)):
        body.append(Release(holder) if draw(st.booleans()) else If(draw(asked), (Release(holder),)))
    loop: Statement = Count("i", 2, tuple(body))
    if draw(st.booleans()):
        loop = Loop(Env(), tuple(body), draw(st.booleans()))
    after: tuple[Statement, ...] = (Release(holder),) if draw(st.integers(0, 2)) else ()
    return Program((loop, *after))


@st.composite
def switch_programs(draw: st.DrawFn) -> Program:
    """What a switch acquires, another question about the same number releases: some pairs fit, some do not."""
    name = draw(st.sampled_from(["n", "a"]))
    holder = draw(st.sampled_from(["p", "fd"]))
    acquire: Statement = Acquire("open_it" if holder == "fd" else "alloc", holder)
    release: Statement = Release(holder)

    def choice(inside: Statement) -> Choose:
        """The statement in one or two of the ways, or in the default."""
        arms = tuple(
            (number, draw(st.sampled_from([(), (inside,)])), draw(st.booleans()))
            for number in draw(st.sampled_from([(0,), (0, 1), (1, 0), (-1, 1)]))
        )
        return Choose(name, arms, draw(st.sampled_from([(), (), (inside,)])))

    asked = st.builds(Compare, st.just(name), OPERATORS, st.integers(-1, 1))
    first = choice(acquire) if draw(st.integers(0, 2)) else If(draw(asked), (acquire,))
    second = choice(release) if draw(st.integers(0, 2)) else If(draw(asked), (release,))
    return Program((Acquire("env", "n"), first, second))
