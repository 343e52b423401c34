"""The ownership engine: one run per resource over a function's control-flow graph. Knows no clang."""
