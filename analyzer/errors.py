"""The errors a user can cause, and can mend. Everything else that is raised is a bug of ours."""


class MustfreeError(Exception):
    """What was asked cannot be done; the text names the place and the remedy. Exit status 2."""


class ContractError(MustfreeError):
    """One or more mistakes in rule files.

    problems: each a complete line ``file:line:column: what is wrong; what to do``.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class IrError(MustfreeError):
    """A text that should be IR is not."""
