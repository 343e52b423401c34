"""Options for long runs by hand: ``pytest tests/oracle --oracle-examples 5000 --oracle-seed 7``."""


def pytest_addoption(parser):
    group = parser.getgroup("oracle")
    group.addoption("--oracle-examples", type=int, default=0, help="programs per property, 0: the usual few")
    group.addoption("--oracle-seed", type=int, default=0, help="another sequence of programs")
