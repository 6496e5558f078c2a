"""One run of the benchmark: what is wanted, and the samples so far."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.figures import Samples
from tests.bench.plan import Plan
from tests.bench.servers import FLOOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What all stages share.

    Attributes:
        servers: Names of the servers, from ``servers.SERVERS``.
        wanted: Names of the figures, from ``figures.FIGURES``.
        directory: For output of processes; the compiled C loop is in it.
        say: Told in a few words what is being done.
    """

    plan: Plan
    servers: Sequence[str]
    wanted: AbstractSet[str]
    directory: Path
    say: Callable[[str], None]
    samples: Samples = field(default_factory=Samples)

    def wants(self, *figures: str) -> bool:
        """Whether at least one of these figures is wanted."""
        return not self.wanted.isdisjoint(figures)

    @property
    def relays(self) -> list[str]:
        """The servers that do the whole job: all but the C loop."""
        return [name for name in self.servers if name != FLOOR]

    def measure(self, figure: str, server: str, work: Callable[[], float]) -> None:
        """Take one sample of a figure, if it is wanted."""
        if figure in self.wanted:
            self.say(f"{figure}: {server}")
            self.samples.add(figure, server, work())
