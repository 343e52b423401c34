"""Initialisers: ``= f()``, ``= { 1, .b = 2, [3] = { x } }``, strings, records.

An aggregate is zeroed first, then what its list names is stored, following C's rules for designators and for
braces left out. libclang shows the list as written.
"""

from __future__ import annotations

from typing import final

from analyzer.frontend.body import Body
from analyzer.frontend.constants import evaluate
from analyzer.frontend.declarations import is_scalar
from analyzer.frontend.expressions import convert
from analyzer.frontend.operands import constant_operand
from analyzer.frontend.places import extend
from analyzer.frontend.types import Member
from analyzer.ir.operands import Field, Index, Int, Place
from analyzer.ir.ops import Clobber, CopyRecord, Zero
from analyzer.ir.types import INT, CType, TypeKind
from analyzer.libclang import kinds
from analyzer.libclang.binding import Type

_LONGEST_RANGE = 256
_AGGREGATES = (TypeKind.RECORD, TypeKind.ARRAY)


def initialise(body: Body, place: Place, type_: Type, node: int) -> None:
    """Write an initialiser into memory that is uninitialised so far."""
    ctype = body.types.convert(type_)
    if body.kinds[node] == kinds.INIT_LIST_EXPR and (ctype.kind in _AGGREGATES or not _is_scalar_list(body, node)):
        body.emit(Zero(body.position(node), place, ctype.bits))
        if ctype.kind in _AGGREGATES:
            Filler(body, body.children[node]).braced(place, type_)
        return
    _single(body, place, ctype, node)


def _is_scalar_list(body: Body, node: int) -> bool:
    return bool(body.children[node])


def _single(body: Body, place: Place, ctype: CType, node: int, width: int = 0) -> None:
    """One expression for one object."""
    while body.kinds[node] == kinds.INIT_LIST_EXPR and body.children[node] and ctype.kind not in _AGGREGATES:
        node = body.children[node][0]
    at = body.position(node)
    if ctype.kind is TypeKind.RECORD:
        source = body.place(node)
        body.emit(CopyRecord(at, place, source, ctype.bits))
    elif ctype.kind is TypeKind.ARRAY:
        _array_from_literal(body, place, ctype, node, at)
    else:
        value = body.value(node)
        if width:
            ctype = CType(ctype.kind, ctype.spelling, width, ctype.signed)
        value = convert(body, value, body.type(node), ctype, at)
        body.store(place, value, ctype, at, initialises=True)


def _array_from_literal(body: Body, place: Place, ctype: CType, node: int, at: int) -> None:
    """A character array from a string; an array from a compound literal."""
    inner = _literal(body, node)
    if body.kinds[inner] == kinds.STRING_LITERAL:
        text = body.lib.text(body.lib.getCursorSpelling(body.cursor(inner)))
        body.emit(Zero(at, place, ctype.bits) if text.endswith('""') else Clobber(at, place))
    else:
        body.emit(CopyRecord(at, place, body.place(inner), ctype.bits))


def _literal(body: Body, node: int) -> int:
    """The node without parentheses, conversions and braces around it."""
    wrappers = (kinds.PAREN_EXPR, kinds.UNEXPOSED_EXPR, kinds.INIT_LIST_EXPR)
    while body.kinds[node] in wrappers and len(body.children[node]) == 1:
        node = body.children[node][0]
    return node


