"""What is to be read: a file with its flags, in one configuration of the program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Task:
    """One file to analyse. path: absolute. directory: the compiler's working directory.

    variant: number of the way in which the file is compiled, where there are several.
    configuration: name of the configuration that it belongs to, "" for the given one.
    """

    path: str
    flags: tuple[str, ...]
    directory: str
    variant: int = 0
    configuration: str = ""

    @property
    def unit(self) -> str:
        """What tells the translation unit from all others of the program: the path, for the first variant."""
        if self.configuration:
            return f"{self.path}\0{self.variant}\0{self.configuration}"
        return f"{self.path}\0{self.variant}" if self.variant else self.path

    @property
    def reading(self) -> Task:
        """What the parser's result depends on: the same for configurations that make no difference to the file."""
        return replace(self, configuration="") if self.configuration else self


def file_of(unit: str) -> str:
    """The file of a `Task.unit`."""
    return unit.partition("\0")[0]


def configuration_of(unit: str) -> str:
    """The configuration of a `Task.unit`."""
    return "".join(unit.split("\0")[2:3])


def given_unit(unit: str) -> str:
    """The unit of the given configuration that reads the same file in the same way."""
    file, number, _ = (*unit.split("\0"), "", "")[:3]
    return f"{file}\0{number}" if number not in ("", "0") else file
