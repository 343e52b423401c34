"""Which repairs are worth a try: from the findings of one resource and the text of its function.

Whether one is right is not decided here. Each is tried (`proof`); the order says which one a maintainer would rather
see. What no analysis can see is kept out here: a descriptor whose number was put into a message, the order of effects
around a return expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, final

from analyzer.contracts import ContractTable
from analyzer.findings.model import Finding, StepKind
from analyzer.fixes.changes import After, AtEnd, Before, Change, Line, Otherwise, Swap, is_declaration
from analyzer.fixes.labels import by_label
from analyzer.fixes.realloc import by_temporary
from analyzer.fixes.release import Release, is_tested, release_statements, releases
from analyzer.fixes.returns import before_return
from analyzer.fixes.safety import given_away, may_stand
from analyzer.fixes.site import Site
from analyzer.fixes.syntax import FunctionText, Kind, Role, Statement

_LOSSES: Final = frozenset(("exit", "overwritten", "loop"))
# What puts a descriptor's number where somebody will look for it later.
_KEEPS_NUMBER: Final = re.compile(r"put|addattr|append|attr|store|push|insert|register", re.I)
_MOST_PLACES: Final = 10  # with more, somebody should rather think of another structure

_MOST_RESETS: Final = 3


@final
@dataclass(frozen=True, slots=True)
class Candidate:
    """A repair to be tried.

    description: for the reader, a sentence without full stop. changes: see `changes`.
    release: what stands before the losses, None for another sort of repair.
    grows: further losses that come to light get a release as well.
    needs: what must not be, and where: a label also releases other things, which must be there.
    stands_for: changes that release in place what these ones jump to, to look at instead of them.
    """

    description: str
    changes: tuple[Change, ...]
    release: Release | None = None
    grows: bool = False
    needs: tuple[tuple[Statement, str], ...] = ()
    stands_for: tuple[Change, ...] = ()

    def guarded(self, statements: frozenset[Statement]) -> Candidate:
        """With a test before the releases at these statements."""
        if self.release is None:
            return self
        plain, tested = self.release.lines(), self.release.lines(guarded=True)
        changes: list[Change] = []
        for change in self.changes:
            if isinstance(change, Before | AtEnd) and change.lines == plain and change.statement in statements:
                changes.append(replace(change, lines=tested))
            else:
                changes.append(change)
        return replace(self, changes=tuple(changes))

    def doubtful(self) -> tuple[Statement, ...]:
        """Where it has to be found out whether there is anything to release."""
        if self.release is None or self.release.null_is_fine or len(self.release.calls) > 1:
            return ()
        plain = self.release.lines()
        return tuple(
            dict.fromkeys(
                change.statement
                for change in self.changes
                if isinstance(change, Before | AtEnd) and change.lines == plain
            )
        )


def candidates(site: Site, table: ContractTable) -> Iterator[Candidate]:
    """What to try for all findings of the site, in this order."""
    first = site.findings[0]
    kinds = {finding.kind for finding in site.findings}
    if first.check == "leak" and kinds <= _LOSSES:
        for release in releases(first, site.function, table):
            if not _number_is_kept(site, release):
                yield from _losses(site, release, table)
    elif first.check == "leak" and kinds == {"realloc"}:
        for point in site.points:
            statement = site.statement(point.at)
            if statement is not None:
                for description, changes in by_temporary(site.function, statement, point):
                    yield Candidate(description, changes)
    elif first.check == "double-release":
        yield from _resets(site, table)
    elif first.check == "uninitialized-release":
        yield from _initialised(site, table)


def _losses(site: Site, release: Release, table: ContractTable) -> Iterator[Candidate]:
    unset = _unset_otherwise(site, release)
    for one in _releases(site, release, table):
        yield replace(one, changes=tuple(dict.fromkeys((*one.changes, *unset))))


def _releases(site: Site, release: Release, table: ContractTable) -> Iterator[Candidate]:
    base = _by_places(site, site.points, release)
    if base is None:
        yield from _where_not_stored(site, release)
        yield from _in_loop(site, release)
        return
    call = release.calls[0]
    for changes, needs, behind in by_label(site, release, table):
        what = "leave through the label that releases it"
        yield Candidate(what, changes, release, needs=needs, stands_for=behind)
    looping = all(point.kind == "loop" for point in site.points)
    if looping and not _outlives_loop(site, release):
        yield from _in_loop(site, release)
    what = _describe(call, site)
    yield Candidate(what, base, release, grows=True)
    before, after = _start_empty(site, release), _emptied(site, release, everywhere=False)
    if after and before is not None:
        yield Candidate(f"{what}, and note that it is gone", (*base, *after), release, grows=True)
    if before:
        yield Candidate(f"{what}; it starts out as {release.nothing}", (*base, *before), release, grows=True)
        again = _emptied(site, release, everywhere=True)
        if again:
            text = f"{what}; it is {release.nothing} while there is nothing to release"
            yield Candidate(text, (*base, *before, *again), release, grows=True)
    if looping:
        yield from _in_loop(site, release)


def _where_not_stored(site: Site, release: Release) -> Iterator[Candidate]:
    """``if (found) *out = p;`` gets an else that releases."""
    function = site.function
    store = given_away(function, release, function.body.last)
    condition = store.parent if store is not None and store.role is Role.BODY else None
    if store is None or condition is None or condition.kind is not Kind.IF or condition.role is not Role.ITEM:
        return
    if condition.otherwise < 0 and may_stand(site, release, condition) and len(release.calls) == 1:
        line = release.lines()[0]
        yield Candidate(f"call {release.calls[0]} where it is not handed over", (Otherwise(condition, line),))


def grown(site: Site, candidate: Candidate, points: Sequence[Finding]) -> Candidate | None:
    """The candidate with a release before these losses, too; None where it has them all, or they cannot have one."""
    if not candidate.grows or candidate.release is None:
        return None
    more = _by_places(site, points, candidate.release)
    changes = tuple(dict.fromkeys((*candidate.changes, *(more or ()))))
    too_many = len(changes) > _MOST_PLACES + len(candidate.changes)
    return None if changes == candidate.changes or too_many else replace(candidate, changes=changes)


def _unset_otherwise(site: Site, release: Release) -> tuple[Change, ...]:
    """The variable's declaration with a null pointer, where a call may leave the variable as it was.

    Of a function that hands something out through a parameter, no analysis knows all that happens when it fails.
    """
    through_call = any(finding.slot.startswith("*") for finding in site.findings)
    if not through_call or release.is_number or any("&" in call for call in release.calls):
        return ()
    return _start_empty(site, release) or ()


def _describe(call: str, site: Site) -> str:
    kinds = {point.kind for point in site.points}
    where = "before it is overwritten" if kinds <= {"overwritten", "loop"} else "before its last holder goes"
    return f"call {call} {where}"


def _by_places(site: Site, points: Sequence[Finding], release: Release) -> tuple[Change, ...] | None:
    """A release before each loss; None where one of them cannot have it."""
    changes: list[Change] = []
    for point in points:
        found = _before_loss(site, point, release)
        if found is None:
            return None
        changes += found
    distinct = tuple(dict.fromkeys(changes))
    return distinct if len(distinct) <= _MOST_PLACES else None


def _before_loss(site: Site, point: Finding, release: Release) -> tuple[Change, ...] | None:
    """A release before one loss."""
    function = site.function
    offset = site.offset(point.at)
    statement = function.at(offset)
    if statement is None:
        return None
    index = function.token_at(offset)
    if statement.kind is Kind.BLOCK:
        if function.tokens[index].text != "}":
            return None
        return (AtEnd(statement, release.lines(), site.rank),) if may_stand(site, release, statement) else None
    if not may_stand(site, release, statement):
        return None
    if statement.kind in (Kind.LOOP, Kind.DO) or (statement.kind is Kind.IF and statement.role is Role.ELSE):
        return None
    if function.word(statement) == "return":
        return before_return(function, statement, release, site.rank)
    if point.kind in ("overwritten", "loop") and not _kept_apart(function, statement, release):
        return None
    return (Before(statement, release.lines(), site.rank),)


def _kept_apart(function: FunctionText, statement: Statement, release: Release) -> bool:
    """Whether a statement that overwrites the place does not read it."""
    index, last = statement.first, statement.last if statement.kind is Kind.SIMPLE else statement.head
    uses = 0
    while index <= last and release.is_variable:
        text, following = function.tokens[index].text, function.tokens[index + 1 : index + 2]
        if text == "sizeof" and following and following[0].text == "(":
            index = function.closing(index + 1)
        elif text == release.name:
            uses += function.tokens[index - 1].text != "&"
        index += 1
    return uses <= 1


def _in_loop(site: Site, release: Release) -> Iterator[Candidate]:
    """A release where each round ends."""
    function = site.function
    statements = [site.statement(point.at) for point in site.points]
    loops = {
        one if one is not None and one.kind in (Kind.LOOP, Kind.DO) else function.loop_of(one) if one else None
        for one in statements
    } - {None}
    loop = next(iter(loops)) if len(loops) == 1 else None
    if loop is None or not loop.children or loop.children[0].kind is not Kind.BLOCK:
        return
    body = loop.children[0]
    end = AtEnd(body, release.lines(), site.rank)
    goes_on = not (body.children and function.is_jump(body.children[-1]))
    rounds = [
        one
        for one in body.walk()
        if one.kind is Kind.SIMPLE and function.word(one) == "continue" and function.loop_of(one) is loop
    ]
    on_path = [one for one in rounds if _under_last_branch(site, one)]
    what = f"call {release.calls[0]} where the round of the loop ends"
    if not all(may_stand(site, release, one) for one in (*on_path, body)):
        return
    for jumps in (on_path, [], rounds):
        changes: tuple[Change, ...] = tuple(Before(one, release.lines(), site.rank) for one in jumps)
        if jumps:
            yield Candidate(what, changes, release)
        if goes_on and (jumps or not rounds or jumps is not on_path):
            yield Candidate(what, (*changes, end), release)


def _under_last_branch(site: Site, statement: Statement) -> bool:
    """Whether it is governed by the last condition of a path to the loss."""
    for point in site.points:
        branches = [step for step in point.steps if step.kind is StepKind.BRANCH]
        if branches:
            at = site.offset(branches[-1].at)
            for above in statement.ancestors():
                if above.kind is Kind.IF:
                    tokens = site.function.tokens
                    if tokens[above.first].start <= at <= tokens[above.head].end:
                        return True
                    break
    return False


def _outlives_loop(site: Site, release: Release) -> bool:
    """Whether the variable is used behind the loop in which it is lost, or in another round of it."""
    function = site.function
    statement = site.statement(site.points[0].at)
    loop = function.loop_of(statement) if statement is not None else None
    if loop is None or not release.is_variable:
        return True
    return any(token.text == release.name for token in function.tokens[loop.last + 1 :])


def _number_is_kept(site: Site, release: Release) -> bool:
    """Whether a descriptor's number is put where it may be looked for after the function has ended."""
    if not release.is_number:
        return False
    function = site.function
    for index in function.calls(0, len(function.tokens) - 1):
        if _KEEPS_NUMBER.search(function.tokens[index].text) and any(
            release.name in function.words(*argument) for argument in function.arguments(index)
        ):
            return True
    return False


