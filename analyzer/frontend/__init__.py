"""C files to the IR, through libclang. Knows no contracts and follows no resource."""

from analyzer.frontend.options import FrontendOptions
from analyzer.frontend.unit import lower_file, parse_errors

__all__ = ["FrontendOptions", "lower_file", "parse_errors"]
