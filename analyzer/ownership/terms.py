"""What the terms of a contract are at one call: values, paths, and how the programmer writes them."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.contracts.model import (
    Effect,
    FunctionContract,
    Root,
    Term,
    member_offset,
)
from analyzer.ir.types import UNKNOWN
from analyzer.ownership import arithmetic
from analyzer.ownership.prepared import CallSite
from analyzer.ownership.resources import is_first_element, is_plain
from analyzer.ownership.state import Path, State
from analyzer.ownership.transfer import Machine
from analyzer.ownership.values import Value


class ContractCall:
    """A call of a function that has a contract. arguments: their values. result_key: the temp of what it returns."""

    def __init__(
        self, machine: Machine, site: CallSite, contract: FunctionContract, arguments: Sequence[Value]
    ) -> None:
        self.machine = machine
        self.site = site
        self.contract = contract
        self.arguments = tuple(arguments)
        # The value returned travels in the state, as forks and substitutions may change it; -1: not used.
        self.result_key = -1 if site.op.result is None else site.op.result.id

    def after_renaming(self, old: Value, new: Value) -> ContractCall:
        """The same call where a value is called by another name now."""
        arguments = [new if argument is old else argument for argument in self.arguments]
        return ContractCall(self.machine, self.site, self.contract, arguments)

    @property
    def name(self) -> str:
        """The function's name."""
        return self.site.op.name or ""

    def bits(self, value: Value, mask: int, state: State) -> Value:
        """``value & mask``."""
        fresh = self.machine.universe.symbol("out", self.site.key, "bits", mask)
        return arithmetic.binary(state, "&", value, mask, fresh)

    def before(self, term: Term, state: State) -> Value | None:
        """What a condition speaks of that is decided before the call; None where that cannot be followed."""
        if term.root is Root.GLOBAL:
            return self.machine.global_value(term.name, self.site.key, state)
        return self.read(term, state) if term.selectors else self.argument(term.index)

    # -- values ---------------------------------------------------------------------------------------

    def argument(self, index: int) -> Value:
        """The value of an argument, null where there are fewer."""
        return self.arguments[index] if index < len(self.arguments) else 0

    def path(self, term: Term, state: State) -> Path | None:
        """Where a term like ``*buf`` lies; None: nowhere that can be followed (null or unknown)."""
        if term.root is Root.GLOBAL:
            return (self.machine.prepared.statics.get(term.name, term.name), 0)
        value: Value = state.temps[self.result_key] if term.root is Root.RET else self.argument(term.index)
        path: Path | None = None
        if term.root is Root.RET and self.site.record_result is not None:
            path = self.machine.resolve_address(self.site.record_result, state)
        for position, selector in enumerate(term.selectors):
            if selector == "*":
                if path is not None:
                    fresh = self.machine.universe.symbol("out", self.site.key, "via", term.index, position)
                    value = self.machine.read(path, fresh, UNKNOWN, state)
                path = self.machine.target(value)
                if path is None:
                    return None
                continue
            offset = member_offset(selector)
            if path is None or offset is None:
                return path
            path = (path[0], None if path[1] is None else path[1] + offset)
        return path

    def read(self, term: Term, state: State) -> Value | None:
        """What lies at a term now; None when nobody knows where that is."""
        path = self.path(term, state)
        if path is None:
            return None
        fresh = self.machine.universe.symbol("out", self.site.key, "read", *term.selectors, term.index)
        return self.machine.read(path, fresh, UNKNOWN, state)

    def value(self, term: Term, state: State) -> Value | None:
        """What a term is before the call; None when that cannot be followed."""
        if term.root is Root.RET and not term.selectors:
            return state.temps[self.result_key]
        if not is_plain(term):
            return None
        return self.before(term, state)

    # -- texts ----------------------------------------------------------------------------------------

    def subject_text(self, term: Term, effects: Sequence[Effect]) -> str:
        """The place that a term of these effects is, for a message about what was given to the function."""
        if term.root is Root.GLOBAL:
            return term.name.rpartition(":")[2]
        text = self.site.texts[term.index] if term.index < len(self.site.texts) else ""
        if text in self.machine.prepared.array_texts:
            text = text.removeprefix("&")
        return self.out_text(term, effects) if term.selectors else text

    def out_text(self, term: Term, effects: Sequence[Effect]) -> str:
        """The place that a term of these effects is, as the programmer would write it."""
        members = [selector.partition("@")[0] for selector in term.selectors[1:]]
        if term.root is Root.GLOBAL:
            return term.name.rpartition(":")[2]
        if term.root is Root.RET and self.site.record_result is not None:
            return self.site.record_result.text + "".join(s.partition("@")[0] for s in term.selectors)
        if term.root is Root.RET:
            text = f"{self.name}()"
        else:
            text = self.site.texts[term.index] if term.index < len(self.site.texts) else ""
        if members[:1] == ["*"] and text:
            inner = [member for member in members if member != "*"]
            if len(members) != len(inner) + 1 or any(not member.startswith(".") for member in inner):
                return ""
            outer = text.removeprefix("&") if text.startswith("&") else f"(*{text})"
            if not inner:
                return f"{outer}[0]"
            return outer + "->" + ".".join(member[1:] for member in inner)
        if members and text:
            if any(not member.startswith(".") for member in members):
                return ""
            if members[0].startswith(".["):
                return text.removeprefix("&") + members[0][1:]
            joint = "." if text.startswith("&") else "->"
            return text.removeprefix("&") + joint + ".".join(member[1:] for member in members)
        if text and is_first_element(term, effects):
            return f"{text.removeprefix('&')}[0]"
        if text.startswith("&"):
            return text[1:]
        return f"*{text}" if text else ""
