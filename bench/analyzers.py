"""Other analyzers as the side-by-side needs them: how each is called, what its output says, in common words.

A kind of report is one of "leak", "double", "uaf", "mismatch" and "uninit" (a value that was never set is used);
what is about none of these is not kept.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import check

MODELS = Path(__file__).resolve().parent / "models"


@dataclass(frozen=True)
class Report:
    """One thing that an analyzer says. file: without folders; rule: the analyzer's own name for it."""

    file: str
    line: int
    rule: str
    message: str
    kind: str


@dataclass(frozen=True)
class Result:
    """One run over one file. trouble: why the file was not analysed, or not all of it; else empty."""

    reports: tuple[Report, ...] = ()
    trouble: str = ""


_GCC = {
    "malloc-leak": "leak", "file-leak": "leak", "fd-leak": "leak",
    "double-free": "double", "double-fclose": "double", "fd-double-close": "double",
    "use-after-free": "uaf", "fd-use-after-close": "uaf",
    "mismatching-deallocation": "mismatch", "free-of-non-heap": "mismatch",
    "use-of-uninitialized-value": "uninit",
}  # fmt: skip
_CPPCHECK = {
    "memleak": "leak", "resourceLeak": "leak", "memleakOnRealloc": "leak", "leakReturnValNotUsed": "leak",
    "leakNoVarFunctionCall": "leak", "doubleFree": "double",
    "deallocuse": "uaf", "deallocret": "uaf", "useClosedFile": "uaf",
    "mismatchAllocDealloc": "mismatch", "autovarInvalidDeallocation": "mismatch",
    "uninitvar": "uninit", "legacyUninitvar": "uninit",
}  # fmt: skip
_OURS = {
    "leak": "leak", "double-release": "double", "use-after-release": "uaf", "wrong-release": "mismatch",
    "uninitialized-release": "uninit",
}  # fmt: skip
_NOT_PARSED = {"syntaxError", "internalAstError", "unknownMacro", "internalError", "preprocessorErrorDirective"}
_LINE = re.compile(
    r"^(?P<file>[^:\n]+):(?P<line>\d+):\d+: (?:warning|error): (?P<text>.*?)(?P<rules>(?: \[[^\]]+\])+)$"
)


def read_gcc(output: str) -> Result:
    """The lines of ``gcc -fanalyzer -fdiagnostics-plain-output``."""
    reports = []
    for match in filter(None, map(_LINE.match, output.splitlines())):
        rule = re.search(r"\[-Wanalyzer-([\w-]+)\]", match["rules"])
        if rule and rule[1] in _GCC:
            name = Path(match["file"]).name
            reports.append(Report(name, int(match["line"]), rule[1], match["text"], _GCC[rule[1]]))
    error = re.search(r"^[^\n]*: (?:fatal )?error: [^\n]*", output, re.MULTILINE)
    return Result(tuple(reports), error[0][:200] if error else "")


CPPCHECK_TEMPLATE = "{file}\\t{line}\\t{id}\\t{message}"


def read_cppcheck(output: str) -> Result:
    """The lines that `CPPCHECK_TEMPLATE` makes."""
    reports, trouble = [], ""
    for line in output.splitlines():
        parts = line.split("\t")
        if len(parts) != 4:
            continue
        file, number, rule, message = parts
        if rule in _NOT_PARSED:
            trouble = trouble or f"{rule}: {message}"[:200]
        elif rule in _CPPCHECK:
            reports.append(Report(Path(file).name, int(number), rule, message, _CPPCHECK[rule]))
    return Result(tuple(reports), trouble)


def read_clang_tidy(output: str) -> Result:
    """The lines of clang-tidy with the checks of the static analyzer."""
    reports, trouble = [], ""
    for match in filter(None, map(_LINE.match, output.splitlines())):
        rule = match["rules"].rsplit("[", 1)[1].rstrip("]").split(",")[0]
        if rule.startswith("clang-diagnostic-error"):
            trouble = trouble or f"{match['file']}:{match['line']}: {match['text']}"[:200]
            continue
        kind = _clang_kind(rule, match["text"])
        if kind:
            reports.append(Report(Path(match["file"]).name, int(match["line"]), rule, match["text"], kind))
    return Result(tuple(reports), trouble)


def _clang_kind(rule: str, text: str) -> str:
    if "MismatchedDeallocator" in rule or re.search(r"^Argument to .* is .*, which is not memory allocated by", text):
        return "mismatch"
    if re.search(r"[Aa]ttempt to (free|release) (already )?released|released memory$|already closed", text):
        return "double"
    if re.search(r"after it (is|was) (freed|released|closed)|might be already closed", text):
        return "uaf"
    if "leak" in text.lower() or "never closed" in text or "suspicious-realloc" in rule:
        return "leak"
    return "uninit" if re.search(r"uninitialized|garbage|undefined pointer", text) else ""


def run(command: Sequence[str], cwd: Path, timeout: float) -> str | None:
    """What a command writes to both of its outputs; None when it took too long. Its status says nothing here."""
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None
    return output.decode("utf-8", "replace")


@dataclass(frozen=True)
class Peer:
    """One analyzer with its options.

    label: its name in tables. model: whether it is told of libnl. command(file, flags, function): what is run;
    `function` is the only one of interest, or empty. told: its options, for the reader.
    """

    label: str
    model: bool
    program: str
    version: str
    told: str
    command: Callable[[Path, Sequence[str], str], list[str]]
    read: Callable[[str], Result]

    def analyse(self, file: Path, flags: Sequence[str], cwd: Path, function: str, timeout: float) -> Result:
        """Run it on one file."""
        output = run(self.command(file, flags, function), cwd, timeout)
        return Result(trouble=f"more than {timeout:.0f} s") if output is None else self.read(output)


