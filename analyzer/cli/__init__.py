"""The command line: arguments, exit status, and the only printing. Each command group is a module, imported
when it is used, so that `mustfree --version` does not pay for the rest."""
