"""From Redis messages to broadcasts: what is wrong is counted and stays alone."""

from collections import Counter

import pytest

from channel_server.core.control import HangUpUser
from channel_server.core.journal import Tail
from channel_server.core.offsets import position_at
from channel_server.live.intake import Intake
from channel_server.metrics import Metrics

GOOD = b'{"room":"group-7","records":{}}'
BAD = b'{"room":"group-7","body":"very private words'


class Clock:
    """Monotonic seconds that pass only when told to."""

    now_s = 50.0

    def __call__(self):
        return self.now_s


class Fanout:
    """Delivers to three clients, of ten bytes each."""

    def __init__(self):
        self.delivered = []

    def deliver(self, room, packet):
        self.delivered.append((room, packet.text))
        return 3, 30


@pytest.fixture
def fanout():
    return Fanout()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tail():
    return Tail(window_s=60, max_entries=10, max_bytes=10_000)


@pytest.fixture
def orders():
    return []


@pytest.fixture
def intake(fanout, tail, orders, metrics, clock):
    return Intake(fanout, tail, obey=orders.append, metrics=metrics, clock=clock)


def take(intake, channel, payload, **where):
    """Read a message; deliver it if it reaches anybody, or keep it if it has a place."""
    message = intake.read((channel, payload))
    if message is None:
        return 0
    return intake.keep(message, **where) if where else intake.deliver(message)


def test_a_message_that_is_too_large_is_delivered_counted_and_said(
    intake, fanout, metrics, caplog
):
    """With the journal in memory it was not counted."""
    content = ("/records", GOOD)

    assert [intake.pass_over(intake.read(content), content) for _ in range(2)] == [30, 30]

    assert len(fanout.delivered) == 2
    assert metrics.too_large == 2
    (record,) = caplog.records
    assert (record.channel, record.size, record.count) == ("/records", len(GOOD), 1)


def test_message_is_delivered_and_counted(intake, fanout, metrics):
    written_bytes = take(intake, "/records", GOOD)

    assert fanout.delivered == [("group-7", b'42["records",' + GOOD + b"]")]
    assert written_bytes == 30
    assert metrics == Metrics(
        messages=Counter(records=1), deliveries=3, delivered_bytes=written_bytes
    )
    assert metrics.fanout.count == 1


def test_notice_is_delivered_to_everybody(intake, fanout):
    take(intake, "/system_notice", b'{"notice":"soon"}')

    assert [room for room, _ in fanout.delivered] == ["notice"]


@pytest.mark.parametrize("payload", [b'{"room":null}', b'{"room":""}', b'{"room":["a"]}', b"{}"])
def test_message_without_a_room_is_counted_and_reaches_nobody(intake, fanout, metrics, payload):
    """Private content: it must not become a broadcast to all."""
    assert take(intake, "/records", payload) == 0

    assert fanout.delivered == []
    assert metrics == Metrics(unaddressed=1)


@pytest.mark.parametrize("payload", [BAD, b"", b"[]", b'{"room":"a","x":NaN}', b"\xff"])
def test_malformed_message_is_counted_and_the_next_one_flows(intake, fanout, metrics, payload):
    assert take(intake, "/records", payload) == 0
    take(intake, "/records", GOOD)

    assert len(fanout.delivered) == 1
    assert (metrics.malformed, metrics.messages, metrics.deliveries) == (1, {"records": 1}, 3)


def test_lag_is_counted_by_the_clock_of_redis(fanout, tail, metrics, clock):
    """Ours may be another one; at first that of Redis is not known."""
    times = iter([None, 7.25])
    intake = Intake(
        fanout, tail, obey=[].append, metrics=metrics, clock=clock, redis_clock=lambda: next(times)
    )

    take(intake, "/records", GOOD, position=position_at(7_000), stream_id=b"7000-0")
    take(intake, "/records", GOOD, position=position_at(7_100), stream_id=b"7100-0")

    assert metrics.intake_lag.count == 1
    assert metrics.intake_lag.total_s == pytest.approx(0.15)


def test_unknown_channel_is_malformed(intake, metrics):
    take(intake, "chatbot/test", GOOD)

    assert metrics.malformed == 1


def test_malformed_message_is_logged_without_its_content(intake, caplog):
    take(intake, "/records", BAD)

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == "malformed message"
    assert (record.channel, record.size, record.count) == ("/records", len(BAD), 1)
    assert "private" not in str(vars(record))


def test_many_malformed_messages_are_one_line_every_ten_seconds(intake, clock, caplog):
    """A publisher that has gone wrong must not fill the disk."""
    for _ in range(1_000):
        take(intake, "/records", BAD)
    clock.now_s += 9.9
    take(intake, "/records", BAD)
    assert len(caplog.records) == 1

    clock.now_s += 0.1
    take(intake, "/records", BAD)

    assert [record.count for record in caplog.records] == [1, 1_002]


def test_a_message_with_a_position_is_kept_with_its_offset(intake, fanout, tail):
    """What was written live and what is written again later are the same bytes."""
    tail.begin("e1", 0)

    take(intake, "/records", GOOD, position=5 << 64, stream_id=b"5-0")

    ((_, text),) = fanout.delivered
    assert text == b'42["records",' + GOOD + b',"e1:5-0"]'
    (entry,) = tail.missed(["group-7"], 0, 10)
    assert entry.frame.endswith(text)
    assert tail.position == 5 << 64


def test_a_message_outside_of_the_journal_carries_the_place_where_the_client_stands(
    intake, fanout, tail
):
    """Without a string at its end the client would keep an older offset."""
    tail.begin("e1", 7 << 64)

    take(intake, "/records", GOOD)

    ((_, text),) = fanout.delivered
    assert text.endswith(b',"e1:7-0"]')
    assert len(tail) == 0


def test_what_clients_have_is_only_kept(intake, fanout, tail):
    tail.begin("e1", 0)

    assert (
        take(intake, "/records", GOOD, position=1 << 64, stream_id=b"1-0", is_delivered=True) == 0
    )

    assert fanout.delivered == []
    assert len(tail) == 1


def test_an_order_is_obeyed_and_not_delivered(intake, fanout, orders):
    take(intake, "/channel_control", b'{"action":"hang_up","user_id":5}')

    assert orders == [HangUpUser("5")]
    assert fanout.delivered == []


def test_an_order_that_fails_does_not_cost_the_subscription(fanout, tail, metrics, clock, caplog):
    intake = Intake(fanout, tail, obey=[].remove, metrics=metrics, clock=clock)

    assert take(intake, "/channel_control", b'{"action":"hang_up","user_id":5}') == 0

    assert caplog.records[0].getMessage() == "delivery failed"


def test_an_order_that_was_carried_out_is_not_carried_out_again(intake, orders, tail):
    tail.begin("e1", 0)
    order = b'{"action":"hang_up","user_id":5}'

    take(intake, "/channel_control", order, position=1, stream_id=b"0-1", is_delivered=True)

    assert orders == []
