"""What a run has to say. Built by checks and program, read by report; plain, sorted, picklable data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import final


@final
@dataclass(frozen=True, slots=True, order=True)
class Region:
    """A piece of a file. Lines and columns count from 1; columns in UTF-16 code units; end is exclusive.

    Line 0 with columns 0: the file as a whole, for something that is gone from it.

    file: relative path with forward slashes where the file lies below the working directory.
    text: the source line that `line` names, decoded for display (control characters escaped).
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str = ""


class Confidence(Enum):
    """How sure a finding is, by the rule in checks/confidence.py."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Level(Enum):
    """How much a finding hurts (SARIF words)."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Growth(Enum):
    """How often a leak loses something, by what is seen of the program; the worst first."""

    PER_MESSAGE = "per message"  # with each message, event or the like that the program waits for
    PER_CALL = "per call"  # with each call of its function, or each round of its loop; nothing tells how often that is
    PER_ERROR = "per error"  # only where something fails
    ONCE = "once"  # at most once in a run


@final
@dataclass(frozen=True, slots=True)
class Circumstances:
    """What its own function tells of how often a loss happens.

    loop: number (as in `ir.order.loop_numbers`) of the loop in each round of which something is acquired and lost; -1
        for none.
    failure: why it happens only where something fails, a phrase; "" where that is not known.
    ends: the process ends there.
    """

    loop: int = -1
    failure: str = ""
    ends: bool = False


class StepKind(Enum):
    """What a step of a code flow is."""

    ACQUIRE = "acquire"
    BRANCH = "branch"
    ALIAS = "alias"
    CALL = "call"
    RELEASE = "release"
    LOST = "lost"


@final
@dataclass(frozen=True, slots=True)
class Step:
    """One step of the path: where, and what happens there, as a sentence without full stop."""

    at: Region
    message: str
    kind: StepKind


@final
@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding, e.g. a further loss point of the same resource."""

    at: Region
    message: str


class State(Enum):
    """How a loss point stands to an earlier state of the program: a baseline, or the base of a change (SARIF words)."""

    NEW = "new"
    UNCHANGED = "unchanged"
    ABSENT = "absent"


class Withheld(Enum):
    """Why the settings of the project keep a finding from being shown."""

    GENERATED = "generated"  # it lies in generated code
    OFF = "off"  # the check or the allocator is switched off
    UNSURE = "unsure"  # below the confidence that is asked for


@final
@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that allows a finding. at: the comment. until: last day on which it holds, "" without limit."""

    at: Region
    reason: str
    until: str = ""


@final
@dataclass(frozen=True, slots=True)
class Replacement:
    """Other text for a piece of a file; where the piece is empty, an insertion."""

    at: Region
    text: str


@final
@dataclass(frozen=True, slots=True)
class Fix:
    """A repair that was proved by analysing the program with it.

    description: a sentence without full stop. file: that it changes. replacements: by place, without overlap.
    """

    description: str
    file: str
    replacements: tuple[Replacement, ...]


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """One report.

    check: id of the check ("leak").
    kind: the sort of loss inside the check: "exit", "overwritten", "loop", "discarded", "realloc", ... .
    message: first sentence complete by itself.
    at: the point of loss (or of the second release, the use, ...): the primary location.
    resource: the holder as the programmer writes it ("buf", "ctx->rx", "return value of fopen()").
    callee: the acquiring function, "" when there is none.
    steps: acquisition first, decisive branches, the loss last.
    related: further loss points, sibling evidence.
    advice: what would have discharged the duty ("free(buf)").
    confidence_reason: why not higher, "" for high.
    fingerprint: stable under edits elsewhere; uses no line numbers. All loss points of the finding share it.
    point: fingerprint of this one loss point.
    points: when several loss points were put together: each as a finding of its own, this one first.
    slot: "ret", "*buf" in the contract's words. lines: first and last line of the function.
    suppression, state: None when nothing allows it, and when nothing was compared.
    change: what in a change made it, a sentence without full stop; "" without a change.
    variants: the configurations in which alone it shows, which its sentence says, too; () where the given one is among
        them.
    record: type of the pointer that is lost, where a function of the program made the structure that it points to, and
        nothing has taken that apart; "" otherwise. releases: what releases it, the usual function first.
    withheld: why the settings keep it from being shown; None when they do not.
    remedy: the function that would release it as the help proposes, or the one that was called, "" for none.
    fixes: repairs, when they were asked for.
    growth, growth_reason: of a leak in a whole program: how often it loses something, and a phrase that says why. None
        otherwise. Of several loss points, the worst.
    cost: what is lost each time ("16 bytes", "4 pages"), "" where no contract says it.
    circumstances: of a leak: what `growth` is made of, beside the calls of the program.
    """

    check: str
    kind: str
    message: str
    at: Region
    function: str
    resource: str
    callee: str
    steps: tuple[Step, ...]
    related: tuple[Related, ...] = ()
    advice: str = ""
    level: Level = Level.WARNING
    confidence: Confidence = Confidence.HIGH
    confidence_reason: str = ""
    cwe: int = 401
    fingerprint: str = ""
    point: str = ""
    points: tuple[Finding, ...] = ()
    slot: str = ""
    lines: tuple[int, int] = (0, 0)
    suppression: Suppression | None = None
    state: State | None = None
    change: str = ""
    withheld: Withheld | None = None
    variants: tuple[str, ...] = ()
    record: str = ""
    releases: tuple[str, ...] = ()
    remedy: str = ""
    fixes: tuple[Fix, ...] = ()
    growth: Growth | None = None
    growth_reason: str = ""
    cost: str = ""
    circumstances: Circumstances | None = None


