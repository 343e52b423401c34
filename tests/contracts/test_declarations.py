"""C declarations as libclang reads them."""

from analyzer.ir.types import CType, TypeKind
from analyzer.libclang.declarations import parse_declarations


def test_names_types_and_constants():
    parsed = parse_declarations(
        "typedef unsigned char byte;\n"
        "enum { NO = -1, TWO = 2, THREE };\n"
        "int f(struct s *sk, const byte **buf, enum e k, ...);\n"
        "void (*handler(int number, void (*func)(int)))(int again);\n"
        "long long g(void);\n"
    )
    assert parsed.problems == ()
    assert parsed.constants == {"NO": -1, "TWO": 2, "THREE": 3}
    f, handler, g = parsed.functions
    assert (f.name, f.line, f.names, f.variadic, f.prototyped) == ("f", 3, ("sk", "buf", "k"), True, True)
    assert f.result == CType(TypeKind.INT, "int", 32, True)
    assert f.parameters[0] == CType(
        TypeKind.POINTER, "struct s *", 64, pointee="struct s", pointee_kind=TypeKind.RECORD
    )
    assert f.parameters[1] == CType(
        TypeKind.POINTER,
        "const unsigned char **",
        64,
        pointee="const unsigned char *",
        pointee_kind=TypeKind.POINTER,
    )
    assert f.parameters[2].kind is TypeKind.INT
    assert handler.names == ("number", "func")
    assert handler.result.pointee_kind is TypeKind.FUNCTION
    assert (g.parameters, g.result.bits) == ((), 64)


def test_constant_pointee_and_array_parameter():
    (f,) = parse_declarations("int f(const char *text, int list[4], double d);").functions
    text, numbers, real = f.parameters
    assert text.pointee_const and not numbers.pointee_const
    assert (numbers.kind, numbers.pointee) == (TypeKind.POINTER, "int")
    assert real.kind is TypeKind.FLOAT


def test_every_error_has_its_place_and_the_rest_is_there():
    parsed = parse_declarations("int f(foo a);\nint g(int a);\nint h(bar *b, baz c);\n")
    assert [(p.line, p.column) for p in parsed.problems] == [(1, 7), (3, 7), (3, 15)]
    assert parsed.functions[1].name == "g"


def test_no_header_of_the_machine_is_seen():
    (problem,) = parse_declarations("#include <stdio.h>\n").problems
    assert "file not found" in problem.message
