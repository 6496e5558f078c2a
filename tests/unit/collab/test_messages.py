"""Messages as bytes; the examples are those of ../shared/collab.md, 1.4."""

import pytest

from channel_server.collab import messages
from channel_server.collab.lib0 import Reader, string
from channel_server.collab.messages import Kind, Scope, Sync
from channel_server.errors import MalformedFrame


def on_d(body):
    return string("d") + body


@pytest.mark.parametrize(
    ("body", "frame"),
    [
        (messages.authenticated(Scope.READ_WRITE), "016402020a726561642d7772697465"),
        (messages.authenticated(Scope.READ_ONLY), "0164020208726561646f6e6c79"),
        (messages.denied("permission-denied"), "01640201117065726d697373696f6e2d64656e696564"),
        (messages.sync(Sync.STEP_1, messages.EMPTY_STATE), "016400000100"),
        (messages.sync(Sync.STEP_2, messages.EMPTY_UPDATE), "01640001020000"),
        (messages.status(is_accepted=True), "01640801"),
        (messages.status(is_accepted=False), "01640800"),
        (messages.closed("provider_initiated"), "0164071270726f76696465725f696e69746961746564"),
        (messages.stateless("x"), "0164050178"),
        (messages.awareness(b"\x00"), "0164010100"),
    ],
)
def test_body_of_a_message(body, frame):
    assert on_d(body).hex() == frame


@pytest.mark.parametrize("more", ["", "05342e382e30"])
def test_token_with_or_without_the_version_of_the_provider(more):
    reader = Reader(bytes.fromhex("0164020003312c78" + more))

    assert reader.string() == "d"
    assert messages.read_kind(reader) is Kind.AUTH
    assert messages.read_token(reader) == "1,x"


def test_unknown_kind_is_none():
    assert messages.read_kind(Reader(b"\x2a")) is None


def test_unknown_sync_message_is_refused():
    with pytest.raises(MalformedFrame, match="unknown sync message"):
        messages.read_sync(Reader(b"\x09\x01\x00"))


@pytest.mark.parametrize(
    ("address", "name"), [("d", "d"), ("d\0session", "d"), ("", ""), ("\0s", "")]
)
def test_session_is_no_part_of_the_name(address, name):
    assert messages.document_of(address) == name


@pytest.mark.parametrize(
    ("frame", "is_bare"), [(b"\x09", True), (b"\x0a", True), (b"\x08", False)]
)
def test_bare_ping_and_pong(frame, is_bare):
    assert messages.is_bare(frame) is is_bare