class Verdict(Enum):
    """How one acquisition and slot ended: the first of these, in this order, that holds on any path."""

    LEAKED = "leaked"
    GAVE_UP = "gave up"
    UNPROVEN = "unproven"
    ESCAPED = "escaped"
    MAYBE_RELEASED = "maybe released"
    HELD = "held by a global or for the process's life"
    MOVED = "moved"
    HANDED_OVER = "handed to the caller"
    RELEASED = "released"
    UNREACHABLE = "unreachable"
    NOT_COMPILED = "not compiled under these flags"  # in text that the preprocessor drops: see `Report.not_compiled`


@final
@dataclass(frozen=True, slots=True)
class Escape:
    """One way by which a resource goes out of sight.

    function: the function of which too little is known, "" where there is none to describe.
    what: for readers: "list_add()", "a call through a pointer".
    at: the call that it goes out of sight with, perhaps in another function, to which the resource is handed;
        None where it has no place of its own.
    prototype: C declaration of the function as that call sees it, every parameter with a name; "" without a function.
    takers: names of the parameters that may take something over.
    defined: the program defines the function, but its body does not tell.
    """

    function: str
    what: str
    at: Region | None = None
    prototype: str = ""
    takers: tuple[str, ...] = ()
    defined: bool = False


@final
@dataclass(frozen=True, slots=True)
class Unlock:
    """What a contract for one function would bring back into sight.

    acquisitions: that go out of sight through it, on some path. decides: those of them that do so through nothing
    else. escape: the first place in the program at which it happens.
    """

    escape: Escape
    acquisitions: int
    decides: int


@final
@dataclass(frozen=True, slots=True)
class Acquisition:
    """The verdict on one acquiring call and slot.

    slot: "return value", "*buf", ... ; holder: as the programmer writes it.
    reason: for escaped: the function or store it escaped to; for gave up: which cap; else "".
    escapes: for escaped and maybe released: by which ways it goes out of sight; "maybe" may have none.
    held: for held: the variables that hold it, "name" or "file:name" for static ones.
    met: the caps that were met while it was followed, by their limits' names; higher ones may answer better.
    Where it is not compiled: reason is the directive, slot, holder and kind are not known, function may be "".
    """

    at: Region
    function: str
    callee: str
    slot: str
    holder: str
    kind: str
    verdict: Verdict
    reason: str = ""
    escapes: tuple[Escape, ...] = ()
    held: tuple[str, ...] = ()
    met: tuple[str, ...] = ()


class NoticeKind(Enum):
    """Things that are not findings and must not be silent."""

    BAD_INPUT = "bad-input"  # what the user named is missing or unreadable: exit status 2
    NOT_ANALYSED = "not-analysed"  # a file or function: exit status 3
    DEGRADED = "degraded"  # a function parsed with errors: a note
    SKIPPED = "skipped"  # e.g. a C++ file: a note
    MISSING_HEADER = "missing-header"
    CONTRADICTION = "contradiction"  # a definition contradicts the pack that wins over it
    WRITTEN = "written"  # a rule file of the project says something else of a function than its body shows
    NAME_ONLY = "name-only"  # a call fits a pack by name only
    SUPPRESSION = "suppression"  # a suppressing comment is wrong, unused or expired
    CHANGE = "change"  # a change edits what decides about findings, or flags and generated code
    GAP = "gap"  # in a change: not analysed on either side
    BASELINE = "baseline"  # a baseline was written by other versions
    SETTINGS = "settings"  # what the settings or options ask for is met nowhere
    FLAG = "flag"  # a compiler flag that was dropped or not understood
    INTERNAL = "internal"  # our mistake: exit status 2 if nothing else was wrong with the input


@final
@dataclass(frozen=True, slots=True)
class Notice:
    """One such thing. line 0: the whole file. stood: of a change: the base side has it as well."""

    kind: NoticeKind
    file: str
    line: int
    message: str
    function: str = ""
    stood: bool = False


@final
@dataclass(frozen=True, slots=True)
class Summary:
    """The inferred contract of one function, as lines of a rule file (indented as items of `functions:`).

    at: the function's name in its definition. known: False: nothing is known about it, `lines` says why.
    """

    at: Region
    function: str
    lines: tuple[str, ...]
    known: bool = True


@final
@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run has to say. All tuples are sorted by file and place, never by completion.

    findings: all of them, also those of low confidence, those that a comment allows, and, after a comparison, those
        that are known (state UNCHANGED) or gone (ABSENT); the reports filter.
    fail_on: levels and growth classes that decide about exit status 1 (`report.failing`); () every finding does.
    base, head: what the sides of a change are called, "" without one. State NEW is then what it introduced, and
        ABSENT what it fixed.
    not_compiled: calls of acquiring functions that no configuration compiles.
    digests: of runs with a cache: these files, and what they held when the run began, as `cache.digest` has it.
    seen: the files that took part, as reports name them; a finding can only be gone from a file that was seen.
    files, functions: analysed counts. seconds is never in here: same input, same bytes.
    unlocks: where acquisitions go out of sight, what would bring the most back first.
    summaries: inferred contracts, filled when asked for.
    global_owners: when asked for: acquisitions held by variables that nothing in the program ever releases; None when
        not. global_gaps: why not the whole program was seen; then there are no global owners.
    """

    findings: tuple[Finding, ...] = ()
    acquisitions: tuple[Acquisition, ...] = ()
    notices: tuple[Notice, ...] = ()
    files: int = 0
    functions: int = 0
    unlocks: tuple[Unlock, ...] = ()
    versions: tuple[tuple[str, str], ...] = field(default=())
    summaries: tuple[Summary, ...] = ()
    global_owners: tuple[Acquisition, ...] | None = None
    global_gaps: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    digests: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    not_compiled: tuple[Acquisition, ...] = ()
    base: str = ""
    head: str = ""
    fail_on: tuple[str, ...] = ()
