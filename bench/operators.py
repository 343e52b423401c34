"""Mutations of C code that lose a resource, and rewritings of the same places that lose nothing.

Each takes one release of one function and a source of chance, and gives the edits, or None where it has no place there.
M1 to M10 make a path on which the resource is lost; N1 to N4 must change nothing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from c_source import Function, Source, locals_of, parameters_of, pick
from mutants import Site

Edit = tuple[int, int, str]
"""From where to where, and what stands there afterwards."""


@dataclass(frozen=True)
class Spot:
    """One release. others: all releases of its function. number: what is released is a number (`close(fd)`).

    share: it gives back one share of several (`put(object)`).
    """

    source: Source
    function: Function
    site: Site
    others: Sequence[Site]
    number: bool = False
    share: bool = False

    @property
    def written(self) -> str:
        """The released expression as it is written."""
        text = self.source.text[self.site.start : self.site.end]
        return text[text.index("(", text.index(self.site.release)) + 1 : text.rindex(")")].strip()


Operator = Callable[[Spot, random.Random], list[Edit] | None]

_LEAVES = re.compile(r"[^{}]*\b(?:return|goto|break|continue|exit|_exit|abort)\b[^{}]*\}")
_LOOP = re.compile(r"\b(?:for|while)\s*$")
_LVALUE = re.compile(r"[A-Za-z_][\w.>\-\[\]]*")
_WEAKER = (
    (re.compile(r"(?<![<>=!-])>\s*0(?![\w.])"), "> 1"),
    (re.compile(r">=\s*0(?![\w.])"), "> 0"),
    (re.compile(r"!=\s*-\s*1(?![\w.])"), "> 0"),
    (re.compile(r"(?<![<>=!-])<\s*0(?![\w.])"), "< -1"),
)


def without(source: Source, site: Site) -> Edit:
    """An empty statement instead of the release; lines stay."""
    return (site.start, site.end, ";" + re.sub(r"[^\n]", "", source.text[site.start : site.end]))


def delete_on_one_path(spot: Spot, _: random.Random) -> list[Edit] | None:
    """M1: the release goes from a block that is left early, or that is one of several releases."""
    early = _LEAVES.match(spot.source.code, spot.site.end, spot.function.end)
    several = sum(one.argument == spot.site.argument for one in spot.others) > 1
    return [without(spot.source, spot.site)] if early or several else None


def delete_on_all_paths(spot: Spot, _: random.Random) -> list[Edit] | None:
    """M2: every release of the same thing in the function goes."""
    same = [one for one in spot.others if one.argument == spot.site.argument]
    return [without(spot.source, one) for one in same]


def _labels(spot: Spot) -> list[tuple[int, str]]:
    """Labels of the function in their order."""
    found = re.compile(r"(?m)^[ \t]*([A-Za-z_]\w*)[ \t]*:(?!:)").finditer(
        spot.source.code, spot.function.start, spot.function.end
    )
    return [(match.start(), match[1]) for match in found if match[1] != "default"]


def _jumps(spot: Spot, label: str) -> list[re.Match[str]]:
    pattern = re.compile(rf"\bgoto\s+{label}\s*;")
    return list(pattern.finditer(spot.source.code, spot.function.start, spot.function.end))


def _last_return(spot: Spot) -> str | None:
    """The statement with which the function ends; `return;` where it has no value."""
    found = list(re.compile(r"\breturn\b[^;]*;").finditer(spot.source.code, spot.site.end, spot.function.end))
    if found:
        return spot.source.text[found[-1].start() : found[-1].end()]
    return "return;" if _type(spot) == "void" else None


def return_for_goto(spot: Spot, chance: random.Random) -> list[Edit] | None:
    """M3: `goto out` becomes the `return` that stands behind the releases."""
    before = [name for place, name in _labels(spot) if place < spot.site.start]
    jumps = [jump for name in before for jump in _jumps(spot, name) if jump.end() < spot.site.start]
    jump, leave = pick(chance, jumps), _last_return(spot)
    return [(jump.start(), jump.end(), leave)] if jump and leave else None


def later_label(spot: Spot, chance: random.Random) -> list[Edit] | None:
    """M4: a jump goes to a label behind the release, not to the one before it."""
    labels = _labels(spot)
    before = [name for place, name in labels if place < spot.site.start]
    after = [name for place, name in labels if place > spot.site.end]
    jumps = _jumps(spot, before[-1]) if before and after else []
    jump = pick(chance, [one for one in jumps if one.end() < spot.site.start])
    return [(jump.start(), jump.end(), f"goto {after[0]};")] if jump else None


def _type(spot: Spot) -> str:
    head = spot.source.code[spot.function.head : spot.function.name]
    return " ".join(re.sub(r"\b(?:static|inline|extern|const)\b", "", head).split())


def _nothing(spot: Spot) -> str | None:
    """What a function of this type returns when it fails; None for a type of its own."""
    kind = _type(spot)
    if kind == "void":
        return "return;"
    if kind.endswith("*"):
        return "return 0;"
    return "return -1;" if re.fullmatch(r"(?:unsigned |signed )?(?:\w+)", kind) else None


def early_return(spot: Spot, chance: random.Random) -> list[Edit] | None:
    """M5: the function may return as soon as it has the resource."""
    name = re.escape(spot.site.argument)
    acquired = re.compile(rf"(?<=[;{{}}])\s*{name}\s*=[^;{{}}=]*\([^;{{}}]*\)\s*;")
    found = list(acquired.finditer(spot.source.code, spot.function.start, spot.site.start))
    place, leave = pick(chance, found), _nothing(spot)
    if place is None or leave is None:
        return None
    return [(place.end(), place.end(), f" {{ extern int gives_up_(void); if (gives_up_()) {leave} }}")]


def overwrite(spot: Spot, _: random.Random) -> list[Edit] | None:
    """M6: the holder is overwritten in front of the release."""
    if not _LVALUE.fullmatch(spot.written):
        return None
    value = "-1" if spot.number else "0"
    text = spot.source.text[spot.site.start : spot.site.end]
    return [(spot.site.start, spot.site.end, f"{{ {spot.written} = {value}; {text} }}")]


def _blocks(spot: Spot) -> Iterator[tuple[int, int]]:
    """The blocks around the release, the innermost first, without the function's own: both braces."""
    code, depth = spot.source.code, 0
    for place in range(spot.site.start - 1, spot.function.start, -1):
        depth += {"}": 1, "{": -1}.get(code[place], 0)
        if depth == -1:
            depth = 0
            yield place, _closing(code, place, spot.function.end)


