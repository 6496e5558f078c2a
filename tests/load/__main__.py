"""Command line of the load test: a server, locust, and a page with pictures of what happened.

What is not listed here goes to locust, such as ``--publish-rate 50`` or ``--cut-every 10``.

Exit status: 0; 1 if a message was lost or anything else failed; 2 if the server does not start.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.bench import machine
from tests.bench.processes import DidNotStart, program
from tests.bench.scraping import scraping
from tests.load import page
from tests.load.findings import Findings
from tests.load.server import DevServer

ROOT: Final = Path(__file__).parents[2]
LOCUSTFILE: Final = "tests/load/locustfile.py"

_FACTS: Final = ("date", "commit", "processor", "kernel", "Python", "Redis")
_SPAWN_SHARE: Final = 1 / 6  # of the time, until all users are there
_ENDS_WITHIN_S: Final = 60  # after its time: users wait for what is under way


def main() -> int:
    options, for_locust = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end what was started, too
    facts = _facts(sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "findings.json")
        try:
            with DevServer(Path(name)) as server, scraping(server.admin_port) as unread:
                problems = _run_locust(server, options, [*for_locust, "--findings", str(file)])
        except DidNotStart as problem:
            print(problem, file=sys.stderr)
            return 2
        problems += server.problems() + unread
        findings = Findings.read(file) if file.exists() else Findings(0, 0, [], [])
    page.write(
        options.out,
        findings,
        users=options.users,
        seconds=options.seconds,
        facts=facts,
        problems=problems,
    )
    print(*page.verdict(findings, problems), f"written: {options.out}/load.md", sep="\n")
    return 1 if problems else 0


def _options() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--users", type=int, default=500, help="the publisher is one of them")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder for the page")
    return parser.parse_known_args()


def _facts(arguments: Sequence[str]) -> dict[str, str]:
    facts = machine.describe()
    versions = ", ".join(f"{name} {version(name)}" for name in ("locust", "gevent"))
    command = " ".join(["python -m tests.load", *arguments]) if arguments else "make load"
    return {
        "command": f"`{command}`",
        **{name: facts[name] for name in _FACTS},
        "driver": versions,
    }


def _run_locust(
    server: DevServer, options: argparse.Namespace, for_locust: Sequence[str]
) -> list[str]:
    """Run it to its end, with its report on our output. Return what went wrong."""
    command = [program("locust"), "--locustfile", LOCUSTFILE, "--headless", "--only-summary"]
    command += ["--users", str(options.users), "--host", server.url]
    command += ["--spawn-rate", str(options.users / (options.seconds * _SPAWN_SHARE))]
    command += ["--run-time", f"{options.seconds}s", *for_locust]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"REDIS_URL": server.redis_url, "REDIS_CACHE_URL": ""},
            timeout=options.seconds + _ENDS_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ["locust does not end"]
    return [f"locust ended with {done.returncode}"] if done.returncode else []


if __name__ == "__main__":
    sys.exit(main())
