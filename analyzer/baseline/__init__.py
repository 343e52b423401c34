"""What was known before: baseline files, and a report compared with one."""

from analyzer.baseline.compare import compare, updated
from analyzer.baseline.file import Baseline, Entry, baseline_text, read_baseline

__all__ = ["Baseline", "Entry", "baseline_text", "compare", "read_baseline", "updated"]
