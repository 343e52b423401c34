"""`mustfree explain`: the documentation page of a check."""

from __future__ import annotations

import click

from analyzer.checks import CHECKS, check_by_id


@click.command()
@click.argument("check", required=False, type=click.Choice([known.id for known in CHECKS]))
def explain(check: str | None) -> None:
    """Show what CHECK reports, why it matters, how to mend it and what it does not find.

    Without CHECK: list the checks.
    """
    if check is None:
        for known in CHECKS:
            click.echo(f"{known.id:<24}{known.title}")
        return
    click.echo(check_by_id(check).help.rstrip())
