"""Values of the engine: what a cell of memory can hold.

A value is a Python ``int`` (a constant; 0 is the null pointer), or one of the classes below, interned
by a `Universe`: equality is identity. One structure serves aliases (two cells with one value), predicates
(``ok = n > 0`` stores the comparison) and repeated conditions (the same comparison is the same value).
"""

from __future__ import annotations

from typing import final


@final
class Sym:
    """An unknown value with a name: its origin. key: see `Universe.symbol`.

    parameter: it is what a parameter held at the start. lasting: facts about it stay. joined_at: the block whose
    join made it, -1: no join did.
    """

    __slots__ = ("joined_at", "key", "lasting", "order", "parameter")

    def __init__(self, key: tuple[object, ...], order: int) -> None:
        self.key = key
        self.order = order
        self.parameter = key[0] == "param"
        # What lay below a parameter or in a global at the start says something of the caller, so facts about it stay.
        first = key[1] if key[0] == "init" and key[-1] == -1 else None
        self.lasting = (
            self.parameter or key[0] == "pure" or isinstance(first, str) or (isinstance(first, Sym) and first.parameter)
        )
        self.joined_at = key[1] if key[0] == "join" and isinstance(key[1], int) else -1

    def __repr__(self) -> str:
        return "<" + " ".join(str(part) for part in self.key) + ">"


def function_of(value: Value) -> str:
    """The function whose address it is, "" for another value."""
    return value.text if isinstance(value, Atom) and value.kind == "function" else ""


def call_of(value: object) -> int:
    """Key of the call that returned the value, -1: none did."""
    key = value.key if isinstance(value, Sym) else ()
    return key[1] if key[:1] == ("call",) and isinstance(key[1], int) else -1


@final
class Ptr:
    """An address inside the object at `base`: a local (int), a global (str), or what a symbol points to.

    offset: bits from the start; None when unknown; a string names an interior pointer that may be null.
    The address of the start of a symbol's object is the symbol itself and never a Ptr.
    symbols: those that occur in it.
    """

    __slots__ = ("base", "offset", "symbols")

    def __init__(self, base: Base, offset: int | str | None) -> None:
        self.base = base
        self.offset = offset
        self.symbols: tuple[Sym, ...] = (base,) if isinstance(base, Sym) else ()

    def __repr__(self) -> str:
        return f"&{self.base!r}+{self.offset}"


@final
class Expr:
    """An operation over values; depth bounds its size. symbols: those that occur in it."""

    __slots__ = ("depth", "left", "operator", "right", "symbols")

    def __init__(self, operator: str, left: Value, right: Value, depth: int) -> None:
        self.operator = operator
        self.left = left
        self.right = right
        self.depth = depth
        self.symbols: tuple[Sym, ...] = tuple(dict.fromkeys((*symbols_of(left), *symbols_of(right))))

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"


@final
class Atom:
    """A value that is only itself: uninitialised, a string's address, a function's address, "maybe r"."""

    __slots__ = ("kind", "text")

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text

    def __repr__(self) -> str:
        return f"{self.kind}:{self.text}"


Base = int | str | Sym
Value = int | Sym | Ptr | Expr | Atom

UNDEF = Atom("undef", "")
INTERIOR = "in"  # how the offset begins of a pointer into an object: its start, or further in; or null
BEHIND = "+"  # how it ends where it is further in for certain
UNSET = Atom("unset", "")  # as a default: memory of a new object that nobody wrote, with no harm in reading it
WRITTEN = "written"  # how the key of a symbol ends that a call put somewhere without handing it out
GUESS = "via"  # how the offset begins of a pointer that a call may have derived from its argument, or not
MAYBE = Atom("maybe", "r")  # may or may not be the resource under study: silent side everywhere
COMPARISONS = frozenset({"==", "<"})
DEEPEST = 3


@final
class Universe:
    """Interns the values of one function. given: symbols of operations that ever became part of a state."""

    def __init__(self) -> None:
        self._symbols: dict[tuple[object, ...], Sym] = {}
        self._sites: dict[int, list[Sym]] = {}
        self._pointers: dict[tuple[Base, int | str | None], Ptr] = {}
        self._expressions: dict[tuple[str, Value, Value], Expr] = {}
        self._atoms: dict[tuple[str, str], Atom] = {}
        self.given: set[Sym] = set()
        self.resource = self.symbol("r")

    def symbol(self, *key: object) -> Sym:
        """The symbol of that origin: ("param", i), ("init", base, offset, epoch), ("call", at), ..."""
        found = self._symbols.get(key)
        if found is None:
            found = self._symbols[key] = Sym(key, len(self._symbols))
            if key[0] in ("call", "out") and isinstance(key[1], int):
                self._sites.setdefault(key[1], []).append(found)
        return found

    def created_at(self, at: int) -> list[Sym]:
        """The symbols that calls at this offset have created so far."""
        return self._sites.get(at, [])

    def fresh(self) -> Sym:
        """A symbol like no other."""
        return self.symbol("unknown", len(self._symbols))

    def pointer(self, base: Base, offset: int | str | None) -> Value:
        """The address `offset` bits into the object at `base`."""
        if offset == 0 and isinstance(base, Sym):
            return base
        key = (base, offset)
        found = self._pointers.get(key)
        if found is None:
            found = self._pointers[key] = Ptr(base, offset)
        return found

    def expression(self, operator: str, left: Value, right: Value) -> Expr | None:
        """The operation, or None when it would be nested too deeply."""
        # 1 and True are one dictionary key, and so are equal constants: fine, constants are plain ints.
        key = (operator, left, right)
        found = self._expressions.get(key)
        if found is None:
            depth = 1 + max(_depth(left), _depth(right))
            if depth > DEEPEST:
                return None
            found = self._expressions[key] = Expr(operator, left, right, depth)
        return found

    def atom(self, kind: str, text: str) -> Atom:
        """The address of a function ("function") or string ("string")."""
        found = self._atoms.get((kind, text))
        if found is None:
            found = self._atoms[(kind, text)] = Atom(kind, text)
        return found

    def substitute(self, value: Value, old: Value, new: Value) -> Value:
        """`value` with every occurrence of `old` replaced by `new` (a symbol where that gets too deep)."""
        if value is old:
            return new
        if isinstance(value, Ptr) and value.base is old:
            return self._rebase(value, new)
        if isinstance(value, Expr):
            left = self.substitute(value.left, old, new)
            right = self.substitute(value.right, old, new)
            if left is value.left and right is value.right:
                return value
            found = self.expression(value.operator, left, right)
            return found if found is not None else self.symbol("deep", value.operator, left, right)
        return value

    def _rebase(self, value: Ptr, new: Value) -> Value:
        if isinstance(new, Sym):
            return self.pointer(new, value.offset)
        if isinstance(new, Ptr):
            if isinstance(new.offset, int) and isinstance(value.offset, int):
                return self.pointer(new.base, new.offset + value.offset)
            return self.pointer(new.base, None)
        if new == 0 and isinstance(value.offset, int):
            return value.offset // 8
        return new if new is MAYBE else self.symbol("rebased", value.offset)


def _depth(value: Value) -> int:
    return value.depth if isinstance(value, Expr) else 0


def symbols_of(value: Value) -> tuple[Sym, ...]:
    """The symbols that occur in the value, each once."""
    if isinstance(value, Sym):
        return (value,)
    return value.symbols if isinstance(value, (Ptr, Expr)) else ()
