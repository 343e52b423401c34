"""Bodies in place of calls: what comes out is well formed, and says whose each block is."""

from collections.abc import Mapping

from analyzer.ir.function import Function
from analyzer.ir.inline import Expansion, expand
from analyzer.ir.ops import Call, DeclareLocal, Goto, Load, ScopeEnd, Store
from analyzer.ir.text import parse_function, print_function
from analyzer.ir.validate import validate

TYPES = "  type 'char *' = pointer 64 of 'char' int\n  type 'struct s' = record 64\n"

CALLER = parse_function(
    "function f\n"
    + TYPES
    + """\
  result 'int'
  param p : 'char *'
  local x : 'int'
bb0:
  declare x
  %0 = load p : 'char *'
  %1 = call g(%0 : 'char *', &h() : 'char *') : 'int' @7
  store x = %1 : 'int'
  end-expression
  %2 = load x : 'int'
  end-expression
  scope-end x
  return %2
"""
)
CALLEE = parse_function(
    "function g\n"
    + TYPES
    + """\
  result 'int'
  param q : 'char *'
  param how : 'char *'
  local x : 'int'
bb0:
  declare x
  %0 = load how : 'char *'
  %1 = load q : 'char *'
  call (%0)(%1 : 'char *') : 'void'
  end-expression
  %2 = load q : 'char *'
  branch %2 ? bb1 : bb2
bb1:
  scope-end x
  return 1
bb2:
  scope-end x
  return 0
"""
)
LEAF = parse_function(
    "function h\n" + TYPES + "  result 'void'\n  param z : 'char *'\nbb0:\n  %0 = load z : 'char *'\n  return\n"
)


def _expanded(bodies: Mapping[str, Function], most: int = 1000) -> Expansion:
    def choose(op: Call, inside: tuple[str, ...]) -> Function | None:
        return bodies.get(op.name or "") if len(inside) < 3 else None

    return expand(CALLER, choose, most)


def _calls(function: Function) -> list[str | None]:
    return [op.name for block in function.blocks for op in block.ops if isinstance(op, Call)]


def test_nothing_to_expand():
    found = _expanded({})
    assert found.function is CALLER
    assert found.bodies == ()
    assert found.outermost(0) == -1


def test_a_body_stands_in_place_of_its_call():
    found = _expanded({"g": CALLEE})
    function = found.function
    assert validate(function) == [
        line for line in validate(function) if "end-expression" in line
    ]  # temps of the caller outlive expressions of the callee
    assert found.source is CALLER
    assert [body.name for body in found.bodies] == ["g"]
    start = function.blocks[0]
    assert [type(op) for op in start.ops[-5:]] == [DeclareLocal] * 3 + [Store] * 2
    assert isinstance(start.end, Goto)
    behind = function.blocks[1]
    assert isinstance(behind.ops[0], Load)
    assert behind.end == CALLER.blocks[0].end
    assert [found.outermost(n) for n in range(len(function.blocks))] == [-1, -1, 0, 0, 0]
    body = found.bodies[0]
    assert [function.locals[i].name for i in body.parameters] == ["$0q", "$0how"]
    assert [function.locals[i].name for i in body.own_locals()] == ["$0x"]
    ends = [op for block in function.blocks[3:] for op in block.ops if isinstance(op, ScopeEnd)]
    assert [op.locals for op in ends] == [(4,), body.parameters, (4,), body.parameters]


def test_everything_stands_at_the_call():
    found = _expanded({"g": CALLEE})
    call = next(op for op in CALLER.blocks[0].ops if isinstance(op, Call))
    assert {op.at for block in found.function.blocks[2:] for op in block.ops} == {call.at}


def test_a_function_that_is_passed_is_called_by_name():
    assert _calls(CALLEE) == [None]
    assert _calls(_expanded({"g": CALLEE}).function) == ["h"]


def test_bodies_in_bodies():
    found = _expanded({"g": CALLEE, "h": LEAF})
    assert _calls(found.function) == []
    assert [(body.name, body.outer) for body in found.bodies] == [("g", -1), ("h", 0)]
    inner = [number for number, body in enumerate(found.within) if body == 1]
    assert inner
    assert all(found.outermost(number) == 0 for number in inner)


def test_the_limit_is_kept():
    size = sum(len(block.ops) for block in CALLEE.blocks)
    assert _expanded({"g": CALLEE}, most=size - 1).bodies == ()
    assert [body.name for body in _expanded({"g": CALLEE, "h": LEAF}, most=size).bodies] == ["g"]


def test_arguments_that_do_not_fit_stay_a_call():
    assert _expanded({"g": LEAF}).bodies == ()


def test_text_round_trip():
    function = _expanded({"g": CALLEE, "h": LEAF}).function
    assert print_function(parse_function(print_function(function))) == print_function(function)
