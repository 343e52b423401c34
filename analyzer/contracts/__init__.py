"""Contracts: what a function does to ownership. Written in rules/, or inferred; one type for both."""
