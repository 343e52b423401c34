"""One view of all files: their bytes, their lines, and how far a construct reaches in the text."""

from analyzer.sources.extents import extent_end
from analyzer.sources.lines import LineIndex, display_bytes
from analyzer.sources.view import SourceView

__all__ = ["LineIndex", "SourceView", "display_bytes", "extent_end"]
