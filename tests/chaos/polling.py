"""Engine.IO over HTTP long-polling, and nothing else: no upgrade."""

from __future__ import annotations

from collections import deque
from typing import Final, Self

from tests.chaos import http
from tests.chaos.tcp import Lost, Tcp
from tests.chaos.wire import TARGET, session_id

_SEPARATOR: Final = "\x1e"


class Polling:
    """A ``Wire`` over two connections, as a browser does: one waits, one posts."""

    def __init__(self, gets: Tcp, posts: Tcp, target: str) -> None:
        self._gets = gets
        self._posts = posts
        self._target = target
        self._packets: deque[str] = deque()

    @classmethod
    async def open(cls, port: int, token: str) -> Self:
        target = TARGET.format(transport="polling", token=token)
        opened: list[Tcp] = []
        try:
            opened.append(await Tcp.open(port))
            sid = session_id(await _body(opened[0], target))
            opened.append(await Tcp.open(port))
        except BaseException:
            for tcp in opened:
                tcp.reset()
            raise
        return cls(*opened, f"{target}&sid={sid}")

    async def send(self, packet: str) -> None:
        await _body(self._posts, self._target, packet)

    async def receive(self) -> str:
        if not self._packets:
            body = await _body(self._gets, self._target)
            self._packets.extend(body.split(_SEPARATOR))
        return self._packets.popleft()

    def reset(self) -> None:
        self._gets.reset()
        self._posts.reset()

    def abandon(self) -> None:
        self._gets.abandon()
        self._posts.abandon()


async def _body(tcp: Tcp, target: str, body: str | None = None) -> str:
    response = await http.ask(tcp, target, body)
    if response.status != 200:
        raise Lost(str(response.status))
    return response.body.decode()
