"""Programs with helpers in the same file: what inference across functions must get right.

Two sorts of helpers: whole programs of the one-function generator, called with what they need, and the usual
small ones (wrappers, conditional releases, init and fini of a struct), each with its slips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.oracle.generate import acquisitions, blocks, conditions
from tests.oracle.language import (
    Acquire,
    Assign,
    Compare,
    Condition,
    Env,
    Give,
    Help,
    If,
    Keep,
    Program,
    Release,
    Statement,
    Touch,
    Truth,
)


@dataclass(frozen=True)
class Helper:
    """A helper as C text."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class WithHelpers:
    """main calls the helpers with Help statements."""

    helpers: tuple[Helper | Program, ...]
    main: Program


@dataclass(frozen=True)
class Use:
    """How a helper is used. get: the call, `$` for the holder; failed: when it gave nothing; undo: the release."""

    get: str
    failed: Condition | None
    undo: Statement | None
    holder: str


Drawn = tuple[Helper | Program, Use]


def _maybe(draw: st.DrawFn, line: str, often: int = 3) -> list[str]:
    """The line, or (one time in `often` + 1) nothing."""
    return [line] if draw(st.integers(0, often)) else []


def _branch(draw: st.DrawFn, undo: str, result: str) -> list[str]:
    """An early way out, mostly with the release it needs."""
    condition = draw(st.sampled_from(["", "env() > 0", "env() < 0"]))
    if not condition:
        return []
    return [f"    if ({condition}) {{ {''.join(_maybe(draw, undo + ' '))}return {result}; }}"]


def _maker(draw: st.DrawFn, name: str, holder: str) -> Drawn:
    """Returns a new block."""
    lines = [
        f"static void *{name}(void)",
        "{",
        "    void *p = malloc(10);",
        *_maybe(draw, "    if (!p) return NULL;"),
        *_branch(draw, "free(p);", "NULL"),
        "    return p;",
        "}",
    ]
    return Helper(tuple(lines)), Use(f"$ = {name}();", Truth(holder, negated=True), Release(holder), holder)


def _getter(draw: st.DrawFn, name: str, holder: str) -> Drawn:
    """Gives a received buffer through an out-parameter."""
    result = draw(st.sampled_from(["n", "0", "1"]))
    lines = [
        f"static int {name}(struct nl_sock *sk, void **buf)",
        "{ struct sockaddr_nl nla;",
        "    void *got = NULL;",
        "    int n = nl_recv(sk, &nla, (unsigned char **) &got, NULL);",
        "    if (n <= 0) return -1;",
        *_branch(draw, "free(got);", "-1"),
        "    *buf = got;",
        f"    return {result};",
        "}",
    ]
    return Helper(tuple(lines)), Use(f"n = {name}(sk, &$);", Compare("n", "<", 0), Release(holder), holder)


def _opener(draw: st.DrawFn, name: str, holder: str) -> Drawn:
    """Returns a new descriptor."""
    lines = [
        f"static int {name}(void)",
        "{",
        '    int fd = open("f", O_RDONLY);',
        "    if (fd < 0) return -1;",
        *_branch(draw, "close(fd);", "-1"),
        "    return fd;",
        "}",
    ]
    return Helper(tuple(lines)), Use(f"$ = {name}();", Compare(holder, "<", 0), Release(holder), holder)


def _dropper(draw: st.DrawFn, name: str, holder: str, slips: bool) -> Drawn:
    """Releases a block: always, sometimes, or that of a variable of the caller; with slips also twice."""
    kinds = ["plain", "guarded", "flag", "result", "slot", "slot without null"]
    kind = draw(st.sampled_from([*kinds, "twice"] if slips else kinds))
    head, body, call = {
        "plain": ("void", ["    free(p);"], f"{name}($);"),
        "guarded": ("void", ["    if (p) free(p);"], f"{name}($);"),
        "flag": ("void", ["    if (flag > 0) free(p);"], f"{name}($, flag);"),
        "result": ("int", ["    if (env() > 0) { free(p); return -1; }", "    return 0;"], f"m = {name}($);"),
        "slot": ("void", ["    free(*p);", "    *p = NULL;"], f"{name}(&$);"),
        "slot without null": ("void", ["    free(*p);"], f"{name}(&$);"),
        "twice": ("void", ["    free(p);", "    if (env() > 0) shelf = NULL;", "    free(p);"], f"{name}($);"),
    }[kind]
    parameter = "void **p" if kind.startswith("slot") else "void *p, int flag" if kind == "flag" else "void *p"
    lines = [f"static {head} {name}({parameter})", "{", *body, "}"]
    failed = {"flag": Compare("flag", ">", 0), "result": Compare("m", "<", 0)}.get(kind)
    return Helper(tuple(lines)), Use(call, failed, None, holder)


def _viewer(draw: st.DrawFn, name: str, holder: str) -> Drawn:
    """Borrows, gives back, or keeps."""
    kind = draw(st.sampled_from(["asks", "writes", "gives back", "keeps"]))
    head, body, call = {
        "asks": ("int", "    return p != NULL && env() > 0;", f"m = {name}($);"),
        "writes": ("void", "    if (p) *(char *)p = 0;", f"{name}($);"),
        "gives back": ("void *", "    return p;", f"t.a = {name}($);"),
        "keeps": ("void", "    shelf = p;", f"{name}($);"),
    }[kind]
    return Helper((f"static {head} {name}(void *p)", "{", body, "}")), Use(call, None, None, holder)


