"""How much chance the property tests get; ``make quick`` gives them the least."""

from hypothesis import settings

# No deadline: on a busy machine it would tell of the machine. More examples by hand:
# pytest tests/property --hypothesis-profile=thorough
settings.register_profile("brief", max_examples=25, deadline=None)
settings.register_profile("short", max_examples=150, deadline=None)
settings.register_profile("thorough", max_examples=2_000, deadline=None)
settings.load_profile("short")
