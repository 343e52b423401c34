"""The file of the cache: an SQLite database with one table of texts by key.

It is a convenience and never a condition: whatever goes wrong with it costs time, is remarked once, and leaves the
analysis as it would be without. Runs at the same time share it: writing is one short transaction.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final
from zlib import crc32

FORMAT = 1  # of the table and of what the rows mean
FILE = "mustfree.sqlite"
_MEGABYTE = 1 << 20
_DAY = 86400
_PATIENCE = 10.0  # seconds to wait for another run's transaction
_KEEP = 0.75  # share of the size bound that eviction leaves
_MAKE = (
    "CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL, "
    "used INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS made (version TEXT NOT NULL)",
)


@final
@dataclass(frozen=True, slots=True)
class StoreOptions:
    """folder: where the file lies. version: of the writer; the rows of another one are dropped.

    read_only: nothing is written. megabytes: of rows; beyond it those not used for longest go.
    """

    folder: str
    version: str
    read_only: bool = False
    megabytes: int = 512


@final
class Store:
    """A cache; opened when it is first asked, and again after `close`. remarks: what the user should know of it."""

    def __init__(self, options: StoreOptions) -> None:
        self.remarks: list[str] = []
        self._options = options
        self._file = Path(options.folder) / FILE
        self._today = int(time.time() // _DAY)
        self._stale: set[str] = set()
        self._base: sqlite3.Connection | None = None
        self._given_up = False
        self._grown = False

    def _ready(self) -> sqlite3.Connection | None:
        """The open database, None when there is none to be had."""
        if self._base is None and not self._given_up:
            with self._guard():
                self._base = self._open()
            self._given_up = self._base is None
        return self._base

    def _open(self) -> sqlite3.Connection | None:
        if self._options.read_only:
            return self._open_to_read()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._open_to_write()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # locked, full, no permission: not the file's fault
            self._remark(f"the cache {self._file} was damaged and is made anew")
            self._remove()
            return self._open_to_write()

    def _open_to_read(self) -> sqlite3.Connection | None:
        if not self._file.is_file():
            return None
        base = sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
        if self._is_ours(base):
            return base
        base.close()
        self._remark(f"the cache {self._file} is of another version and not used")
        return None

    def _open_to_write(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._file, timeout=_PATIENCE, isolation_level=None)
        try:
            base.execute("PRAGMA synchronous = NORMAL")
            if not self._is_ours(base):
                self._begin(base)
        except BaseException:
            base.close()
            raise
        return base

    def _is_ours(self, base: sqlite3.Connection) -> bool:
        if base.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
            return False
        return bool(base.execute("SELECT version FROM made").fetchone() == (self._options.version,))

    def _begin(self, base: sqlite3.Connection) -> None:
        """Empties a file of another version; makes the tables of a new one."""
        base.execute("BEGIN IMMEDIATE")
        if not self._is_ours(base):  # another run may have done it meanwhile
            tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            if tables:
                self._remark(f"the cache {self._file} was of another version and is made anew")
            for name in tables:
                quoted = name.replace('"', '""')
                base.execute(f'DROP TABLE "{quoted}"')
            for statement in _MAKE:
                base.execute(statement)
            base.execute("INSERT INTO made VALUES (?)", (self._options.version,))
            base.execute(f"PRAGMA user_version = {FORMAT}")
        base.execute("COMMIT")

    def _remove(self) -> None:
        for end in ("", "-journal"):
            Path(f"{self._file}{end}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        """What goes wrong inside ends the use of the cache, not the run."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                self._damaged()
            else:
                self._remark(f"the cache {self._file} cannot be used: {error}")
            self._given_up = True
            self._drop()

    def _damaged(self) -> None:
        if self._options.read_only:
            self._remark(f"the cache {self._file} is damaged and not used")
            return
        self._remark(f"the cache {self._file} was damaged and is made anew by the next run")
        with contextlib.suppress(OSError):
            self._remove()

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)

    def _drop(self) -> None:
        if self._base is not None:
            with contextlib.suppress(sqlite3.Error):
                self._base.close()
            self._base = None

    @property
    def writes(self) -> bool:
        """Whether `put` keeps anything."""
        return not self._options.read_only and self._ready() is not None

    @property
    def file(self) -> str:
        """The path of the database."""
        return str(self._file)

    def get(self, key: str) -> str | None:
        """The text of a key, None without one."""
        base = self._ready()
        if base is None:
            return None
        found = []
        with self._guard():
            found = base.execute("SELECT value, sum, used FROM rows WHERE key = ?", (key,)).fetchall()
        if not found:
            return None
        value, total, used = found[0]
        if not isinstance(value, str) or total != _sum(key, value):
            self._remark(f"rows of the cache {self._file} were damaged and are not used")
            return None
        if used != self._today:
            self._stale.add(key)
        return value

    def put(self, rows: Iterable[tuple[str, str]]) -> None:
        """Keeps texts by key, all or none of them."""
        if not self.writes:
            return
        lines = [(key, value, _sum(key, value), self._today) for key, value in rows]
        if not lines:
            return
        self._grown = True
        with self._guard():
            self._transact("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", lines)

    def _transact(self, statement: str, lines: Sequence[tuple[object, ...]]) -> None:
        assert self._base is not None
        self._base.execute("BEGIN IMMEDIATE")
        try:
            self._base.executemany(statement, lines)
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def close(self) -> None:
        """Notes what was used, and makes room."""
        if self._base is not None and not self._options.read_only:
            with self._guard():
                if self._stale:
                    self._transact("UPDATE rows SET used = ? WHERE key = ?", [(self._today, k) for k in self._stale])
                    self._stale.clear()
                if self._grown:
                    self._evict()
        self._drop()

    def _evict(self) -> None:
        bound = self._options.megabytes * _MEGABYTE
        if os.path.getsize(self._file) <= bound:  # noqa: PTH202 - a string
            return
        assert self._base is not None
        total = self._base.execute("SELECT sum(length(value) + length(key)) FROM rows").fetchone()[0] or 0
        gone: list[tuple[object, ...]] = []
        for key, size in self._base.execute("SELECT key, length(value) + length(key) FROM rows ORDER BY used, key"):
            if total <= bound * _KEEP:
                break
            total -= size
            gone.append((key,))
        self._transact("DELETE FROM rows WHERE key = ?", gone)
        self._base.execute("VACUUM")


def _sum(key: str, value: str) -> int:
    return crc32(value.encode("utf-8", "surrogatepass"), crc32(key.encode()))
