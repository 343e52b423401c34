"""Finds fixes for the findings of a report: tries candidates file by file, and keeps what is proved.

Each analysis tries candidates for several functions at once, of which none calls another, so that none of them decides
about another: what is proved holds for the fix alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

from analyzer.contracts import ContractTable
from analyzer.findings.model import Finding, Fix, Region, Replacement, Report, State
from analyzer.findings.points import finding_order, loss_points
from analyzer.fixes.candidates import Candidate, candidates, grown
from analyzer.fixes.changes import AtEnd, Before, Change, ConflictError, Edit, Line, applied, edits_of
from analyzer.fixes.layout import Layout
from analyzer.fixes.owned import Owned
from analyzer.fixes.proof import Outcome, Prover
from analyzer.fixes.reach import Place, Reach
from analyzer.fixes.site import Site
from analyzer.fixes.syntax import FunctionText, NoStructureError, Statement
from analyzer.sources import LineIndex
from analyzer.sources.lines import decode
from analyzer.workspace import Workspace

Progress = Callable[[int, int], None]
_PROBE = "mustfree_is_null_here"
_MOST = 14  # candidates that are tried for one resource
_MOST_GROWN = 6  # times that one of them is extended


@final
@dataclass(frozen=True, slots=True)
class Fixes:
    """What was found.

    report: the findings with their fixes. texts: file -> its contents with all fixes that go together, proved as a
    whole; before: what these files held. fixed: number of findings whose fix is in there.
    left: fixes that do not go together with those, to be had in another run; left_findings: how many these are for.
    without: findings for which there is none. analyses: how often the program was analysed.
    """

    report: Report
    texts: Mapping[str, bytes]
    before: Mapping[str, bytes]
    fixed: int
    left: tuple[Fix, ...]
    left_findings: int
    without: tuple[Finding, ...]
    analyses: int


@final
@dataclass(eq=False)
class _Job:
    """The findings of one resource in one function, on their way to a fix."""

    file: str
    site: Site
    points: frozenset[int]
    trials: Iterator[Candidate]
    layout: Layout
    current: Candidate | None = None
    stage: str = "plain"  # plain, probe, guarded
    tried: int = 0
    grown: int = 0
    alone: bool = False
    fix: Fix | None = None

    @property
    def function(self) -> FunctionText:
        """The function's text."""
        return self.site.function

    @property
    def place(self) -> Place:
        """The function."""
        return Place(self.file, self.site.findings[0].function)

    def changes(self) -> Sequence[Change]:
        """Those of the current trial."""
        assert self.current is not None
        return _with_probes(self.current) if self.stage == "probe" else self.current.changes


def find_fixes(
    workspace: Workspace,
    paths: Sequence[str],
    known: Report,
    wanted: Callable[[Finding], bool],
    progress: Progress | None = None,
) -> Fixes:
    """The fixes for what is `wanted` of the findings.

    workspace: with a cache, or every trial analyses everything. known: its report on `paths`.
    """
    prover = Prover(workspace, paths, known)
    search = _Search(prover, known, workspace.table, progress or (lambda done, total: None))
    chosen = [finding for finding in known.findings if wanted(finding)]
    jobs = search.jobs(chosen)
    search.run(jobs)
    done = [job for job in jobs if job.fix is not None]
    texts, joined = search.together(done)
    prover.check_unchanged()
    left = [job for job in done if job not in joined]
    mended = {id(finding) for job in done for finding in job.site.findings}
    return Fixes(
        report=replace(known, findings=tuple(_with_fixes(finding, done) for finding in known.findings)),
        texts=texts,
        before={file: prover.text(file) for file in texts},
        fixed=sum(len(job.site.findings) for job in joined),
        left=tuple(job.fix for job in left if job.fix is not None),
        left_findings=sum(len(job.site.findings) for job in left),
        without=tuple(finding for finding in chosen if id(finding) not in mended),
        analyses=prover.analyses,
    )


def _with_fixes(finding: Finding, jobs: Iterable[_Job]) -> Finding:
    found = tuple(job.fix for job in jobs if job.fix is not None and any(finding is one for one in job.site.findings))
    return replace(finding, fixes=found) if found else finding


