"""A `Report` -> bytes: text, SARIF, JSON, tables. Nothing in here looks at the IR.

All writers are deterministic: the same report gives the same bytes. sarif_om is imported with `sarif` only.
"""
