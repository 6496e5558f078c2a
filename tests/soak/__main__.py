"""Command line of the soak: clients come and go, and no server may grow.

``MINUTES=n`` in the environment says how long, 10 if it is not set. A fraction will do to try it,
but below five the verdict says little: the journal is full, and the silent are found out, only
after a minute or more.

Exit status: 0; 1 if a server grew, or anything else failed; 2 if it cannot begin.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.bench import machine
from tests.bench.processes import DidNotStart
from tests.soak.load import Load
from tests.soak.samples import Samples
from tests.soak.stage import Stage
from tests.soak.verdict import verdict

_LEAST: Final = 0.2  # minutes: four samples a second
_MOST: Final = 720.0
_SAMPLES: Final = 40
"""At least, of a short run: ten for each quarter."""

_SAMPLE_EVERY_S: Final = 5.0
_FACTS: Final = ("date", "commit", "processor", "Python", "Redis")


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end what was started, too
    try:
        seconds = _minutes(os.environ.get("MINUTES") or "10") * 60
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    facts = machine.describe()
    print(*(f"{name}: {facts[name]}" for name in _FACTS), sep="\n")
    try:
        with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
            samples, problems = asyncio.run(_soak(stage, seconds))
    except DidNotStart as problem:
        print(problem, file=sys.stderr)
        return 2
    verdicts = [verdict(name, of_one) for name, of_one in samples.by_server().items()]
    problems += stage.problems
    for line in (*(one.text for one in verdicts), *(f"FAIL: {problem}" for problem in problems)):
        print(line)
    return int(bool(problems) or any(one.has_grown for one in verdicts))


def _minutes(text: str) -> float:
    with contextlib.suppress(ValueError):
        if _LEAST <= (minutes := float(text)) <= _MOST:
            return minutes
    raise ValueError(f"MINUTES must be between {_LEAST:g} and {_MOST:g}, not {text}")


async def _soak(stage: Stage, seconds: float) -> tuple[Samples, list[str]]:
    """Put the load on, and take samples meanwhile. Return them, and what failed."""
    every_s = min(_SAMPLE_EVERY_S, seconds / _SAMPLES)
    async with Load(stage) as load:
        samples = Samples(stage.servers, lambda: load.clients)
        await samples.take_for(seconds, every_s)
        summary, problems = load.summary(), load.problems()
    print(*summary, sep="\n")
    return samples, problems


if __name__ == "__main__":
    sys.exit(main())
