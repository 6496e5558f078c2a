"""Command line of the benchmark.

Exit status: 0; 1 if our server misses a bar; 2 if a server does not start or does not answer.
"""

import argparse
import gc
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tests.bench import machine, report
from tests.bench.bots import run_bots
from tests.bench.client import HungUp, Unexpected
from tests.bench.documents import run_documents
from tests.bench.figures import (
    BOT_FIGURES,
    DOCUMENT_FIGURES,
    FIGURES,
    PUBLISHER_FIGURES,
    SERVER_FIGURES,
)
from tests.bench.plan import FULL, QUICK
from tests.bench.processes import DidNotStart
from tests.bench.publishing import run_publishing
from tests.bench.pump import TookTooLong
from tests.bench.run import Run
from tests.bench.servers import BEFORE, FLOOR, SERVERS, compile_floor
from tests.bench.stages import run_stages

PAGE = Path(__file__).parents[2] / "docs/benchmarks.md"


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end what was started, too
    console = Console()
    asked_for_all = options.only == list(FIGURES) and options.servers == list(SERVERS)
    with tempfile.TemporaryDirectory() as directory:
        if FLOOR in options.servers and not compile_floor(Path(directory)):
            options.servers.remove(FLOOR)
        with console.status("") as status:
            run = Run(
                plan=QUICK if options.quick else FULL,
                servers=options.servers,
                wanted=set(options.only),
                directory=Path(directory),
                say=status.update,
            )
            gc.disable()  # nothing here is cyclic, and a pause would look like a slow server
            try:
                run_stages(run)
                run_publishing(run)
                run_bots(run)
                run_documents(run)
            except (DidNotStart, HungUp, TookTooLong, Unexpected) as problem:
                console.print(f"{type(problem).__name__}: {problem}", style="bold red")
                return 2
    facts = machine.describe()
    for name, fact in facts.items():
        console.print(f"{name}: {fact}", highlight=False)
    for columns, figures in (
        (options.servers, SERVER_FIGURES),
        (report.PUBLISHER_COLUMNS, PUBLISHER_FIGURES),
        (report.BOT_COLUMNS, BOT_FIGURES),
        (report.DOCUMENT_COLUMNS, DOCUMENT_FIGURES),
    ):
        if wanted := [name for name in options.only if name in figures]:
            console.print(report.table(run.samples, columns, wanted))
    if asked_for_all and not options.quick:
        PAGE.write_text(report.page(run.samples, options.servers, facts))
    return 1 if report.missed(run.samples) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; writes no page")
    parser.add_argument(
        "--only",
        type=_some_of(tuple(FIGURES)),
        default=list(FIGURES),
        metavar="FIGURE,...",
        help=f"some of: {', '.join(FIGURES)}; writes no page",
    )
    parser.add_argument(
        "--servers",
        type=_some_of((*SERVERS, BEFORE)),
        default=list(SERVERS),
        metavar="SERVER,...",
        help=f"some of: {', '.join(SERVERS)}; before: ours, of the checkout BEFORE; writes no page",
    )
    return parser.parse_args()


def _some_of(names: tuple[str, ...]) -> Callable[[str], list[str]]:
    """A reader for a list with commas that keeps the order of ``names``."""

    def read(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in names]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is not one of these")
        return [name for name in names if name in chosen]

    return read


if __name__ == "__main__":
    sys.exit(main())
