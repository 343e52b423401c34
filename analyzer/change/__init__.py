"""What a change does: two states of a program, analysed and compared loss point by loss point."""

from analyzer.change.revisions import from_revisions
from analyzer.change.run import ChangeOptions, analyse_change
from analyzer.change.sides import Change, from_folders, from_patch

__all__ = ["Change", "ChangeOptions", "analyse_change", "from_folders", "from_patch", "from_revisions"]
