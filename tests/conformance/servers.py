"""The two servers that the protocol suites expect.

python -m tests.conformance.servers engine --port 3000
python -m tests.conformance.servers socketio --port 3000

Heartbeat and time-outs are those that the official suites expect. Our tests give a client three times
as long for its pong (``brief``), for machines that stand still now and then; ``usual`` is for those whose
sessions must live.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import uvloop
from aiohttp import web

from channel_server.engine.listener import listening
from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.live.packet import Json
from channel_server.live.server import SocketServer

if TYPE_CHECKING:
    from channel_server.engine.session import Session

AUTH_DELAY_S = 0.01
TIMES = {
    "official": Options(ping_interval_s=0.3, ping_timeout_s=0.2, connect_timeout_s=1.0),
    "brief": Options(ping_interval_s=0.3, ping_timeout_s=0.6, connect_timeout_s=1.0),
    "usual": Options(),
}


def echo_engine(options: Options) -> Engine:
    """An engine that sends every message back."""
    options = dataclasses.replace(options, path="/engine.io/", connect_timeout_s=None)
    engine = Engine(options=options)

    async def echo(sid: str, data: str | bytes) -> None:
        await engine.send(sid, data)

    async def ignore(sid: str, reason: str) -> None:
        del sid, reason

    engine.on("message", echo)
    engine.on("disconnect", ignore)
    return engine


class EchoServer(SocketServer):
    """A Socket.IO server that sends every event back."""

    def __init__(self, options: Options) -> None:
        super().__init__(options, namespaces=("/", "/custom"))
        for namespace in self.namespaces:
            self.on("message", self._back(namespace), namespace=namespace)
            self.on("message-with-ack", self._ack, namespace=namespace)

    def welcome(
        self, session: Session, sid: str, namespace: str, auth: dict[str, Any], admitted: object
    ) -> None:
        super().welcome(session, sid, namespace, auth, admitted)
        event = Json.dumps(["auth", auth]).encode()
        # Not in the same segment: the official suite listens for one message at a time, and
        # misses the second of two that its WebSocket reports in one turn.
        asyncio.get_running_loop().call_later(
            AUTH_DELAY_S, session.write, self.packet(b"2", namespace, event)
        )

    def _back(self, namespace: str) -> Any:
        async def back(sid: str, *arguments: Any) -> None:
            await self.emit("message-back", arguments, to=sid, namespace=namespace)

        return back

    @staticmethod
    async def _ack(_sid: str, *arguments: Any) -> tuple[Any, ...]:
        return arguments


async def serve(engine: Engine, port: int) -> None:
    """Serve until cancelled."""
    async with listening(engine, web.Application(), port) as actual:
        print(f"listening on port {actual}", flush=True)
        await engine.run()


def main() -> None:
    """Start the server that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["engine", "socketio"])
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--times", choices=list(TIMES), default="official")
    arguments = parser.parse_args()
    options = TIMES[arguments.times]
    uvloop.run(_main(arguments.kind, options, arguments.port))


async def _main(kind: str, options: Options, port: int) -> None:
    engine = echo_engine(options) if kind == "engine" else EchoServer(options).engine
    await serve(engine, port)


if __name__ == "__main__":
    main()