@final
class _Search:
    def __init__(self, prover: Prover, known: Report, table: ContractTable, progress: Progress) -> None:
        self._prover = prover
        self._known = known
        self._table = table
        self._progress = progress
        self._reach = Reach(known.seen, prover.text)
        self._files: dict[str, tuple[LineIndex, Layout]] = {}
        self._functions: dict[tuple[str, tuple[int, int]], FunctionText] = {}

    # What there is to do

    def jobs(self, findings: Sequence[Finding]) -> list[_Job]:
        """One for each resource, in order of place."""
        groups: dict[tuple[object, ...], list[Finding]] = {}
        for finding in sorted(findings, key=finding_order):
            if finding.state is not State.ABSENT and finding.at.line:
                groups.setdefault(_resource(finding), []).append(finding)
        numbers = {id(point): number for number, point in enumerate(self._prover.points)}
        jobs = []
        for group in groups.values():
            file = group[0].at.file
            with contextlib.suppress(NoStructureError):
                lines, layout = self._file(file)
                site = Site(group, self._function(file, group[0].lines), lines, self._all_texts)
                points = frozenset(numbers[id(point)] for one in group for point in loss_points(one))
                jobs.append(_Job(file, site, points, candidates(site, self._table), layout))
        for job in jobs:
            self._next(job)
        return jobs

    def _all_texts(self) -> Iterator[bytes]:
        return (self._prover.text(file) for file in self._known.seen)

    def _file(self, file: str) -> tuple[LineIndex, Layout]:
        if file not in self._files:
            data = self._prover.text(file)
            self._files[file] = LineIndex(data), Layout(data)
        return self._files[file]

    def _function(self, file: str, place: tuple[int, int]) -> FunctionText:
        """One tree for all findings of a function, so that what is to be done at a statement comes together."""
        if (file, place) not in self._functions:
            lines, _ = self._file(file)
            text = FunctionText(lines.data, lines.offset(place[0]), lines.offset(place[1], 1 << 30))
            self._functions[(file, place)] = text
        return self._functions[(file, place)]

    def _next(self, job: _Job) -> None:
        """The next candidate that can be written down."""
        job.stage, job.grown = "plain", 0
        for candidate in job.trials:
            job.tried += 1
            if job.tried > _MOST:
                break
            job.current = candidate
            with contextlib.suppress(ConflictError):
                edits_of(job.function, job.layout, job.changes())
                return
        job.current = None

    # Trying

    def run(self, jobs: Sequence[_Job]) -> None:
        """Until each has a fix or nothing left to try."""
        while open_ := [job for job in jobs if job.fix is None and job.current is not None]:
            self._progress(len(jobs) - len(open_), len(jobs))
            batch = self._batch(open_)
            self._judge(batch, self._prover.outcome(self._texts(batch)))
        self._progress(len(jobs), len(jobs))

    def _batch(self, jobs: Sequence[_Job]) -> list[_Job]:
        """What can be tried at once: no function is another's caller."""
        if jobs[0].alone:
            return [jobs[0]]
        batch: list[_Job] = []
        for job in jobs:
            if not job.alone and not any(self._reach.related(job.place, other.place) for other in batch):
                batch.append(job)
        return batch

    def _judge(self, batch: Sequence[_Job], outcome: Outcome) -> None:
        blamed = self._blamed(outcome)
        known = frozenset().union(*(self._reach.of(job.place) | {Place(job.file, "")} for job in batch))
        stray = bool(blamed - known)
        for job in batch:
            if stray and len(batch) > 1:
                job.alone = True
                continue
            good = job.points <= outcome.gone and not stray and not self._is_blamed(job, blamed)
            text = self._texts([job])[job.file] if good else b""
            good = good and self._prover.parses(job.file, text)
            self._judge_one(job, outcome, good and not self._objections(job, outcome))

    def _objections(self, job: _Job, outcome: Outcome) -> tuple[str, ...]:
        assert job.current is not None
        owned = Owned(self._prover, job.place, job.site, job.layout)
        return owned.objections(job.current, outcome)

    def _judge_one(self, job: _Job, outcome: Outcome, good: bool) -> None:
        candidate = job.current
        assert candidate is not None
        if job.stage == "probe":
            job.stage = "guarded"
            needed = self._null_at(job, candidate, outcome)
            good = needed is not None  # else as it was before the probe
            if needed:
                job.current = candidate.guarded(needed)
                return
        if not good:
            grown = self._grown(job, candidate, outcome)
            if grown is None:
                self._next(job)
            else:
                job.current = grown
        elif job.stage == "plain" and (candidate.doubtful() or candidate.needs):
            job.stage = "probe"
        else:
            job.fix = self._fix(job, candidate)

    def _grown(self, job: _Job, candidate: Candidate, outcome: Outcome) -> Candidate | None:
        """The candidate with releases at further losses of the resource, which the ones before had hidden."""
        first = job.site.findings[0]
        more = [
            point
            for point in outcome.there
            if Place(point.at.file, point.function) == job.place
            and (point.check, point.resource, point.callee) == (first.check, first.resource, first.callee)
        ]
        if job.stage != "plain" or not more or job.grown == _MOST_GROWN:
            return None
        job.grown += 1
        with contextlib.suppress(ConflictError):
            larger = grown(job.site, candidate, more)
            if larger is not None:
                edits_of(job.function, job.layout, larger.changes)
                return larger
        return None

    def _null_at(self, job: _Job, candidate: Candidate, outcome: Outcome) -> frozenset[Statement] | None:
        """The statements before which the probe found that there may be nothing to release.

        None: something else may be missing that the candidate needs.
        """
        found = {one.holder for one in outcome.reached if Place(one.at.file, one.function) == job.place}
        if any(_need(number) in found for number in range(len(candidate.needs))):
            return None
        return frozenset(
            statement for number, statement in enumerate(candidate.doubtful()) if f"{_PROBE}_{number}" in found
        )

    def _fix(self, job: _Job, candidate: Candidate) -> Fix:
        data = self._prover.text(job.file)
        lines = LineIndex(data)
        changed = edits_of(job.function, job.layout, candidate.changes)
        return Fix(candidate.description, job.file, tuple(_replacement(job.file, lines, edit) for edit in changed))

    # All at once

    def together(self, jobs: Sequence[_Job]) -> tuple[Mapping[str, bytes], list[_Job]]:
        """The texts with as many of the fixes as go together, proved."""
        inside: list[_Job] = []
        for job in jobs:
            with contextlib.suppress(ConflictError):
                self._texts([*inside, job])
                inside.append(job)
        if not inside:
            return {}, []
        while inside:
            spoilers = self._spoilers(inside)
            if not spoilers:
                return self._texts(inside), inside
            inside = [job for job in inside if job not in spoilers]
        return {}, []

    def _spoilers(self, jobs: Sequence[_Job]) -> list[_Job]:
        """What to leave out, so that the rest may hold together: of each function with trouble, the last fix."""
        outcome = self._prover.outcome(self._texts(jobs))
        blamed = self._blamed(outcome)
        if not blamed and all(job.points <= outcome.gone for job in jobs):
            return []
        troubled = [job for job in jobs if not job.points <= outcome.gone or self._is_blamed(job, blamed)]
        last = {job.place: job for job in troubled or jobs}
        return list(last.values())

    def _blamed(self, outcome: Outcome) -> frozenset[Place]:
        """The functions that got worse."""
        new = (Place(finding.at.file, finding.function) for finding in outcome.new if not _is_probe(finding))
        return outcome.worse | frozenset(new)

    def _is_blamed(self, job: _Job, blamed: frozenset[Place]) -> bool:
        """Whether a change of this function may be the reason."""
        return Place(job.file, "") in blamed or not self._reach.of(job.place).isdisjoint(blamed)

    def _texts(self, jobs: Sequence[_Job]) -> dict[str, bytes]:
        """Raises ConflictError where two fixes want different things of one place."""
        found: dict[str, bytes] = {}
        for file in dict.fromkeys(job.file for job in jobs):
            edits: list[Edit] = []
            functions: dict[FunctionText, list[_Job]] = {}
            for job in jobs:
                if job.file == file:
                    functions.setdefault(job.function, []).append(job)
            for several in functions.values():
                edits += _joined(several)
            found[file] = applied(self._prover.text(file), edits)
        return found


