"""Collaborative documents beside the real @hocuspocus/server."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import psutil
import pycrdt

from channel_server.collab.merging import LIGHT_BYTES, merge
from tests.bench.processes import program
from tests.bench.run import Run
from tests.bench.servers import HOCUSPOCUS, NODE_PROGRAM, OURS, Server
from tests.ports import free_port

_JS: Final = Path(__file__).parents[1] / "js" / "collab"
_WORK: Final = {"do": "work", "documents": 10, "clients": 40, "edits": 60}
_KEYSTROKES: Final = 20_000
_JOINS: Final = 20
_STORM: Final = 200
_DOCUMENTS: Final = 1_000
_SOCKETS: Final = 2_000
_QUIET_S: Final = 1.0


def run_documents(run: Run) -> None:
    """Measure the figures of documents that are wanted."""
    for figures, measure in (
        (("documents", "documents-rss"), _work),
        (("documents-join", "document-lag"), _join),
    ):
        for number in range(1, run.plan.rounds + 1) if run.wants(*figures) else ():
            for name in (OURS, HOCUSPOCUS):
                run.say(f"{figures[0]}: round {number} of {run.plan.rounds}, {name}")
                measure(run, name)
    _grow(run, "document-memory", {"do": "documents", "many": _DOCUMENTS}, _DOCUMENTS)
    _grow(run, "document-socket", {"do": "sockets", "many": _SOCKETS}, _SOCKETS)
    if run.wants("document-merge"):
        for _ in range(run.plan.rounds):
            run.samples.add("document-merge", OURS, _merge_s())


class _Lane:
    """A server, and the load on it."""

    def __init__(self, name: str, directory: Path) -> None:
        app = free_port()
        self.server = _Documents(name, app, directory)
        order = json.dumps({"port": self.server.port, "app": app})
        self._load = subprocess.Popen(
            [NODE_PROGRAM, _JS / "load.mjs", order],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        self.server.until(self.server.is_listening, "documents")
        self._load.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self._load.kill()
        self._load.wait()
        self._load.stdin.close()
        self._load.stdout.close()
        self.server.stop()

    def do(self, order: dict[str, object]) -> float:
        """Have something done. Return the CPU time that it took the server, and its children."""
        before = self.server.cpu_s()
        self._load.stdin.write(json.dumps(order) + "\n")
        self._load.stdin.flush()
        line = self._load.stdout.readline()
        if not line:
            raise RuntimeError("the load ended")
        self.result = json.loads(line).get("result")
        return self.server.cpu_s() - before


class _Documents(Server):
    def __init__(self, name: str, app: int, directory: Path) -> None:
        port = free_port()
        url = f"http://127.0.0.1:{app}"
        if name == OURS:
            argv = [program("channel-server"), "collab"]
            env = {"COLLAB_PORT": str(port), "PRIVATE_APP_URL": url}
        else:
            order = {"port": port, "auth": f"{url}/api/hocuspocus"}
            argv, env = [NODE_PROGRAM, str(_JS / "reference.mjs"), json.dumps(order)], {}
        env |= {"NODE_ENV": "production", "MAX_PACKETS_PER_SECOND": "1000000"}
        super().__init__(argv, env, port, directory)

    def cpu_s(self) -> float:
        return super().cpu_s() + sum(_cpu_s(child) for child in self._process.children())

    def rss_bytes(self) -> int:
        children = self._process.children()
        return super().rss_bytes() + sum(child.memory_info().rss for child in children)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _work(run: Run, name: str) -> None:
    with _Lane(name, run.directory) as lane:
        run.samples.add("documents", name, lane.do(_WORK) / (_WORK["clients"] * _WORK["edits"]))
        run.samples.add("documents-rss", name, lane.server.rss_bytes())


def _join(run: Run, name: str) -> None:
    with _Lane(name, run.directory) as lane:
        lane.do({"do": "type", "name": "long", "many": _KEYSTROKES})
        lane.do({"do": "join", "name": "long", "many": 1})
        cpu_s = lane.do({"do": "join", "name": "long", "many": _JOINS})
        run.samples.add("documents-join", name, cpu_s / _JOINS)
        lane.do({"do": "storm", "name": "long", "many": _STORM})
        run.samples.add("document-lag", name, lane.result / 1000)


def _grow(run: Run, figure: str, order: dict[str, object], many: int) -> None:
    for name in (OURS, HOCUSPOCUS) if run.wants(figure) else ():
        run.say(f"{figure}: {name}")
        with _Lane(name, run.directory) as lane:
            lane.do(_WORK)  # so that what is made once is there
            time.sleep(_QUIET_S)
            before = lane.server.uss_bytes()
            lane.do(order)
            time.sleep(_QUIET_S)
            run.samples.add(figure, name, (lane.server.uss_bytes() - before) / many)


def _merge_s() -> float:
    """The largest document that is merged on the event loop, of single keystrokes, and one more."""
    document: pycrdt.Doc = pycrdt.Doc()
    text = document.get("text", type=pycrdt.Text)
    updates: list[bytes] = []
    with contextlib.ExitStack() as stack:
        subscription = document.observe(lambda event: updates.append(event.update))
        stack.callback(document.unobserve, subscription)
        size = 0
        for update in _typed(text, updates):
            size += len(update)
            if size > LIGHT_BYTES:
                break
    merged = merge(*updates).run()
    job = merge(merged[:], updates[-1])
    started = time.process_time()
    job.run()
    return time.process_time() - started


def _typed(text: pycrdt.Text, updates: list[bytes]) -> Iterator[bytes]:
    while True:
        text += "x"
        yield updates[-1]
