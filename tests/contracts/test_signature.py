"""When is a declaration seen in a program the function that a contract describes?"""

import pytest

from analyzer.contracts.model import Signature
from analyzer.contracts.signature import mismatch
from analyzer.ir.function import FunctionDeclaration
from analyzer.ir.types import UNKNOWN
from analyzer.libclang.declarations import Declared, parse_declarations

PRELUDE = """
typedef unsigned long size_t;
typedef struct _IO_FILE FILE;
typedef struct { int x; } point;
typedef union { struct sockaddr *a; } __ARG __attribute__((transparent_union));
enum kind { A, B };
"""


def declared(text: str) -> Declared:
    parsed = parse_declarations(f"{PRELUDE}{text};")
    assert parsed.problems == ()
    return parsed.functions[-1]


def difference(wanted: str, found: str) -> str:
    one, other = declared(wanted), declared(found)
    signature = Signature(one.result, one.parameters, one.names, one.variadic)
    return mismatch(signature, FunctionDeclaration(other.name, other.result, other.parameters, variadic=other.variadic))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("int f(struct s *a, char **b)", "int f(struct s *a, char **b)"),
        ("int f(const char *a)", "int f(char *a)"),
        ("int f(const unsigned char *a)", "int f(char *a)"),
        ("int f(void *a)", "int f(struct s *a)"),
        ("int f(void **a)", "int f(struct s **a)"),
        ("int f(int a)", "unsigned char f(long a)"),
        ("int f(enum kind a)", "_Bool f(unsigned a)"),
        ("int f(int *a)", "int f(unsigned long *a)"),
        ("int f(char a[3])", "int f(char *a)"),
        ("int f(int (*a)(int))", "int f(void (*a)(void))"),
        ("int f(FILE *a)", "int f(struct __file *a)"),
        ("int f(struct sockaddr *a)", "int f(__ARG a)"),
        ("int f(const char *a, ...)", "int f(const char *a, ...)"),
        ("point f(point a)", "point f(point a)"),
        ("double f(float a)", "float f(double a)"),
    ],
)
def test_fits(wanted: str, found: str):
    assert difference(wanted, found) == ""


@pytest.mark.parametrize(
    ("wanted", "found", "why"),
    [
        ("int f(int a)", "int f(int a, int b)", "it has 2 parameters, not 1"),
        ("int f(int a, int b)", "int f(int a)", "it has 1 parameter, not 2"),
        ("int f(char *a)", "int f(char *a, ...)", "it takes variable arguments"),
        ("int f(char *a, ...)", "int f(char *a)", "it takes no variable arguments"),
        ("int f(char *a)", "int f(int a)", "its parameter 1 is int, not char *"),
        ("int f(int a, char *b)", "int f(int a, char **b)", "its parameter 2 is char **, not char *"),
        ("int f(struct s *a)", "int f(struct t *a)", "its parameter 1 is struct t *, not struct s *"),
        ("int f(struct s **a)", "int f(struct t **a)", "its parameter 1 is struct t **, not struct s **"),
        ("int f(struct s *a)", "int f(int *a)", "its parameter 1 is int *, not struct s *"),
        ("int f(void *a)", "int f(int (*a)(void))", "its parameter 1 is int (*)(void), not void *"),
        ("int f(int a)", "int f(point a)", "its parameter 1 is point, not int"),
        ("int f(int a)", "int f(double a)", "its parameter 1 is double, not int"),
        ("void f(int a)", "int f(int a)", "it returns int, not void"),
        ("char *f(int a)", "int f(int a)", "it returns int, not char *"),
    ],
)
def test_does_not_fit(wanted: str, found: str, why: str):
    assert difference(wanted, found) == why


def test_an_unknown_type_fits_any():
    wanted = declared("int f(struct s *a)")
    signature = Signature(wanted.result, wanted.parameters)
    assert mismatch(signature, FunctionDeclaration("f", UNKNOWN, (UNKNOWN,))) == ""
