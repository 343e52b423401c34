"""The keys of a settings file: what each takes, and which option of the command line means the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from analyzer.checks import CHECKS
from analyzer.contracts.beliefs import BORROW, ESCAPE
from analyzer.findings.model import Confidence, Level
from analyzer.report.failing import FAIL_ON

CHECK_IDS = tuple(check.id for check in CHECKS)
LEVELS = tuple(level.value for level in Level)
CONFIDENCES = tuple(confidence.value for confidence in Confidence)


@final
@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    form: "text", "texts", "number", "decimal", "switch", "levels" or "variants". option: the command line's
    parameter, "" where there is none. choices: the only texts allowed, () for any. least: the smallest number.
    paths: the texts name files, relative to the folder of the settings file.
    """

    form: str
    option: str = ""
    choices: tuple[str, ...] = ()
    least: int = 0
    paths: bool = False


_CAPS = ("states", "ways", "steps", "lent-steps", "search", "alarms", "path", "acquisitions")  # ownership.limits
KEYS: dict[str, Key] = {
    "extends": Key("text", paths=True),
    "required-version": Key("text"),
    "paths": Key("texts", "paths", paths=True),
    "exclude": Key("texts", "exclude", paths=True),
    "compile-commands": Key("text", "database", paths=True),
    "toolchain": Key("text", "toolchain", paths=True),
    "rules": Key("texts", "rules"),
    "noreturn": Key("texts", "noreturn"),
    "unknown-calls": Key("text", "unknown_calls", choices=(ESCAPE, BORROW)),
    "variants": Key("variants", "variants"),
    "checks": Key("texts", choices=CHECK_IDS),
    "levels": Key("levels", choices=LEVELS),
    "confidence": Key("text", choices=CONFIDENCES),
    "ignore-allocators": Key("texts"),
    "generated": Key("texts", paths=True),
    "baseline": Key("text", "baseline", paths=True),
    "exit-leaks": Key("switch", "exit_leaks"),
    "strict": Key("switch", "strict"),
    "fail-on": Key("texts", "fail_on", choices=FAIL_ON),
    "exit-zero": Key("switch", "exit_zero"),
    "jobs": Key("number", "jobs"),
    **{f"max-{name}": Key("number", f"max_{name.replace('-', '_')}", least=1) for name in _CAPS},
    "time-limit": Key("decimal", "time_limit"),
    "memory-limit": Key("number", "memory_limit"),
}


def mistake(name: str, value: object) -> str:
    """What is wrong with the value of a known key, and what it takes; "" when nothing is."""
    key = KEYS[name]
    match key.form:
        case "switch":
            return "" if isinstance(value, bool) else "takes true or false"
        case "number":
            good = isinstance(value, int) and not isinstance(value, bool) and value >= key.least
            return "" if good else f"takes a whole number, {key.least} or more"
        case "decimal":
            good = isinstance(value, int | float) and not isinstance(value, bool) and value >= key.least
            return "" if good else f"takes a number, {key.least} or more"
        case "text":
            return _text_mistake(value, key.choices, "takes a text")
        case "texts":
            if not isinstance(value, list):
                return 'takes a list of texts: ["...", "..."]'
            return next(filter(None, (_text_mistake(item, key.choices, "takes texts") for item in value)), "")
        case "levels":
            return _levels_mistake(value)
        case _:
            return ""  # see `project.variants`


def _text_mistake(value: object, choices: tuple[str, ...], form: str) -> str:
    if not isinstance(value, str) or not value:
        return f"{form}, not empty"
    if choices and value not in choices:
        return f'"{value}" is not one of {", ".join(choices)}'
    return ""


def _levels_mistake(value: object) -> str:
    if not isinstance(value, dict):
        return 'takes a table: {leak = "error"}'
    for check, level in value.items():
        if check not in CHECK_IDS:
            return f'"{check}" is not one of {", ".join(CHECK_IDS)}'
        wrong = _text_mistake(level, LEVELS, f"takes a level for {check}")
        if wrong:
            return wrong
    return ""
