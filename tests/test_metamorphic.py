"""Rewritings that change nothing about ownership change no verdict: no truth is needed for that.

Each relation rewrites the C of the fixtures (lines stay), or generated programs. A few fixtures for each relation;
all of them with ``--oracle-examples 1`` or more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from analyzer.findings.model import NoticeKind
from analyzer.report.summary import shown_findings
from analyzer.workspace import Settings, Workspace
from tests.oracle.execution import source_of, state
from tests.oracle.hunt import clear_programs
from tests.oracle.language import (
    Both,
    Compare,
    Condition,
    Either,
    Env,
    If,
    Program,
    Truth,
)

ROOT = Path(__file__).parents[1] / "fixtures"
CHECKS = ("leak", "double_release", "use_after_release", "uninitialized_release", "wrong_release")
FILES = sorted(path.relative_to(ROOT).as_posix() for check in CHECKS for path in (ROOT / check).glob("*.c"))

NOT_CODE = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:[^\\\n]|\\.|\\\n)*", re.DOTALL | re.M
)
PLACE = r"\w+(?:(?:->|\.)\w+)*"
STATEMENT = rf"^([ \t]+)(\w+\((?:{PLACE})?(?:, {PLACE})*\);)"
RELEASE = rf"\bfree\(({PLACE})\)"


def rewrite(text: str, pattern: str, replacement: str) -> str:
    """Replace in code only: not in comments, literals and directives."""
    code = NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    for match in reversed(list(re.finditer(pattern, code, re.M))):
        new = re.sub(
            r"\\(\d)", lambda group, match=match, text=text: text[slice(*match.span(int(group[1])))], replacement
        )
        text = text[: match.start()] + new + text[match.end() :]
    return text


Relation = Callable[[str], str]


def by(pattern: str, replacement: str) -> Relation:
    return lambda text: rewrite(text, pattern, replacement)


RELATIONS: dict[str, Relation] = {
    "not p, p == NULL": by(rf"\(!({PLACE})\)", r"(\1 == 0)"),
    "not p, NULL == p": by(rf"\(!({PLACE})\)", r"(0 == \1)"),
    "p, p != NULL": by(rf"\bif \(({PLACE})\)", r"if (\1 != 0)"),
    "if (1) around a statement": by(STATEMENT, r"\1{ if (1) { \2 } }"),
    "do while (0) around a statement": by(STATEMENT, r"\1do { \2 } while (0);"),
    "dead code after return": by(r"^([ \t]+)(return\b[^;{}]*;)", r"\1{ \2 while (1) ; }"),
    "while, for": by(r"^([ \t]+)while \((.*)\) \{[ \t]*$", r"\1for (; \2; ) {"),
    "a cast at the release": by(RELEASE, r"free((void *)(\1))"),
    "a copy before the release": by(rf"^([ \t]+){RELEASE};", r"\1{ void *copy_ = \2; free(copy_); }"),
    "the release in a macro": by(RELEASE, r"RELEASE_(\1)"),
    "another allocation": lambda text: (
        rewrite(text, r"^\{", "{ void *other_ = malloc(1); free(other_);") if "<stdlib.h>" in text else text
    ),
    "other names": by(r"\b(buf|creds|p|q)\b(?!\()", r"\1_renamed"),
}
FLAGS = ("-DRELEASE_(x)=free(x)",)


def seen(report_of: Workspace, files: list[str]) -> tuple[Counter[tuple[object, ...]], Counter[tuple[object, ...]]]:
    """Findings and verdicts, without what wording and columns add."""
    report = report_of.analyse(files)
    degraded = [n for n in report.notices if n.kind in (NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL)]
    assert not degraded
    findings = Counter(
        (finding.at.file, finding.at.line, finding.check, finding.callee)
        for finding in shown_findings(report, everything=True)
    )
    verdicts = Counter((item.at.file, item.at.line, item.slot, item.verdict.value) for item in report.acquisitions)
    return findings, verdicts


def workspace(overlay: dict[str, bytes]) -> Workspace:
    settings = Settings(root=str(ROOT), flags=FLAGS, jobs=1, guard=False)
    return Workspace(settings, {str(ROOT / name): text for name, text in overlay.items()})


@cache
def before(name: str) -> tuple[Counter[tuple[object, ...]], Counter[tuple[object, ...]]]:
    return seen(workspace({}), [name])


COPY = "a copy before the release"
KNOWN = {
    (COPY, "uninitialized_release/libc.c"): "the call that should have set a variable is told by the variable's name",
    (COPY, "uninitialized_release/nl_recv.c"): "the same",
    (COPY, "leak/scanned.c"): "the same",
    (COPY, "leak/many_members.c"): "with ten copies the body of free_node() is too large to be followed",
}


def difference(relation: str, name: str, other: str) -> list[Counter[tuple[object, ...]]]:
    """Findings and verdicts that came and went with the rewriting."""
    findings, verdicts = before(name)
    new_findings, new_verdicts = seen(workspace({name: other.encode()}), [name])
    added = {line for (_, line, *_rest) in new_verdicts if other.split("\n")[line - 1].startswith("{ void *other_")}
    new_verdicts = Counter({key: n for key, n in new_verdicts.items() if key[1] not in added})
    return [new_findings - findings, findings - new_findings, new_verdicts - verdicts, verdicts - new_verdicts]


@pytest.mark.parametrize("relation", RELATIONS)
def test_relation_on_fixtures(request, relation):
    number = list(RELATIONS).index(relation)
    changed = {name: RELATIONS[relation]((ROOT / name).read_text()) for name in FILES if (relation, name) not in KNOWN}
    fitting = [name for name, other in changed.items() if other != (ROOT / name).read_text()]
    assert fitting, "the relation changes no fixture"
    sample = [name for name in fitting if FILES.index(name) % 6 == number % 6] or fitting[:3]
    for name in fitting if request.config.getoption("--oracle-examples", 0) else sample:
        other = changed[name]
        assert other.count("\n") == (ROOT / name).read_text().count("\n")
        assert difference(relation, name, other) == [Counter()] * 4, f"{relation}: {name}"


@pytest.mark.parametrize(("relation", "name"), KNOWN)
def test_known_difference_is_still_one(relation, name):
    other = RELATIONS[relation]((ROOT / name).read_text())
    assert difference(relation, name, other) != [Counter()] * 4, "no difference any more: take it off the list"


# -- generated programs

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def opposite(condition: Condition) -> Condition | None:
    match condition:
        case Compare():
            return replace(condition, operator=OPPOSITE[condition.operator])
        case Truth():
            return replace(condition, negated=not condition.negated)
        case Both() | Either():
            left, right = opposite(condition.left), opposite(condition.right)
            other = Either if isinstance(condition, Both) else Both
            return other(left, right) if left and right else None
        case Env():
            return None


def swapped(statements: tuple[object, ...]) -> Iterator[object]:
    """With the arms of every `if` swapped and its condition turned round."""
    for item in statements:
        if isinstance(item, If):
            turned = opposite(item.condition)
            then, other = tuple(swapped(item.then)), tuple(swapped(item.other))
            yield If(turned, other, then) if turned else If(item.condition, then, other)
        else:
            yield item


def test_swapped_arms_change_no_verdict():
    programs = clear_programs(False, 60, 11)
    others = [replace(program, body=tuple(swapped(program.body))) for program in programs]
    assert sum(program != other for program, other in zip(programs, others, strict=True)) > 10
    both = zip(programs, others, told_of(programs), told_of(others), strict=True)
    for program, other, told, told_of_other in both:
        assert told == told_of_other, source_of(program).text + source_of(other).text


def told_of(programs: list[Program]) -> list[Counter[tuple[str, str]]]:
    """How many acquisitions ended how, by slot."""
    said = state([source_of(program, number) for number, program in enumerate(programs)])
    return [Counter((site.slot, verdict.value) for site, verdict in one.verdicts.items()) for one in said]
