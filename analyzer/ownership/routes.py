"""Names the functions through which a resource goes out of sight: what a contract would have to be written for."""

from __future__ import annotations

from analyzer.contracts.model import Provenance, Signature, Term
from analyzer.contracts.routes import Route
from analyzer.ownership.prepared import CallSite, Prepared

POINTER_CALL = "a call through a pointer"


def unknown_route(prepared: Prepared, site: CallSite) -> Route:
    """A call of a function without contract."""
    name = site.op.name or ""
    what = "" if name else POINTER_CALL
    return _route(prepared, site, name, _signature(site), name in prepared.defined, what)


def routes_behind(prepared: Prepared, site: CallSite, term: Term | None) -> tuple[Route, ...]:
    """Where the callee of an inferred contract lets `term` go; None: what lies outside of its parameters."""
    contract = site.contract
    if contract is None:
        return (unknown_route(prepared, site),)
    if contract.provenance is not Provenance.INFERRED:
        what = f"{contract.name}(), as its contract says"
        return (_route(prepared, site, "", what=what),)
    for place, routes in contract.routes:
        if place == term and routes:
            return routes
    return (_route(prepared, site, contract.name, contract.signature, defined=True),)


def _route(
    prepared: Prepared,
    site: CallSite,
    name: str,
    signature: Signature | None = None,
    defined: bool = False,
    what: str = "",
) -> Route:
    function = prepared.function
    return Route(name, function.file, site.op.at - function.at, signature, defined, what, function.body)


def _signature(site: CallSite) -> Signature:
    declared = site.declaration
    if declared is None or declared.implicit or not declared.prototyped:
        return Signature(site.op.result_type, site.op.argument_types)
    return Signature(declared.result, declared.parameters, declared.parameter_names, declared.variadic)
