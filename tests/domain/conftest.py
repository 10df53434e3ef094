"""Random inputs are the same at each run, and no machine is too slow for them."""

from hypothesis import settings

settings.register_profile("domain", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("domain")
