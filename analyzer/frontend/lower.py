"""One function definition to the IR: the tables of all constructs, parameters, the implicit return."""

from __future__ import annotations

from typing import Final

from analyzer.frontend import calls, conditions, expressions, initialisers, loops, places, statements
from analyzer.frontend.body import Body, Tables
from analyzer.frontend.declarations import Declarations
from analyzer.frontend.positions import FileText, Positions
from analyzer.frontend.tree import Tree
from analyzer.ir.function import Function, Variable
from analyzer.ir.operands import Int, Operand, Unknown
from analyzer.ir.ops import Return
from analyzer.ir.types import TypeKind
from analyzer.libclang import kinds

TABLES: Final = Tables(
    values={
        kinds.UNEXPOSED_EXPR: expressions.implicit,
        kinds.DECL_REF_EXPR: expressions.reference,
        kinds.MEMBER_REF_EXPR: expressions.read,
        kinds.ARRAY_SUBSCRIPT_EXPR: expressions.read,
        kinds.COMPOUND_LITERAL_EXPR: expressions.read,
        kinds.CALL_EXPR: calls.call,
        kinds.BLOCK_EXPR: expressions.block_literal,
        kinds.INTEGER_LITERAL: expressions.literal,
        kinds.CHARACTER_LITERAL: expressions.literal,
        kinds.CXX_BOOL_LITERAL_EXPR: expressions.literal,
        kinds.OBJ_BOOL_LITERAL_EXPR: expressions.literal,
        kinds.CXX_UNARY_EXPR: expressions.literal,
        kinds.FLOATING_LITERAL: expressions.unknown,
        kinds.IMAGINARY_LITERAL: expressions.unknown,
        kinds.ADDR_LABEL_EXPR: expressions.unknown,
        kinds.GNU_NULL_EXPR: expressions.null,
        kinds.CXX_NULL_PTR_LITERAL_EXPR: expressions.null,
        kinds.STRING_LITERAL: expressions.string,
        kinds.PAREN_EXPR: expressions.parenthesis,
        kinds.UNARY_OPERATOR: expressions.unary,
        kinds.BINARY_OPERATOR: expressions.binary,
        kinds.COMPOUND_ASSIGNMENT_OPERATOR: expressions.compound_assignment,
        kinds.CONDITIONAL_OPERATOR: conditions.conditional,
        kinds.CSTYLE_CAST_EXPR: expressions.cast,
        kinds.STMT_EXPR: statements.statement_expression,
        kinds.GENERIC_SELECTION_EXPR: conditions.generic,
        kinds.INIT_LIST_EXPR: expressions.parenthesis,
    },
    effects={
        kinds.UNEXPOSED_EXPR: expressions.several_effect,
        kinds.PAREN_EXPR: expressions.parenthesis_effect,
        kinds.CSTYLE_CAST_EXPR: expressions.parenthesis_effect,
        kinds.DECL_REF_EXPR: expressions.nothing,
        kinds.INTEGER_LITERAL: expressions.nothing,
        kinds.CXX_UNARY_EXPR: expressions.nothing,
        kinds.CALL_EXPR: calls.call_effect,
        kinds.BINARY_OPERATOR: expressions.assignment_effect,
        kinds.CONDITIONAL_OPERATOR: conditions.conditional_effect,
        kinds.STMT_EXPR: statements.statement_expression_effect,
    },
    places={
        kinds.DECL_REF_EXPR: places.variable_place,
        kinds.MEMBER_REF_EXPR: places.member_place,
        kinds.ARRAY_SUBSCRIPT_EXPR: places.element_place,
        kinds.UNARY_OPERATOR: places.unary_place,
        kinds.PAREN_EXPR: places.same_place,
        kinds.CSTYLE_CAST_EXPR: places.same_place,
        kinds.UNEXPOSED_EXPR: places.implicit_place,
        kinds.STRING_LITERAL: places.string_place,
        kinds.COMPOUND_LITERAL_EXPR: places.literal_place,
        kinds.CONDITIONAL_OPERATOR: places.conditional_place,
        kinds.BINARY_OPERATOR: places.binary_place,
        kinds.CALL_EXPR: calls.call_place,
        kinds.STMT_EXPR: statements.statement_expression_place,
        kinds.GENERIC_SELECTION_EXPR: conditions.generic_place,
    },
    statements={
        kinds.COMPOUND_STMT: statements.compound,
        kinds.DECL_STMT: statements.declaration,
        kinds.IF_STMT: statements.if_statement,
        kinds.SWITCH_STMT: statements.switch_statement,
        kinds.CASE_STMT: statements.case_statement,
        kinds.DEFAULT_STMT: statements.case_statement,
        kinds.WHILE_STMT: loops.while_statement,
        kinds.DO_STMT: loops.do_statement,
        kinds.FOR_STMT: loops.for_statement,
        kinds.LABEL_STMT: statements.label_statement,
        kinds.GOTO_STMT: statements.goto_statement,
        kinds.INDIRECT_GOTO_STMT: statements.computed_goto,
        kinds.BREAK_STMT: statements.break_statement,
        kinds.CONTINUE_STMT: statements.continue_statement,
        kinds.RETURN_STMT: statements.return_statement,
        kinds.ASM_STMT: statements.assembler,
        kinds.MS_ASM_STMT: statements.assembler,
        kinds.NULL_STMT: statements.null_statement,
        kinds.UNEXPOSED_STMT: statements.attributed,
    },
    branch=conditions.branch,
    initialise=initialisers.initialise,
)


def lower_function(
    tree: Tree, declarations: Declarations, file: FileText, start: int, end: int
) -> tuple[Function, Body]:
    """Lower the definition whose cursor is the tree's root. start, end: offsets of its name and last character."""
    cursor = tree.cursors[0]
    declared = declarations.of(cursor)
    body = Body(tree, declarations, Positions(file, start, end), TABLES)
    description = declarations.function(declared)
    body.function_name = declared.name
    body.file = file.name
    body.result = declarations.types.convert(declarations.unit.lib.getCursorResultType(cursor))
    body.enter(0)
    count = _parameters(body)
    inner = next((child for child in tree.children[0] if tree.kinds[child] == kinds.COMPOUND_STMT), None)
    if inner is not None:
        body.statement(inner)
    _implicit_return(body, end)
    function = Function(
        name=declared.name,
        linkage_name=f"{file.name}:{declared.name}" if description.static else declared.name,
        file=file.name,
        at=start,
        end=end,
        result=body.result,
        parameters=count,
        locals=tuple(body.locals),
        blocks=body.builder.finish(end, count),
        static=description.static,
        variadic=description.variadic,
        noreturn=description.noreturn,
        macros=body.positions.macros,
        degraded=tuple(body.degraded),
    )
    return function, body


def _parameters(body: Body) -> int:
    cursor = body.cursor(0)
    count: int = max(0, body.lib.Cursor_getNumArguments(cursor))
    for number in range(count):
        parameter = body.lib.Cursor_getArgument(cursor, number)
        declared = body.declarations.of(parameter)
        at = body.positions.of(parameter)
        local = body.declare(Variable(declared.name, declared.ctype, at, parameter=True), declared.key)
        body.scopes[0].locals.append((local, 0))
    return count


def _implicit_return(body: Body, end: int) -> None:
    """The way out at the closing brace."""
    value: Operand | None = None
    if body.result.kind not in (TypeKind.VOID, TypeKind.RECORD):
        value = Int(0) if body.function_name == "main" else Unknown()
    body.end_scopes(0, end)
    body.builder.end(Return(end, value))