class Ours:
    """The tool itself, in the same form: default options, one file alone."""

    label = "mustfree"
    model = False
    program = "mustfree"
    version = "this tree"
    told = "check, default options"

    def analyse(self, file: Path, flags: Sequence[str], cwd: Path, function: str, timeout: float) -> Result:
        """Run it on one file."""
        try:
            seen = check([file], cwd=cwd, flags=flags, timeout=timeout)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return Result(trouble=str(error)[:200])
        return Result(
            tuple(
                Report(Path(one["at"]["file"]).name, one["at"]["line"], one["check"], one["message"],
                       _OURS[one["check"]])
                for one in seen.findings
            )
        )  # fmt: skip


Analyzer = Peer | Ours


def _version(program: str) -> str:
    output = run([program, "--version"], Path.cwd(), 60) or ""
    match = re.search(r"\d+\.\d+(?:\.\d+)?", output)
    return match[0] if match else "unknown"


def _includes_libnl(file: Path) -> bool:
    """The model brings libnl's headers along; where nobody includes them it has nothing to say, and may clash."""
    return b"<netlink/" in file.read_bytes() or b"nl_recv" in file.read_bytes()


def gcc(program: str, includes: Sequence[str], model: bool) -> Peer:
    """gcc -fanalyzer, every function of the file."""
    options = ["-fanalyzer", "-fdiagnostics-plain-output", "-c", "-o", "/dev/null"]
    told = ["-include", str(MODELS / "peers.h")] if model else []

    def command(file: Path, flags: Sequence[str], function: str) -> list[str]:
        here = told if _includes_libnl(file) else []
        return [program, *options, *here, *flags, *includes, str(file)]

    label = "gcc -fanalyzer" + (" + model" if model else "")
    shown = " ".join([*options[:1], *(["-include models/peers.h"] if model else [])])
    return Peer(label, model, program, _version(program), shown, command, read_gcc)


_LITTLE_ENDIAN = [
    "-D__BYTE_ORDER__=1234", "-D__ORDER_LITTLE_ENDIAN__=1234", "-D__ORDER_BIG_ENDIAN__=4321",
    "-D__BYTE_ORDER=1234", "-D__LITTLE_ENDIAN=1234", "-D__BIG_ENDIAN=4321", "-D__LITTLE_ENDIAN_BITFIELD",
    "-DBYTE_ORDER=1234", "-DLITTLE_ENDIAN=1234", "-DBIG_ENDIAN=4321",
]  # fmt: skip
"""What compilers know by themselves and headers end with #error without."""


def cppcheck(program: str, includes: Sequence[str], model: bool) -> Peer:
    """cppcheck with its own descriptions of POSIX, GNU and GLib."""
    options = ["-q", "--language=c", "--enable=warning", "--library=posix", "--library=gnu", "--library=gtk",
               "--max-configs=1", *_LITTLE_ENDIAN]  # fmt: skip
    told = [f"--library={MODELS / 'peers.cfg'}"] if model else []

    def command(file: Path, flags: Sequence[str], function: str) -> list[str]:
        kept = [flag for flag in _joined(flags) if flag.startswith(("-I", "-D", "-U"))]
        return [program, *options, *told, f"--template={CPPCHECK_TEMPLATE}", *kept, *includes, str(file)]

    label = "cppcheck" + (" + model" if model else "")
    shown = " ".join([*options, *(["--library=models/peers.cfg"] if model else [])])
    return Peer(label, model, program, _version(program), shown, command, read_cppcheck)


def clang_tidy(program: str, includes: Sequence[str], model: bool) -> Peer:
    """clang-tidy with the checks of the static analyzer that are about memory and streams.

    Where one function is of interest only that one is a starting point: faster, and not to its disadvantage, since
    a run over the whole file starts at no function that it has inlined elsewhere.
    """
    checks = "-*,clang-analyzer-core.*,clang-analyzer-unix.*,bugprone-suspicious-realloc-usage"
    told = ["-include", str(MODELS / "peers.h")] if model else []

    def command(file: Path, flags: Sequence[str], function: str) -> list[str]:
        here = told if _includes_libnl(file) else []
        only = ["-Xclang", "-analyze-function", "-Xclang", function] if function else []
        return [program, "--quiet", f"--checks={checks}", str(file), "--", "-x", "c", "-w", "-ferror-limit=0", *only,
                *here, *flags, *includes]  # fmt: skip

    label = "clang-tidy" + (" + model" if model else "")
    shown = f"--checks={checks}" + (" -- -include models/peers.h" if model else "")
    return Peer(label, model, program, _version(program), shown, command, read_clang_tidy)


def _joined(flags: Sequence[str]) -> list[str]:
    """`-I dir` as `-Idir`, and `-include` files and the like left alone."""
    joined: list[str] = []
    for flag in flags:
        if joined and joined[-1] in ("-I", "-D", "-U", "-isystem"):
            last = joined.pop().replace("-isystem", "-I")
            joined.append(last + flag)
        else:
            joined.append(flag)
    return joined


MAKERS = {"gcc": gcc, "cppcheck": cppcheck, "clang-tidy": clang_tidy}


def present(programs: dict[str, str], includes: Sequence[str]) -> tuple[list[Analyzer], list[str]]:
    """The tool itself and the peers that can be run, and the names of those that cannot."""
    found: list[Analyzer] = [Ours()]
    absent = []
    for name, maker in MAKERS.items():
        program = shutil.which(programs.get(name, name))
        if program is None:
            absent.append(name)
            continue
        found += [maker(str(Path(program).resolve()), includes, model) for model in (False, True)]
    return found, absent
