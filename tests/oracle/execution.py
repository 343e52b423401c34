"""Truth by execution of real C: programs are written with the real library's names, compiled with gcc against
mock.h, and every tape of decisions is run; `mustfree` reads the same text with its own front end and packs.

The two share the text and nothing else. Needs gcc, which never runs in the tool itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from analyzer.findings.model import Acquisition, NoticeKind, Report, StepKind, Verdict
from analyzer.workspace import Settings, Workspace
from tests.oracle.helpers import WithHelpers
from tests.oracle.interpreter import values_of_interest
from tests.oracle.language import (
    Program,
)
from tests.oracle.programs import lower

GCC = shutil.which("gcc")
MOST_RUNS = 20000
HEAD = """\
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <netlink/netlink.h>
struct pair { void *a, *b; };
int env(void);
void *shelf;
"""
FLAGS = ("-O0", "-w", "-std=gnu11", "-ftrivial-auto-var-init=pattern", "-fno-builtin")
DOMAIN = (-1, 0, 1, 2)
ORDER = list(Verdict)
HELPS = re.compile(r"^\s*(\w+(\.\w+)? = )?h\w+\([^;]*\);$")
MARKS = re.compile(r"^\s*\*\(int \*\)(.+) = 1;$")
CALLS: tuple[tuple[str, str], ...] = (
    (r"recv_msg\(sk, &([\w.]+), NULL\)", r"nl_recv(sk, &nla, (unsigned char **) &\1, NULL)"),
    (r"recv_msg\(sk, &([\w.]+), &([\w.]+)\)", r"nl_recv(sk, &nla, (unsigned char **) &\1, (struct ucred **) &\2)"),
    (r"get_line\(&([\w.]+)\)", r"getline((char **) &\1, &capacity, stdin)"),
    (r"open_file\(\)", r'fopen("f", "r")'),
    (r"close_file\(", "fclose("),
    (r"open_it\(\)", r'open("f", O_RDONLY)'),
    (r"close_it\(", "close("),
    (r"re_alloc\(([\w.]+), 2\)", r"realloc(\1, 20)"),
    (r"free_it\(", "free("),
    (r"\balloc\(1\)", "malloc(10)"),
    (r"^    void \*(fp|gp)\b", r"    FILE *\1"),
)
"""The oracle's library -> the real one."""


class NotCompiledError(Exception):
    """gcc did not take the programs."""


class Site(NamedTuple):
    """An acquisition: line in the program's text, and slot. outer: line of the helper's call, 0 without one."""

    line: int
    slot: str
    outer: int = 0


class Event(NamedTuple):
    """A mistake other than a leak. outer: as above."""

    kind: str
    line: int
    outer: int = 0


@dataclass
class Executed:
    """What running one program showed. complete: no tape was left out.

    verdicts: how each site ended; maybe: sites that may be lost besides; blurred: sites with no clear verdict.
    sure: events before anything else undefined; events: all.
    """

    runs: int = 0
    complete: bool = True
    verdicts: dict[Site, Verdict] = field(default_factory=dict)
    maybe: set[Site] = field(default_factory=set)
    blurred: set[Site] = field(default_factory=set)
    sure: set[Event] = field(default_factory=set)
    events: set[Event] = field(default_factory=set)

    @property
    def leaks(self) -> set[Site]:
        """Sites that are lost on some tape, for sure."""
        return {site for site, verdict in self.verdicts.items() if verdict is Verdict.LEAKED}


@dataclass
class Stated:
    """What the tool says of one program."""

    verdicts: dict[Site, Verdict] = field(default_factory=dict)
    reasons: dict[Site, str] = field(default_factory=dict)
    leaks: set[Site] = field(default_factory=set)
    events: set[Event] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """One program in C. text: functions and what they need, the entry is called `entry`.

    domain: integers that tell its conditions apart; pointers: whether it returns a pointer.
    start: lines in front of the entry. also: helpers of the entry's signature, and whether they return a pointer;
    they are run by themselves as well, for the tool does not know who calls them.
    """

    text: str
    entry: str
    domain: tuple[int, ...]
    pointers: bool = False
    start: int = 0
    also: tuple[tuple[str, bool], ...] = ()
    untold: frozenset[int] = frozenset()


def source_of(program: Program, number: int = 0) -> Source:
    """The C text of a program of the one-function generator."""
    function, text = lower(program)
    entry = f"f{number}"
    return Source(in_c(text, entry), entry, tuple(values_of_interest(function)), program.gives_pointer)


def source_with_helpers(program: WithHelpers, number: int = 0) -> Source:
    """The C text of a program with helpers. `@` in names of helpers stands for the program's number."""
    parts: list[str] = []
    also: list[tuple[str, bool]] = []
    untold: set[int] = set()
    for index, helper in enumerate(program.helpers):
        if isinstance(helper, Program):
            name = f"h{number}_{index}"
            parts.append("static " + in_c(lower(helper)[1], name))
            also.append((name, helper.gives_pointer))
        else:
            before = "\n".join([*parts, ""]).count("\n")
            untold.update(range(before + 1, before + len(helper.lines) + 1))
            parts.append("\n".join(helper.lines) + "\n")
    text = "\n".join(parts) + "\n"
    whole = text + in_c(lower(program.main)[1], f"f{number}")
    whole = whole.replace("@", str(number))
    return Source(
        whole, f"f{number}", DOMAIN, program.main.gives_pointer, text.count("\n"), tuple(also), frozenset(untold)
    )


