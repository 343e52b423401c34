"""libclang behind one door: the only package that imports `clang`, and the only one that calls into C.

It offers typed handles on the C interface (`binding`), a parse (`parse`), the flags it lets through (`flags`), and
a thread with a stack that deep code cannot exhaust (`stack`). It knows nothing of the IR's lowering or contracts.
"""
