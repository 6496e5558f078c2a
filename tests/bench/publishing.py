"""The publisher beside what it is made of: orjson, redis-py, one call for each message."""

import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson
import redis

import publisher.loomio.serializers  # noqa: F401 - for the event of Loomio's
from publisher import Publisher
from publisher.serializers import serialize_models
from publisher.settings import Settings
from tests.bench import records
from tests.bench.run import Run
from tests.bench.servers import BARE, OURS
from tests.bench.store import Store
from tests.unit.publisher.loomio.models import World

_MESSAGE: Final = Path(__file__).parents[1] / "unit/publisher/loomio/messages/new_comment.json"
_WINDOWS: Final = 40
_WINDOW_S: Final = 0.004


def run_publishing(run: Run) -> None:
    """Measure the figures of the publisher that are wanted."""
    _serializing(run, "serialize", _event(str))
    _serializing(run, "serialize-dates", _event(dt.datetime.fromisoformat))
    if run.wants("publish", "batch"):
        store = Store(run.directory)
        try:
            store.until(store.is_listening, "Redis")
            _publishing(run, store.url)
        finally:
            store.stop()
    if run.wants("import"):
        for _ in range(run.plan.rounds):
            bare = _import_cpu_s("import redis")
            run.samples.add("import", BARE, bare)
            ours = _import_cpu_s("from publisher import Publisher")
            run.samples.add("import", OURS, ours - bare)


def _event(date: Callable[[str], object]) -> object:
    """A comment's event: with actor, comment, discussion and the event that it answers."""
    world = World(json.loads(_MESSAGE.read_text("utf-8"))["records"])
    groups = [world.group, world.discussion]
    for model in [
        *groups,
        *world.users.values(),
        *world.comments.values(),
        *world.events.values(),
    ]:
        for name, value in vars(model).items():
            if isinstance(value, str) and name.endswith("_at"):
                setattr(model, name, date(value))
    return world.events[91]


def _serializing(run: Run, figure: str, event: object) -> None:
    if not run.wants(figure):
        return
    written = serialize_models([event])
    for number in range(1, run.plan.rounds + 1):
        run.say(f"{figure}: round {number} of {run.plan.rounds}")
        run.samples.add(figure, OURS, _best_cpu_s(lambda: serialize_models([event])))
        run.samples.add(figure, BARE, _best_cpu_s(lambda: orjson.dumps(written)))


def _publishing(run: Run, url: str) -> None:
    message = records.record(records.EVERYONE)
    document = json.loads(message)["records"]
    with Publisher(Settings(url=url)) as publisher, redis.Redis.from_url(url) as client:

        def ours() -> None:
            publisher.publish_records(document, group_id=1)

        def batch() -> None:
            with publisher.batch() as many:
                for _ in range(1_000):
                    many.publish_records(document, group_id=1)

        for number in range(1, run.plan.rounds + 1):
            run.say(f"publishing: round {number} of {run.plan.rounds}")
            if run.wants("publish"):
                run.samples.add("publish", OURS, _best_cpu_s(ours))
                bare = _best_cpu_s(lambda: client.publish("/records", message))
                run.samples.add("publish", BARE, bare)
            if run.wants("batch"):
                run.samples.add("batch", OURS, _wall_s(batch) / 1_000)
                run.samples.add(
                    "batch", BARE, _wall_s(lambda: [ours() for _ in range(1_000)]) / 1_000
                )


def _best_cpu_s(work: Callable[[], object]) -> float:
    """CPU time of one call: of the quietest of many short windows."""
    started = time.perf_counter()
    work()
    calls = max(1, int(_WINDOW_S / (time.perf_counter() - started)))
    best = float("inf")
    for _ in range(_WINDOWS):
        before = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, (time.process_time() - before) / calls)
    return best


def _wall_s(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _import_cpu_s(statement: str) -> float:
    """CPU time of a fresh interpreter for one import."""
    program = f"import time; s = time.process_time(); {statement}; print(time.process_time() - s)"
    argv = [sys.executable, "-c", program]
    return float(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