def in_c(text: str, entry: str) -> str:
    """The oracle's C with the real library's names; lines stay."""
    head, _, rest = text.partition("\n")
    head = re.sub(r"\bf\(void \*sk,", f"{entry}(struct nl_sock *sk,", head)
    lines = ["{ struct sockaddr_nl nla; size_t capacity = 0;" if line == "{" else line for line in rest.split("\n")]
    for number, line in enumerate(lines):
        for pattern, replacement in CALLS:
            line = re.sub(pattern, replacement, line)
        lines[number] = line
    return "\n".join([head, *lines])


# -- execution


def execute(sources: Sequence[Source], most_runs: int = MOST_RUNS, seconds: float = 300) -> list[Executed]:
    """Compile all programs together and run each for every tape."""
    assert GCC is not None
    mock = Path(__file__).with_name("mock.h")
    parts, calls = ['#include "mock.h"\n#line 1\n'], []
    for number, source in enumerate(sources):
        parts.append(f"#line 1\n{_marked(source)}\n")
        values = ",".join(map(str, source.domain))
        uses = [re.search(rf"(?<![\w.]){name}\b", source.text.partition("{")[2]) is not None for name in "ab"]
        zero = re.search(r"\b(fd|dd)\b *[<>=!]", source.text) is not None
        for entry, pointers in ((source.entry, source.pointers), *source.also):
            calls.append(
                f"    {{ static const int d[] = {{{values}}}; run_all({number}, (void *){entry}, {int(pointers)}, "
                f"{uses[0] + 2 * uses[1]}, d, {len(source.domain)}, {int(zero)}, {most_runs}); }}"
            )
    parts.append("int main(void)\n{\n" + "\n".join(calls) + "\n    return 0;\n}\n")
    with tempfile.TemporaryDirectory() as folder:
        file, binary = Path(folder) / "programs.c", Path(folder) / "programs"
        file.write_text("".join(parts))
        built = subprocess.run(
            [GCC, *FLAGS, f"-I{mock.parent}", "-o", str(binary), str(file)], capture_output=True, text=True, check=False
        )
        if built.returncode:
            raise NotCompiledError(built.stderr[-4000:])
        ran = subprocess.run([str(binary)], capture_output=True, text=True, timeout=seconds, check=False)
    assert ran.returncode == 0, (ran.returncode, ran.stderr[-2000:])
    return _read(ran.stdout, len(sources))


def _marked(source: Source) -> str:
    """The text with its lines noted at accesses and calls of helpers, and numbers told from descriptors."""
    lines = []
    for number, line in enumerate(source.text.split("\n"), 1):
        if number > source.start and HELPS.match(line):
            line = f"outer = {number}; {line} outer = 0;"
        if MARKS.match(line):
            line = re.sub(r"\*\(int", f"at = {number}, *(int", line, count=1)
        line = re.sub(r"return (?!fd;|dd;)([^;]+);", r"return (plain = 1, \1);", line)
        lines.append(line)
    return "\n".join(lines)


VERDICTS = {
    "leaked": Verdict.LEAKED,
    "held": Verdict.HELD,
    "handed": Verdict.HANDED_OVER,
    "released": Verdict.RELEASED,
    "never": Verdict.UNREACHABLE,
}


def _read(output: str, number: int) -> list[Executed]:
    found = [Executed() for _ in range(number)]
    current = found[0]
    for line in output.splitlines():
        word, *rest = line.split()
        if word == "program":
            current = found[int(rest[0])]
            current.runs += int(rest[1])
            current.complete &= rest[2] == "1"
        elif word == "site":
            site = Site(int(rest[0]), rest[2], int(rest[1]))
            verdict = VERDICTS[rest[3]]
            current.verdicts[site] = min(current.verdicts.get(site, verdict), verdict, key=ORDER.index)
            if rest[4] == "1":
                current.maybe.add(site)
            if rest[5] == "1":
                current.blurred.add(site)
        else:
            event = Event(rest[0], int(rest[1]), int(rest[2]))
            current.events.add(event)
            if rest[3] == "1":
                current.sure.add(event)
    return found


# -- the tool


def state(sources: Sequence[Source], nostdlib: bool = True) -> list[Stated]:
    """What the tool says about the programs; they are analysed as one file. Entries must have different names."""
    text, starts = HEAD, []
    for source in sources:
        starts.append(text.count("\n"))
        text += source.text + "\n"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "programs.c").write_text(text)
        flags = ("-nostdlibinc",) if nostdlib else ()
        settings = Settings(root=folder, flags=(*flags, "-w"), jobs=1, guard=False)
        report = Workspace(settings).analyse(["programs.c"])
    ends = [*starts[1:], text.count("\n")]
    return [_stated(report, start, end) for start, end in zip(starts, ends, strict=True)]


