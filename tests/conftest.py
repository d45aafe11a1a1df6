"""For all tests: Hypothesis judges claims, not the speed of a shared machine."""

from hypothesis import settings

settings.register_profile("gauger", deadline=None)
settings.load_profile("gauger")
