"""How often clients are cut, and how soon they return."""

from dataclasses import dataclass
from random import Random
from typing import Final

_RANDOMIZATION: Final = 0.5  # ``randomizationFactor`` of the stock client


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """All in seconds.

    Attributes:
        cut_every_s: From a connection to its cut, on average.
        offline_s: From a cut to the next connection, on average.
        delay_s: ``reconnectionDelay``: from a hang-up to the next attempt.
        delay_max_s: ``reconnectionDelayMax``: the delay doubles with each attempt, up to this.
    """

    cut_every_s: float = 8.0
    offline_s: float = 2.0
    delay_s: float = 1.0
    delay_max_s: float = 5.0

    def cut_in_s(self, random: Random) -> float:
        """When the next cut comes."""
        return self.cut_every_s * random.uniform(0.5, 1.5)

    def back_in_s(self, random: Random) -> float:
        """How long the network is away after a cut."""
        return self.offline_s * random.uniform(0.5, 1.5)

    def attempt_in_s(self, attempt: int, random: Random) -> float:
        """Delay before an attempt, as the stock client draws it (contrib/backo2.js).

        Args:
            attempt: 0 for the first after a hang-up.
        """
        delay_s = self.delay_s * 2**attempt
        delay_s *= 1 + random.uniform(-_RANDOMIZATION, _RANDOMIZATION)
        return min(delay_s, self.delay_max_s)
