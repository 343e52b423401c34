"""What earlier runs found out about a program, from the coarse to the fine.

- The whole: nothing that the program depends on has changed. One row brings all results.
- The survey: what the pre-pass said of all files; and, by contents, what it read in one file.
- A unit: what its functions call, and the notices about it. Which files it read comes from a first row, named by the
  unit's path and flags; the contents of these files, and where their includes lead, are the key of the second.
- A group of functions: see `groups`.

Keys hold contents and paths below the project's root, so they are the same on another machine and in another folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, final

from analyzer.cache import Codec, CodecError, Contents, Relocation, Store, codec, digest, fingerprint
from analyzer.cache.contents import ON_DISK
from analyzer.errors import MustfreeError
from analyzer.findings.model import Acquisition, Finding, Notice, Summary
from analyzer.program.calls import FunctionCalls
from analyzer.program.constants import Constants, SharedUse
from analyzer.program.groups import Recall, Recipe
from analyzer.program.lookups import Flags, Lookups
from analyzer.program.not_compiled import Dropped
from analyzer.program.prepass import FileFacts, Prepass, file_facts, include_folders
from analyzer.program.tasks import Task
from analyzer.program.unit import Step, UnitResult, UnitScan, unit_result
from analyzer.sources import SourceView

_Row = TypeVar("_Row")
_VARIANTS = 4  # of the files that a unit read, remembered at a time


@final
@dataclass(frozen=True, slots=True)
class Survey:
    """What the pre-pass says. defined: names of the program's functions. mattering: files that must be parsed."""

    defined: tuple[str, ...]
    mattering: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Whole:
    """All that the units of a program have to say.

    functions: how many there are. has_main: main() is among them. loose: see `UnitResult`, sorted.
    not_compiled: as in `Report`.
    """

    functions: int
    findings: tuple[Finding, ...]
    acquisitions: tuple[Acquisition, ...]
    notices: tuple[Notice, ...]
    summaries: tuple[Summary, ...]
    has_main: bool
    loose: tuple[str, ...]
    not_compiled: tuple[Acquisition, ...]


