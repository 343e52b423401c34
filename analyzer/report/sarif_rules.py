"""The parts of a SARIF log that are the same for every run: rules, notification kinds, the CWE taxonomy."""

from __future__ import annotations

import re
from collections.abc import Iterable

import sarif_om as om

from analyzer.checks import CHECKS, Check
from analyzer.findings.model import Finding, NoticeKind

WEB = "https://github.com/mustfree/mustfree"
_CWE_GUID = "5f8a3c1e-7d0b-4c2a-9a0e-2f6b1d4e8c37"
_CWE_NAMES = {
    401: "Missing Release of Memory after Effective Lifetime",
    404: "Improper Resource Shutdown or Release",
    415: "Double Free",
    416: "Use After Free",
    457: "Use of Uninitialized Variable",
    590: "Free of Memory not on the Heap",
    761: "Free of Pointer not at Start of Buffer",
    762: "Mismatched Memory Management Routines",
    763: "Release of Invalid Pointer or Reference",
    772: "Missing Release of Resource after Effective Lifetime",
    775: "Missing Release of File Descriptor or Handle after Effective Lifetime",
    824: "Access of Uninitialized Pointer",
    910: "Use of Expired File Descriptor",
    911: "Improper Update of Reference Count",
}
_NAMES = {"leak": "ResourceLeak"}  # elsewhere the id itself makes a name
_NOTIFICATIONS = {
    NoticeKind.BAD_INPUT: "A file or folder that was named is missing or cannot be read.",
    NoticeKind.NOT_ANALYSED: "A file or function was not analysed.",
    NoticeKind.DEGRADED: "A function was parsed with errors, so statements may be missing.",
    NoticeKind.SKIPPED: "A file was left out on purpose.",
    NoticeKind.MISSING_HEADER: "A header was not found; a stand-in was used.",
    NoticeKind.CONTRADICTION: "A definition contradicts the contract that wins over it.",
    NoticeKind.WRITTEN: "A contract of the project says something else than the function's body shows.",
    NoticeKind.NAME_ONLY: "A call fits a contract by its name only.",
    NoticeKind.SUPPRESSION: "A suppressing comment is wrong, unused or expired.",
    NoticeKind.BASELINE: "A baseline was written by other versions of mustfree or its packs.",
    NoticeKind.CHANGE: "The change edits what decides about findings, or flags and generated code.",
    NoticeKind.GAP: "A file or function was analysed on neither side of the change.",
    NoticeKind.SETTINGS: "Something that the settings or options ask for is met nowhere.",
    NoticeKind.FLAG: "A compiler flag was dropped or not understood.",
    NoticeKind.INTERNAL: "A mistake inside mustfree.",
}
ESCAPED = "escaped"
NOTIFICATION_IDS = [*(kind.value for kind in _NOTIFICATIONS), ESCAPED]


def rule_index(check: str) -> int:
    """Position of a check among the rules."""
    return [known.id for known in CHECKS].index(check)


def _paragraphs(markdown: str) -> list[str]:
    blocks = [" ".join(block.split()) for block in markdown.split("\n\n")]
    return [block for block in blocks if block and not block.startswith(("#", "```"))]


def _plain(markdown: str) -> str:
    """Markdown without its marks, for consumers that show text only."""
    text = re.sub(r"^#+ ", "", markdown, flags=re.MULTILINE)
    text = re.sub(r"^```\w*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "").strip()


def _rule_cwes(check: Check) -> list[int]:
    more = {"leak": [772, 775], "wrong-release": [590, 761, 762]}
    return [check.cwe, *more.get(check.id, [])]


def rules(cwes: list[int]) -> list[om.ReportingDescriptor]:
    """All checks, also those without findings: then a consumer can close what is fixed."""
    return [_rule(check, cwes) for check in CHECKS]


def _rule(check: Check, cwes: list[int]) -> om.ReportingDescriptor:
    tags = ["correctness", "reliability", "security"]
    tags += [f"external/cwe/cwe-{number}" for number in _rule_cwes(check)]
    return om.ReportingDescriptor(
        id=check.id,
        name=_NAMES.get(check.id) or "".join(part.title() for part in check.id.split("-")),
        short_description=om.MultiformatMessageString(text=check.title + "."),
        full_description=om.MultiformatMessageString(text=_paragraphs(check.help)[0][:1024]),
        help=om.MultiformatMessageString(text=_plain(check.help), markdown=check.help),
        help_uri=f"{WEB}/blob/main/docs/checks/{check.id}.md",
        default_configuration=om.ReportingConfiguration(level=check.level.value),
        relationships=[
            om.ReportingDescriptorRelationship(target=cwe_reference(number, cwes), kinds=["superset"])
            for number in _rule_cwes(check)
        ],
        properties={
            "tags": tags,
            "precision": "high",
            "problem.severity": check.level.value,
            "security-severity": check.security_severity,
        },
    )


def notifications() -> list[om.ReportingDescriptor]:
    """The kinds of notifications that a run can carry, in the order of NOTIFICATION_IDS."""
    known = {kind.value: text for kind, text in _NOTIFICATIONS.items()}
    known[ESCAPED] = "A resource went out of sight through a call or store."
    return [
        om.ReportingDescriptor(
            id=identity,
            short_description=om.MultiformatMessageString(text=text),
            full_description=om.MultiformatMessageString(text=text),
            help=om.MultiformatMessageString(text=text),
        )
        for identity, text in known.items()
    ]


def used_cwes(findings: Iterable[Finding]) -> list[int]:
    """The weaknesses that the log refers to, sorted."""
    wanted = {number for check in CHECKS for number in _rule_cwes(check)}
    return sorted(wanted | {finding.cwe for finding in findings if finding.cwe})


def cwe_reference(number: int, cwes: list[int]) -> om.ReportingDescriptorReference:
    """A reference to an entry of the taxonomy."""
    return om.ReportingDescriptorReference(
        id=str(number),
        index=cwes.index(number),
        tool_component=om.ToolComponentReference(name="CWE", index=0, guid=_CWE_GUID),
    )


def cwe_component() -> om.ToolComponentReference:
    """What the driver says it supports."""
    return om.ToolComponentReference(name="CWE", index=0, guid=_CWE_GUID)


def taxonomy(cwes: list[int]) -> om.ToolComponent:
    """The part of the Common Weakness Enumeration that the log uses."""
    return om.ToolComponent(
        name="CWE",
        guid=_CWE_GUID,
        organization="MITRE",
        version="4.15",
        information_uri="https://cwe.mitre.org/",
        download_uri="https://cwe.mitre.org/data/xml/cwec_v4.15.xml.zip",
        short_description=om.MultiformatMessageString(text="The MITRE Common Weakness Enumeration."),
        is_comprehensive=False,
        taxa=[
            om.ReportingDescriptor(
                id=str(number),
                name=_CWE_NAMES.get(number, f"CWE-{number}").replace(" ", ""),
                short_description=om.MultiformatMessageString(text=_CWE_NAMES.get(number, f"CWE-{number}") + "."),
                help_uri=f"https://cwe.mitre.org/data/definitions/{number}.html",
            )
            for number in cwes
        ],
    )
