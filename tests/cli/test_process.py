"""What needs a process of its own: signals, pipes, forbidden system calls."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import LEAK, ROOT

FORBID = """
import sys
from pathlib import Path
def hook(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.system")):
        raise RuntimeError("forbidden: " + event)
sys.addaudithook(hook)
"""


def test_check_opens_no_socket_and_starts_no_program(process, project):
    for number in range(4):
        (project / f"x{number}.c").write_text(LEAK)
    outcome = process("check", ".", "--sarif", "out.sarif", "--json", "out.json", "-j2", code=FORBID)
    assert outcome.status == 1
    assert "forbidden" not in outcome.err
    assert (project / "out.sarif").exists()


@pytest.mark.parametrize("attempt", ["import socket; socket.socket()", "import subprocess; subprocess.Popen(['true'])"])
def test_the_hook_would_notice(process, attempt):
    assert "forbidden" in process("check", "leak.c", code=FORBID + attempt).err


def test_the_module_runs_as_a_command(process):
    outcome = process("check", "leak.c")
    assert outcome.status == 1
    assert outcome.out.startswith("leak.c:12:3: warning[leak]")


def test_the_environment_of_compilers_changes_nothing(process, project):
    (project / "inc").mkdir()
    (project / "inc" / "stdlib.h").write_text("#error planted\n")
    plain = process("check", "leak.c")
    planted = process("check", "leak.c", env={"CPATH": str(project / "inc"), "C_INCLUDE_PATH": "inc"})
    assert (planted.status, planted.out, planted.err) == (plain.status, plain.out, plain.err)


def test_output_that_the_terminal_cannot_show(process, project):
    (project / "leak.c").write_bytes(LEAK.replace("n > 3", "n > 3 /* \u4e2d */").encode())
    outcome = process("check", "leak.c", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert outcome.status == 1
    assert "\\u4e2d" in outcome.out


def test_a_reader_that_leaves_is_no_disaster(project):
    command = f"{sys.executable} -m analyzer check leak.c --verdicts | true"
    done = subprocess.run(
        command,
        shell=True,
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_ends_with_130_and_leaves_no_file(project):
    code = (
        "import os, signal\n"
        "from analyzer.program import pool\n"
        "old = pool.Pool._step\n"
        "def step(self, *rest):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return old(self, *rest)\n"
        "pool.Pool._step = step\n"
        "from analyzer.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "leak.c", "--sarif", "out.sarif"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 130
    assert done.stderr.strip() == "interrupted"
    assert sorted(entry.name for entry in project.iterdir()) == ["clean.c", "leak.c"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [("check", "leak.c"), ("check", "leak.c", "--json", "-"), ("fix", "leak.c"), ("--version",), ("explain",)],
)
def test_output_that_cannot_be_written_is_told(project, arguments):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", *arguments],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: standard output cannot be written: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix")
def test_closed_output_is_told(project):
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m analyzer check leak.c >&-'],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "error: standard output is closed" in done.stderr
