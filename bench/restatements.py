"""Rewritings inside of one function, of statements and of how they are laid out; see rewrites.py."""

from __future__ import annotations

import random
import re

from c_source import (
    NO_TYPE,
    TYPE,
    Files,
    Function,
    Source,
    before,
    locals_of,
    parameters_of,
    pick,
    statements,
    void,
)
from mutants import arguments, matching


def swap_branches(source: Source, function: Function, chance: random.Random) -> Files | None:
    """The arms of an if and else change places."""
    sites = []
    for match in re.compile(r"\bif\s*\(").finditer(source.code, function.start, function.end):
        close = matching(source.code, match.end() - 1, function.end)
        first = _braced(source.code, close + 1, function.end)
        other = re.compile(r"\s*else(?=\s*\{)").match(source.code, first[1]) if first else None
        second = _braced(source.code, other.end(), function.end) if other else None
        if first and second:
            sites.append((match.end(), close, first, second))
    site = pick(chance, sites)
    if site is None:
        return None
    start, close, first, second = site
    then, other_text = source.text[slice(*first)], source.text[slice(*second)]
    return source.changed((start, close, _opposite(source.text[start:close])), (*first, other_text), (*second, then))


def _braced(code: str, start: int, end: int) -> tuple[int, int] | None:
    """The block that follows at `start`."""
    opening = re.compile(r"\s*\{").match(code, start, end) if start else None
    if opening is None:
        return None
    depth = 0
    for place in range(opening.end() - 1, end):
        depth += {"{": 1, "}": -1}.get(code[place], 0)
        if depth == 0:
            return opening.end() - 1, place + 1
    return None


def _opposite(condition: str) -> str:
    inner = condition.strip()
    if re.fullmatch(r"![\w.>-]+", inner):
        return inner[1:]
    compared = re.fullmatch(r"([\w.>-]+ *)(==|!=)( *[\w-]+)", inner)
    if compared:
        return compared[1] + {"==": "!=", "!=": "=="}[compared[2]] + compared[3]
    return f"!({condition})"


def turn_guard(source: Source, function: Function, _: random.Random) -> Files | None:
    """`if (c) return;` at the top of a function without result: what follows goes into the other case."""
    if not void(re.sub(r"\b(?:static|inline)\b", "", source.code[function.head : function.name])):
        return None
    for match in re.compile(r"(?<=[;{}])\s*\n[ \t]+(if\s*\()").finditer(source.code, function.start, function.end):
        close = matching(source.code, match.end() - 1, function.end)
        leave = re.compile(r"\s*(?:return;|\{\s*return;\s*\})").match(source.code, close + 1)
        inside = source.code[function.start + 1 : match.start(1)]
        if leave and inside.count("{") == inside.count("}"):
            condition = _opposite(source.text[match.end() : close])
            return source.changed((match.end(), leave.end(), f"{condition}) {{"), (function.end, function.end, "\t}\n"))
    return None


def nest_conditions(source: Source, function: Function, chance: random.Random) -> Files | None:
    """`if (a && b) {}` becomes two."""
    sites = []
    for match in re.compile(r"(?<=[;{}])\s*\n[ \t]+if\s*\(").finditer(source.code, function.start, function.end):
        close = matching(source.code, match.end() - 1, function.end)
        block = _braced(source.code, close + 1, function.end)
        condition = source.code[match.end() : close]
        plain = condition.count("&&") == 1 and "||" not in condition and "?" not in condition
        both = condition.find("&&")
        level = condition[:both].count("(") == condition[:both].count(")")
        if block and plain and level and not re.match(r"\s*else\b", source.code[block[1] :]):
            sites.append((match.end() + both, block[1]))
    site = pick(chance, sites)
    if site is None:
        return None
    return source.changed((site[0], site[0] + 2, ") { if ("), (site[1], site[1], " }"))


