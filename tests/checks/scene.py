"""A C function as text, and what the engine would say about it."""

from analyzer.checks import SourceText
from analyzer.findings.model import StepKind
from analyzer.ir.function import BasicBlock, Function
from analyzer.ir.ops import Call, Return
from analyzer.ir.types import INT, VOID
from analyzer.ownership.events import Event, EventKind, FunctionResult, PathStep
from analyzer.sources import LineIndex

SOURCE = b"""#include <stdlib.h>

static int receive(struct sock *sk, int *kinds)
{
	unsigned char *buf;
	int n = take(sk, &buf);

	if (n <= 0)
		return n;
	if (log(n) && kinds[0] != RTM_NEWLINK)
		return -1;
	switch (n + 1) {
	case 3:
		return 3;
	}
	while (!(n
		< 5 /* five */)) {
		free(buf);
		free(buf);
	}
	if (!good(n) || !!ready || n == !ready)
		return 4;
	buf = NULL; { take(sk, NULL); }
	char *end = tail > 2 ? buf : NULL, *more = odd && even ? buf : NULL;
}
"""


def at(text, occurrence=0, source=SOURCE):
    """Offset of the n-th occurrence of a text."""
    place = -1
    for _ in range(occurrence + 1):
        place = source.index(text.encode(), place + 1)
    return place


def call(name, place):
    return Call(place, None, name, None, (), (), VOID)


def function(source=SOURCE, **changes):
    ops = (
        call("take", at("take(", 0, source)),
        call("free", at("free(", 0, source)),
        call("free", at("free(", 1, source)),
        call("take", at("take(", 1, source)),
    )
    values = {
        "name": "receive",
        "linkage_name": "deep/dir/a.c:receive",
        "file": "deep/dir/a.c",
        "at": at("receive", 0, source),
        "end": source.rindex(b"}"),
        "result": INT,
        "parameters": 0,
        "locals": (),
        "blocks": (BasicBlock(ops, Return(at("return -1"), None)),),
        "static": True,
    }
    return Function(**{**values, **changes})


def source_text(source=SOURCE, of=None):
    return SourceText("deep/dir/a.c", LineIndex(source), of or function(source))


ACQUIRE = PathStep(at("take("), StepKind.ACQUIRE, "ret > 0")
BRANCH = PathStep(at("n <= 0"), StepKind.BRANCH, taken=False)
DECISIVE = PathStep(at("kinds[0] !="), StepKind.BRANCH, taken=True)


def event(kind=EventKind.LEAK_EXIT, place=None, **changes):
    place = at("return -1") if place is None else place
    values = {
        "kind": kind,
        "at": place,
        "acquired_at": at("take("),
        "callee": "take",
        "slot": "*buf",
        "holder": "buf",
        "resource_kind": "buffer",
        "noun": "buffer",
        "cwe": 401,
        "fits": ("free",),
        "steps": (ACQUIRE, BRANCH, DECISIVE, PathStep(place, StepKind.LOST)),
    }
    return Event(**{**values, **changes})


def result(*events, **changes):
    return FunctionResult(events=tuple(events), **changes)
