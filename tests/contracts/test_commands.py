"""`mustfree rules`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli.rules import rules
from analyzer.contracts.packs import shipped_files

GOOD = """\
library: mine
kinds: {heap: {release: [free]}}
functions:
  - c: int my_get(char **out)
    returns: ret <= 0
    outcomes:
      - {when: ret == 0, then: fresh *out heap}
      - {when: ret < 0, then: unchanged *out}
    doc: Gives a copy.
    since: "2"
    replaces: my_peek
borrows: [int my_peek(char **out)]
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(rules, arguments)


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return str(file)


def test_check_a_file_without_mistakes(tmp_path: Path):
    file = written(tmp_path, GOOD)
    result = run("check", file)
    assert result.exit_code == 0
    assert result.stdout == f"{file}: 2 functions (1 borrow only), 1 resource kinds, no mistake found\n"


def test_check_lists_all_mistakes_of_all_files(tmp_path: Path):
    file = written(tmp_path, GOOD.replace("ret < 0", "ret < nothing").replace("Gives", "on"))
    other = tmp_path / "other.yaml"
    other.write_text("library: [1]\n")
    result = run("check", file, str(other), str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert [line.split(" ")[0] for line in result.stderr.splitlines()] == [
        f"{file}:8:22:",
        f"{other}:1:10:",
        f"{tmp_path}/none.yaml:1:1:",
    ]


def test_check_sees_mistakes_between_files(tmp_path: Path):
    result = run("check", written(tmp_path, "library: mine\nkinds: {x: {release: [drop_x]}}\n"))
    assert result.exit_code == 2
    assert "no rule describes `drop_x`" in result.stderr


@pytest.mark.parametrize("path", shipped_files(), ids=lambda path: path.name)
def test_check_the_shipped_packs(path: Path):
    result = run("check", str(path))
    assert (result.exit_code, result.stderr) == (0, "")


def test_list(tmp_path: Path):
    result = run("list", "--library", "libnl-3")
    lines = result.stdout.splitlines()
    assert "nl_recv\tlibnl-3\tacquires" in lines
    assert "nlmsg_free\tlibnl-3\treleases" in lines
    assert "nla_put\tlibnl-3\tborrows" in lines
    assert all(line.split("\t")[1] == "libnl-3" for line in lines)
    result = run("list", "--rules", written(tmp_path, GOOD))
    libraries = {line.split("\t")[1] for line in result.stdout.splitlines()}
    assert {"libc", "libnl-3", "mine"} <= libraries and "systemd-basic" not in libraries  # no function
    assert len(libraries) == len(shipped_files())


def test_list_an_unknown_library():
    result = run("list", "--library", "libxyz")
    assert result.exit_code == 2
    assert "no pack describes library libxyz; known: " in result.stderr
    assert {"libc", "libnl-3"} <= set(result.stderr.strip().partition("known: ")[2].split(", "))


def test_explain():
    result = run("explain", "nl_recv")
    assert result.exit_code == 0
    for part in (
        "int nl_recv(struct nl_sock *sk, struct sockaddr_nl *nla, unsigned char **buf, struct ucred **creds)",
        "when ret > 0: *buf is a new buffer, to be released by free()",
        "*creds is a new buffer, or nothing, to be released by free()",
        "when ret <= 0: *buf is not written; *creds becomes null",
        "waits for a message: a loop around it takes a round for each",
        "a lost one costs: 4 pages",
        "tends to replace: nl_recvmsgs_default",
        "library: libnl-3; rule: rules/libnl.yaml:",
    ):
        assert part in result.stdout


def test_explain_says_what_the_users_file_says_first(tmp_path: Path):
    file = written(tmp_path, GOOD.replace("my_get", "malloc"))
    result = run("explain", "malloc", "--rules", file)
    mine, libc = result.stdout.split("\n\n")
    assert "Gives a copy." in mine and f"library: mine; rule: {file}:4" in mine and "since version: 2" in mine
    assert "returns: ret <= 0" in mine
    assert "library: libc; rule: rules/libc.yaml:" in libc


def test_explain_an_unknown_function():
    result = run("explain", "nl_rcv")
    assert result.exit_code == 2
    assert "no rule describes nl_rcv(); near: nl_recv" in result.stderr


@pytest.mark.parametrize("command", [["list"], ["explain", "malloc"]])
def test_a_broken_rule_file_is_named(tmp_path: Path, command: list[str]):
    result = run(*command, "--rules", written(tmp_path, "library: 1\n"))
    assert result.exit_code == 2
    assert "mine.yaml:1:10: YAML reads `1` as a number" in result.stderr


def test_migrations_lists_what_replaces_what(tmp_path: Path):
    result = run("migrations")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert "nl_recvmsgs_default() -> nl_recv(): nl_recvmsgs_default() frees the buffer itself" in lines
    assert lines == sorted(lines)
    assert "my_peek() -> my_get()" in run("migrations", "--rules", written(tmp_path, GOOD)).output.splitlines()


def test_explain_says_what_a_function_replaces():
    said = "tends to replace: nl_recvmsgs_default(), which frees the buffer itself, nl_recvmsgs(), which frees"
    assert said in run("explain", "nl_recv").output