def _initialiser(draw: st.DrawFn, name: str) -> tuple[Helper, Helper, Use]:
    """Init and fini of a struct with two blocks."""
    undone = "".join([*_maybe(draw, "free(s->a); "), *_maybe(draw, "s->a = NULL; ")])
    lines = [
        f"static int {name}_init(struct pair *s)",
        "{",
        "    s->a = malloc(10);",
        "    if (!s->a) return -1;",
        "    s->b = malloc(10);",
        f"    if (!s->b) {{ {undone}return -1; }}",
        "    return 0;",
        "}",
    ]
    undo = [
        f"static void {name}_fini(struct pair *s)",
        "{",
        *_maybe(draw, "    free(s->b);", 5),
        *_maybe(draw, "    free(s->a);", 5),
        *_maybe(draw, "    s->a = s->b = NULL;"),
        "}",
    ]
    use = Use(f"n = {name}_init(&s);", Compare("n", "<", 0), Help(f"{name}_fini(&s);"), "s")
    return Helper(tuple(lines)), Helper(tuple(undo)), use


def _program_helper(draw: st.DrawFn, index: int, holder: str) -> Drawn:
    """A whole generated function, that gets `&holder` and two numbers."""
    pointers = st.sampled_from(["p", "q"])
    body = draw(blocks(1, 3, loops=False))
    first = draw(acquisitions(pointers))
    gives = draw(st.booleans())
    value = draw(st.sampled_from(["p", "q", "0"] if gives else ["n", "1", "0"]))
    end: str | int = int(value) if value in "01" else value
    middle = draw(st.sampled_from([[], [Assign("*out", "p")], [If(Env(), (Assign("*out", "p"), Give(1)))]]))
    helper = Program((first, *middle, *body), value=end, gives_pointer=gives)
    call = f"{'$' if gives else 'n'} = h@_{index}(sk, {'&r' if gives else '&$'}, {draw(st.sampled_from('ab01'))}, a);"
    failed: Condition = Truth(holder, negated=True) if gives else Compare("n", "<=", 0)
    return helper, Use(call, failed, Release(holder), holder)


@st.composite
def helper_programs(draw: st.DrawFn, slips: bool = False) -> WithHelpers:
    """A main function in the usual style that gets, uses and drops by helpers.

    slips: what was acquired before is sometimes forgotten where a helper gives nothing, and what is released is
    sometimes released twice.
    """
    helpers: list[Helper | Program] = []
    body: list[Statement] = []
    undo: list[Statement] = []

    def add(helper: Helper | Program) -> int:
        helpers.append(helper)
        return len(helpers) - 1

    for holder in draw(st.sampled_from([("p",), ("p", "q"), ("fd",), ("s",), ("p", "s"), ("p", "fd")])):
        name = f"h@_{len(helpers)}"
        if holder == "s":
            init, fini, use = _initialiser(draw, name)
            add(init)
            add(fini)
        elif holder == "fd":
            helper, use = _opener(draw, name, holder)
            add(helper)
        else:
            kind = draw(st.integers(0, 3))
            if kind == 3:
                helper, use = _program_helper(draw, len(helpers), holder)
            elif kind == 2:
                helper, use = Helper(("",)), Use("", Truth(holder, negated=True), Release(holder), holder)
            else:
                helper, use = (_maker if kind else _getter)(draw, name, holder)
            add(helper)
        body.append(Help(use.get.replace("$", holder)) if use.get else Acquire("alloc", holder))
        if use.failed is not None and draw(st.integers(0, 3)):
            undone = () if slips and draw(st.booleans()) else tuple(undo)
            body.append(If(use.failed, (*undone, Give(-1))))
        if holder in ("p", "q"):
            body.extend(_between(draw, helpers, holder, undo))
        if use.undo is not None:
            undo = [*_released(draw, helpers, use, slips), *undo]
        if draw(st.booleans()):
            body.append(If(draw(conditions(st.just("p"))), (*undo, Give("n"))))
    if undo and not draw(st.integers(0, 3)):
        undo.pop(draw(st.integers(0, len(undo) - 1)))
    main = Program((*body, *undo), value=draw(st.sampled_from([0, "n"])))
    return WithHelpers(tuple(helpers), main)


def _between(draw: st.DrawFn, helpers: list[Helper | Program], holder: str, undo: list[Statement]) -> list[Statement]:
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return []
    if kind == 1:
        return [draw(st.sampled_from([Touch(holder), Keep("flag", Truth(holder)), Assign("t.a", holder)]))]
    helper, use = _viewer(draw, f"h@_{len(helpers)}", holder)
    helpers.append(helper)
    return [Help(use.get.replace("$", holder))]


def _released(draw: st.DrawFn, helpers: list[Helper | Program], use: Use, slips: bool) -> list[Statement]:
    """The release itself, or a helper that does it."""
    assert use.undo is not None
    if use.holder not in ("p", "q") or draw(st.booleans()):
        return [use.undo]
    helper, drop = _dropper(draw, f"h@_{len(helpers)}", use.holder, slips)
    helpers.append(helper)
    call = Help(drop.get.replace("$", use.holder))
    if drop.failed is None or not draw(st.integers(0, 3)):
        return [call]
    return [call, If(_not(drop.failed), (use.undo,))]


def _not(condition: Condition) -> Condition:
    assert isinstance(condition, Compare)
    return replace(condition, operator={"<": ">=", ">": "<="}[condition.operator])
