"""A change between two git revisions, or between a revision and the work tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from analyzer.change.git import FILE, SUBMODULE, Git, object_id, read_file
from analyzer.change.sides import Change, is_build_file, is_source, paired
from analyzer.errors import MustfreeError

_Tree = Mapping[str, tuple[str, str]]


def from_revisions(folder: str, base: str, head: str = "") -> Change:
    """The change from `base` to `head`, or to the work tree.

    base: a revision; ``A..B`` for both; ``A...B`` for B since it left A.
    """
    git = Git(folder)
    base, head, from_merge_base = _ends(base, head)
    base_commit = git.merge_base(base, head or "HEAD") if from_merge_base else git.commit(base)
    old = git.tree(base_commit)
    head_is_disk = not head
    new = _work_tree(git, old) if head_is_disk else git.tree(git.commit(head))
    changed = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    sources = sorted(filter(is_source, changed))
    before = _contents(git, old, sources)
    after = _from_disk(git, (path for path in sources if path in new)) if head_is_disk else _contents(git, new, sources)
    base_overlay, head_overlay = dict(before), {}
    if not head_is_disk:
        head_overlay = _not_on_disk(git, new)
        base_overlay = {path: data for path, data in head_overlay.items() if path not in changed} | before
    return Change(
        root=git.root,
        base_name=base if not from_merge_base else base_commit[:12],
        head_name=head or "the work tree",
        pairs=paired(before, after),
        base_files=_sources(old),
        head_files=_sources(new),
        base_overlay=base_overlay,
        head_overlay=head_overlay,
        base_read=_reader(git, old),
        head_read=(lambda path: read_file(git.root, path)) if head_is_disk else _reader(git, new),
        base_names=old.keys(),
        head_names=new.keys(),
        build_files=tuple(sorted(filter(is_build_file, changed))),
        remarks=_submodules(old, new, changed),
    )


def _ends(base: str, head: str) -> tuple[str, str, bool]:
    for dots in ("...", ".."):
        first, found, second = base.partition(dots)
        if found:
            if head:
                raise MustfreeError(f"{base} names both sides already; leave out {head}")
            return first or "HEAD", second or "HEAD", dots == "..."
    return base, head, False


def _work_tree(git: Git, old: _Tree) -> dict[str, tuple[str, str]]:
    """The work tree in the form of a tree: what a commit has already keeps its mode."""
    like = next((identity for _, identity in old.values()), "0" * 40)
    found: dict[str, tuple[str, str]] = {}
    for path in git.work_tree():
        mode, identity = old.get(path, (FILE[0], ""))
        if mode not in FILE:
            found[path] = (mode, identity)
            continue
        data = read_file(git.root, path)
        if data is not None:
            found[path] = (mode, object_id(data, like))
    return found


def _contents(git: Git, tree: _Tree, paths: Iterable[str]) -> dict[str, bytes]:
    wanted = {path: tree[path][1] for path in paths if path in tree and tree[path][0] in FILE}
    data = git.contents(wanted.values())
    return {path: data[identity] for path, identity in wanted.items()}


def _from_disk(git: Git, paths: Iterable[str]) -> dict[str, bytes]:
    found = {path: read_file(git.root, path) for path in paths}
    return {path: data for path, data in found.items() if data is not None}


def _not_on_disk(git: Git, tree: _Tree) -> dict[str, bytes]:
    """Sources of a revision that the work tree has in another form, or not at all."""
    other: list[str] = []
    for path, (mode, identity) in tree.items():
        if is_source(path) and mode in FILE:
            data = read_file(git.root, path)
            if data is None or object_id(data, identity) != identity:
                other.append(path)
    return _contents(git, tree, other)


def _sources(tree: _Tree) -> tuple[str, ...]:
    return tuple(sorted(path for path, (mode, _) in tree.items() if is_source(path) and mode in FILE))


def _reader(git: Git, tree: _Tree) -> Callable[[str], bytes | None]:
    return lambda path: _contents(git, tree, [path]).get(path)


def _submodules(old: _Tree, new: _Tree, changed: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (path, "submodule: what changed in it is not compared")
        for path in sorted(changed)
        if SUBMODULE in (old.get(path, ("", ""))[0], new.get(path, ("", ""))[0])
    )
