"""People who are connected while somebody looks at the dashboard."""

from __future__ import annotations

import contextlib
import functools
import http.server
import queue
import threading
from typing import TYPE_CHECKING

import socketio

from tests.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from publisher import Publisher


class Person:
    """One connected client, in a thread of its own.

    Attributes:
        token: Its channel token; "" for a visitor.
    """

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        self._events: queue.Queue = queue.Queue()
        self._client = socketio.Client(reconnection=False)
        self._client.on("records", lambda body, *_: self._events.put(("records", body)))
        self._client.on("notice", lambda body, *_: self._events.put(("notice", body["notice"])))
        self._client.connect(f"{url}?channel_token={token}", transports=["websocket"])
        # The client forgets its socket when it is hung up, and does not close it.
        self._socket = self._client.eio.ws

    @property
    def is_connected(self) -> bool:
        return self._client.connected

    def next_event(self) -> tuple:
        """The next event: its name, and the text of a notice or the body of records."""
        return self._events.get(timeout=10)

    def leave(self) -> None:
        self._client.disconnect()
        self._socket.close()


class Crowd:
    """Lets people in.

    Args:
        url: Of the server.
        publisher: Publishes to its Redis.
    """

    def __init__(self, url: str, publisher: Publisher) -> None:
        self._url = url
        self._publisher = publisher
        self._people: list[Person] = []

    def enter(self, user_id: int | None = None, group_ids: tuple[int, ...] = ()) -> Person:
        """A user, or a visitor, connects."""
        token = ""
        if user_id is not None:
            user = {"id": user_id, "name": "Somebody"}
            token = self._publisher.tokens.issue(user, group_ids=group_ids)
        person = Person(self._url, token)
        self._people.append(person)
        return person

    def wait_for_hang_ups(self, count: int) -> None:
        """Return when so many have been hung up."""
        wait_until(
            lambda: sum(not person.is_connected for person in self._people) == count,
            within_s=10,
            what="clients are hung up",
        )

    @contextlib.contextmanager
    def busy(self, group_id: int) -> Iterator[None]:
        """Publish twenty messages a second meanwhile."""
        is_over = threading.Event()

        def publish() -> None:
            while not is_over.wait(0.05):
                self._publisher.publish_records({"comments": [{"id": 1}]}, group_id=group_id)

        thread = threading.Thread(target=publish)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    @contextlib.contextmanager
    def web_server(self, folder: Path) -> Iterator[str]:
        """Another site, on a port of its own."""
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"http://localhost:{server.server_port}/"
            finally:
                server.shutdown()
                thread.join()

    def close(self) -> None:
        """Everybody leaves."""
        for person in self._people:
            person.leave()