def _closing(code: str, opening: int, end: int) -> int:
    depth = 0
    for place in range(opening, end):
        depth += {"{": 1, "}": -1}.get(code[place], 0)
        if depth == 0:
            return place
    return end


def _condition(code: str, before: int, start: int) -> tuple[int, int] | None:
    """The brackets of a condition that ends just before a place."""
    close = before - len(code[start:before]) + len(code[start:before].rstrip()) - 1
    if close < start or code[close] != ")":
        return None
    depth = 0
    for place in range(close, start, -1):
        depth += {")": 1, "(": -1}.get(code[place], 0)
        if depth == 0:
            return place, close
    return None


def behind_loop(spot: Spot, _: random.Random) -> list[Edit] | None:
    """M7: the release of what each round acquires moves behind the loop."""
    first = next(_blocks(spot), None)
    if first is None:
        return None
    opening, closing = first
    code = spot.source.code
    condition = _condition(code, opening, spot.function.start)
    if condition is None or not _LOOP.search(code[spot.function.start : condition[0]]):
        return None
    name = re.escape(spot.site.argument)
    body = code[opening : spot.site.start]
    if not re.search(rf"(?<![\w.>]){name}\s*=(?!=)|&\s*{name}\b", body) or re.search(rf"\w[\s*]+{name}\s*[=;,]", body):
        return None
    return [
        without(spot.source, spot.site),
        (closing + 1, closing + 1, f" {spot.source.text[spot.site.start : spot.site.end]}"),
    ]


def cleanups_of(source: Source) -> Iterator[Site]:
    """Variables that the end of their scope releases, by an attribute or its usual macros."""
    macro = r"g_autofree|g_autoptr\s*\([^()]*\)|_cleanup_\w+_|__attribute__\s*\(\(\s*_*cleanup_*\s*\(\w+\)\s*\)\)"
    declared = re.compile(rf"(?<=[;{{}}])\s*({macro})[^;{{}}=()]*?(\w+)\s*[=;]")
    for function in source.functions:
        for match in declared.finditer(source.code, function.start, function.end):
            line = source.text.count("\n", 0, match.start(1)) + 1
            yield Site(
                0,
                Path(source.path),
                match.start(1),
                match.end(1),
                line,
                function.title,
                function.parameters,
                "",
                match[2],
            )


def without_cleanup(spot: Spot, _: random.Random) -> list[Edit] | None:
    """M8: the end of the scope releases no more."""
    if spot.site.release:
        return None
    kind = re.fullmatch(r"g_autoptr\s*\(\s*(\w+)\s*\)", spot.source.text[spot.site.start : spot.site.end])
    return [(spot.site.start, spot.site.end, f"{kind[1]} *" if kind else "")]


def drop_share(spot: Spot, _: random.Random) -> list[Edit] | None:
    """M9: a share is not given back."""
    return [without(spot.source, spot.site)] if spot.share else None


