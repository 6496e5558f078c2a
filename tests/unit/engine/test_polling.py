"""The long-polling half: one waiting GET, and an outbox for when there is none."""

import gzip

import pytest

from channel_server.core.packets import text_packet
from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.engine.websocket import WebSocket
from tests.unit.engine.doubles import Answer, Line

HELLO = b"4hello"


@pytest.fixture
def engine():
    return Engine(options=Options(write_limit=100))


@pytest.fixture
def session(open_polling):
    return open_polling()


@pytest.fixture
def polling(session):
    return session.polling


def test_waiting_poll_is_answered_by_the_next_packet(polling):
    line = Line()
    polling.poll(line)
    assert line.replies == []

    polling.write(text_packet(HELLO))

    assert (line.answer.status, line.answer.body) == (200, HELLO)


def test_packets_wait_in_order_for_the_next_poll(polling):
    line = Line()
    for text in (b"4a", b"4b", b"2"):
        polling.write(text_packet(text))

    polling.poll(line)

    assert line.answer.body == b"4a\x1e4b\x1e2"


def test_poll_takes_everything_that_waits(polling):
    polling.write(text_packet(HELLO))
    polling.poll(Line())

    second = Line()
    polling.poll(second)

    assert second.replies == []
    assert second.holder is polling


def test_all_pollers_of_a_room_get_the_same_response_object(open_polling):
    """Encoded once: identity, not equality, is the promise."""
    packet, ann, ben, late = text_packet(HELLO), Line(), Line(), Line()
    for sid, line in (("a", ann), ("b", ben)):
        session = open_polling(sid)
        session.polling.poll(line)
        session.write(packet)
    session = open_polling("c")
    session.write(packet)
    session.polling.poll(late)

    assert ann.replies[0] is ben.replies[0] is late.replies[0]


def test_zipped_response_is_shared_beside_the_plain_one(open_polling):
    packet = text_packet(b"4" + b"x" * 2_000)
    zipped, plain = Line(takes_gzip=True), Line()
    for sid, line in (("a", zipped), ("b", plain)):
        session = open_polling(sid)
        session.polling.poll(line)
        session.write(packet)

    assert gzip.decompress(zipped.answer.body) == plain.answer.body == packet.text


def test_many_packets_are_zipped_together(polling):
    line = Line(takes_gzip=True)
    for _ in range(3):
        polling.write(text_packet(b"4" + b"x" * 200))
    for _ in range(3):
        polling.write(text_packet(b"4" + b"y" * 20))

    polling.poll(line)

    assert line.answer.body.count(b"\x1e") == 5


def test_second_poll_beside_a_waiting_one_is_refused(polling):
    first, second = Line(), Line()
    polling.poll(first)

    assert not polling.poll(second)
    assert second.replies == []


def test_lost_connection_of_a_waiting_poll_ends_the_session(polling, session, engine):
    """The client has given up: engine.io calls it "transport close" as well."""
    line = Line()
    polling.poll(line)

    line.holder.lost()

    assert not session.is_open
    assert engine.hang_ups == {"transport close": 1}
    assert line.replies == []


def test_release_answers_the_waiting_poll_with_a_noop(polling):
    """Then the client stops polling and upgrades."""
    line = Line()
    polling.poll(line)

    polling.release()

    assert line.answer.body == b"6"


def test_release_without_a_waiting_poll_keeps_the_outbox_as_it_is(polling):
    polling.release()
    polling.write(text_packet(HELLO))

    line = Line()
    polling.poll(line)

    assert line.answer.body == HELLO


def test_poll_during_an_upgrade_gets_a_noop_at_once(polling, session):
    """It must not wait: the client upgrades only when no poll is open."""
    session.probe = object()
    line = Line()

    assert polling.poll(line)
    assert line.answer.body == b"6"


def test_poll_during_an_upgrade_still_takes_what_waits(polling, session):
    polling.write(text_packet(HELLO))
    session.probe = object()
    line = Line()

    polling.poll(line)

    assert line.answer.body == HELLO


@pytest.mark.parametrize(("by_client", "body"), [(True, b"6"), (False, b"1")])
def test_last_answer_tells_who_has_closed(polling, by_client, body):
    """A client that has closed must not be told to close."""
    line = Line()
    polling.poll(line)

    polling.close(by_client=by_client)

    assert line.answer.body == body


def test_close_without_a_waiting_poll_says_nothing(polling):
    polling.close(by_client=False)

    assert polling.poll(Line())


def test_what_was_not_fetched_is_handed_over_at_the_upgrade(polling):
    packets = [text_packet(b"4a"), text_packet(b"4b")]
    for packet in packets:
        polling.write(packet)

    assert polling.end() == packets
    assert polling.end() == []


def test_handing_over_ends_the_waiting_poll(polling):
    line = Line()
    polling.poll(line)

    assert polling.end() == []
    assert line.answer.body == b"6"


def test_outbox_over_the_limit_makes_the_client_slow(polling, engine):
    polling.write(text_packet(b"4" * 100))
    assert len(engine.slow) == 0

    polling.write(text_packet(b"4"))
    assert len(engine.slow) == 1


def test_client_that_fetches_is_not_slow_any_more(polling, engine):
    polling.write(text_packet(b"4" * 101))

    polling.poll(Line())

    assert len(engine.slow) == 0
    polling.write(text_packet(b"4" * 100))
    assert len(engine.slow) == 0


def test_client_that_upgrades_is_not_slow_any_more(polling, engine):
    polling.write(text_packet(b"4" * 101))

    polling.end()

    assert len(engine.slow) == 0


def test_one_message_over_the_ceiling_waits_to_be_fetched(polling, session, engine):
    polling.write(text_packet(b"4" * 801))

    assert session.is_open
    assert len(engine.slow) == 1


def test_outbox_over_the_ceiling_ends_the_session(polling, session, engine):
    for _ in range(9):
        polling.write(text_packet(b"4" * 100))
        assert session.is_open
    polling.write(text_packet(b"4"))

    assert not session.is_open
    assert engine.hang_ups == {"slow": 1}


def test_answers_carry_the_cors_headers(polling):
    line = Line()
    polling.write(text_packet(b"4a"))
    polling.write(text_packet(b"4b"))

    polling.poll(line)

    assert Answer(line.replies[0]).headers["Access-Control-Allow-Origin"] == "*"


def test_post_that_breaks_off_after_the_upgrade_leaves_the_session_alone(engine, open_polling):
    """Found in review: the WebSocket was closed for it."""
    session = open_polling()
    polling = session.polling
    session.complete_upgrade(WebSocket(engine, session, is_probe=True))

    polling.lost()

    assert session.is_open
