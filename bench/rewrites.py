"""Rewritings that change nothing about what a program does: what people call refactoring.

Each takes one function of a file and a source of chance, and gives the new text of the file, with new files beside
it where it makes some; None where the function has no place for it. A rewriting may spoil a text that plays tricks
with macros: whoever uses one must see that the result still parses.
"""

from __future__ import annotations

import random
import re
from pathlib import PurePosixPath

import restatements as inside
from c_source import (
    Files,
    Function,
    Rewriting,
    Source,
    before,
    locals_of,
    parameters_of,
    pick,
    renamed,
    statements,
    uses,
    void,
)
from mutants import matching

RELEASES = {
    "free": "void *",
    "close": "int ",
    "fclose": "FILE *",
    "nlmsg_free": "struct nl_msg *",
    "freeaddrinfo": "struct addrinfo *",
    "closedir": "DIR *",
}
ACQUIRES = {
    "malloc": ("void *", ("size_t a_",)),
    "calloc": ("void *", ("size_t a_", "size_t b_")),
    "strdup": ("char *", ("const char *a_",)),
    "fopen": ("FILE *", ("const char *a_", "const char *b_")),
    "socket": ("int ", ("int a_", "int b_", "int c_")),
    "opendir": ("DIR *", ("const char *a_",)),
}


# -- names