@final
@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run's results depend on beside the files of its units.

    root: of the project. rules: digest of the rule files. choices: options that shape results. headers: the program's
    own, see FrontendOptions.
    """

    root: str
    rules: str
    choices: str
    headers: Mapping[str, tuple[str, ...]]


@final
@dataclass(frozen=True, slots=True)
class _Scanned:
    calls: tuple[FunctionCalls, ...]
    notices: tuple[Notice, ...]
    functions: int
    dropped: tuple[Dropped, ...]
    shared: SharedUse


@final
@dataclass(frozen=True, slots=True)
class _Variant:
    """The files that a unit read once, as labels, and the headers that it missed."""

    read: tuple[str, ...]
    missing: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class _Surveyed:
    """A survey and what it rests on: files by label, and per folder the names that were not found."""

    read: tuple[str, ...]
    contents: str
    absent: tuple[tuple[str, tuple[str, ...]], ...]
    survey: Survey


@final
@dataclass(frozen=True, slots=True)
class _Facts:
    """`FileFacts` as texts."""

    identifiers: str
    macros: tuple[tuple[str, str], ...]
    pastes: str
    includes: tuple[str, ...]
    defines: str
    odd: bool


_WHOLE: Codec[Whole] = codec(Whole)
_SCANNED: Codec[_Scanned] = codec(_Scanned)
_READ: Codec[tuple[_Variant, ...]] = codec(tuple[_Variant, ...])
_SURVEYED: Codec[_Surveyed] = codec(_Surveyed)
_FACTS: Codec[_Facts] = codec(_Facts)
_CONSTANTS: Codec[Constants] = codec(Constants)


@final
class Memory:
    """The cache as one run over one program uses it. store: None: nothing is remembered.

    beside: that of a run before this one over the same tree with another overlay: units without a file of an overlay
    are taken over as it found them.
    """

    def __init__(
        self,
        store: Store | None,
        contents: Contents,
        view: SourceView,
        around: Inputs,
        beside: Memory | None = None,
    ) -> None:
        self._store = store
        self._contents = contents
        self._view = view
        self._base = (fingerprint(), around.rules) if store is not None else ()
        self._choices = around.choices
        self._relocation = Relocation(around.root)
        self._lookups = Lookups(contents, view, around.headers)
        self._flags: dict[tuple[tuple[str, ...], str], Flags] = {}
        self._units: dict[Task, str] = {}  # by what is read, as the next
        self._read: dict[Task, list[str]] = {}
        self._scanned: dict[Task, UnitScan] = {}
        self._around = around
        self._beside = beside if beside is not None and beside.serves(contents, view, around) else None
        self._over = frozenset((*view.overlay, *(beside.overlaid if beside is not None else ())))

    @property
    def overlaid(self) -> frozenset[str]:
        """The paths of the overlay."""
        return frozenset(self._view.overlay)

    def serves(self, contents: Contents, view: SourceView, around: Inputs) -> bool:
        """Whether another run sees the same files here, whatever their contents are."""
        here, there = self._contents, contents
        same = all(here.exists(path) == there.exists(path) == ON_DISK for path in (*self._view.overlay, *view.overlay))
        return same and around == self._around

    def _get(self, key: str, of: Codec[_Row]) -> _Row | None:
        text = self._store.get(key) if self._store is not None else None
        if text is None:
            return None
        try:
            return of.parse(self._relocation.local(text))
        except CodecError:
            return None

    def _row(self, key: str, of: Codec[_Row], row: _Row) -> tuple[str, str]:
        return key, self._relocation.portable(of.text(row))

    def _key(self, kind: str, parts: Iterable[str]) -> str:
        return kind + digest((*self._base, *parts))

    def _is_settled(self, task: Task) -> bool:
        """Whether what a unit read has been the same all the time."""
        return all(map(self._is_settled_file, (task.path, *self._read.get(task.reading, ()))))

    def _is_settled_file(self, path: str) -> bool:
        return self._contents.is_settled(path) and (self._beside is None or self._beside._is_settled_file(path))

    def _are_lookups_settled(self) -> bool:
        return self._lookups.are_settled() and (self._beside is None or self._beside._are_lookups_settled())

    def keep(self, results: Iterable[tuple[Step, UnitResult]]) -> None:
        """Keeps the rows that workers made."""
        if self._store is not None and self._are_lookups_settled():
            rows = [result.rows for step, result in results if result.rows and self._is_settled(step.task)]
            self._store.put(row for several in rows for row in several)

    # -- the pre-pass

    def survey(self, tasks: Sequence[Task], headers: Sequence[str], make: Callable[[Reading], Survey]) -> Survey:
        """What the pre-pass says; `make` asks it, and reads files through what it is given."""
        if self._store is None:
            return make(Reading(self._contents, self._view, None))
        label = self._contents.label_around
        parts = [label(header) for header in headers]
        for task in tasks:
            folders = include_folders(task.flags, task.directory)
            macros = (flag for flag in task.flags if "=" in flag)
            parts += ("", label(task.path), *map(label, folders), "", *macros)
        key = self._key("p", parts)
        known = self._get(key, _SURVEYED)
        if known is not None and self._still_holds(known):
            path = self._contents.path
            return Survey(known.survey.defined, tuple(path(name) for name in known.survey.mattering))
        reading = Reading(self._contents, self._view, self._store)
        survey = make(reading)
        rows = reading.rows
        if reading.settled:
            shown = Survey(survey.defined, tuple(label(path) for path in survey.mattering))
            read = tuple(label(path) for path in reading.read)
            absent = tuple((label(folder), tuple(names)) for folder, names in reading.absent.items())
            rows.append(self._row(key, _SURVEYED, _Surveyed(read, self._contents_of(read), absent, shown)))
        self._store.put(rows)
        return survey

    def _contents_of(self, labels: Iterable[str]) -> str:
        path, contents = self._contents.path, self._contents
        return digest(contents.digest(path(label)) for label in labels)

    def _still_holds(self, known: _Surveyed) -> bool:
        if any(
            self._contents.exists(f"{folder}/{name}")
            for label, names in known.absent
            for folder in (self._contents.path(label),)
            for name in names
        ):
            return False
        return self._contents_of(known.read) == known.contents

    # -- units

    def _flags_of(self, task: Task) -> Flags:
        key = (task.flags, task.directory)
        if key not in self._flags:
            self._flags[key] = Flags(task.flags, task.directory, self._contents)
        return self._flags[key]

    def _variants_key(self, task: Task) -> str:
        return self._key("u", (self._contents.label(task.path), self._flags_of(task).key))

    def _unit_key(self, task: Task, variant: _Variant) -> str:
        paths = [self._contents.path(label) for label in variant.read]
        parts = self._lookups.parts(task.path, paths, variant.missing, self._flags_of(task))
        return digest((*self._base, str(task.variant), *parts))

    def scan(self, task: Task) -> UnitScan | None:
        """What an earlier run read in a file, None when that is not known."""
        if self._store is None:
            return None
        found = self._from_beside(task) or self._from_store(task)
        if found is not None:
            self._scanned[task] = found
        return found

    def _from_beside(self, task: Task) -> UnitScan | None:
        found = self._beside._scanned.get(task) if self._beside is not None else None
        if self._beside is None or found is None or not self._over.isdisjoint((task.path, *found.read)):
            return None
        self._units[task.reading] = self._beside._units[task.reading]
        self._read[task.reading] = list(found.read)
        return found

    def _from_store(self, task: Task) -> UnitScan | None:
        for variant in self._known_variants(task):
            unit = self._unit_key(task, variant)
            known = self._get("s" + unit, _SCANNED)
            if known is not None:
                self._units[task.reading] = unit
                read = self._read[task.reading] = [self._contents.path(label) for label in variant.read]
                return UnitScan(
                    task.unit,
                    known.calls,
                    known.notices,
                    known.functions,
                    read=tuple(read),
                    dropped=known.dropped,
                    shared=known.shared,
                )
        return None

    def _known_variants(self, task: Task) -> tuple[_Variant, ...]:
        return self._get(self._variants_key(task), _READ) or ()

    def keep_scans(self, scans: Iterable[tuple[Task, UnitScan]]) -> None:
        """Keeps what was read in files just now."""
        if self._store is None:
            return
        rows: list[tuple[str, str]] = []
        for task, scan in scans:
            read = [path for path in scan.read if self._lookups.is_real(path)]
            variant = _Variant(tuple(map(self._contents.label, read)), scan.missing)
            unit = self._unit_key(task, variant)
            self._read[task.reading] = read
            if not scan.analysed or not self._is_settled(task):
                continue
            self._units[task.reading] = unit
            known = [one for one in self._known_variants(task) if one != variant]
            rows.append(self._row(self._variants_key(task), _READ, (variant, *known[: _VARIANTS - 1])))
            scanned = _Scanned(scan.calls, scan.notices, scan.functions, scan.dropped, scan.shared)
            rows.append(self._row("s" + unit, _SCANNED, scanned))
        if self._are_lookups_settled():
            self._store.put(rows)
        else:
            self._units.clear()

    # -- functions

    def recipe(self, task: Task, calls: Mapping[str, tuple[str, ...]], constants: Constants) -> Recipe | None:
        """What the results of a unit's functions depend on; None when they are not for the cache.

        calls: function -> what it calls. constants: variables of other units.
        """
        unit = self._units.get(task.reading)
        if unit is None:
            return None
        known = (_CONSTANTS.text(constants),) if constants else ()
        return Recipe(digest((unit, self._choices, *known)), calls)

    def recall(self, step: Step) -> UnitResult | None:
        """The results of a step when all of them are known."""
        if self._store is None or step.recipe is None:
            return None
        recall = Recall(self._store, self._relocation, step.recipe, step.called, step.defined, step.contracts)
        results = []
        for group in step.groups:
            result = recall.get(recall.key(group))
            if result is None:
                return None
            recall.add(group, result.contracts)
            results.append(result)
        return unit_result(step.task.unit, results)

    # -- everything

    def _whole_key(
        self, tasks: Sequence[Task], defined: Iterable[str], tree: bool, unneeded: Mapping[str, frozenset[str]]
    ) -> str | None:
        units = [(task.configuration, self._units.get(task.reading)) for task in tasks]
        found = [part for name, unit in units if unit is not None for part in (name, unit)]
        if len(found) < 2 * len(units):
            return None
        without = [
            part for path in sorted(unneeded) for part in ("", self._contents.label(path), *sorted(unneeded[path]))
        ]
        return self._key("w", (self._choices, str(tree), *found, "", *sorted(defined), *without))

    def whole(
        self, tasks: Sequence[Task], defined: Iterable[str], tree: bool, unneeded: Mapping[str, frozenset[str]]
    ) -> Whole | None:
        """All results, when every unit was found and nothing else has changed. tree: the tasks are all of a tree.

        unneeded: as in `ProgramOptions`.
        """
        key = self._whole_key(tasks, defined, tree, unneeded)
        return self._get(key, _WHOLE) if key is not None else None

    def keep_whole(
        self,
        tasks: Sequence[Task],
        defined: Iterable[str],
        tree: bool,
        whole: Whole,
        unneeded: Mapping[str, frozenset[str]],
    ) -> None:
        """Keeps all results."""
        key = self._whole_key(tasks, defined, tree, unneeded)
        paths = {path for task in tasks for path in (task.path, *self._read.get(task.reading, ()))}
        settled = self._are_lookups_settled() and all(map(self._is_settled_file, paths))
        if self._store is not None and key is not None and settled:
            self._store.put([self._row(key, _WHOLE, whole)])


@final
class Reading:
    """Reads files for the pre-pass, and notes what it read and what it missed. rows: for the cache."""

    def __init__(self, contents: Contents, view: SourceView, store: Store | None) -> None:
        self._contents = contents
        self._view = view
        self._store = store
        self.read: list[str] = []
        self.absent: dict[str, dict[str, None]] = {}
        self.rows: list[tuple[str, str]] = []
        self.settled = True

    def __call__(self, path: str) -> FileFacts | None:
        """What the text of a file says, None when it cannot be read."""
        try:
            data = self._view.read(path) if self._contents.exists(path) else None
        except MustfreeError:
            data = None
        if self._store is None:
            return None if data is None else file_facts(data)
        if data is None:
            folder, _, name = path.rpartition("/")
            self.absent.setdefault(folder, {})[name] = None
            return None
        self.read.append(path)
        self.settled = self.settled and self._contents.is_settled(path)
        return self._facts(data, self._store)

    def _facts(self, data: bytes, store: Store) -> FileFacts:
        key = "f" + digest((fingerprint(), data))
        text = store.get(key)
        if text is not None:
            try:
                return _from_texts(_FACTS.parse(text))
            except CodecError:
                pass
        facts = file_facts(data)
        self.rows.append((key, _FACTS.text(_as_texts(facts))))
        return facts


def _as_texts(facts: FileFacts) -> _Facts:
    return _Facts(
        _text(facts.identifiers),
        tuple((name.decode("latin-1"), _text(body)) for name, body in facts.macros.items()),
        _text(facts.pastes),
        facts.includes,
        " ".join(sorted(facts.defines)),
        facts.odd,
    )


def _text(words: Iterable[bytes]) -> str:
    return b" ".join(sorted(words)).decode("latin-1")


def _from_texts(facts: _Facts) -> FileFacts:
    return FileFacts(
        frozenset(facts.identifiers.encode("latin-1").split(b" ")) - {b""},
        {name.encode("latin-1"): frozenset(body.encode("latin-1").split()) for name, body in facts.macros},
        frozenset(facts.pastes.encode("latin-1").split()),
        facts.includes,
        frozenset(facts.defines.split()),
        facts.odd,
    )


def surveyed(
    tasks: Iterable[Task], headers: Sequence[str], relevant: Iterable[str], facts: Callable[[str], FileFacts | None]
) -> Survey:
    """Asks the pre-pass about the files of a program. relevant: names of functions that contracts speak of."""
    tasks = list(tasks)
    prepass = Prepass(facts, relevant)
    for header in headers:
        prepass.add(header, ())
    seen: set[tuple[str, ...]] = set()
    for task in tasks:
        prepass.add(task.path, include_folders(task.flags, task.directory))
        if task.flags not in seen:
            seen.add(task.flags)
            prepass.add_flags(task.flags)
    prepass.finish(headers)
    return Survey(tuple(sorted(prepass.defined())), tuple(task.path for task in tasks if prepass.matters(task.path)))
