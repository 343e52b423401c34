"""Rule files written in tests."""

from textwrap import dedent, indent

from analyzer.contracts.loader import parse_pack
from analyzer.contracts.model import FunctionContract, Pack, Provenance
from analyzer.errors import ContractError

HEAD = """\
library: lib
kinds:
  heap: {release: [lib_free], noun: buffer}
  fd: {release: [lib_close], integer: true}
declare: |
  enum { E_BUSY = 7, F_OWN = 4 };
  #define L_MAX 16
  #define L_FAILED ((void *) -1)
"""


def pack(text: str, provenance: Provenance = Provenance.PACK) -> Pack:
    return parse_pack(dedent(text), "lib.yaml", provenance)


def function(entry: str) -> FunctionContract:
    """The contract of one item of `functions:`, written as the text behind the dash."""
    text = indent(dedent(entry).strip(), "    ").lstrip()
    (contract,) = parse_pack(f"{HEAD}functions:\n  - {text}\n", "lib.yaml").functions
    return contract


def problems(text: str) -> list[str]:
    """The mistakes in a rule file; none is [] ."""
    try:
        parse_pack(dedent(text), "lib.yaml")
    except ContractError as error:
        return error.problems
    return []


def entry_problems(entry: str) -> list[str]:
    """The mistakes in one function, without file and line."""
    text = indent(dedent(entry).strip(), "    ").lstrip()
    return [line.split(": ", 1)[1] for line in problems(f"{HEAD}functions:\n  - {text}\n")]