def _start_empty(site: Site, release: Release) -> tuple[Change, ...] | None:
    """The variable's declaration with a null pointer; () where it has a value already, None where it is not seen."""
    if not release.is_variable:
        return None
    found = declarator(site.function, release.name)
    if found is None:
        return None
    statement, index = found
    following = site.function.tokens[index + 1].text
    if site.function.word(statement) == "static" or following not in (",", ";"):
        return ()
    at = site.function.tokens[index].end
    return (Swap(at, at, f" = {release.nothing}"),)


def declarator(function: FunctionText, name: str) -> tuple[Statement, int] | None:
    """The declaration of a local variable, and the token with its name; None where there is not exactly one."""
    found: list[tuple[Statement, int]] = []
    for statement in function.statements():
        if not is_declaration(function, statement):
            continue
        depth = 0
        for index in range(statement.first + 1, statement.last + 1):
            text = function.tokens[index].text
            depth += (text in "([{") - (text in ")]}")
            before = function.tokens[index - 1]
            if text == name and depth == 0 and (before.text in ("*", ",") or before.is_word):
                found.append((statement, index))
    return found[0] if len(found) == 1 else None


def _emptied(site: Site, release: Release, *, everywhere: bool) -> tuple[Change, ...]:
    """A null pointer behind the other releases; everywhere: also behind those that are in no loop."""
    changes: list[Change] = []
    if release.is_number:  # others may have its number, and close it
        return ()
    for statement in release_statements(site.function, release):
        follows = _next(statement)
        if follows is not None and _ends_it(site.function, follows, release):
            continue
        if everywhere or site.function.loop_of(statement) is not None:
            changes.append(After(statement, (Line(f"{release.place} = {release.nothing};"),)))
    return tuple(changes) if len(changes) <= _MOST_RESETS else ()


