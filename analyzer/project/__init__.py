"""The settings that a project keeps in `mustfree.toml` or `pyproject.toml`."""

from analyzer.project.apply import apply
from analyzer.project.read import Entry, ProjectSettings, nearest, read_settings

__all__ = ["Entry", "ProjectSettings", "apply", "nearest", "read_settings"]
