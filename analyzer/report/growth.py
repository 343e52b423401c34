"""How often a leak loses something, and how much, in a phrase."""

from __future__ import annotations

from analyzer.findings.model import Finding


def growth_sentence(finding: Finding) -> str:
    """``4 pages per message: in a loop that waits for a message in nl_recv()``; "" for what is no leak."""
    if finding.growth is None:
        return ""
    much = f"{finding.cost} {finding.growth.value}" if finding.cost else finding.growth.value
    return f"{much}: {finding.growth_reason}"
