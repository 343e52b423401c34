"""The contract of a function: guarded outcomes and their effects.

Example: ``nl_recv(sk, nla, buf, creds)`` has the outcomes

    when ret > 0:  fresh *buf heap, maybe fresh *creds heap
    when ret <= 0: unchanged *buf, null *creds

Knows nothing of YAML (see loader.py, text.py) and of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import final

from analyzer.ir.types import CType


@final
@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A kind of thing that is acquired and must be released.

    releases: functions that release it, the customary one first; another one is a wrong release.
    share: functions that add a share, each share needing its own release.
    noun: what a message calls it ("buffer", "file descriptor").
    integer: a number, not a pointer; 0 is a valid one and `failure` (-1) is not.
    failure: values that mean "no resource": (0,) for pointers, (-1,) for descriptors and MAP_FAILED.
    deep: releasing it also releases what it holds, so nothing stored in it can be lost then.
    source: "file:line:column" of its definition.
    """

    name: str
    library: str
    releases: tuple[str, ...]
    share: tuple[str, ...] = ()
    noun: str = "resource"
    cwe: int = 401
    integer: bool = False
    failure: tuple[int, ...] = (0,)
    deep: bool = False
    source: str = ""


class Root(Enum):
    """Where a term starts."""

    RET = "ret"
    PARAM = "param"
    GLOBAL = "global"


@final
@dataclass(frozen=True, slots=True)
class Term:
    """Something the caller can see: ``ret``, ``buf``, ``*buf``, ``ctx->name``, ``*list[]``, ``::verbose``.

    index: the parameter's position, else 0; of a GLOBAL `NO_PARAMETER`.
    selectors: from left to right: "*" dereferences, ".name" selects a member, "[]" any element.
        ``*buf`` is ("*",), ``ctx->name`` is ("*", ".name"). Where the layout is known, as in inferred
        contracts, a member carries its offset in bits: ".name@64". ``fds[1]`` is ("*", ".[1]@32").
    name: of a GLOBAL: the variable as the IR names it ("verbose"; static ones with their file, "src/a.c:verbose").
    """

    root: Root
    index: int = 0
    selectors: tuple[str, ...] = ()
    name: str = ""


NO_PARAMETER = 1 << 16  # more than any function has


def global_term(name: str) -> Term:
    """A global variable; name: see `Term`."""
    return Term(Root.GLOBAL, NO_PARAMETER, name=name)


def member(name: str, offset: int) -> str:
    """The selector of a member that lies `offset` bits from the start of its record."""
    return f".{name}@{offset}"


def member_offset(selector: str) -> int | None:
    """The offset in bits that a member selector carries, None without one."""
    _, at, offset = selector.partition("@")
    return int(offset) if at else None


@final
@dataclass(frozen=True, slots=True)
class Atom:
    """One condition: ``term operator value``. operator: == != < <= > >=; null is ``== 0``.

    Operator "&" is the condition ``(term & value) != 0`` (flags of a constant argument), "!&" its negation.
    """

    term: Term
    operator: str
    value: int


class EffectKind(Enum):
    """What can happen; the closed vocabulary."""

    FRESH = "fresh"  # a new resource of `resource` is held at term
    RELEASE = "release"  # the resource that term holds is released
    TAKE = "take"  # the callee owns it from now on
    KEEP = "keep"  # the callee keeps a bare pointer; the caller still owns
    BORROW = "borrow"  # explicitly nothing
    RETURN = "return"  # ret is term itself
    INTERIOR = "interior"  # ret points into what term points to
    SHARE = "share"  # one more share of the object term points to, for the caller to release
    NULL = "null"  # term is a null pointer afterwards
    UNCHANGED = "unchanged"  # term is not written
    UNDEFINED = "undefined"  # term holds no usable value afterwards
    DANGLING = "dangling"  # term holds an already released pointer afterwards
    BORROWED = "borrowed"  # term holds a pointer that someone else owns afterwards
    STATIC = "static"  # term holds a pointer to memory that nobody may release
    VALUE = "value"  # term holds the constant `value`
    WRITE = "write"  # term is written with something that owns nothing
    PASS = "pass"  # term is given to the function that `into` holds, which is called now, any number of times
    ESCAPE = "escape"  # term is out of sight: silent from here
    STORE = "store"  # term holds what `source` was before the call, or what is returned; ownership stays as it is
    NORETURN = "noreturn"  # the call does not return
    OPAQUE = "opaque"  # nothing is known


@final
@dataclass(frozen=True, slots=True)
class Effect:
    """One line of an outcome.

    resource: kind name for FRESH and SHARE (key in `ContractTable.kinds`), optional for RELEASE.
    maybe: FRESH: may be a null pointer instead, also when the guard holds (``maybe fresh *creds heap``). RETURN: where
        term cannot be what is returned, something else is.
    inout: FRESH: the old value of term was consumed, so overwriting it is no loss (getline). With
        optional: it happens only where term held nothing before.
    deep: RELEASE: what the object holds is released with it.
    value: for VALUE. For PASS: the position of that function's parameter. For NULL of all that a parameter points to
        (``null *p[]``): its size in bits, 0 if not known.
    optional: FRESH, NULL: may also not happen, and then term keeps what it held (inferred contracts).
    source: STORE: what is stored.
    into: TAKE: what owns it now: who releases the one releases the other (``fdopen``). PASS: the parameter that holds
        the function.
    by: RELEASE in an inferred contract: the function that finally releases it, "" = the one called. ESCAPE: all that
        may happen to it is that this function releases it (a share is given back, and others may be left).
    """

    kind: EffectKind
    term: Term | None = None
    resource: str = ""
    maybe: bool = False
    inout: bool = False
    deep: bool = False
    value: int = 0
    optional: bool = False
    source: Term | None = None
    into: Term | None = None
    by: str = ""


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """When all atoms hold, all effects happen. Conditions on ``ret`` speak of the value returned, all
    others of the state before the call, except atoms on an out-parameter's content (``*buf != null``),
    which speak of the state after it. In inferred contracts these, too, speak of the state before, and
    after: conditions on what is behind parameters after the call (only there).
    """

    when: tuple[Atom, ...]
    effects: tuple[Effect, ...]
    after: tuple[Atom, ...] = ()


