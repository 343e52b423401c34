"""What is known about values: ranges, and assumptions that narrow them."""

from __future__ import annotations

from abc import abstractmethod

from analyzer.ownership.ranges import (
    BOOLEAN,
    FULL,
    INFINITY,
    NONZERO,
    ONE,
    ZERO,
    Range,
    added,
    complement,
    contains,
    from_relation,
    greatest,
    intersect,
    least,
    negate,
    shift,
    single,
    unite,
)
from analyzer.ownership.values import (
    COMPARISONS,
    MAYBE,
    Expr,
    Ptr,
    Sym,
    Universe,
    Value,
)

_FEW = 16  # numbers that are looked at one by one


class Facts:
    """Bounds on values, and what follows from assuming more. Which values are one, and which never are, a State knows.

    facts: value -> range (missing: unknown).
    """

    __slots__ = ("facts", "universe")

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.facts: dict[Value, Range] = {}

    @abstractmethod
    def substitute(self, old: Value, new: Value) -> None:
        """Replace a value by another one everywhere."""

    @abstractmethod
    def gives_way(self, value: Value) -> bool:
        """Whether another value may take this one's place."""

    @abstractmethod
    def distinct(self, left: Value, right: Value) -> bool:
        """Whether the two are addresses that never agree."""

    # -- ranges ---------------------------------------------------------------------------------------

    def range_of(self, value: Value) -> Range:
        """All values this may be."""
        if isinstance(value, int):
            return ((value, value),)
        if isinstance(value, Sym):
            return self.facts.get(value, FULL)
        if isinstance(value, Ptr):
            return self._range_of_pointer(value)
        if isinstance(value, Expr):
            known = self.facts.get(value)
            computed = self._range_of_expression(value)
            return computed if known is None else intersect(known, computed)
        return NONZERO if value.kind in ("string", "function") else FULL

    def _range_of_pointer(self, value: Ptr) -> Range:
        if isinstance(value.offset, str):
            return self.facts.get(value, FULL)
        return NONZERO

    def _range_of_expression(self, value: Expr) -> Range:
        left, right = self.range_of(value.left), self.range_of(value.right)
        if not left or not right:
            return ()  # an operand that cannot be: neither can this
        match value.operator:
            case "==":
                return self._range_of_equality(value, left, right)
            case "<":
                if value.left is value.right:
                    return ZERO
                if greatest(left) < least(right):
                    return ONE
                return ZERO if least(left) >= greatest(right) else BOOLEAN
            case "+":
                return shift(left, value.right) if isinstance(value.right, int) else added(left, right)
            case "&" | "|" if isinstance(value.right, int) and value.right >= 0:
                return ((0, value.right),) if value.operator == "&" else self._range_with_bits(left, value.right)
            case "neg" | "~":
                return negate(left) if value.operator == "neg" else shift(negate(left), -1)
            case "unset" if isinstance(value.right, int):
                return self._range_of_unset_bit(left, value.right)
            case "u":
                return self._range_of_unsigned(left, value.right)
            case "%":
                return self._range_of_rest(left, value.right)
            case _:
                return FULL

    def _range_of_equality(self, value: Expr, left: Range, right: Range) -> Range:
        if not intersect(left, right):
            return ZERO
        number = single(left)
        if number is not None and number == single(right):
            return ONE
        if value.left == value.right:
            return ONE
        return BOOLEAN

    def _range_with_bits(self, left: Range, bits: int) -> Range:
        """``n | 4``: each of few numbers with these bits, else at least these."""
        if least(left) < 0:
            return NONZERO if bits else FULL
        if sum(high - low + 1 for low, high in left) > _FEW:
            return ((bits, INFINITY),)
        found: Range = ()
        for number in (number for low, high in left for number in range(low, high + 1)):
            one = ((number | bits, number | bits),)
            found = unite(found, one) if found else one
        return found

    def _range_of_rest(self, left: Range, divisor: Value) -> Range:
        """``n % 4``: 0 to 3, and negative where n may be."""
        if not isinstance(divisor, int) or divisor == 0:
            return FULL
        largest = abs(divisor) - 1
        return ((0 if left and least(left) >= 0 else -largest, largest),)

    def _range_of_unset_bit(self, bit: Range, number: int) -> Range:
        """``~flags & 4``: 4 when ``flags & 4`` is zero, else zero."""
        if bit == ZERO:
            return ((number, number),)
        return unite(ZERO, ((number, number),)) if contains(bit, 0) else ZERO

    def _range_of_unsigned(self, left: Range, bits: Value) -> Range:
        """A conversion to unsigned: zero exactly when the source is (of at least the source's width)."""
        high = (1 << bits) - 1 if isinstance(bits, int) and bits else 0
        if least(left) >= 0 and greatest(left) <= high:
            return left
        return ((0, high),) if contains(left, 0) else ((1, high),)

    # -- assumptions ----------------------------------------------------------------------------------

    def assume(self, value: Value, allowed: Range) -> bool:
        """Keep only the executions in which the value lies in `allowed`; False when there are none."""
        if isinstance(value, Expr) and value.operator in COMPARISONS:
            allowed = intersect(allowed, BOOLEAN)
        narrowed = intersect(self.range_of(value), allowed)
        if not narrowed:
            return False
        if isinstance(value, Sym):
            self.facts[value] = narrowed
            return True
        if isinstance(value, Ptr):
            return self._assume_pointer(value, narrowed)
        if isinstance(value, Expr):
            return self._assume_expression(value, narrowed)
        return True

    def _assume_pointer(self, value: Ptr, narrowed: Range) -> bool:
        if isinstance(value.offset, str):
            if narrowed == ZERO:
                self.substitute(value, 0)
            else:
                self.facts[value] = narrowed
        return True

    def _assume_expression(self, value: Expr, narrowed: Range) -> bool:
        self.facts[value] = narrowed
        match value.operator:
            case "==":
                truth = single(narrowed)
                return truth is None or self._assume_equality(value.left, value.right, truth == 1)
            case "<":
                truth = single(narrowed)
                return truth is None or self._assume_order(value.left, value.right, truth == 1)
            case "+" if isinstance(value.right, int):
                return self.assume(value.left, shift(narrowed, -value.right))
            case "neg" | "~":
                return self.assume(value.left, negate(narrowed if value.operator == "neg" else shift(narrowed, 1)))
            case "unset":
                is_set = narrowed == ZERO
                return (not is_set and contains(narrowed, 0)) or self.assume(value.left, NONZERO if is_set else ZERO)
            case "u":
                if narrowed == ZERO:
                    return self.assume(value.left, ZERO)
                return contains(narrowed, 0) or self.assume(value.left, NONZERO)
            case "&" | "|" if not contains(narrowed, 0) and value.operator == "&":
                return self.assume(value.left, NONZERO)
            case _:
                return True

    def _assume_equality(self, left: Value, right: Value, truth: bool) -> bool:
        if isinstance(left, int):
            left, right = right, left
        if isinstance(right, int):
            wanted: Range = ((right, right),)
            return self.assume(left, wanted if truth else complement(wanted))
        if not truth:
            for one, other in ((left, right), (right, left)):
                number = single(self.range_of(other))
                if number is not None:
                    return self.assume(one, complement(((number, number),)))
            return left != right
        if left == right:
            return True
        return self._unify(left, right)

    def _unify(self, left: Value, right: Value) -> bool:
        """From here both are one value: the symbol that says less gives way to the other."""
        common = intersect(self.range_of(left), self.range_of(right))
        if not common:
            return False
        number = single(common)
        if number is not None:
            return self.assume(left, common) and self.assume(right, common)
        if self.distinct(left, right):
            return False
        if self.gives_way(right) and not (self.gives_way(left) and not self.gives_way(right)):
            left, right = right, left
        if not self.gives_way(left):
            return True
        if MAYBE in (left, right):
            return True
        self.substitute(left, right)
        return self.assume(right, common)

    def _assume_order(self, left: Value, right: Value, truth: bool) -> bool:
        """Assume left < right, or left >= right, by the bounds of the two ranges."""
        left_range, right_range = self.range_of(left), self.range_of(right)
        if truth:
            below, above = ("<", greatest(right_range)), (">", least(left_range))
        else:
            below, above = (">=", least(right_range)), ("<=", greatest(left_range))
        return self.assume(left, from_relation(*below)) and self.assume(right, from_relation(*above))
