"""Why a contract is right though the library's body shows something else: a file with a reason for each case.

Example: nfnl_close frees its handle only when it could close the descriptor, which callers cannot mend:

    nfnl_close:
      handle: It is lost when close() fails, and nothing else releases it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analyzer.contracts.document import Problems, compose, read_free_mapping, read_text, read_text_value
from analyzer.errors import ContractError

Explained = Mapping[tuple[str, str], str]  # (function, term as `Remark` has it) -> the reason


def read_explained(path: Path) -> Explained:
    """The reasons in a file. Raises ContractError with every mistake in it."""
    shown = path.as_posix()
    text = read_text(path, shown)
    if not text.strip():
        return {}
    problems = Problems(shown, text.split("\n"))
    found: dict[tuple[str, str], str] = {}
    for function, terms in read_free_mapping(compose(text, shown), problems, "the file"):
        for term, reason in read_free_mapping(terms, problems, f"`{function.value}`"):
            why = read_text_value(reason, problems, "a reason")
            if why is not None and not why.strip():
                problems.at(reason, "a reason must not be empty; say why the contract is right")
            elif why is not None:
                found[function.value, term.value] = " ".join(why.split())
    if problems.found:
        raise ContractError(problems.lines())
    return found
