"""What the bench scripts share: running a check, measuring a command, reading a compile database."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

VERDICTS = (
    "leaked",
    "gave up",
    "unproven",
    "escaped",
    "maybe released",
    "held by a global or for the process's life",
    "moved",
    "handed to the caller",
    "released",
    "unreachable",
)
"""In the order of precedence, as `check --verdicts` names them."""

NOT_COMPILED = "not compiled under these flags"
"""What `check` lists, too, and nobody analyses: it is counted nowhere."""

UNDECIDED = ("gave up", "unproven", "escaped", "maybe released")
"""Verdicts that say the tool does not know; every other one is decided."""


@dataclass(frozen=True)
class Checked:
    """One run of `check`. status: exit status; findings: those shown by default; hidden: how many are not."""

    status: int
    findings: list[dict[str, Any]]
    hidden: int
    acquisitions: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    files: int
    functions: int
    stderr: str = ""


@dataclass(frozen=True)
class Cost:
    """cpu: seconds of all processes; wall: seconds; peak: highest sum of resident memory, in MiB."""

    cpu: float
    wall: float
    peak: float
    status: int = 0
    output: str = ""

    def plus(self, other: Cost) -> Cost:
        """Two commands one after the other."""
        return Cost(
            self.cpu + other.cpu,
            self.wall + other.wall,
            max(self.peak, other.peak),
            max(self.status, other.status),
            self.output + other.output,
        )


@dataclass
class Corpus:
    """A source tree. flags: file -> (folder the compiler ran in, flags), for files a database names."""

    path: Path
    files: list[Path]
    flags: dict[Path, tuple[str, list[str]]] = field(default_factory=dict)
    database: Path | None = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def lines(self) -> int:
        """Lines of all files."""
        return sum(file.read_bytes().count(b"\n") for file in self.files)


def environment() -> dict[str, str]:
    """The environment of a check: this tree's analyzer, no colours."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "PYTHONSAFEPATH": "1"}


def check_command(
    paths: Iterable[Path | str],
    *,
    database: Path | None = None,
    flags: Sequence[str] = (),
    options: Sequence[str] = (),
    cache: Path | None = None,
) -> list[str]:
    """The command line of one check with default options. cache: its folder; None: without a cache."""
    remembered = ["--no-cache"] if cache is None else ["--cache-dir", str(cache)]
    command = [sys.executable, "-m", "analyzer", "check", "-q", *remembered, *options]
    if database is not None:
        command += ["-p", str(database)]
    command += [str(path) for path in paths]
    return [*command, "--", *flags] if flags else command


def check(
    paths: Iterable[Path | str],
    *,
    cwd: Path,
    database: Path | None = None,
    flags: Sequence[str] = (),
    timeout: float | None = None,
) -> Checked:
    """Run `check` with default options and read its JSON.

    Raises RuntimeError with the tool's words when it wrote no JSON.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        command = check_command(paths, database=database, flags=flags, options=["--json", str(out)])
        done = subprocess.run(
            command, cwd=cwd, env=environment(), capture_output=True, text=True, errors="replace",
            timeout=timeout, check=False,
        )  # fmt: skip
        if not out.exists():
            raise RuntimeError(f"check ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        data = json.loads(out.read_text(encoding="utf-8"))
    return _checked(data, done.returncode, done.stderr)


def lowered(file: Path, function: str, *, cwd: Path, database: Path | None, timeout: float | None) -> str:
    """What `dump ir` prints of one function; empty where the file does not have it."""
    command = [sys.executable, "-m", "analyzer", "dump", "ir", str(file), function]
    if database is not None:
        command += ["-p", str(database)]
    done = subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, errors="replace",
        timeout=timeout, check=False,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else ""


def _checked(data: dict[str, Any], status: int, stderr: str) -> Checked:
    totals = data["summary"]
    return Checked(
        status=status,
        findings=data["findings"],
        hidden=totals["hidden"],
        acquisitions=[one for one in data["acquisitions"] if one["verdict"] != NOT_COMPILED],
        notices=data["notices"],
        files=totals["files"],
        functions=totals["functions"],
        stderr=stderr,
    )


def load_corpus(path: Path, *, every: int = 1, flagged: bool = False) -> Corpus:
    """All C files below `path` (every n-th), and their flags from its compile_commands.json if it has one.

    flagged: only files that the database names.
    """
    path = path.resolve()
    files = sorted(file for file in path.rglob("*.c") if file.is_file() and not _hidden(file, path))
    database = path / "compile_commands.json"
    known = read_database(database) if database.is_file() else {}
    if flagged:
        files = [file for file in files if file in known]
    files = files[::every]
    flags = {file: known[file] for file in files if file in known}
    return Corpus(path, files, flags, database if known else None)


def _hidden(file: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(top).parts)


def read_database(database: Path) -> dict[Path, tuple[str, list[str]]]:
    """file -> (working folder, flags without compiler, -c, -o, dependency options and the file itself)."""
    result: dict[Path, tuple[str, list[str]]] = {}
    for entry in json.loads(database.read_text(encoding="utf-8")):
        arguments = entry.get("arguments") or shlex.split(entry["command"])
        folder = entry["directory"]
        file = Path(os.path.normpath(Path(folder) / entry["file"]))
        result.setdefault(file, (folder, _flags(arguments[1:])))
    return result


def _flags(arguments: Sequence[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif not (argument == "-c" or argument.endswith(".c") or argument.startswith(("-M", "-o"))):
            kept.append(argument)
    return kept


def write_database(corpus: Corpus, folder: Path) -> Path:
    """A database of just the corpus's files, those without known flags included; returns its path."""
    entries = []
    for file in corpus.files:
        where, flags = corpus.flags.get(file, (str(corpus.path), []))
        entries.append({"directory": where, "file": str(file), "arguments": ["cc", *flags, "-c", str(file)]})
    out = folder / "compile_commands.json"
    out.write_text(json.dumps(entries), encoding="utf-8")
    return out


