"""What the user can choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import final

from analyzer.contracts.beliefs import ESCAPE
from analyzer.ownership.limits import Limits
from analyzer.program.variants import Variant

DEFAULT_SECONDS = 120.0
DEFAULT_MEGABYTES = 4096


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """How a project is analysed.

    root: folder that relative names refer to; "" is the current one.
    rules: rule files to add. flags: compiler flags for every file. database: file or folder, "" for none.
    toolchain: file written by `mustfree toolchain record`, "" for none.
    variants: further configurations to analyse.
    find_database: without one, look for it above the paths.
    jobs: worker processes; 1: none, everything in this process; 0: one per CPU.
    seconds, megabytes: the safety net around one file in a worker; 0 = none.
    exclude: patterns of files and folders that are left out; relative ones refer to the root.
    exit_leaks: also report what is lost where the process ends.
    noreturn: names and patterns of functions that never return.
    unknown_calls: "escape", or "borrow": what a function of which nothing is known does with what it is given.
    summaries: the report tells the inferred contract of every function. global_owners: and what variables hold that
        nothing in the whole program ever releases.
    guard: turn mistakes of ours into notices; tests switch it off.
    prepass: leave out files when none of them can matter.
    cache: folder with results of earlier runs, "" for none. cache_read_only: use them and add none.
    today: decides which suppressing comments have expired; None: the day it is.
    """

    root: str = ""
    rules: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    database: str = ""
    find_database: bool = False
    toolchain: str = ""
    variants: tuple[Variant, ...] = ()
    jobs: int = 0
    limits: Limits = field(default_factory=Limits)
    seconds: float = DEFAULT_SECONDS
    megabytes: int = DEFAULT_MEGABYTES
    exit_leaks: bool = False
    noreturn: tuple[str, ...] = ()
    unknown_calls: str = ESCAPE
    summaries: bool = False
    global_owners: bool = False
    guard: bool = True
    prepass: bool = True
    cache: str = ""
    cache_read_only: bool = False
    today: date | None = None
    exclude: tuple[str, ...] = ()
