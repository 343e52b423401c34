"""The one entry to the analysis: a project with its settings, and bytes that may stand for files."""

from analyzer.workspace.settings import Settings
from analyzer.workspace.workspace import Workspace

__all__ = ["Settings", "Workspace"]
