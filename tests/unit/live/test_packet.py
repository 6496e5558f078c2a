"""What socket.io-parser refuses is refused; any text at all: tests/property/test_packet.py."""

import pytest

from channel_server.errors import MalformedPacket
from channel_server.live.packet import Json, Packet


def decode(text):
    return Packet(encoded_packet=text)


@pytest.mark.parametrize(
    ("text", "kind", "namespace", "number", "data"),
    [
        ("0", 0, None, None, None),
        ('0{"token":"123"}', 0, None, None, {"token": "123"}),
        ("0/admin,", 0, "/admin", None, None),
        ("0/admin", 0, "/admin", None, None),
        ('0/admin,{"a":1}', 0, "/admin", None, {"a": 1}),
        ("0/admin?token=1,", 0, "/admin", None, None),
        ("1", 1, None, None, None),
        ("1/admin,", 1, "/admin", None, None),
        ('2["hello",1]', 2, None, None, ["hello", 1]),
        ('2/admin,456["a",{}]', 2, "/admin", 456, ["a", {}]),
        ('212["a"]', 2, None, 12, ["a"]),
        ("2[1]", 2, None, None, [1]),
        ("31[]", 3, None, 1, []),
        ('3/admin,456["a"]', 3, "/admin", 456, ["a"]),
        ('2["\\ud800"]', 2, None, None, ["\ud800"]),
    ],
)
def test_packet_of_the_protocol_is_read(text, kind, namespace, number, data):
    """Socket.IO protocol 5, "Packet encoding"."""
    packet = decode(text)

    assert (packet.packet_type, packet.namespace, packet.id, packet.data) == (
        kind,
        namespace,
        number,
        data,
    )
    assert packet.attachment_count == 0


@pytest.mark.parametrize(
    "text",
    [
        "7",
        "9[]",
        "a",
        " 2",
        "-1",
        "\u0662[]",
        "01",
        "0[]",
        "0null",
        "0 ",
        '0"text"',
        "01{}",
        "1{}",
        "1[]",
        "11",
        "2",
        "2[]",
        "2{}",
        '2"a"',
        "2null",
        "2[null]",
        "2[true]",
        "2[{}]",
        "2[[]]",
        '2["a"',
        '2["a"]x',
        "2[NaN]",
        '2["a",NaN]',
        '2["a","\ud800"]',
        "2" + "1" * 101 + '["a"]',
        '2["a",' + "[" * 2_000,
        '2["a",' + "[" * 2_000 + "]" * 2_000 + "]",
        "3[]",
        "31{}",
        "31",
        "3",
        '4{"message":"x"}',
        "4",
        "5",
        '5["a"]',
        '5-["a"]',
        '5100-["a"]',
        '5x-["a"]',
        "51-[]",
        "51-{}",
        "61-[]",
        "61-1",
        "61-1{}",
    ],
)
def test_packet_that_the_protocol_forbids_is_refused(text):
    with pytest.raises(MalformedPacket):
        decode(text)


@pytest.mark.parametrize(
    "event",
    [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ],
)
def test_reserved_event_is_refused(event):
    """Else a client could call the server's own handlers."""
    with pytest.raises(MalformedPacket):
        decode(f'2["{event}"]')


def test_refusal_does_not_quote_the_packet():
    with pytest.raises(MalformedPacket) as caught:
        decode('2["secret"')

    assert "secret" not in str(caught.value)


# ── attachments ─────────────────────────────────────────────────────────────────────────────


def test_attachments_take_the_places_that_were_kept_for_them():
    packet = decode(
        '52-["a",{"x":[{"_placeholder":true,"num":1}]},{"_placeholder":true,"num":0},'
        '{"_placeholder":false}]'
    )

    assert packet.attachment_count == 2
    assert not packet.add_attachment(b"first")
    assert packet.add_attachment(b"second")
    assert packet.data == ["a", {"x": [b"second"]}, b"first", {"_placeholder": False}]


def test_acknowledgement_may_have_attachments():
    packet = decode('61-/admin,7[{"_placeholder":true,"num":0}]')

    assert packet.add_attachment(b"x")
    assert (packet.namespace, packet.id, packet.data) == ("/admin", 7, [b"x"])


def test_binary_event_without_attachments_is_an_event():
    packet = decode('50-["a",1]')

    assert (packet.packet_type, packet.attachment_count, packet.data) == (2, 0, ["a", 1])


def test_binary_acknowledgement_without_attachments_is_complete():
    assert decode("60-7[]").attachment_count == 0


def test_text_is_no_attachment():
    packet = decode('51-["a",{"_placeholder":true,"num":0}]')

    with pytest.raises(MalformedPacket):
        packet.add_attachment("text")


@pytest.mark.parametrize("number", ["1", "-1", '"0"', "0.0", "null", "[]"])
def test_placeholder_that_names_no_attachment_is_refused(number):
    packet = decode(f'51-["a",{{"_placeholder":true,"num":{number}}}]')

    with pytest.raises(MalformedPacket):
        packet.add_attachment(b"x")


# ── JSON ────────────────────────────────────────────────────────────────────────────────────


def test_json_is_written_without_blanks():
    assert Json.dumps({"a": [1, 2.5, None]}, separators=(",", ":")) == '{"a":[1,2.5,null]}'


def test_what_a_client_sent_can_be_sent_back():
    """Lone surrogates and deep nesting come in as JSON; an acknowledgement may return them."""
    deep = "[" * 300 + "]" * 300

    assert Json.dumps(Json.loads('["\\ud800"]')) == '["\\ud800"]'
    assert Json.dumps(Json.loads(deep)) == deep


def test_json_is_as_strict_as_a_browser():
    with pytest.raises(ValueError, match=r"."):
        Json.loads("NaN")