def rename_local(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A local variable gets another name."""
    name = pick(chance, sorted(locals_of(source, function)))
    return renamed(source, name, f"{name}_now", function.start, function.end) if name else None


def rename_locals(source: Source, function: Function, _: random.Random) -> Files | None:
    """All local variables get other names."""
    names = sorted(locals_of(source, function))
    edits = [(a, b, f"my_{n}") for n in names for a, b in uses(source, n, function.start, function.end)]
    return source.changed(*edits) if edits else None


def rename_parameter(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A parameter of the definition gets another name."""
    name = pick(chance, sorted(parameters_of(function)))
    return renamed(source, name, f"the_{name}", function.name, function.end) if name else None


def rename_static(source: Source, function: Function, _: random.Random) -> Files | None:
    """A function that only this file sees gets another name."""
    if not source.static(function):
        return None
    return renamed(source, function.title, f"{function.title}_v2", 0, len(source.code))


def rename_label(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A label gets another name."""
    body = source.body(function)
    name = pick(chance, sorted(set(re.findall(r"\bgoto\s+(\w+)", body))))
    return renamed(source, name, f"{name}_all", function.start, function.end) if name else None


def rename_file(source: Source, function: Function, _: random.Random) -> Files | None:
    """The file gets another name."""
    path = PurePosixPath(source.path)
    return {str(path.with_name(f"{path.stem}_impl.c")): source.text}


# -- order and place


def move_down(source: Source, function: Function, _: random.Random) -> Files | None:
    """The function moves to the end of the file; a declaration stays."""
    if source.text[function.end + 1 :].strip() == "":
        return None
    whole = source.text[function.head : function.end + 1]
    end = len(source.text)
    return source.changed((function.head, function.end + 1, source.prototype(function)), (end, end, f"\n{whole}\n"))


def reorder(source: Source, function: Function, _: random.Random) -> Files | None:
    """The function changes places with the next one."""
    after = [other for other in source.functions if other.head > function.end]
    if not after or source.code[function.end + 1 : after[0].head].strip():
        return None
    other = after[0]
    first, second = (source.text[one.head : one.end + 1] for one in (function, other))
    return source.changed(
        (function.head, function.end + 1, f"{source.prototype(function)}\n\n{second}"),
        (other.head, other.end + 1, first),
    )


def move_file(source: Source, function: Function, _: random.Random) -> Files | None:
    """The function moves to a file of its own, with the same includes."""
    others = [one.title for one in source.functions if source.static(one)]
    used = {name for name in others if any(uses(source, name, function.head, function.end))}
    if used or source.static(function) or function.title == "main":
        return None
    includes = re.findall(r"^[ \t]*#[ \t]*include[^\n]*\n", source.text, re.M)
    moved = "".join(includes) + "\n" + source.text[function.head : function.end + 1] + "\n"
    path = PurePosixPath(source.path)
    here = source.changed((function.head, function.end + 1, source.prototype(function)))
    return {**here, str(path.with_name(f"{path.stem}_{function.title}.c")): moved}


def move_include(source: Source, function: Function, _: random.Random) -> Files | None:
    """The function moves to a file that is included in its place."""
    path = PurePosixPath(source.path)
    part = path.with_name(f"{path.stem}_{function.title}.h")
    here = source.changed((function.head, function.end + 1, f'#include "{part.name}"'))
    return {**here, str(part): source.text[function.head : function.end + 1] + "\n"}


def insert_function(source: Source, function: Function, _: random.Random) -> Files | None:
    """A function that nobody calls yet stands in front of it."""
    text = f"int {function.title}_version(void)\n{{\n\treturn 3;\n}}\n\n"
    return source.changed((function.head, function.head, text))


# -- helpers


def extract_body(source: Source, function: Function, _: random.Random) -> Files | None:
    """The body becomes a function of its own, which the old one calls."""
    names = parameters_of(function)
    if function.title == "main" or (not names and function.parameters.strip() not in ("void", "")):
        return None
    if re.search(r"\b__func__\b|\bva_start\b", source.body(function)):
        return None
    kind = source.text[function.head : function.name]
    plain = re.sub(r"\b(?:static|inline|extern)\b\s*", "", kind)
    inner = f"static {plain}{function.title}_inner{source.text[function.name + len(function.title) : function.end + 1]}"
    call = f"{function.title}_inner({', '.join(names)});"
    wrapper = f"{source.text[function.head : function.start]}{{\n\t{'' if void(plain) else 'return '}{call}\n}}"
    return source.changed((function.head, function.end + 1, f"{inner}\n\n{wrapper}"))


def extract_release(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A release goes into a helper."""
    sites = [s for s in statements(source, function) if re.match(rf"(?:{'|'.join(RELEASES)})\s*\([^()]*\);", s[3])]
    site = pick(chance, sites)
    if site is None:
        return None
    start, end, indent, code = site
    name = code.partition("(")[0].strip()
    helper = f"static void {function.title}_drop({RELEASES[name]}x)\n{{\n\t{name}(x);\n}}"
    call = f"{indent}{function.title}_drop{source.text[start + len(indent) + len(name) : end]}"
    return source.changed((start, end, call), before(function, helper))


def extract_acquisition(source: Source, function: Function, chance: random.Random) -> Files | None:
    """What allocates or opens goes into a helper."""
    calls = re.finditer(rf"(?<![\w.>])({'|'.join(ACQUIRES)})\s*\(", source.body(function))
    site = pick(chance, list(calls))
    if site is None:
        return None
    name = site[1]
    kind, wanted = ACQUIRES[name]
    given = ", ".join(re.findall(r"\w+(?=,|$)", ", ".join(wanted)))
    helper = f"static {kind}{function.title}_get({', '.join(wanted)})\n{{\n\treturn {name}({given});\n}}"
    start = function.start + site.start()
    return source.changed((start, start + len(name), f"{function.title}_get"), before(function, helper))


def extract_block(source: Source, function: Function, chance: random.Random) -> Files | None:
    """A run of statements that sets no local variable goes into a helper."""
    types = locals_of(source, function) | parameters_of(function)
    outer = [s for s in statements(source, function) if _movable(s[3], types)]
    runs = [outer[i : i + 2] for i in range(len(outer)) if _together(source, outer[i : i + 2])]
    runs += [[one] for one in outer]
    run = pick(chance, runs)
    if run is None:
        return None
    start, end = run[0][0], run[-1][1]
    used = [name for name in types if any(uses(source, name, start, end))]
    given = ", ".join(f"{types[name]}{name}" for name in used) or "void"
    helper = f"static void {function.title}_part({given})\n{{\n{source.text[start:end]}\n}}"
    return source.changed(
        (start, end, f"{run[0][2]}{function.title}_part({', '.join(used)});"), before(function, helper)
    )


def _movable(code: str, types: dict[str, str]) -> bool:
    if re.match(r"(?:return|goto|break|continue)\b|\w+\s*(?:=|[-+*/|&^%]=)", code):
        return False
    names = set(re.findall(r"(?<![\w.>])[A-Za-z_]\w*(?!\w)(?!\s*\()", code)) & types.keys()
    return bool(names) and not any(
        re.search(
            rf"(?<![\w.>]){n}\s*(?:=(?!=)|\+\+|--|[-+*/|&^%]=|<<=|>>=|\[)|(?:\+\+|--|(?<!&)&\s*){n}\b|(?<![\w.>]){n}\.",
            code,
        )
        for n in names
    )


def _together(source: Source, run: list[tuple[int, int, str, str]]) -> bool:
    return len(run) == 2 and run[0][2] == run[1][2] and not source.code[run[0][1] : run[1][0]].strip()


def add_parameter(source: Source, function: Function, _: random.Random) -> Files | None:
    """A static function gets one more parameter, and each caller gives 0 for it."""
    if not source.static(function) or not parameters_of(function):
        return None
    edits = []
    for _start, end in uses(source, function.title, 0, len(source.code)):
        opening = re.compile(r"\s*\(").match(source.code, end)
        close = matching(source.code, opening.end() - 1, len(source.code)) if opening else -1
        if close < 0:
            return None
        after = source.code[close + 1 :].lstrip()[:1]
        declared = end - len(function.title) == function.name or _is_prototype(source, _start, after)
        edits.append((close, close, ", int mode_" if declared else ", 0"))
    return source.changed(*edits)


def _is_prototype(source: Source, start: int, after: str) -> bool:
    line = source.code[source.code.rfind("\n", 0, start) + 1 : start]
    return after == ";" and re.match(r"(?:static|extern)\b", line) is not None


REWRITINGS: dict[str, Rewriting] = {
    "a local variable renamed": rename_local,
    "all local variables renamed": rename_locals,
    "a parameter renamed": rename_parameter,
    "a static function renamed": rename_static,
    "a label renamed": rename_label,
    "the file renamed": rename_file,
    "moved to the end of the file": move_down,
    "order of two functions": reorder,
    "moved to another file": move_file,
    "moved to an included file": move_include,
    "another function before it": insert_function,
    "body extracted": extract_body,
    "release extracted": extract_release,
    "acquisition extracted": extract_acquisition,
    "statements extracted": extract_block,
    "one more parameter": add_parameter,
    "if and else swapped": inside.swap_branches,
    "early return turned round": inside.turn_guard,
    "a && b nested": inside.nest_conditions,
    "condition in a variable": inside.name_condition,
    "!p as p == NULL": inside.compare_with_null,
    "declaration split": inside.split_declaration,
    "result in a variable": inside.name_result,
    "while to for": inside.while_to_for,
    "for to while": inside.for_to_while,
    "braces added": inside.add_braces,
    "const added": inside.make_const,
    "number to macro": inside.name_constant,
    "log lines added": inside.add_log,
    "comments added": inside.add_comments,
    "tabs to spaces": inside.spaces_for_tabs,
    "braces on lines of their own": inside.braces_on_lines,
    "arguments on lines of their own": inside.break_arguments,
    "lines joined": inside.join_lines,
    "empty lines added": inside.blank_lines,
}