def weaken_guard(spot: Spot, chance: random.Random) -> list[Edit] | None:
    """M10: the condition around the release asks for more."""
    code, start = spot.source.code, spot.function.start
    places = [spot.site.start, *(opening for opening, _ in _blocks(spot))][:2]
    for place in places:
        condition = _condition(code, place, start)
        if condition is None or not re.search(r"\bif\s*$", code[start : condition[0]]):
            continue
        opening, closing = condition
        edits = [
            (match.start(), match.end(), new)
            for pattern, new in _WEAKER
            for match in pattern.finditer(code, opening, closing)
        ]
        edit = pick(chance, edits)
        return [edit] if edit else None
    return None


# -- what must stay silent


def null_guard(spot: Spot, _: random.Random) -> list[Edit] | None:
    """N1: the release asks once more whether there is something."""
    if not _LVALUE.fullmatch(spot.written):
        return None
    asked = f"{spot.written} >= 0" if spot.number else spot.written
    return [(spot.site.start, spot.site.start, f"if ({asked}) ")] if _in_block(spot) else None


def _in_block(spot: Spot) -> bool:
    """Whether the release is a statement of a block, and no branch without braces."""
    return spot.source.code[: spot.site.start].rstrip()[-1:] in (";", "{", "}", ":")


def _holder_type(spot: Spot) -> str | None:
    known: Mapping[str, str] = locals_of(spot.source, spot.function) | parameters_of(spot.function)
    return known.get(spot.written)


def in_helper(spot: Spot, _: random.Random) -> list[Edit] | None:
    """N2: a helper releases."""
    kind = _holder_type(spot)
    call = spot.source.text[spot.site.start : spot.site.end]
    if kind is None or not re.fullmatch(rf"{spot.site.release}\s*\(\s*{spot.written}\s*\);", call):
        return None
    title = f"{spot.function.title}_drop_"
    helper = f"static void {title}({kind}x) {{ {spot.site.release}(x); }}\n"
    start = spot.function.head
    return [(start, start, helper), (spot.site.start, spot.site.end, f"{title}({spot.written});")]


def second_label(spot: Spot, chance: random.Random) -> list[Edit] | None:
    """N3: the cleanup stands twice, under two labels."""
    labels = [(place, name) for place, name in _labels(spot) if place < spot.site.start]
    if not labels:
        return None
    place, name = labels[-1]
    jump = pick(chance, [one for one in _jumps(spot, name) if one.end() < place])
    tail = spot.source.text[place : spot.function.end].rstrip()
    later = [label for where, label in _labels(spot) if where > place]
    depth = spot.source.code[spot.function.start : place].count("{") - spot.source.code[
        spot.function.start : place
    ].count("}")
    closed = spot.source.code[place : spot.function.end].rstrip()
    leaves = re.search(r"\breturn\b[^;{}]*;$", closed)
    if jump is None or later or depth != 1 or leaves is None:
        return None
    again = re.sub(rf"\b{name}(\s*:)", rf"{name}_again_\1", tail, count=1)
    end = spot.function.end
    return [(jump.start(), jump.end(), f"goto {name}_again_;"), (end, end, again + "\n")]


def reset_in_helper(spot: Spot, _: random.Random) -> list[Edit] | None:
    """N4: a helper releases and resets the variable."""
    kind = _holder_type(spot)
    call = spot.source.text[spot.site.start : spot.site.end]
    if kind is None or spot.number or not re.fullmatch(rf"{spot.site.release}\s*\(\s*{spot.written}\s*\);", call):
        return None
    if re.search(r"\bconst\b", kind):
        return None
    title = f"{spot.function.title}_clear_"
    helper = f"static void {title}({kind}*x) {{ {spot.site.release}(*x); *x = 0; }}\n"
    start = spot.function.head
    return [(start, start, helper), (spot.site.start, spot.site.end, f"{title}(&{spot.written});")]


LOSING: dict[str, Operator] = {
    "M1 one release deleted": delete_on_one_path,
    "M2 all releases deleted": delete_on_all_paths,
    "M3 return for goto": return_for_goto,
    "M4 jump to a later label": later_label,
    "M5 early return": early_return,
    "M6 holder overwritten": overwrite,
    "M7 release behind the loop": behind_loop,
    "M8 cleanup attribute dropped": without_cleanup,
    "M9 share kept": drop_share,
    "M10 weaker guard": weaken_guard,
}
SILENT: dict[str, Operator] = {
    "N1 null guard": null_guard,
    "N2 release in a helper": in_helper,
    "N3 cleanup twice": second_label,
    "N4 release and reset in a helper": reset_in_helper,
}
