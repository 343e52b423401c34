"""`mustfree config`: the settings in force, and where each comes from."""

from __future__ import annotations

import json
from typing import Any

import click

from analyzer.cli.check import check
from analyzer.cli.configured import ADDED, configured, typed
from analyzer.cli.options import FlagsCommand
from analyzer.findings.model import Confidence
from analyzer.project import ProjectSettings
from analyzer.project.display import place
from analyzer.project.keys import CHECK_IDS, KEYS
from analyzer.project.variants import variant_value

_OPTIONS = {key.option for key in KEYS.values()} | {"no_variants"}
_SHARED = [parameter for parameter in check.params if parameter.name in _OPTIONS]
_DEFAULTS: dict[str, Any] = {"checks": list(CHECK_IDS), "confidence": Confidence.MEDIUM.value, "levels": {}}


@click.command(cls=FlagsCommand, params=_SHARED)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def config(context: click.Context, /, form: str, **options: Any) -> None:  # noqa: ANN401 - click's own types
    """Show the settings in force for PATH, and where each comes from: default, file and line, or command line.

    Takes the options of `mustfree check` that settings can hold.
    """
    completed, found = configured(context, options)
    rows = [_row(context, name, completed, found) for name in KEYS if name != "extends"]
    if form == "json":
        click.echo(json.dumps({"file": found.file, "settings": {row.pop("key"): row for row in rows}}, indent=2))
        return
    width = max(len(row["key"]) for row in rows)
    for row in rows:
        click.echo(f"{row['key']:{width}} = {json.dumps(row['value'])}  # {row['from']}")


def _row(context: click.Context, name: str, completed: dict[str, Any], found: ProjectSettings) -> dict[str, Any]:
    option, entry = KEYS[name].option, found.entries.get(name)
    sources = [place(entry)] if entry else []
    if name == "variants" and completed["no_variants"]:
        sources = ["command line"]
    if option and typed(context, option):
        sources = [*dict.fromkeys([*(sources if option in ADDED else []), "command line"])]
    value = (
        completed[option] if option else found.get(name, _DEFAULTS.get(name, "" if KEYS[name].form == "text" else []))
    )
    if name == "variants":
        value = [variant_value(variant) for variant in value]
    return {"key": name, "value": value, "from": " and ".join(sources) or "default"}
