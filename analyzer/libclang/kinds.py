"""Numbers of libclang 18's cursor, type and operator kinds, as far as the front end distinguishes them.

A test compares them with the enumerations of the `clang` bindings.
"""

from __future__ import annotations

from typing import Final

# declarations
UNEXPOSED_DECL: Final = 1
STRUCT_DECL: Final = 2
UNION_DECL: Final = 3
ENUM_DECL: Final = 5
FIELD_DECL: Final = 6
ENUM_CONSTANT_DECL: Final = 7
FUNCTION_DECL: Final = 8
VAR_DECL: Final = 9
PARM_DECL: Final = 10
TYPEDEF_DECL: Final = 20
LAST_DECL: Final = 39

# references: their node pointers repeat those of other nodes
FIRST_REF: Final = 40
TYPE_REF: Final = 43
MEMBER_REF: Final = 47
LABEL_REF: Final = 48
LAST_REF: Final = 50

# expressions
UNEXPOSED_EXPR: Final = 100
DECL_REF_EXPR: Final = 101
MEMBER_REF_EXPR: Final = 102
CALL_EXPR: Final = 103
BLOCK_EXPR: Final = 105
INTEGER_LITERAL: Final = 106
FLOATING_LITERAL: Final = 107
IMAGINARY_LITERAL: Final = 108
STRING_LITERAL: Final = 109
CHARACTER_LITERAL: Final = 110
PAREN_EXPR: Final = 111
UNARY_OPERATOR: Final = 112
ARRAY_SUBSCRIPT_EXPR: Final = 113
BINARY_OPERATOR: Final = 114
COMPOUND_ASSIGNMENT_OPERATOR: Final = 115
CONDITIONAL_OPERATOR: Final = 116
CSTYLE_CAST_EXPR: Final = 117
COMPOUND_LITERAL_EXPR: Final = 118
INIT_LIST_EXPR: Final = 119
ADDR_LABEL_EXPR: Final = 120
STMT_EXPR: Final = 121
GENERIC_SELECTION_EXPR: Final = 122
GNU_NULL_EXPR: Final = 123
CXX_BOOL_LITERAL_EXPR: Final = 130
CXX_NULL_PTR_LITERAL_EXPR: Final = 131
CXX_UNARY_EXPR: Final = 136
OBJ_BOOL_LITERAL_EXPR: Final = 145
LAST_EXPR: Final = 199

# statements
UNEXPOSED_STMT: Final = 200
LABEL_STMT: Final = 201
COMPOUND_STMT: Final = 202
CASE_STMT: Final = 203
DEFAULT_STMT: Final = 204
IF_STMT: Final = 205
SWITCH_STMT: Final = 206
WHILE_STMT: Final = 207
DO_STMT: Final = 208
FOR_STMT: Final = 209
GOTO_STMT: Final = 210
INDIRECT_GOTO_STMT: Final = 211
CONTINUE_STMT: Final = 212
BREAK_STMT: Final = 213
RETURN_STMT: Final = 214
ASM_STMT: Final = 215
MS_ASM_STMT: Final = 229
NULL_STMT: Final = 230
DECL_STMT: Final = 231

TRANSLATION_UNIT: Final = 350
FIRST_ATTR: Final = 400
UNEXPOSED_ATTR: Final = 400
LAST_ATTR: Final = 441
STATIC_ASSERT: Final = 602

# types
TYPE_VOID: Final = 2
TYPE_BOOL: Final = 3
TYPE_FIRST_UNSIGNED: Final = 4  # char, unsigned char ... unsigned __int128
TYPE_LAST_UNSIGNED: Final = 12
TYPE_FIRST_SIGNED: Final = 13  # char, signed char ... __int128
TYPE_LAST_SIGNED: Final = 20
TYPE_FLOATS: Final = frozenset({21, 22, 23, 30, 31, 32, 39, 40, 100})  # float ... __ibm128, _Complex
TYPE_NULLPTR: Final = 24
TYPE_POINTER: Final = 101
TYPE_BLOCK_POINTER: Final = 102
TYPE_RECORD: Final = 105
TYPE_ENUM: Final = 106
TYPE_FUNCTION_NO_PROTO: Final = 110
TYPE_FUNCTION_PROTO: Final = 111
TYPE_CONSTANT_ARRAY: Final = 112
TYPE_VECTOR: Final = 113
TYPE_INCOMPLETE_ARRAY: Final = 114
TYPE_VARIABLE_ARRAY: Final = 115
TYPE_EXT_VECTOR: Final = 176
TYPE_ATOMIC: Final = 177

# storage classes (CX_StorageClass)
STORAGE_EXTERN: Final = 2
STORAGE_STATIC: Final = 3

# binary operators (CXBinaryOperatorKind of libclang 17 and later), as C writes them
BINARY: Final[dict[int, str]] = {
    3: "*",
    4: "/",
    5: "%",
    6: "+",
    7: "-",
    8: "<<",
    9: ">>",
    11: "<",
    12: ">",
    13: "<=",
    14: ">=",
    15: "==",
    16: "!=",
    17: "&",
    18: "^",
    19: "|",
    20: "&&",
    21: "||",
    22: "=",
    23: "*=",
    24: "/=",
    25: "%=",
    26: "+=",
    27: "-=",
    28: "<<=",
    29: ">>=",
    30: "&=",
    31: "^=",
    32: "|=",
    33: ",",
}

# unary operators (CXUnaryOperatorKind); x++ and ++x are told apart by a leading or trailing x
UNARY: Final[dict[int, str]] = {
    1: "x++",
    2: "x--",
    3: "++x",
    4: "--x",
    5: "&",
    6: "*",
    7: "+",
    8: "-",
    9: "~",
    10: "!",
    11: "__real",
    12: "__imag",
    13: "__extension__",
}

# answers of a visitor
BREAK: Final = 0
CONTINUE: Final = 1
RECURSE: Final = 2

# CXTranslationUnit_Flags
KEEP_GOING: Final = 0x200
DETAILED_RECORD: Final = 0x1  # macros and skipped ranges are kept; without it there are no skipped ranges

# CXPrintingPolicyProperty
POLICY_TERSE: Final = 15

EVALUATED_INT: Final = 1
SEVERITY_ERROR: Final = 3
SEVERITIES: Final = ("ignored", "note", "warning", "error", "fatal")
