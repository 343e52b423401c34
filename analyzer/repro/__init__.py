"""Reproductions: one function of a program as a small case without names, that shows what the tool says of it.

For those who cannot give away their sources. A case is text: the function in the IR, what its callees do, and what the
engine says of it.
"""
