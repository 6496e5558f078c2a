"""Command line of the chaos runs.

``RUNS=n`` in the environment repeats everything. Exit status: 0; 1 if our server misses anything.
"""

import argparse
import asyncio
import dataclasses
import os
import random
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from tests.bench.servers import NODE, OURS
from tests.chaos import report
from tests.chaos.node import DidNotStart
from tests.chaos.outcome import Outcome
from tests.chaos.plan import FULL, SHORT, Plan
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import Stage
from tests.chaos.waiting import DidNotHappen
from tests.chaos.wire import Unexpected

_SERVERS = (OURS, NODE)
_WIDTH = 140  # of a table that goes to a file
_TROUBLES = (DidNotHappen, DidNotStart, Unexpected, LookupError, OSError, TimeoutError)


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end what was started, too
    plan = _plan(options)
    seed = options.seed or secrets.randbits(32)
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    console.print(f"seed {seed}, {plan.clients} clients, {plan.seconds:g} s", highlight=False)
    results: report.Results = {
        (scenario, server): []
        for scenario in options.only
        for server in options.servers
        if server == OURS or SCENARIOS[scenario].has_peer
    }
    with console.status("") as status:
        for number in range(1, options.runs + 1):
            for scenario, server in results:
                status.update(f"run {number} of {options.runs}: {scenario}, {server}")
                outcome = asyncio.run(_play(scenario, server, plan, seed + number))
                results[scenario, server].append(outcome)
                console.print(_line(scenario, server, outcome), highlight=False)
    console.print(report.table(results))
    ours = [run for (_, server), runs in results.items() if server == OURS for run in runs]
    return int(any(isinstance(run, str) or run.missed for run in ours))


async def _play(scenario: str, server: str, plan: Plan, seed: int) -> Outcome | str:
    """Run one scenario once. Return the outcome, or why there is none."""
    troubles: list[BaseException] = []
    outcome = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            async with Stage(server, plan, Path(folder), random.Random(seed)) as stage:
                outcome = await SCENARIOS[scenario].run(stage)
        except* _TROUBLES as group:
            troubles = _leaves(group)
    return outcome or "; ".join(f"{type(one).__name__}: {one}" for one in troubles)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


def _line(scenario: str, server: str, outcome: Outcome | str) -> str:
    """One run in one line, as soon as it is known."""
    if isinstance(outcome, str):
        return f"{scenario}, {server}: {outcome}"
    missed = "; ".join(check.text for check in outcome.missed)
    return f"{scenario}, {server}: {missed or 'ok'}"


def _plan(options: argparse.Namespace) -> Plan:
    plan = SHORT if options.short else FULL
    changes = {
        "clients": options.clients,
        "returning": options.clients,
        "seconds": options.seconds,
    }
    return dataclasses.replace(plan, **{name: new for name, new in changes.items() if new})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--only",
        type=_some_of(tuple(SCENARIOS)),
        default=list(SCENARIOS),
        metavar="SCENARIO,...",
        help=f"some of: {', '.join(SCENARIOS)}",
    )
    parser.add_argument(
        "--servers",
        type=_some_of(_SERVERS),
        default=list(_SERVERS),
        metavar="SERVER,...",
        help=f"some of: {', '.join(_SERVERS)}",
    )
    parser.add_argument("--short", action="store_true", help="as tests/faults runs them")
    parser.add_argument("--clients", type=int, help="in every scenario")
    parser.add_argument("--seconds", type=float, help="how long each one publishes, about")
    parser.add_argument("--seed", type=int, help="of everything random, to repeat a run")
    parser.set_defaults(runs=int(os.environ.get("RUNS", "1")))
    return parser.parse_args()


def _some_of(names: Sequence[str]) -> Callable[[str], list[str]]:
    """A reader for a list with commas that keeps the order of ``names``."""

    def read(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in names]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is not one of these")
        return [name for name in names if name in chosen]

    return read


if __name__ == "__main__":
    sys.exit(main())
