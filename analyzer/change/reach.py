"""What a change can reach, by text: wide rather than exact.

Reached is a function whose text changed, one that mentions what changed (a function, a macro, a variable with a first
value), and so on; when something else of a file changed, a type or a prototype, all that includes it. To see these as
the whole program does, what they call is needed as well, and so are the files that write the variables they read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, final

from analyzer.program.outline import Outline, Part

Sort = Literal["function", "macro", "data"]


class Node(NamedTuple):
    """A part of the program: a function, macro or variable of a file."""

    file: str
    sort: Sort
    name: str


@final
@dataclass(frozen=True, slots=True)
class Touched:
    """What a change did at one side. nodes: parts that are there in this form at this side only.

    files: those of which something else is. names: what a part is called that is there at the other side only.
    """

    nodes: frozenset[Node]
    files: frozenset[str]
    names: frozenset[str]


def touched(file: str, here: Outline, there: Outline | None) -> Touched:
    """What is different in a file at this side. there: the file at the other side, None without one."""
    mine = {node: text for node, text, _ in _texts(file, here)}
    other = {node: text for node, text, _ in _texts(file, there)} if there is not None else {}
    changed = {node for node, text in mine.items() if other.get(node) != text}
    gone = {node.name for node in other.keys() - mine.keys()}
    whole = there is None or there.rest_text != here.rest_text
    return Touched(frozenset(changed), frozenset((file,) if whole else ()), frozenset(gone))


def last_part(path: str) -> str:
    """The name without folders."""
    return path.rpartition("/")[2]


def _texts(file: str, one: Outline) -> Iterator[tuple[Node, tuple[str, ...], list[Part]]]:
    """The parts of a file: those of one name, in several conditionals say, are one."""
    sorts: tuple[tuple[Sort, tuple[Part, ...]], ...] = (
        ("function", one.functions),
        ("macro", one.macros),
        ("data", one.data),
    )
    for sort, parts in sorts:
        by_name: dict[str, list[Part]] = {}
        for part in parts:
            by_name.setdefault(part.name, []).append(part)
        for name, several in by_name.items():
            yield Node(file, sort, name), tuple(part.text for part in several), several


@final
class Reach:
    """The parts of a program at one side of a change and what they mention. outlines: of all its files by name."""

    def __init__(self, outlines: Mapping[str, Outline]) -> None:
        self._outlines = outlines
        self._words: dict[Node, frozenset[str]] = {}
        self._private: set[Node] = set()
        self._homes: dict[str, list[Node]] = {}
        self._own: dict[tuple[str, str], list[Node]] = {}
        included = {last_part(name) for one in outlines.values() for name in one.includes}
        for file, one in outlines.items():
            closed = file.endswith(".c") and last_part(file) not in included
            for node, _, parts in _texts(file, one):
                self._words[node] = frozenset().union(*(part.mentions for part in parts))
                self._own.setdefault((file, node.name), []).append(node)
                if closed and (node.sort == "macro" or all(part.static for part in parts)):
                    self._private.add(node)
                elif node.name != "main":
                    self._homes.setdefault(node.name, []).append(node)

    @cached_property
    def _users(self) -> dict[str, list[Node]]:
        """name -> the parts that mention it."""
        found: dict[str, list[Node]] = {}
        for node, words in self._words.items():
            for word in words & self._names:
                found.setdefault(word, []).append(node)
        return found

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(node.name for node in self._words)

    @cached_property
    def _including(self) -> dict[str, list[str]]:
        """Last part of a name -> the files that include something of that name."""
        found: dict[str, list[str]] = {}
        for file, one in self._outlines.items():
            for include in one.includes:
                found.setdefault(last_part(include), []).append(file)
        return found

    def parts(self, files: Iterable[str]) -> frozenset[Node]:
        """All parts of some files."""
        wanted = set(files)
        return frozenset(node for node in self._words if node.file in wanted)

    def includers(self, files: Iterable[str]) -> frozenset[str]:
        """These files and all that include one of them, by the last part of its name."""
        found = set(files)
        waiting = list(found)
        while waiting:
            for file in self._including.get(last_part(waiting.pop()), ()):
                if file not in found:
                    found.add(file)
                    waiting.append(file)
        return frozenset(found)

    def affected(self, change: Touched) -> frozenset[Node]:
        """The parts that a change can matter to."""
        whole = set(self.includers(change.files))
        found = {node for node in self._words if node in change.nodes or node.file in whole}
        found |= {user for name in change.names for user in self._users.get(name, ())}
        waiting = list(found)
        while waiting:
            node = waiting.pop()
            more = [user for user in self._users.get(node.name, ()) if self._sees(user, node)]
            if node.sort == "macro":
                opened = self.includers(file for file in self._rests.get(node.name, ()) if self._may_see(file, node))
                more += [other for other in self._words if other.file in opened - whole]
                whole |= opened
            waiting += (one for one in dict.fromkeys(more) if one not in found)
            found.update(more)
        return frozenset(found)

    @cached_property
    def _rests(self) -> dict[str, list[str]]:
        """macro -> files that mention it outside of all parts: in a conditional, a type."""
        macros = {node.name for node in self._words if node.sort == "macro"}
        found: dict[str, list[str]] = {}
        for file, one in self._outlines.items():
            for word in macros.intersection(one.rest.split()):
                found.setdefault(word, []).append(file)
        return found

    def _may_see(self, file: str, node: Node) -> bool:
        return file == node.file or node not in self._private

    def _sees(self, user: Node, node: Node) -> bool:
        """Whether a part that mentions a name may mean this one: main() is called by nobody."""
        if node.sort == "function" and node.name == "main":
            return False
        return self._may_see(user.file, node)

    def needed(self, nodes: Iterable[Node]) -> frozenset[Node]:
        """These parts and all that they mention, directly or not."""
        found = set(nodes)
        waiting = list(found)
        while waiting:
            node = waiting.pop()
            for word in self._words.get(node, frozenset()) & self._names:
                for target in (*self._own.get((node.file, word), ()), *self._homes.get(word, ())):
                    if target not in found:
                        found.add(target)
                        waiting.append(target)
        return frozenset(found)

    def writers(self, nodes: Iterable[Node]) -> frozenset[str]:
        """The files that may write a variable among these parts which several files see."""
        shared = {node.name for node in nodes if node.sort == "data" and node not in self._private}
        return frozenset(file for file, one in self._outlines.items() if not shared.isdisjoint(one.writes.split()))

    def unneeded(
        self, files: Iterable[str], nodes: frozenset[Node], asked: frozenset[Node]
    ) -> dict[str, frozenset[str]]:
        """C file -> the functions that need not be analysed in it: its own that are not among `nodes`, and those of
        headers that it does not mention, but for those that were asked for."""
        by_file: dict[str, set[Node]] = {}
        for node in nodes:
            by_file.setdefault(node.file, set()).add(node)
        from_headers = {
            node.name for node in self._words if node.sort == "function" and not node.file.endswith(".c")
        } - {node.name for node in asked}
        found = {}
        for file in files:
            own = {part.name for part in self._outlines[file].functions}
            needed = {node.name for node in by_file.get(file, ()) if node.sort == "function"}
            seen = self._through_headers(by_file.get(file, set()))
            found[file] = frozenset((own - needed) | (from_headers - seen - own))
        return found

    def _through_headers(self, nodes: set[Node]) -> set[str]:
        """Names of the functions of headers that these parts mention, directly or through other parts of headers."""
        found: set[Node] = set()
        waiting = list(nodes)
        while waiting:
            for word in self._words.get(waiting.pop(), frozenset()) & self._homes.keys():
                more = [home for home in self._homes[word] if home not in found and not home.file.endswith(".c")]
                found.update(more)
                waiting += more
        return {node.name for node in found}