def measure(
    command: Sequence[str], *, cwd: Path | str, timeout: float | None = None, around: Mapping[str, str] | None = None
) -> Cost:
    """Run a command in its own session: CPU of it and of every child it waited for, wall, memory.

    around: its environment, that of a check when it is not given.

    Memory is the highest sum of the resident sizes of all its processes, sampled every 50 ms where /proc
    exists, and never less than the largest single process, which the system counts exactly.
    On a timeout the whole session is ended and the status is 124.
    """
    start = time.monotonic()
    with tempfile.TemporaryFile() as sink:
        process = subprocess.Popen(
            command, cwd=cwd, stdout=sink, stderr=subprocess.STDOUT, env=around or environment(), start_new_session=True
        )
        sampler = _Sampler(process.pid)
        sampler.start()
        timer = threading.Timer(timeout or 1e6, _end_session, [process.pid])
        timer.daemon = True
        timer.start()
        _, raw, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(raw)
        sampler.stop()
        sink.seek(0)
        output = sink.read().decode("utf-8", "replace")
    status = 124 if timeout and wall >= timeout else process.returncode
    peak = max(sampler.peak, usage.ru_maxrss / 1024)
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak, status, output)


def _end_session(session: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


class _Sampler(threading.Thread):
    """Samples the memory of every process of one session, in MiB."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.session = session
        self.peak = 0.0
        self._done = threading.Event()
        self._page = os.sysconf("SC_PAGE_SIZE") / 2**20

    def run(self) -> None:
        """Sample until stopped."""
        while not self._done.wait(0.05):
            self.peak = max(self.peak, self._resident())

    def stop(self) -> None:
        """End the sampling."""
        self._done.set()
        self.join()

    def _resident(self) -> float:
        pages = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                values = stat.read_text(errors="replace").rpartition(")")[2].split()
                # after the name: state, parent, group, session, ...; resident pages are the 22nd
                if int(values[3]) == self.session:
                    pages += int(values[21])
        return pages * self._page


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers are aligned right."""
    body = [list(row) for row in rows]
    right = [
        all(isinstance(row[i], int | float) or str(row[i])[:1].isdigit() for row in body) for i in range(len(head))
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---:" if r else "---" for r in right) + "|"]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in body]
    return "\n".join(lines)


def share(part: int, whole: int) -> str:
    """A share in per cent with its 95 % interval (Wilson), such as `50 % (24-76)`; `-` of nothing."""
    if not whole:
        return "-"
    z = 1.96
    rate, over = part / whole, 1 + z * z / whole
    middle = (rate + z * z / (2 * whole)) / over
    reach = z / over * math.sqrt(rate * (1 - rate) / whole + z * z / (4 * whole * whole))
    low, high = max(0.0, middle - reach), min(1.0, middle + reach)
    return f"{100 * rate:.0f} % ({100 * low:.0f}-{100 * high:.0f})"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def holder_key(text: str) -> str:
    """An expression without spaces and casts, so that `(void *) p` equals `p`."""
    text = text.strip()
    while text.startswith("("):
        close = _closing(text)
        inside, rest = text[1:close].strip(), text[close + 1 :].strip()
        if not rest:
            text = inside
        elif inside.endswith("*") or inside.startswith(("struct ", "const ")) or rest[0].isidentifier():
            text = rest
        else:
            break
    return "".join(text.split())


def _closing(text: str) -> int:
    depth = 0
    for place, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0:
            return place
    return len(text) - 1
