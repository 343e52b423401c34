"""The text of the IR reads back as the same function, and bad text is refused with its line."""

import pytest
from hypothesis import given, settings

from analyzer.errors import IrError
from analyzer.ir.function import TranslationUnit
from analyzer.ir.operands import Field, LocalBase, Place, Temp
from analyzer.ir.ops import Call, Return, Store
from analyzer.ir.text import parse_function, print_function, print_unit
from tests.ir.strategies import functions

SERVE = """\
function serve "a.c:serve" static
  file "src/a.c" 10..180
  type 'void *' = pointer 64 of 'void' void
  type 'unsigned char *' = pointer 64 of 'unsigned char' int
  result 'int'
  param sk : 'void *' @20
  local buf#1 : 'unsigned char *' @40
  local buf#2 : 'int' cleanup close_it @41
  macro 60 NLMSG_DATA
bb0:
  declare buf#1 @40
  init buf#1 = 0 : 'unsigned char *' @40
  %0 = load sk : 'void *' @60
  %1 = &buf#1 @60
  %2 = call nl_recv(%0 : 'void *', %1 : 'void *') : 'int' @60
  %3 = %2 > 0 @70
  branch %3 ? bb1 : bb2 @70
bb1:
  %4 = load *(%0).q@64[%2 x 8] : 'void *' @80
  call (%4)("x" : 'void *', -1 : 'int', &f() : 'int', ? : 'int') : 'void' into @"a.c:g" @80
  end-expression @80
  scope-end buf#1, buf#2 @90
  return %2 @90
bb2:
  switch %2 {-3..-1 -> bb1, 0 -> bb3} else bb3 @95
bb3:
  stop "noreturn abort" @96
"""


@settings(max_examples=150, deadline=None)
@given(functions())
def test_every_function_reads_back(function):
    assert parse_function(print_function(function)) == function


def test_text_is_what_the_documentation_shows():
    assert print_function(parse_function(SERVE)) == SERVE


def test_hand_written_text_needs_no_offsets():
    function = parse_function(
        """
        function f          ; a comment
          local s : 'int'
        bb0:
          %1 = call get() : 'int'
          store s.x@32 = %1 : 'int'
          return
        """
    )
    assert function.file == "test.c"
    call, store = function.blocks[0].ops
    assert isinstance(call, Call)
    assert (call.result, call.at) == (Temp(1), 5)
    assert isinstance(store, Store)
    assert store.place == Place(LocalBase(0), (Field("x", 32),))
    assert function.blocks[0].end == Return(7, None)
    assert (function.at, function.end) == (0, 7)


BAD = [
    ("", 0, "no function"),
    ("function f", 1, "no terminator"),
    ("function f\nbb1:\n return", 2, "expected bb0"),
    ("function f\nbb0:\n %1 = load x : 'int'\n return", 3, "unknown local x"),
    ("function f\nbb0:\n %1 = call g() : 'T'\n return", 3, "no line that explains"),
    ("function f\nbb0:\n %1 = 2 ? 3\n return", 3, "unknown operator"),
    ("function f\nbb0:\n frobnicate\n return", 3, "unknown operation frobnicate"),
    ("function f\nbb0:\n return 1 2", 3, "unexpected 2"),
    ("function f\nbb0:\n return\n return", 4, "expected a block's label"),
    ("function f\nbb0:\nbb1:\n return", 3, "no terminator"),
    ("function f\nbb0:\n goto 1", 3, "expected a block"),
    ("function f\n local x : 'int'\n local x : 'int'\nbb0:\n return", 3, "declared twice"),
    ("function f\n type 'x' = widget 3\nbb0:\n return", 2, "unknown kind of type widget"),
    ('function f\nbb0:\n stop "\\q"', 3, "bad string"),
    ("function f\nbb0:\n return `", 3, "cannot read"),
    ("function f\n local y#3 : 'int'\nbb0:\n return", 2, "local number 0"),
    ("function f\nbb0:\n return )", 3, "expected an operand"),
]


@pytest.mark.parametrize(("text", "line", "message"), BAD)
def test_bad_text_names_its_line(text, line, message):
    with pytest.raises(IrError, match=f"^line {line}: .*{message.replace('?', '.')}"):
        parse_function(text)


def test_unit_shows_its_functions():
    unit = TranslationUnit("a.c", (parse_function(SERVE),), {}, {}, missing_headers=("netlink/netlink.h",))
    shown = print_unit(unit)
    assert "missing header netlink/netlink.h" in shown
    assert SERVE in shown
