"""Fixes against executed C: generated programs are repaired, compiled, and run for every decision.

What the tool says of its own fixes is not asked. Skipped where there is no gcc.
"""

import re
from collections import Counter
from dataclasses import replace

import pytest

from analyzer.fixes import find_fixes
from analyzer.workspace import Settings, Workspace
from tests.oracle.execution import GCC, HEAD, execute, source_of
from tests.oracle.hunt import clear_programs

pytestmark = pytest.mark.skipif(GCC is None, reason="the execution oracle needs gcc")
MARK = "/* program %d */\n"


def repaired(sources, root):
    """The sources with all fixes, and for each how many findings it had and how many are left."""
    text = HEAD + "".join(MARK % number + source.text + "\n" for number, source in enumerate(sources))
    (root / "programs.c").write_text(text)
    settings = Settings(root=str(root), flags=("-nostdlibinc", "-w"), jobs=1, guard=False, cache=str(root / "cache"))
    space = Workspace(settings)
    report = space.analyse(["programs.c"])
    found = find_fixes(space, ["programs.c"], report, lambda finding: True)
    parts = re.split(r"/\* program \d+ \*/\n", found.texts["programs.c"].decode())[1:]
    had = Counter(finding.function for finding in report.findings)
    later = [finding for finding in found.report.findings if {*finding.fixes} & {*found.left}]
    left = Counter(finding.function for finding in (*found.without, *later))
    return [
        (replace(source, text=part), had[source.entry], left[source.entry])
        for source, part in zip(sources, parts, strict=True)
    ]


def test_repaired_programs_lose_nothing_and_break_nothing(tmp_path, request):
    number = request.config.getoption("--oracle-examples", 0) or 60
    programs = clear_programs(False, number, request.config.getoption("--oracle-seed", 0) or 5)
    sources = [source_of(program, number) for number, program in enumerate(programs)]
    fixed = repaired(sources, tmp_path)
    before, after = execute(sources), execute([source for source, _, _ in fixed])
    whole = 0
    for source, (patched, had, left), old, new in zip(sources, fixed, before, after, strict=True):
        told = f"\n{source.text}\n=== became\n{patched.text}\n{old}\n{new}"
        assert patched.text.strip() == source.text.strip() or had > left, told
        assert Counter(kind for kind, _, _ in new.sure) <= Counter(kind for kind, _, _ in old.sure), told
        assert len(new.leaks) <= len(old.leaks), told
        if had and not left and old.leaks:
            whole += 1
            assert not new.leaks and not new.sure, told
    assert whole > number // 10
