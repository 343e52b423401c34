"""A first rule file for a library: what its headers declare, and what is inferred from its sources.

What inference knows of a function stands there in full, to be corrected: a library's own body counts references, and
its resources are those of what it is built on (`heap`). Of what it does not know nothing is guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, final

from analyzer.contracts.loader import parse_pack
from analyzer.contracts.model import EffectKind, FunctionContract, Provenance, ResourceKind
from analyzer.contracts.text import contract_lines
from analyzer.drafts.prototypes import Prototype
from analyzer.errors import ContractError
from analyzer.ir.types import TypeKind

MOST_EFFECTS: Final = 6  # in one outcome; of more nobody could say whether they are right
_NOT_CODE: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_HEAD: Final = """\
# A draft: read it against the library's sources or manual, function by function, before you use it. What the library
# hands out has its own release: give it a kind of its own (`kinds:`), and name that in place of `heap` and its like.
"""


@final
@dataclass(frozen=True, slots=True)
class Drafted:
    """A rule file. decided: functions in it. undecided: those that stand in comments."""

    text: str
    decided: int
    undecided: int


def public(declared: Mapping[str, Prototype], headers: Sequence[Path]) -> dict[str, Prototype]:
    """The functions that the headers themselves declare, not what they include."""
    text = " ".join(_NOT_CODE.sub(" ", header.read_text(errors="replace")) for header in headers)
    return {name: one for name, one in declared.items() if re.search(rf"\b{name}\b\s*\)?\s*\(", text)}


def draft(
    library: str,
    headers: Sequence[str],
    functions: Mapping[str, Prototype],
    contracts: Mapping[str, FunctionContract],
    kinds: Mapping[str, ResourceKind],
) -> Drafted:
    """The rule file. headers: as programs include them. contracts: what is inferred. kinds: those of the packs."""
    types = dict.fromkeys(of for prototype in functions.values() for of in prototype.types)
    declare = ["declare: |", *(f"  {line}" for line in types)] if types else []
    items: list[str] = []
    borrows: list[str] = []
    open_: list[str] = []
    undecided = 0
    for name, prototype in sorted(functions.items()):
        item, why = _item(prototype, contracts.get(name), declare, kinds)
        if why:
            undecided += 1
            open_ += [f"  # {why}", *(f"  #{line[1:]}" for line in item)]
        elif len(item) == 1:
            borrows += item
        else:
            items += item
    lines = [
        f"library: {json.dumps(library)}",
        'version: "1"',
        f"headers: [{', '.join(map(json.dumps, headers))}]",
        *declare,
        *(["functions:", *items] if items else []),
        *(["borrows:", *borrows] if borrows else []),
        *(["", "# Undecided:", *open_] if open_ else []),
    ]
    text = _HEAD + "".join(line.rstrip() + "\n" for line in lines)
    return Drafted(text, len(functions) - undecided, undecided)


def _item(
    prototype: Prototype, contract: FunctionContract | None, declare: list[str], kinds: Mapping[str, ResourceKind]
) -> tuple[list[str], str]:
    """The item for a function, and why a person must decide, "" where none has to."""
    if contract is None:
        return [
            f"  - c: {prototype.text}"
        ], "nothing is known: no body was seen, or it could not be followed to its end"
    shown = _simpler(contract, prototype)
    if not any(outcome.effects for outcome in shown.outcomes):
        return [f"  - {prototype.text}"], ""
    if any(len(outcome.effects) > MOST_EFFECTS for outcome in shown.outcomes):
        return [
            f"  - c: {prototype.text}"
        ], "inferred, but what happens inside of its arguments is more than one can read"
    item = list(contract_lines(shown))
    text = "\n".join(["library: draft", *declare, "functions:", *item, ""])
    try:
        parse_pack(text, "draft", Provenance.PROJECT, kinds)
    except ContractError as error:
        return item, f"inferred, but no rule file can say so: {error.problems[0].partition(': ')[2]}"
    if any(effect.kind is EffectKind.OPAQUE for outcome in shown.outcomes for effect in outcome.effects):
        return item, "inferred in part only"
    return item, ""


def _simpler(contract: FunctionContract, prototype: Prototype) -> FunctionContract:
    """With the header's names, and without what only tells which number comes back."""
    number = contract.signature.result.kind not in (TypeKind.POINTER, TypeKind.RECORD)
    outcomes = tuple(
        replace(o, effects=tuple(e for e in o.effects if not (number and e.kind in _NUMBERS)))
        for o in contract.outcomes
    )
    signature = replace(contract.signature, names=prototype.names)
    return replace(contract, outcomes=outcomes, signature=signature, declaration=prototype.text)


_NUMBERS: Final = frozenset({EffectKind.RETURN, EffectKind.INTERIOR, EffectKind.VALUE})
