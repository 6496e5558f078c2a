"""What the stock client remembers from one connection to the next.

Source: socket.io-client 4.8, build/esm/socket.js: ``_sendConnectPacket``, ``onconnect`` and
``emitEvent``. Checked by ``test_session.py``.
"""

import orjson


class Session:
    """Connection state recovery, from the client's side.

    Attributes:
        offset: The last argument of the latest event, if it was a string; None before that.
    """

    def __init__(self) -> None:
        self.offset: str | None = None
        self._pid: str | None = None

    def connect_packet(self) -> str:
        """The CONNECT packet to send, as an Engine.IO packet."""
        if self._pid is None:
            return "40"
        auth = {"pid": self._pid}
        if self.offset is not None:
            auth["offset"] = self.offset
        return f"40{orjson.dumps(auth).decode()}"

    def resume(self, pid: str | None) -> bool:
        """Take the ``pid`` of the reply. Return what the client calls ``recovered``."""
        recovered = pid is not None and pid == self._pid
        # A new pid leaves the offset alone: the client sends the old one until an event comes.
        self._pid = pid
        return recovered

    def take(self, arguments: list[object]) -> bool:
        """Take an event, its name first. Return whether it moved the offset."""
        last = arguments[-1]
        if self._pid is None or not isinstance(last, str):
            return False
        self.offset = last
        return True
