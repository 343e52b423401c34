"""Which functions a change of one can matter to: those that call it, as far as the text tells, and their callers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, final

from analyzer.program.prepass import definitions


class Place(NamedTuple):
    """A function: its file as in reports, and its name."""

    file: str
    function: str


@final
class Reach:
    """The functions of a program by what they mention. read: contents of a file."""

    def __init__(self, files: Iterable[str], read: Callable[[str], bytes]) -> None:
        self._mentions: dict[bytes, list[Place]] = {}
        self._static: set[Place] = set()
        self._known: dict[Place, frozenset[Place]] = {}
        for file in files:
            for name, static, words in definitions(read(file)):
                place = Place(file, name)
                if static:
                    self._static.add(place)
                for word in words:
                    self._mentions.setdefault(word, []).append(place)

    def of(self, place: Place) -> frozenset[Place]:
        """The function itself and all that a change of it can matter to."""
        if place not in self._known:
            found = {place}
            grown = {place}
            while grown:
                grown = {caller for one in grown for caller in self._callers(one)} - found
                found |= grown
            self._known[place] = frozenset(found)
        return self._known[place]

    def related(self, one: Place, other: Place) -> bool:
        """Whether a change of one of them can matter to the other."""
        return other in self.of(one) or one in self.of(other)

    def _callers(self, place: Place) -> Iterable[Place]:
        if place.function == "main":
            return
        for caller in self._mentions.get(place.function.encode(), ()):
            if caller.file == place.file or place not in self._static or not place.file.endswith(".c"):
                yield caller
