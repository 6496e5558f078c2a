"""A client of a Socket.IO server without a network: a polling session and what it was sent."""

from channel_server.engine.session import Session
from tests.unit.engine.doubles import Line


class Client:
    """One session of a server."""

    def __init__(self, server, sid="e1", query=""):
        self._server = server
        self.session = Session(server.engine, sid, query)
        self.session.open_polling()
        server.engine.opened(self.session)

    @property
    def is_open(self):
        return self.session.is_open

    async def send(self, data):
        """Let the server handle one message, to its end."""
        await self._server._handle_eio_message(self.session.sid, data)

    async def connect(self, packet="0"):
        """Connect to a namespace; return the server's answer."""
        await self.send(packet)
        (answer,) = self.received()
        return answer

    def received(self):
        """Packets since the last call, without the Engine.IO type."""
        line = Line()
        self.session.polling.poll(line)
        if not line.replies:
            self.session.polling._waiting = None
            return []
        return [text[1:] for text in line.answer.body.decode().split("\x1e")]