def _stated(report: Report, start: int, end: int) -> Stated:
    stated = Stated()
    for item in report.acquisitions:
        if start < item.at.line <= end:
            site = Site(item.at.line - start, slot_of(item))
            stated.verdicts[site] = min(stated.verdicts.get(site, item.verdict), item.verdict, key=ORDER.index)
            stated.reasons[site] = item.reason
    for finding in report.findings:
        if not start < finding.at.line <= end:
            continue
        if finding.check == "leak":
            slots = {(site.line, site) for site in stated.verdicts}
            lines = [step.at.line - start for step in finding.steps if step.kind is StepKind.ACQUIRE]
            stated.leaks |= {site for line, site in slots if line in lines}
        else:
            places = [finding.at, *(other.at for other in finding.related if other.message.startswith("also here"))]
            stated.events |= {Event(finding.check, at.line - start) for at in places}
    kinds = (NoticeKind.DEGRADED, NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.NAME_ONLY)
    for notice in report.notices:
        if "analysed in part" in notice.message:
            continue  # a budget: the verdicts say what it cost
        if notice.kind in kinds and (start < notice.line <= end or notice.line == 0):
            stated.trouble.append(f"{notice.kind.value}: {notice.message}")
    return stated


def slot_of(item: Acquisition) -> str:
    """The slot in mock.h's words."""
    return "ret" if item.slot in ("ret", "return value") else item.slot.lstrip("*")


# -- both


@dataclass(frozen=True)
class Disagreement:
    """kind: "missed", "false alarm", "verdict", "trouble". what: in words."""

    kind: str
    what: str


def compare(source: Source, ran: Executed, said: Stated) -> list[Disagreement]:
    """Both directions; where tapes were left out, only what is missing.

    What is acquired in a helper may be reported there or where the helper is called.
    """
    found = [Disagreement("trouble", item) for item in said.trouble]
    claimed = {site for site, verdict in said.verdicts.items() if verdict is Verdict.LEAKED}
    for site in sorted(ran.leaks):
        if not any(_same(site, claim) for claim in claimed):
            found.append(Disagreement("missed", f"leak of {_shown(site)}: tool says {_told(site, said)}"))
    for event in sorted(ran.sure):
        if not any(event.kind == other.kind and other.line in (event.line, event.outer) for other in said.events):
            place = f"line {event.line}" + (f" (called at line {event.outer})" if event.outer else "")
            found.append(Disagreement("missed", f"{event.kind} at {place}"))
    for site in sorted(claimed - said.leaks):
        found.append(Disagreement("missed", f"leak of {_shown(site)}: verdict leaked, but no finding"))
    if not ran.complete:
        return found
    for claim in sorted(claimed):
        if claim.line in source.untold and not any(_same(site, claim) for site in ran.verdicts):
            continue
        if not any(_same(site, claim) for site in ran.leaks | ran.maybe):
            truth = min(
                (verdict for site, verdict in ran.verdicts.items() if _same(site, claim)),
                key=ORDER.index,
                default=Verdict.UNREACHABLE,
            )
            found.append(Disagreement("false alarm", f"leak of {_shown(claim)}: in truth {truth.value}"))
    for claim in sorted(said.events):
        if not any(event.kind == claim.kind and claim.line in (event.line, event.outer) for event in ran.events):
            found.append(Disagreement("false alarm", f"{claim.kind} at line {claim.line}"))
    if not ran.events and not source.start:
        found.extend(_verdicts(ran, said))
    return found


def _same(truth: Site, claim: Site) -> bool:
    """Whether the tool's site is this one: the acquisition itself, or the helper's call that hands it out."""
    return (truth.line, truth.slot) == (claim.line, claim.slot) or (truth.outer != 0 and claim.line == truth.outer)


def _shown(site: Site) -> str:
    return f"line {site.line} {site.slot}" + (f" (called at line {site.outer})" if site.outer else "")


def _told(site: Site, said: Stated) -> str:
    told = [
        verdict.value + (f" ({said.reasons[claim]})" if said.reasons.get(claim) else "")
        for claim, verdict in said.verdicts.items()
        if _same(site, claim)
    ]
    return " and ".join(told) or "no acquisition"


def _verdicts(ran: Executed, said: Stated) -> list[Disagreement]:
    found = []
    for site, verdict in sorted(said.verdicts.items()):
        truth = ran.verdicts.get(site, Verdict.UNREACHABLE)
        leak = Verdict.LEAKED in (truth, verdict)
        if leak or verdict is Verdict.GAVE_UP or site in ran.blurred or site in ran.maybe or truth is verdict:
            continue
        reason = f" ({said.reasons[site]})" if said.reasons.get(site) else ""
        found.append(
            Disagreement("verdict", f"line {site.line} {site.slot}: {verdict.value}{reason}, in truth {truth.value}")
        )
    return found
