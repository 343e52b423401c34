"""mustfree: finds every path on which a C program loses a resource it must release."""

__version__ = "0.1.0"