@final
class Filler:
    """Hands the items of one initialiser list to the objects they are for."""

    def __init__(self, body: Body, items: list[int]) -> None:
        self._body = body
        self._items = items
        self._next = 0

    def braced(self, place: Place, type_: Type) -> None:
        """All items belong to this array or record."""
        self._aggregate(place, type_, 0, braced=True)

    def _aggregate(self, place: Place, type_: Type, bias: int, *, braced: bool) -> None:
        """Items for an array or record. bias: offset of an anonymous record in the one that has a name."""
        body = self._body
        if body.types.is_array(type_):
            self._array(place, type_, braced=braced)
            return
        members = body.types.members(type_)
        if not braced and body.types.is_union(type_):
            members = members[:1]
        number = 0
        while self._next < len(self._items):
            item = self._items[self._next]
            designators = self._designators(item)
            if designators:
                if not braced:
                    return
                self._next += 1
                number = self._designated(place, type_, item, designators)
            elif number >= len(members):
                return
            else:
                self._member(place, members[number], bias)
                number += 1

    def _array(self, place: Place, type_: Type, *, braced: bool) -> None:
        body = self._body
        length = body.types.array_length(type_)
        element = body.types.pointee(type_)
        bits = body.types.bits(element)
        number = 0
        while self._next < len(self._items):
            item = self._items[self._next]
            designators = self._designators(item)
            if designators:
                if not braced:
                    return
                self._next += 1
                number = self._designated(place, type_, item, designators)
            elif 0 <= length <= number:
                return
            else:
                self._object(extend(place, Index(Int(number), bits)), element, 0)
                number += 1

    def _member(self, place: Place, member: Member, bias: int) -> None:
        offset = bias + member.offset if member.offset >= 0 else -1
        if member.anonymous:
            item = self._items[self._next]
            if self._body.kinds[item] == kinds.INIT_LIST_EXPR:
                self._next += 1
                Filler(self._body, self._body.children[item])._aggregate(place, member.type, offset, braced=True)
            else:
                self._aggregate(place, member.type, offset, braced=False)
            return
        self._object(extend(place, Field(member.name, offset)), member.type, member.width)

    def _object(self, place: Place, type_: Type, width: int) -> None:
        """The next item, or the next items when braces are left out, for one object."""
        body = self._body
        item = self._items[self._next]
        ctype = body.types.convert(type_)
        if body.kinds[item] == kinds.INIT_LIST_EXPR and ctype.kind in _AGGREGATES:
            self._next += 1
            string = ctype.kind is TypeKind.ARRAY and ctype.pointee_kind is TypeKind.INT
            if string and body.kinds[_literal(body, item)] == kinds.STRING_LITERAL:
                _single(body, place, ctype, item)
                return
            Filler(body, body.children[item]).braced(place, type_)
        elif ctype.kind in _AGGREGATES and not self._fits_whole(item, ctype):
            before = self._next
            self._aggregate(place, type_, 0, braced=False)
            if self._next == before:  # an empty object takes nothing; never stand still
                self._next += 1
        else:
            self._next += 1
            _single(body, place, ctype, item, width)

    def _fits_whole(self, item: int, ctype: CType) -> bool:
        body = self._body
        if ctype.kind is TypeKind.RECORD:
            return body.type(item).kind is TypeKind.RECORD
        literal = body.kinds[_literal(body, item)]
        if literal == kinds.STRING_LITERAL:
            return ctype.pointee_kind is TypeKind.INT
        return literal == kinds.COMPOUND_LITERAL_EXPR and body.type(item).kind is TypeKind.ARRAY

    def _designators(self, item: int) -> list[int]:
        """The designators of ``.a[1].b = x``: an unnamed node whose last child is the value."""
        body = self._body
        children = body.children[item]
        if body.kinds[item] != kinds.UNEXPOSED_EXPR or len(children) < 2:
            return []
        if body.type(item).kind is not TypeKind.VOID:
            return []
        return children[:-1]

    def _designated(self, place: Place, type_: Type, item: int, designators: list[int]) -> int:
        """Initialise what the designators name; the number of the member or element after the first of them."""
        body = self._body
        following = -1
        position = 0
        while position < len(designators):
            node = designators[position]
            position += 1
            if body.kinds[node] == kinds.MEMBER_REF:
                name = body.lib.text(body.lib.getCursorSpelling(body.cursor(node)))
                found = self._named(type_, name)
                if following < 0:
                    following = found[1] + 1
                if not name:
                    continue  # an anonymous member on the way to a named one
                place = extend(place, Field(name, body.types.offset(type_, name)))
                type_ = found[0]
            else:
                number = evaluate(body.lib, body.cursor(node), INT)
                low = number.value if number is not None else 0
                type_ = body.types.pointee(type_)
                following_index = position < len(designators) and body.kinds[designators[position]] != kinds.MEMBER_REF
                if following_index and not body.types.is_array(type_):  # [low ... high]
                    high = evaluate(body.lib, body.cursor(designators[position]), INT)
                    position += 1
                    if high is not None and position == len(designators):
                        self._repeat(place, type_, range(low, high.value), body.children[item][-1])
                        low = high.value
                if following < 0:
                    following = low + 1
                place = extend(place, Index(Int(low), body.types.bits(type_)))
        self._value(place, type_, body.children[item][-1])
        return following

    def _repeat(self, place: Place, type_: Type, numbers: range, node: int) -> None:
        """The elements of a range before its last: a constant each. Other values are evaluated once, for the last."""
        body = self._body
        ctype = body.types.convert(type_)
        value = constant_operand(body.declarations, body.cursor(node), ctype) if is_scalar(ctype) else None
        if value is not None:
            at = body.position(node)
            bits = body.types.bits(type_)
            for number in numbers[:_LONGEST_RANGE]:
                body.store(extend(place, Index(Int(number), bits)), value, ctype, at, initialises=True)

    def _value(self, place: Place, type_: Type, node: int) -> None:
        Filler(self._body, [node])._object(place, type_, 0)

    def _named(self, type_: Type, name: str) -> tuple[Type, int]:
        """Type of a field by name, and the number of the member it is, or lies in."""
        for number, member in enumerate(self._body.types.members(type_)):
            if member.anonymous:
                inner = self._named(member.type, name)
                if inner[1] >= 0:
                    return inner[0], number
            elif member.name == name:
                return member.type, number
        return type_, -1
