"""Any bytes on an open WebSocket: nothing may raise into the event loop."""

from hypothesis import example, given
from hypothesis import strategies as st

from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.engine.session import Session
from channel_server.engine.websocket import WebSocket
from tests.unit.engine.doubles import Browser, NoCrowd, Wire

texts = st.sampled_from(["2probe", "5", "3", "1", "4", '42["a"]', "6", "0", "7", ""])


@st.composite
def frames(draw):
    """What a client may send, well formed for once."""
    browser = Browser()
    return draw(st.sampled_from([browser.text, lambda text: browser.binary(text.encode())]))(
        draw(texts)
    )


pieces = st.lists(frames() | st.binary(max_size=20), max_size=6)


class DeafEngine(Engine):
    """Handles no messages: there is no loop in this test."""

    def receive(self, session, data):
        pass


@given(pieces, st.booleans())
@example([Browser().close(), Browser().text("4")], False)
@example([Browser().text("2probe"), Browser().text("5"), b"\xff"], True)
def test_any_bytes_are_read_or_end_the_session(pieces, is_probe):
    engine = DeafEngine(options=Options(max_payload=50))
    engine.newcomers = NoCrowd()
    session, wire = Session(engine, "s1", ""), Wire()
    socket = WebSocket(engine, session, is_probe=is_probe)
    if is_probe:
        session.open_polling()
    else:
        session.open_socket(socket)
    engine.opened(session)
    engine.doors.attach()
    socket.connection_made(wire)

    for piece in pieces:
        socket.data_received(piece)

    assert session.is_open == (session.sid in engine.sessions)
    assert (session.polling is None) or (session.socket is None)
    assert session.is_open or wire.is_shut or wire.is_closed or is_probe
    socket.connection_lost(None)
    assert engine.doors.socket_count == 0
    assert session.probe is None
