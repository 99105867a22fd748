"""Settings of all tests."""

from hypothesis import settings

# No deadline: a busy machine is no failure. Found counter-examples print how to repeat them.
settings.register_profile("gatesmith", deadline=None, print_blob=True)
settings.load_profile("gatesmith")
