"""Short names for contents."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b


def digest(parts: Iterable[str | bytes]) -> str:
    """One name for a sequence of texts: other texts, or the same ones cut elsewhere, have another one."""
    state = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        state.update(b"%d:" % len(data))
        state.update(data)
    return state.hexdigest()
