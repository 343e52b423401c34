"""What a caller may choose for the lowering of one file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import final

Relevant = Callable[[str], bool] | Collection[str] | None


@final
@dataclass(frozen=True, slots=True)
class FrontendOptions:
    """How to parse and lower a file.

    flags: compiler flags as a compile database or a user gives them; only known ones are passed on.
    overlay: path -> contents that stand for the file of that name.
    headers: the program's own headers, by the last part of their names: absolute paths. A missing header that the
        parser finds nowhere else is looked for among them.
    virtual_headers: pattern of header names (``netlink/*.h``) -> C text that stands for a missing header.
    relevant: names of functions; of a header's functions those are lowered that mention one, or that a lowered
        function mentions. None: all are. The file's own functions always are.
    sought: names of functions: calls of them in text that the preprocessor drops are told.
    directory: the directory that relative paths in `flags` count from; "" is the working directory.
    """

    flags: tuple[str, ...] = ()
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    virtual_headers: Mapping[str, str] = field(default_factory=dict)
    relevant: Relevant = None
    sought: Collection[str] = ()
    directory: str = ""

    def is_relevant(self, name: str) -> bool:
        """Whether a function of this name makes its callers worth lowering."""
        if self.relevant is None:
            return True
        return self.relevant(name) if callable(self.relevant) else name in self.relevant
