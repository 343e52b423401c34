"""A pack as C: what stands in for the headers of its library where these are missing."""

from __future__ import annotations

import re

from analyzer.contracts.model import FunctionContract, Pack
from analyzer.ir.types import CType


def virtual_header(pack: Pack) -> str:
    """The pack's `declare:` text and all its prototypes, with an include guard.

    Compiles alone, and beside the real headers as far as `declare:` guards its types.
    """
    guard = "MUSTFREE_" + re.sub(r"\W", "_", pack.library).upper()
    prototypes = "\n".join(prototype(function) + ";" for function in pack.functions)
    return f"#ifndef {guard}\n#define {guard}\n{pack.declare}\n{prototypes}\n#endif\n"


def prototype(function: FunctionContract) -> str:
    """The function's C declaration, without the semicolon: as written, or made from the types."""
    if function.declaration:
        return function.declaration
    signature = function.signature
    names = signature.names or ("",) * len(signature.parameters)
    parameters = [declarator(of, name) for of, name in zip(signature.parameters, names, strict=True)]
    if signature.variadic:
        parameters.append("...")
    return declarator(signature.result, f"{function.name}({', '.join(parameters) or 'void'})")


def declarator(of: CType, name: str) -> str:
    """``type name``, with the name inside for pointers to functions: ``int (*cb)(void *)``."""
    spelling = of.spelling
    inside = re.search(r"\(\*+", spelling)
    if inside:
        return f"{spelling[: inside.end()]}{name}{spelling[inside.end() :]}"
    array = spelling.find("[")
    if array >= 0:
        return f"{spelling[:array].rstrip()} {name}{spelling[array:]}"
    return f"{spelling}{'' if spelling.endswith('*') else ' '}{name}".rstrip()
