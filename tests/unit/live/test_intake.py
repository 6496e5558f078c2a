"""From Redis messages to broadcasts: what is wrong is counted and stays alone."""

import pytest

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
        self.broadcasts = []

    def deliver(self, broadcast):
        self.broadcasts.append(broadcast)
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
def intake(fanout, metrics, clock):
    return Intake(fanout, metrics, clock)


def test_message_is_delivered_and_counted(intake, fanout, metrics):
    written_bytes = intake.take("/records", GOOD)

    (broadcast,) = fanout.broadcasts
    assert (broadcast.room, broadcast.event, broadcast.body) == ("group-7", "records", GOOD)
    assert written_bytes == 30
    assert metrics == Metrics(messages=1, deliveries=3)


def test_notice_is_delivered_to_everybody(intake, fanout):
    intake.take("/system_notice", b'{"notice":"soon"}')

    assert [broadcast.room for broadcast in fanout.broadcasts] == ["notice"]


@pytest.mark.parametrize("payload", [b'{"room":null}', b'{"room":""}', b'{"room":["a"]}', b"{}"])
def test_message_without_a_room_is_counted_and_reaches_nobody(intake, fanout, metrics, payload):
    """Private content: it must not become a broadcast to all."""
    assert intake.take("/records", payload) == 0

    assert fanout.broadcasts == []
    assert metrics == Metrics(unaddressed=1)


@pytest.mark.parametrize("payload", [BAD, b"", b"[]", b'{"room":"a","x":NaN}', b"\xff"])
def test_malformed_message_is_counted_and_the_next_one_flows(intake, fanout, metrics, payload):
    assert intake.take("/records", payload) == 0
    intake.take("/records", GOOD)

    assert len(fanout.broadcasts) == 1
    assert metrics == Metrics(malformed=1, messages=1, deliveries=3)


def test_unknown_channel_is_malformed(intake, metrics):
    intake.take("chatbot/test", GOOD)

    assert metrics.malformed == 1


def test_malformed_message_is_logged_without_its_content(intake, caplog):
    intake.take("/records", BAD)

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == "malformed message"
    assert (record.channel, record.size, record.count) == ("/records", len(BAD), 1)
    assert "private" not in str(vars(record))


def test_many_malformed_messages_are_one_line_every_ten_seconds(intake, clock, caplog):
    """A publisher that has gone wrong must not fill the disk."""
    for _ in range(1_000):
        intake.take("/records", BAD)
    clock.now_s += 9.9
    intake.take("/records", BAD)
    assert len(caplog.records) == 1

    clock.now_s += 0.1
    intake.take("/records", BAD)

    assert [record.count for record in caplog.records] == [1, 1_002]