def name_condition(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A condition is computed into a variable first."""
    sites = []
    for match in re.compile(r"(?<=[;{}])\s*\n([ \t]+)if\s*\(").finditer(source.code, function.start, function.end):
        close = matching(source.code, match.end() - 1, function.end)
        if close > 0:
            sites.append((match.end(1), match[1], match.end(), close))
    site = pick(chance, sites)
    if site is None:
        return None
    start, indent, first, close = site
    condition = source.text[first:close]
    given = condition if condition.startswith("!") else f"({condition}) != 0"
    return source.changed((start, start, f"int cond_ = {given};\n\n{indent}"), (first, close, "cond_"))


def compare_with_null(source: Source, function: Function, chance: random.Random) -> Files | None:
    """`!p` becomes `p == NULL`, for a pointer of the function."""
    types = locals_of(source, function) | parameters_of(function)
    pointers = [name for name, kind in types.items() if kind.endswith("*")]
    sites = [
        match
        for match in re.compile(r"(?<=\()!(\w+)(?=\))").finditer(source.code, function.start, function.end)
        if match[1] in pointers
    ]
    site = pick(chance, sites)
    return source.changed((site.start(), site.end(), f"{site[1]} == (void *)0")) if site else None


def split_declaration(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A declaration loses its initial value, which the next statement gives."""
    pattern = re.compile(rf"^([ \t]+)({TYPE}(?:\s+\**|\s*\*+))(\w+)(\s*=\s*)([^;{{}}]+);[ \t]*$", re.M)
    sites = [
        match
        for match in pattern.finditer(source.code, function.start, function.end)
        if len(arguments(match[5])) == 1 and match[2].split()[0] not in (*NO_TYPE, "const")
    ]
    site = pick(chance, sites)
    if site is None:
        return None
    value = source.text[slice(*site.span(5))]
    new = f"{site[1]}{site[2]}{site[3]};\n{site[1]}{site[3]} = {value};"
    return source.changed((site.start(), site.start(5) + len(site[5]) + 1, new))


def name_result(source: Source, function: Function, chance: random.Random) -> Files | None:
    """What is returned is computed into a variable first."""
    kind = re.sub(r"\b(?:static|inline|extern)\b\s*", "", source.code[function.head : function.name]).strip()
    pattern = re.compile(r"\n([ \t]+)return\s+([^;{}]+);")
    site = pick(chance, list(pattern.finditer(source.code, function.start, function.end)))
    if site is None or void(kind) or not re.fullmatch(rf"{TYPE}[\s*]*", kind):
        return None
    value = source.text[slice(*site.span(2))]
    inside = site[1] + "\t"
    new = f"\n{site[1]}{{\n{inside}{kind} result_ = {value};\n\n{inside}return result_;\n{site[1]}}}"
    return source.changed((*site.span(), new))


def while_to_for(source: Source, function: Function, chance: random.Random) -> Files | None:
    """`while (c) {` becomes `for (; c;) {`."""
    sites = []
    for match in re.compile(r"\bwhile\s*\(").finditer(source.code, function.start, function.end):
        close = matching(source.code, match.end() - 1, function.end)
        if close > 0 and _braced(source.code, close + 1, function.end):
            sites.append((match.start(), match.end(), close))
    site = pick(chance, sites)
    if site is None:
        return None
    return source.changed((site[0], site[1], "for (; "), (site[2], site[2], ";"))


def for_to_while(source: Source, function: Function, chance: random.Random) -> Files | None:
    """`for (a; b; c) {}` without continue becomes a while."""
    sites = []
    for match in re.compile(r"(?<=[;{}])\s*\n([ \t]+)(for\s*\()").finditer(source.code, function.start, function.end):
        close = matching(source.code, match.end() - 1, function.end)
        block = _braced(source.code, close + 1, function.end)
        parts = source.text[match.end() : close].split(";")
        if block and len(parts) == 3 and parts[1].strip() and "continue" not in source.code[slice(*block)]:
            sites.append((match, close, block, parts))
    site = pick(chance, sites)
    if site is None:
        return None
    match, close, block, (first, condition, step) = site
    indent = match[1]
    return source.changed(
        (match.start(2), close + 1, f"{{\n{indent}{first.strip()};\n{indent}while ({condition.strip()})"),
        (block[1] - 1, block[1], f"\t{step.strip()};\n{indent}}}\n{indent}}}"),
    )


def add_braces(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A single statement below an if gets braces."""
    sites = []
    for match in re.compile(r"\bif\s*\(").finditer(source.code, function.start, function.end):
        close = matching(source.code, match.end() - 1, function.end)
        alone = re.compile(r"\s*\n[ \t]+(?!if\b|for\b|while\b|do\b|switch\b)\w[^;{}]*;").match(source.code, close + 1)
        if close > 0 and alone:
            sites.append((close + 1, alone.end()))
    site = pick(chance, sites)
    if site is None:
        return None
    return source.changed((site[0], site[0], " {"), (site[1], site[1], "\n\t}"))


def make_const(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A local variable that is never set again becomes const."""
    pattern = re.compile(rf"^[ \t]+{TYPE}(?:\s+\**|\s*\*+)()(\w+)\s*=[^;{{}},]+;", re.M)
    sites = []
    for match in pattern.finditer(source.code, function.start, function.end):
        rest = source.code[match.end() : function.end]
        name = match[2]
        again = re.search(rf"(?<![\w.>]){name}\s*(?:=(?!=)|\+\+|--|[-+*/|&^%]=)|(?:\+\+|--|(?<!&)&\s*){name}\b", rest)
        if again is None and match[0].split()[0] not in (*NO_TYPE, "const"):
            sites.append(match.start(1))
    site = pick(chance, sites)
    return source.changed((site, site, "const ")) if site is not None else None


def name_constant(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A number becomes a macro."""
    found = re.compile(r"(?<![\w.])(?:[2-9]|[1-9]\d+)(?![\w.])").finditer(source.code, function.start, function.end)
    site = pick(chance, list(found))
    if site is None:
        return None
    name = f"{function.title.upper()}_SIZE_"
    return source.changed((*site.span(), name), (function.head, function.head, f"#define {name} {site[0]}\n\n"))


def add_log(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A line of the log before one statement in three."""
    places = [s for s in statements(source, function) if chance.randrange(3) == 0] or statements(source, function)[:1]
    if not places:
        return None
    edits = [
        (start, start, f'{indent}fprintf(stderr, "step %d\\n", {n});\n')
        for n, (start, _, indent, _) in enumerate(places)
    ]
    include = [] if re.search(r"#\s*include\s*<stdio.h>", source.text) else [(0, 0, "#include <stdio.h>\n")]
    return source.changed(*edits, *include)


# -- text


def add_comments(source: Source, function: Function, chance: random.Random) -> Files | None:
    """Comments of three sorts at half of the statements and above the function."""
    edits = [before(function, f"/*\n * {function.title}() - does its work\n */")]
    for start, end, indent, _ in statements(source, function):
        sort = chance.randrange(6)
        if sort < 3:
            edits.append(
                (
                    (start, start, f"{indent}/* next; then if (x) free(p); */\n"),
                    (end, end, " // done"),
                    (start, start, f"{indent}/*\n{indent} * two lines\n{indent} */\n"),
                )[sort]
            )
    return source.changed(*edits)


def spaces_for_tabs(source: Source, function: Function, _: random.Random) -> Files | None:
    """Tabs become four spaces."""
    return {source.path: source.text.replace("\t", "    ")} if "\t" in source.text else None


def braces_on_lines(source: Source, function: Function, _: random.Random) -> Files | None:
    """An opening brace stands on a line of its own, in the whole file."""
    edits = [
        (match.start(2), match.start(3), f"\n{match[1]}")
        for match in re.compile(r"^([ \t]+)(?:if|for|while|switch)\b[^\n]*\)( )(\{)(?=[ \t]*$)", re.M).finditer(
            source.code
        )
    ]
    return source.changed(*edits) if edits else None


def break_arguments(source: Source, function: Function, _: random.Random) -> Files | None:
    """Each argument of a call stands on a line of its own."""
    edits = []
    for match in re.compile(r", (?=[^;{}\n]*\);)").finditer(source.code, function.start, function.end):
        line = source.code[source.code.rfind("\n", 0, match.start()) + 1 : match.start()]
        if "(" in line:
            edits.append((*match.span(), ",\n\t\t\t"))
    return source.changed(*edits) if edits else None


def join_lines(source: Source, function: Function, _: random.Random) -> Files | None:
    """Statements of several lines become one."""
    edits = [
        (*match.span(), " ")
        for match in re.compile(r"(?<=,)\s*\n\s*").finditer(source.code, function.start, function.end)
    ]
    edits = [edit for edit in edits if not source.text[edit[0] : edit[1]].strip()]
    return source.changed(*edits) if edits else None


def blank_lines(source: Source, function: Function, _: random.Random) -> Files | None:
    """An empty line before each statement."""
    edits = [(start, start, "\n") for start, *_rest in statements(source, function)]
    return source.changed(*edits) if edits else None
