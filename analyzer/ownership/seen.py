"""What a merging run sees: alarms, and how paths end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from analyzer.contracts.routes import Route, add_routes
from analyzer.findings.model import Verdict
from analyzer.ownership.access import Access
from analyzer.ownership.endings import Endings, answers, ending_of
from analyzer.ownership.events import EventKind
from analyzer.ownership.naming import of_call
from analyzer.ownership.state import Own, Path, State
from analyzer.ownership.values import Ptr, Value, call_of
from analyzer.ownership.witness import Alarm

OUT_OF_SIGHT = frozenset({Verdict.ESCAPED, Verdict.MAYBE_RELEASED})


@final
@dataclass(slots=True)
class Seen:
    """Listener of the merging run: collects alarms and how paths ended.

    ends: for the function's own contract. routes: by which the resource went out of sight. held: global variables that
    hold it at a return.
    """

    alarms: dict[tuple[EventKind, int, str], Alarm] = field(default_factory=dict)
    endings: dict[Verdict, str] = field(default_factory=dict)
    holder: str = ""
    block: int = 0
    ends: Endings | None = None
    routes: dict[str, Route] = field(default_factory=dict)
    held: dict[str, None] = field(default_factory=dict)

    def event(self, kind: EventKind, at: int, state: State, subject: Value, detail: str = "") -> None:
        """A mistake; the first of its sort and place counts."""
        if self.ends is not None and kind is EventKind.WRONG_START:
            self.ends.lose(Verdict.MAYBE_RELEASED, detail)  # released by a pointer to its inside
        key = (kind, at, detail)
        if key not in self.alarms:
            base = subject.base if isinstance(subject, Ptr) else None
            local = base if isinstance(base, int) else -1
            cause = state.lost.block if state.own is Own.LOST and state.lost is not None else self.block
            self.alarms[key] = Alarm(kind, at, detail, self.block, state.blurred, call_of(subject), local, cause)

    def ended(
        self,
        verdict: Verdict,
        reason: str,
        state: State,
        routes: tuple[Route, ...] = (),
        by: str = "",
        goes_on: bool = False,
    ) -> None:
        """How a path ended, or how the resource went out of sight on one that goes on."""
        if verdict is Verdict.HELD and not reason:
            for (base, _), value in state.cells.items():
                if isinstance(base, str) and not isinstance(value, int) and state.reaches_resource((value,)):
                    self.held[base] = None
        if verdict in OUT_OF_SIGHT:
            add_routes(self.routes, routes or (Route("", "", -1, what=_without_call(verdict, reason)),))
        if reason or verdict not in self.endings:
            self.endings.setdefault(verdict, reason)
        if self.ends is not None:
            self.ends.lose(verdict, reason, by, goes_on)

    def returned(self, machine: Access, value: Value | None, record: Path | None, state: State) -> None:
        """The function returns."""
        if self.ends is not None:
            for answer, found in answers(value, state):
                self.ends.add(ending_of(machine, answer, record, found))

    def step(self, kind: str, at: int, detail: str, state: State) -> None:
        """Something a path shows: of interest is the first holder that has a name."""
        if kind in ("hold", "alias"):
            self._held_by(detail)

    def add(self, later: Seen) -> None:
        """What another listener saw next."""
        for key, alarm in later.alarms.items():
            self.alarms.setdefault(key, alarm)
        for verdict, reason in later.endings.items():
            self.endings.setdefault(verdict, reason)
        add_routes(self.routes, later.routes.values())
        self.held.update(later.held)
        self._held_by(later.holder)
        if self.ends is not None and later.ends is not None:
            self.ends.include(later.ends)

    def _held_by(self, name: str) -> None:
        if name and (not self.holder or of_call(self.holder)[0]):
            self.holder = name


def _without_call(verdict: Verdict, reason: str) -> str:
    """What to call a way out of sight that no function stands for."""
    if verdict is Verdict.ESCAPED:
        return reason
    return f"a release by {reason}() that is not certain" if reason else "a release that is not certain"
