"""What the engine saw in one function: plain data, offsets only; checks/ turns it into findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import final

from analyzer.contracts.model import FunctionContract
from analyzer.contracts.routes import Route
from analyzer.findings.model import StepKind, Verdict


class EventKind(Enum):
    """The sort of mistake; the text before the dash is the check."""

    LEAK_EXIT = "leak-exit"  # the last holder's life ends: return, end of scope
    LEAK_OVERWRITTEN = "leak-overwritten"  # the last holder gets another value
    LEAK_LOOP = "leak-loop"  # ... by the acquiring call itself, in a later round of a loop
    LEAK_DISCARDED = "leak-discarded"  # the result of the acquiring call is not kept
    LEAK_REALLOC = "leak-realloc"  # p = realloc(p, n) when realloc fails
    DOUBLE_RELEASE = "double-release"
    USE_AFTER_RELEASE = "use-after-release"
    WRONG_FUNCTION = "wrong-release-function"  # this release does not fit the resource
    WRONG_START = "wrong-release-start"  # the pointer is not the start of the object
    WRONG_OWNER = "wrong-release-owner"  # a function gave it, and it is not the caller's to release
    WRONG_MEMORY = "wrong-release-memory"  # not a resource at all: static, local, string
    UNINITIALIZED_RELEASE = "uninitialized-release"


@final
@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of the witness. at: offset in the function's file.

    kind ACQUIRE: detail = condition of the outcome taken ("ret > 0" in the contract's words, or "").
    kind BRANCH: taken tells which way; line text is looked up by the report. detail: "" or what it tests.
    kind ALIAS: detail = the new holder. kind CALL: detail = callee that did not take it, and why
    ("log_msg() borrows its argument"). kind RELEASE: detail = releasing function.
    kind LOST: the event's place itself.
    """

    at: int
    kind: StepKind
    detail: str = ""
    taken: bool | None = None


@final
@dataclass(frozen=True, slots=True)
class Event:
    """One mistake on one feasible-looking path.

    at: where it happens. acquired_at: offset of the acquiring call, -1 without one (parameter, static).
    acquired_key: tells that call from others of the same macro.
    callee: acquiring function, "" when none. slot: "ret", "*buf" in the contract's words.
    holder: expression in the user's words: the (last) holder, "buf", "ctx->rx"; "" when never stored.
    released_by: for double/use-after/wrong: the releasing function. released_at: offset of the first release.
    fits: releases that would fit. kind_name: resource kind.
    blurred: states were merged over budget on the way: lowers confidence.
    unknown_calls: functions without contract passed between acquisition and event that saw the resource's
        neighbourhood, e.g. another member of the same struct: lowers confidence. With `borrowing.TRUSTED` behind its
        name: it is taken to borrow because the project says so.
    exits_process: the path ends in a function that does not return, or at the end of main.
    old: nothing was acquired: it is the block that a realloc-like function was given and left where it was.
    proven: the witness was executed exactly and is feasible.
    argument: of a wrong release: position of what it is given, -1 where that is not one argument alone.
    record: type of the holder: see `Finding.record`.
    owner: the function that gave what is released, though it was not the caller's to release.
    nothing: how the program says that there is no such resource: "NULL", "-1" for a descriptor.
    """

    kind: EventKind
    at: int
    acquired_at: int
    callee: str
    slot: str
    holder: str
    resource_kind: str
    noun: str
    cwe: int
    fits: tuple[str, ...]
    steps: tuple[PathStep, ...]
    released_by: str = ""
    released_at: int = -1
    blurred: bool = False
    unknown_calls: tuple[str, ...] = ()
    exits_process: bool = False
    proven: bool = True
    in_loop: bool = False
    sibling_release_at: int = -1
    old: bool = False
    acquired_key: int = -1
    argument: int = -1
    nothing: str = "NULL"
    record: str = ""
    owner: str = ""


@final
@dataclass(frozen=True, slots=True)
class AcquisitionResult:
    """How one acquiring call and slot ended.

    reason: see findings.Acquisition. routes: by which it went out of sight. held: the global variables that hold it.
    met: the caps that were met on the way (limits.py).
    """

    at: int
    callee: str
    slot: str
    holder: str
    resource_kind: str
    verdict: Verdict
    reason: str = ""
    routes: tuple[Route, ...] = ()
    held: tuple[str, ...] = ()
    met: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class FunctionResult:
    """Everything the engine says about one function, sorted by place.

    gave_up: which cap was hit for the function as a whole, "" = analysed.
    name_only: calls that fit a contract by name only: (offset, function, why not).
    states: filled when asked for (dump states): block id -> printed states at its entry.
    contract: what the function does for its callers, when asked for and known.
    """

    events: tuple[Event, ...] = ()
    acquisitions: tuple[AcquisitionResult, ...] = ()
    gave_up: str = ""
    name_only: tuple[tuple[int, str, str], ...] = ()
    states: tuple[tuple[int, tuple[str, ...]], ...] = ()
    contract: FunctionContract | None = None
