"""Settings for all tests."""

from hypothesis import settings

# No test depends on how fast the machine is; the same examples everywhere, so that a failure can be repeated.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
