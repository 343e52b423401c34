"""The option that rewrites the expected IR."""


def pytest_addoption(parser):
    """`pytest tests/frontend --update-golden` rewrites fixtures/frontend/*.ir; read the diff before committing it."""
    parser.addoption("--update-golden", action="store_true", help="rewrite fixtures/frontend/*.ir")