class Provenance(Enum):
    """Where a contract comes from."""

    PROJECT = "project"  # a rule file named by the user
    PACK = "pack"  # a library pack shipped with mustfree
    BUILTIN = "attribute"  # stated in the source by an attribute
    INFERRED = "inferred"


@final
@dataclass(frozen=True, slots=True)
class Signature:
    """What a declaration must look like for the contract to apply. Spellings are canonical C types.

    names: of the parameters; () for a plain borrower, whose rule mentions none.
    """

    result: CType
    parameters: tuple[CType, ...]
    names: tuple[str, ...] = ()
    variadic: bool = False


@final
@dataclass(frozen=True, slots=True)
class Route:
    """One way by which a resource goes out of sight.

    function: the function of which too little is known; "" where there is none to describe: then `what` says it.
    file, at: the call; "" where there is none to show. `at` counts from the name of the function that it stands in
        (within: `Function.body`), so that nothing changes when that one moves. signature: as the call sees it.
    defined: its body was seen, and does not say what becomes of the resource.
    """

    function: str
    file: str
    at: int
    signature: Signature | None = None
    defined: bool = False
    what: str = ""
    within: str = ""


@final
@dataclass(frozen=True, slots=True)
class FunctionContract:
    """What one function does to ownership.

    outcomes: cover every value that `returns` allows, and no case twice; parameters that no effect mentions
        are borrowed. One empty outcome = plain borrower.
    returns: conditions that every returned value meets ("ret <= 0"); () = any value of the result type.
    replaces: functions with another duty that this one tends to replace: (name, what that one does, as the end of a
        sentence: "frees the buffer itself").
    source: "file:line" of the rule, or of the definition it was inferred from.
    declaration: the C declaration as the rule file writes it, "" when inferred.
    bytes: what a lost resource costs: a text, or a product of parameters and numbers ("nmemb * size").
    waits: what it waits for or receives from outside ("message"): a loop around it takes a round for each. "": nothing.
    calls: parameters whose function it calls: (position, for each what, later: "message"; "" while it runs itself).
    pure: what it returns depends on nothing but its arguments, and on what they point to.
    scans: position of a scanf format, and the kind of what its `m` conversions allocate.
    writes: global variables that the function may change (inferred contracts); "*": anything outside.
    unread: positions of pointers that the function compares or passes on, but never looks behind, and, in inferred
        contracts, of numbers that it gives to no function that would use them.
    complete: positions of parameters about whose memory the effects say everything (inferred contracts).
    below: positions of parameters from which the function goes on to other objects and writes there (inferred
        contracts): a list may have lost an element that it was given.
    uses: members behind parameters, and global variables, behind whose value it looks on every path, and which it never
        changes (inferred contracts).
    extras: it takes unnamed arguments out of its list itself (inferred contracts): anything may become of those.
    routes: for what escapes, through which functions (inferred contracts): a term, or None for what `writes` says; it
        explains, and two contracts that differ in it alone are equal.
    """

    name: str
    signature: Signature
    outcomes: tuple[Outcome, ...]
    provenance: Provenance
    library: str = ""
    source: str = ""
    doc: str = ""
    bytes: str = ""
    since: str = ""
    until: str = ""
    replaces: tuple[tuple[str, str], ...] = ()
    waits: str = ""
    calls: tuple[tuple[int, str], ...] = ()
    noreturn: bool = False
    pure: bool = False
    returns: tuple[Atom, ...] = ()
    declaration: str = ""
    scans: tuple[int, str] | None = None
    writes: tuple[str, ...] = ()
    complete: tuple[int, ...] = ()
    unread: tuple[int, ...] = ()
    below: tuple[int, ...] = ()
    uses: tuple[Term, ...] = ()
    extras: bool = False
    routes: tuple[tuple[Term | None, tuple[Route, ...]], ...] = field(default=(), compare=False)


NEVER_RELEASED = (Outcome((), (Effect(EffectKind.STATIC, Term(Root.RET)),)),)  # of a function listed in `static:`


@final
@dataclass(frozen=True, slots=True)
class Pack:
    """One rule file.

    declare: C text that stands in for the library's header where it is missing.
    ignores_null: functions that are documented to do nothing for a null pointer.
    headers: glob patterns of the headers that the library ships (``netlink/*.h``).
    """

    library: str
    version: str
    path: str
    headers: tuple[str, ...]
    kinds: Mapping[str, ResourceKind]
    functions: tuple[FunctionContract, ...]
    declare: str = ""
    provenance: Provenance = Provenance.PACK
    notes: Mapping[str, str] = field(default_factory=dict)
    ignores_null: tuple[str, ...] = ()