def _next(statement: Statement) -> Statement | None:
    if statement.parent is None or statement.role is not Role.ITEM:
        return None
    siblings = statement.parent.children
    index = siblings.index(statement) + 1
    return siblings[index] if index < len(siblings) else None


def _ends_it(function: FunctionText, statement: Statement, release: Release) -> bool:
    """Whether a statement returns, or gives the place another value at once."""
    if function.word(statement) == "return":
        return True
    return statement.kind is Kind.SIMPLE and function.text(statement.first, statement.last).startswith(
        f"{release.place} ="
    )


def _resets(site: Site, table: ContractTable) -> Iterator[Candidate]:
    """A null pointer behind the first release, where the second one is prepared for that."""
    function = site.function
    found = releases(site.findings[0], function, table)
    if not found:
        return
    release = found[0]
    changes: list[Change] = []
    for point in site.points:
        first = next((step.at for step in point.steps if step.kind is StepKind.RELEASE), None)
        statement = site.statement(first) if first is not None else None
        second = site.statement(point.at)
        if statement is None or statement.kind is not Kind.SIMPLE or second is None:
            return
        if not (release.null_is_fine or is_tested(function, second, release.place, number=release.is_number)):
            return
        changes.append(After(statement, (Line(f"{release.place} = {release.nothing};"),)))
    yield Candidate(f"set {release.place} to {release.nothing} after the first release", tuple(dict.fromkeys(changes)))


def _initialised(site: Site, table: ContractTable) -> Iterator[Candidate]:
    """A null pointer where the variable is declared."""
    finding = site.findings[0]
    place = finding.resource
    found = declarator(site.function, place)
    if found is None or not table.ignores_null(finding.remedy):
        return
    statement, index = found
    if site.function.tokens[index + 1].text in (",", ";") and site.function.word(statement) != "static":
        at = site.function.tokens[index].end
        yield Candidate(f"let {place} start out as NULL", (Swap(at, at, " = NULL"),))