def _joined(jobs: Sequence[_Job]) -> tuple[Edit, ...]:
    """The edits of several fixes of one function."""
    changes = [change for job in jobs for change in job.changes()]
    return edits_of(jobs[0].function, jobs[0].layout, changes)


def _resource(finding: Finding) -> tuple[object, ...]:
    """What makes findings ones of the same resource, to be fixed together."""
    first = finding.steps[0].at if finding.steps else finding.at
    kind = "lost" if finding.check == "leak" and finding.kind in ("exit", "overwritten", "loop") else finding.kind
    return (finding.at.file, finding.function, finding.check, kind, finding.resource, first.line, first.column)


def _with_probes(candidate: Candidate) -> list[Change]:
    """The changes with something before each release that leaks where there may be nothing to release."""
    release = candidate.release
    assert release is not None
    numbers = {statement: number for number, statement in enumerate(candidate.doubtful())}
    plain = release.lines()
    found: list[Change] = []
    for change in candidate.changes:
        if isinstance(change, Before | AtEnd) and change.lines == plain and change.statement in numbers:
            probe = _probe(release.absent, f"{_PROBE}_{numbers[change.statement]}")
            change = replace(change, lines=(probe, *change.lines))
        found.append(change)
    needs = enumerate(candidate.needs)
    return [*(Before(statement, (_probe(what, _need(number)),)) for number, (statement, what) in needs), *found]


def _need(number: int) -> str:
    return f"{_PROBE}_need_{number}"


def _probe(condition: str, name: str) -> Line:
    """A statement that can be reached and leaks where the condition can hold."""
    return Line(f"if ({condition}) {{ extern void *malloc(__SIZE_TYPE__); void *{name} = malloc(1); }}")


def _is_probe(finding: Finding) -> bool:
    return finding.resource.startswith(_PROBE)


def _replacement(file: str, lines: LineIndex, edit: Edit) -> Replacement:
    line, column = lines.position(edit.start)
    end_line, end_column = lines.position(edit.end)
    at = Region(file, line, column, end_line, end_column, lines.line_text(line))
    return Replacement(at, decode(edit.text))
