"""Asks git about a repository. Only commands that read objects and names: nothing of the repository is executed.

Hooks, the file system monitor, external diffs, text conversion, filters, pagers and the network are off: contents are
read as objects (`cat-file`), never through a filter, and never fetched.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final, final

from analyzer.errors import MustfreeError

_SAFE: Final = (
    "--no-pager",
    "--no-optional-locks",
    "--literal-pathspecs",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.untrackedCache=false",
    "-c", "core.attributesFile=/dev/null",
    "-c", "core.quotePath=false",
    "-c", "diff.external=",
    "-c", "protocol.allow=never",
    "-c", "submodule.recurse=false",
)  # fmt: skip
_TIMEOUT: Final = 120
FILE: Final = ("100644", "100755")
SUBMODULE: Final = "160000"


@final
class Git:
    """One repository. folder: anywhere inside it. MustfreeError: git is missing, or this is no repository."""

    def __init__(self, folder: str) -> None:
        self._git = shutil.which("git") or ""
        if not self._git:
            raise MustfreeError("git is not installed; compare two folders, or give a patch file")
        self._folder = folder
        done = self._call("rev-parse", "--show-toplevel")
        if done.returncode:
            why = done.stderr.decode("utf-8", "replace").strip().splitlines()[:1]
            raise MustfreeError(f"{folder}: no work tree of a git repository: {''.join(why)}")
        self.root = os.path.realpath(os.fsdecode(done.stdout.removesuffix(b"\n")))
        self._folder = self.root

    def _call(self, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {name: value for name, value in os.environ.items() if name not in _DANGEROUS}
        environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
        try:
            return subprocess.run(
                [self._git, *_SAFE, *arguments],
                cwd=self._folder,
                env=environment,
                input=data,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MustfreeError(f"git {arguments[0]}: {error}") from error

    def _run(self, *arguments: str, data: bytes = b"") -> bytes:
        done = self._call(*arguments, data=data)
        if done.returncode:
            raise MustfreeError(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
        return done.stdout

    def commit(self, revision: str) -> str:
        """The id of a commit. MustfreeError: there is none of that name."""
        done = self._call("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
        if done.returncode:
            raise MustfreeError(f"{revision}: no such revision{self._shallow_hint()}")
        return done.stdout.decode().strip()

    def merge_base(self, base: str, head: str) -> str:
        """The commit from which both have grown."""
        done = self._call("merge-base", "--end-of-options", self.commit(base), self.commit(head))
        if done.returncode or not done.stdout.strip():
            raise MustfreeError(f"{base} and {head} have no commit in common{self._shallow_hint()}")
        return done.stdout.decode().split()[0]

    def _shallow_hint(self) -> str:
        shallow = self._call("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        return "; this clone is shallow: fetch more of its history (git fetch --unshallow)" if shallow else ""

    def tree(self, commit: str) -> dict[str, tuple[str, str]]:
        """path -> (mode, object id) of everything in a commit."""
        found: dict[str, tuple[str, str]] = {}
        for entry in self._run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
            if entry:
                head, _, path = entry.partition(b"\t")
                mode, _, identity = head.decode().split()
                found[os.fsdecode(path)] = (mode, identity)
        return found

    def work_tree(self) -> list[str]:
        """Files of the work tree that are tracked, or new and not ignored. MustfreeError: a merge is unfinished."""
        unmerged = sorted({_name(entry) for entry in self._run("ls-files", "-z", "--unmerged").split(b"\0") if entry})
        if unmerged:
            more = f" and {len(unmerged) - 3} more" if len(unmerged) > 3 else ""
            raise MustfreeError(f"unresolved merge conflicts in {', '.join(unmerged[:3])}{more}; resolve them first")
        listed = self._run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return sorted({os.fsdecode(path) for path in listed.split(b"\0") if path})

    def contents(self, identities: Iterable[str]) -> dict[str, bytes]:
        """object id -> bytes."""
        wanted = sorted(set(identities))
        output = self._run("cat-file", "--batch", data="".join(f"{one}\n" for one in wanted).encode())
        found: dict[str, bytes] = {}
        at = 0
        for identity in wanted:
            line = output.index(b"\n", at)
            parts = output[at:line].split()
            if len(parts) != 3:
                raise MustfreeError("this clone lacks contents of the revision (a partial clone?); fetch them first")
            size = int(parts[2])
            found[identity] = output[line + 1 : line + 1 + size]
            at = line + size + 2
        return found


_DANGEROUS: Final = frozenset(
    ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_EDITOR", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_PROXY_COMMAND")
)


def _name(entry: bytes) -> str:
    return os.fsdecode(entry.partition(b"\t")[2])


def object_id(data: bytes, like: str) -> str:
    """The id that git gives to these contents, by the hash that `like` is one of."""
    maker = hashlib.sha1 if len(like) == 40 else hashlib.sha256
    return maker(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def read_file(root: str, path: str) -> bytes | None:
    """A file of the work tree; None when it is not there or no regular file."""
    place = Path(root, path)
    try:
        return None if place.is_symlink() else place.read_bytes()
    except OSError:
        return None
