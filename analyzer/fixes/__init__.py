"""Repairs of findings, each proved by analysing the program with it."""

from analyzer.fixes.run import Fixes, find_fixes

__all__ = ["Fixes", "find_fixes"]
