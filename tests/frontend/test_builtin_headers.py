"""The compiler's own headers that we ship: complete, without errors, with and without a C library."""

from pathlib import Path

import pytest

from analyzer.frontend import FrontendOptions, lower_file
from analyzer.libclang.parse import RESOURCE_DIR

HEADERS = sorted(path.name for path in (Path(RESOURCE_DIR) / "include").glob("*.h"))
STANDARDS = ["-std=c99", "-std=gnu11", "-std=gnu17", "-std=c2x"]
USES = """
#include <float.h>
#include <iso646.h>
#include <limits.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
noreturn void stop(void);
static atomic_int counter;
struct pair { char c; max_align_t m; };
int64_t f(bool yes, ...) {
  alignas(16) char room[16];
  va_list list;
  va_start(list, yes);
  size_t n = va_arg(list, size_t);
  va_end(list);
  atomic_fetch_add(&counter, 1);
  if (not yes and n > SIZE_MAX / 2) stop();
  uint8_t *p = NULL;
  ptrdiff_t d = p - (uint8_t *)room;
  wchar_t w = 0;
  return INT64_C(3) + UCHAR_MAX + INT_MIN + LLONG_MAX + offsetof(struct pair, m) + d + w + (DBL_MAX > 1);
}
"""
NEEDS = """
#define __need_size_t
#include <stddef.h>
#define __need_wchar_t
#define __need_NULL
#include <stddef.h>
#define __need___va_list
#include <stdarg.h>
size_t n; wchar_t w; void *p = NULL; __gnuc_va_list list;
typedef int ptrdiff_t;
typedef int va_list;
int f(void) { return 0; }
"""


def errors(tmp_path, text, *flags):
    path = tmp_path / "a.c"
    path.write_text(text)
    unit = lower_file(str(path), FrontendOptions(flags=flags))
    assert [function.name for function in unit.functions] == ["f"]
    return [(item.file, item.line, item.message) for item in unit.diagnostics] + list(unit.missing_headers)


@pytest.mark.parametrize("libc", [(), ("-nostdinc",)], ids=["libc", "nostdinc"])
@pytest.mark.parametrize("standard", STANDARDS)
@pytest.mark.parametrize("header", HEADERS)
def test_each_header_alone(tmp_path, header, standard, libc):
    assert errors(tmp_path, f"#include <{header}>\nint f(void) {{ return 0; }}\n", standard, *libc) == []


@pytest.mark.parametrize("libc", [(), ("-nostdinc",), ("-nostdinc", "-ffreestanding")], ids=len)
@pytest.mark.parametrize("standard", ["-std=gnu11", "-std=gnu17"])
def test_what_they_supply(tmp_path, standard, libc):
    assert errors(tmp_path, USES, standard, *libc) == []


def test_single_types_are_given_when_asked_for_and_no_others(tmp_path):
    assert errors(tmp_path, NEEDS, "-nostdinc") == []


def test_checked_arithmetic_of_c23(tmp_path):
    text = "#include <stdckdint.h>\nint f(int a) { int r; return ckd_add(&r, a, 1) ? -1 : r; }\n"
    assert errors(tmp_path, text, "-std=c2x") == []
