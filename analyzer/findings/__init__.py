"""Findings, verdicts and notices: plain data between the analysis and the reports."""
