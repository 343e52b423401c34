"""A report with one of everything, made by hand."""

from analyzer.findings.model import (
    Acquisition,
    Confidence,
    Escape,
    Finding,
    Growth,
    Level,
    Notice,
    NoticeKind,
    Region,
    Related,
    Report,
    Step,
    StepKind,
    Unlock,
    Verdict,
)

SOURCE = b"int f(void)\n{\n\tchar *p = malloc(3);\n\n\tif (bad())\n\t\treturn -1;\n\tfree(p);\n}\n"
ACQUIRED = Region("src/a.c", 3, 12, 3, 21, "\tchar *p = malloc(3);")
CONDITION = Region("src/a.c", 5, 6, 5, 11, "\tif (bad())")
LOST = Region("src/a.c", 6, 3, 6, 12, "\t\treturn -1;")
LEAK = Finding(
    check="leak",
    kind="exit",
    message="`p` from malloc() is not freed on this path: the function returns when `bad()`",
    at=LOST,
    function="f",
    resource="p",
    callee="malloc",
    steps=(
        Step(ACQUIRED, "malloc() hands out a memory block", StepKind.ACQUIRE),
        Step(CONDITION, "`bad()` is true", StepKind.BRANCH),
        Step(LOST, "lost: the function returns", StepKind.LOST),
    ),
    related=(Related(ACQUIRED, "malloc() hands out a memory block"),),
    advice="call free(p) before this point",
    fingerprint="ab" * 32,
    growth=Growth.PER_MESSAGE,
    growth_reason="lost in a loop that waits for an event in poll()",
    cost="3 bytes",
)
UNSURE = Finding(
    check="double-release",
    kind="double-release",
    message="`q` is freed a second time by free()",
    at=Region("src/b.c", 2, 1, 2, 8, "free(q);"),
    function="g",
    resource="q",
    callee="malloc",
    steps=(Step(Region("src/b.c", 2, 1, 2, 8, "free(q);"), "freed again", StepKind.LOST),),
    level=Level.ERROR,
    confidence=Confidence.LOW,
    confidence_reason="one; two",
    cwe=415,
    fingerprint="cd" * 32,
)
ESCAPED = Acquisition(ACQUIRED, "f", "malloc", "ret", "p", "heap", Verdict.ESCAPED, "keep()")
LEAKED = Acquisition(ACQUIRED, "f", "malloc", "ret", "p", "heap", Verdict.LEAKED)
VERSIONS = (("mustfree", "9.9.9"), ("libclang", "18.1.1"), ("pack libc", "1"))
REPORT = Report(
    findings=(LEAK, UNSURE),
    acquisitions=(LEAKED, ESCAPED),
    notices=tuple(Notice(kind, "src/a.c", 1, f"about {kind.value}", "f") for kind in NoticeKind),
    files=2,
    functions=2,
    unlocks=(
        Unlock(Escape("keep", "keep()", ACQUIRED, "void keep(char *text)", ("text",)), 1, 1),
        Unlock(Escape("", "assembler code"), 1, 0),
    ),
    versions=VERSIONS,
)
EMPTY = Report(files=1, versions=VERSIONS)
