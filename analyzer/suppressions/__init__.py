"""Comments in C code that allow a finding, with a reason: read them, apply them, tell which ones do nothing."""

from analyzer.suppressions.apply import Suppressed, suppress

__all__ = ["Suppressed", "suppress"]
