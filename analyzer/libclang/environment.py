"""The process environment as a parse may see it: nothing in it may change a result.

Compilers read include paths from variables such as CPATH; the same file would then have other findings on
another machine. They are absent while a parse runs and come back afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

HIDDEN: Final = (
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH",
    "OBJCPLUS_INCLUDE_PATH",
    "INCLUDE",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "LIBRARY_PATH",
    "SDKROOT",
    "MACOSX_DEPLOYMENT_TARGET",
    "SOURCE_DATE_EPOCH",
    "CCC_OVERRIDE_OPTIONS",
    "CCC_ADD_ARGS",
    "LIBCLANG_TIMING",
    "LIBCLANG_RESOURCE_USAGE",
    "LIBCLANG_LOGGING",
    "LIBCLANG_OBJTRACKING",
    "LIBCLANG_BGPRIO_INDEX",
    "LIBCLANG_BGPRIO_EDIT",
)


@contextmanager
def parse_environment() -> Iterator[None]:
    """Hide the variables above, and have libclang parse in the calling thread, whose stack is big."""
    names = (*HIDDEN, "LIBCLANG_NOTHREADS")
    saved = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["LIBCLANG_NOTHREADS"] = "1"
    try:
        yield
    finally:
        del os.environ["LIBCLANG_NOTHREADS"]
        os.environ.update(saved)
