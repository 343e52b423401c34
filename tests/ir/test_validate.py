"""The validator accepts well-formed functions and names each defect where it is."""

from dataclasses import replace

import pytest

from analyzer.ir.text import parse_function
from analyzer.ir.validate import validate

HEAD = """\
function f
  type 'struct s' = record 64
  type 'char *' = pointer 64 of 'char' int
  result 'int'
  param p : 'char *'
  local x : 'int'
  local r : 'struct s'
"""

GOOD = (
    HEAD
    + """\
bb0:
  declare x
  declare r
  %0 = load p : 'char *'
  %1 = %0 + 1 pointer scale 8
  %2 = call g(%1 : 'char *') : 'int'
  branch %2 ? bb1 : bb2
bb1:
  %3 = &r
  call h(%3 : 'struct s', %2 : 'int') : 'struct s' into r
  end-expression
  goto bb3
bb2:
  %4 = load x : 'int'
  end-expression
  scope-end x, r
  return %4
bb3:
  %5 = load x : 'int'
  end-expression
  branch %5 ? bb3 : bb4
bb4:
  scope-end x, r
  return 0
"""
)


def test_well_formed():
    assert validate(parse_function(GOOD)) == []


DEFECTS = {
    "entry": ("bb0:\n goto bb0", "bb0: jumps to the entry"),
    "no target": ("bb0:\n goto bb7", "bb0: jumps to bb7, which does not exist"),
    "defined twice": (
        "bb0:\n %0 = load x : 'int'\n %0 = load x : 'int'\n return",
        "bb0[1]: %0 is defined in bb0[0] already",
    ),
    "used before": (
        "bb0:\n %0 = - %1\n %1 = load x : 'int'\n return",
        "bb0[0]: %1 is used where not every path has defined it",
    ),
    "one path only": (
        "bb0:\n branch ? ? bb1 : bb2\nbb1:\n %0 = load x : 'int'\n goto bb2\nbb2:\n return %0",
        "bb2[end]: %0 is used where not every path has defined it",
    ),
    "undefined pointer": (
        "bb0:\n store *(%9) = 1 : 'int'\n return",
        "bb0[0]: %9 is used where not every path",
    ),
    "dead temp": (
        "bb0:\n %0 = load x : 'int'\n end-expression\n store x = %0 : 'int'\n return",
        "bb0[2]: %0 is used after the end of its full expression",
    ),
    "dead temp in another block": (
        "bb0:\n %0 = load x : 'int'\n end-expression\n branch %0 ? bb1 : bb1\nbb1:\n return %0",
        "bb1[end]: %0 is used after the end of its full expression",
    ),
    "scalar record": (
        "bb0:\n %0 = load r : 'struct s'\n return",
        "bb0[0]: reads or writes a record as a scalar",
    ),
    "operator": ("bb0:\n %0 = 1 * 2 pointer\n return", "bb0[0]: pointer arithmetic with *"),
    "record result": ("bb0:\n %0 = call g() : 'struct s'\n return", "bb0[0]: a record result in a temp"),
    "scalar into record": ("bb0:\n call g() : 'int' into r\n return", "bb0[0]: a int result in a record"),
    "void result": ("bb0:\n %0 = call g() : 'void'\n return", "bb0[0]: a void result in a temp"),
    "record argument": (
        "bb0:\n call g(1 : 'struct s') : 'int'\n return",
        "bb0[0]: a record argument that is not",
    ),
    "undeclared scope": (
        "bb0:\n scope-end x\n return",
        "bb0[0]: ends the scope of x, which is declared nowhere",
    ),
    "scope twice": (
        "bb0:\n declare x\n scope-end x, x\n return",
        "bb0[1]: ends the scope of no local, or of one",
    ),
    "declared parameter": ("bb0:\n declare p\n return", "bb0[0]: declares a parameter"),
    "case": ("bb0:\n switch 1 {2..1 -> bb1} else bb1\nbb1:\n return", "bb0[end]: empty case 2..1"),
    "record returned": ("bb0:\n return record r", "bb0[end]: returns a record as int"),
    "member": ("bb0:\n zero r.x@-7 bits 1\n return", "bb0[0]: member 'x' at -7"),
    "element": ("bb0:\n zero r[1 x -7] bits 1\n return", "bb0[0]: element size -7"),
    "offset": ("bb0:\n zero r bits 1 @5000\n return", "bb0[0]: offset 5000 lies outside 0..10"),
    "size": ("bb0:\n zero r bits -1\n return", "bb0[0]: size -1"),
}


@pytest.mark.parametrize("case", DEFECTS)
def test_defect(case):
    body, expected = DEFECTS[case]
    found = validate(parse_function(HEAD + body))
    assert len(found) == 1, found
    assert found[0].startswith(expected)


def test_heads():
    good = parse_function(GOOD)
    assert validate(replace(good, parameters=2))[0] == ("the 2 parameters are not the first locals")
    assert validate(replace(good, name="")) == ["no name"]
    assert validate(replace(good, blocks=())) == ["no blocks"]
    assert "bad range 9999..10" in validate(replace(good, at=9999, end=10))
    assert validate(replace(good, macros={-4: "M"})) == ["macro at -4"]


def test_calls_have_one_callee_and_a_type_per_argument():
    good = parse_function(GOOD)
    block = good.blocks[0]
    call = block.ops[4]
    for broken in (replace(call, name=None), replace(call, argument_types=())):
        ops = (*block.ops[:4], broken)
        found = validate(replace(good, blocks=(replace(block, ops=ops), *good.blocks[1:])))
        assert len(found) == 1
        assert found[0].startswith("bb0[4]: ")


def test_unreachable_blocks_may_use_what_they_like():
    text = HEAD + "bb0:\n return\nbb1:\n %1 = - %0\n return %1\nbb2:\n %0 = load x : 'int'\n goto bb1"
    assert validate(parse_function(text)) == []
