"""Who counts losses must not lose any: each number of the table, from books written by hand."""

import pytest

from tests.chaos import tally
from tests.chaos.ledger import Audience, Ledger
from tests.chaos.offsets import Offset
from tests.chaos.receipts import Receipts

ROOM = "group-1"
START_MS = 1000.0


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def client():
    """A client of ``ROOM`` that is connected and seeded at ``START_MS``."""
    receipts = Receipts(ROOM)
    receipts.connected(START_MS, recovered=False)
    receipts.seeded(at(START_MS))
    return receipts


def at(ms, epoch="a"):
    return Offset(epoch, int(ms), 0)


def publish(ledger, ms, *, room=ROOM, audience=Audience.MEMBERS, publisher="lib"):
    message = ledger.begin(publisher, room, ms, audience)
    message.returned_ms = ms + 1
    return message


def come_back(client, left_ms, back_ms, *, recovered, seed_ms=None):
    client.disconnected(left_ms, by_server=False)
    client.connected(back_ms, recovered=recovered)
    if seed_ms is not None:
        client.seeded(at(seed_ms))


def count(ledger, *clients):
    return tally.count(ledger, clients)


def test_all_arrived(ledger, client):
    message = publish(ledger, 2000)
    client.take(message, 2005, at(2001))

    result = count(ledger, client)

    assert (result.owed, result.delivered, result.received) == (1, 1, 1)
    assert (result.p99_ms, result.max_ms) == (5, 5)
    assert tally.is_complete(ledger, [client])


def test_a_message_of_another_room_is_not_owed(ledger, client):
    publish(ledger, 2000, room="group-2")

    assert count(ledger, client).owed == 0


def test_a_message_whose_call_failed_is_not_owed_but_may_arrive(ledger, client):
    message = ledger.begin("lib", ROOM, 2000)
    client.take(message, 2005, at(2001))

    result = count(ledger, client)

    assert (result.messages, result.owed, result.received) == (0, 0, 1)


def test_missing_while_connected_is_unnoticed(ledger, client):
    publish(ledger, 2000)

    result = count(ledger, client)

    assert (result.owed, result.delivered, result.unnoticed) == (1, 0, 1)
    assert not tally.is_complete(ledger, [client])


def test_missing_and_told_complete_is_concealed(ledger, client):
    publish(ledger, 2000)
    come_back(client, 1500, 2500, recovered=True, seed_ms=2400)

    assert count(ledger, client).concealed == 1


@pytest.mark.parametrize(
    ("back_ms", "seed_ms", "concealed"),
    [(2100, 1999, 0), (2500, 1999, 1), (2100, 2050, 1)],
    ids=["just now", "a while ago", "just now, and behind its position"],
)
def test_a_server_may_not_know_yet_what_has_just_happened(
    ledger, client, back_ms, seed_ms, concealed
):
    """Unless it claims a position behind it."""
    publish(ledger, 2000)
    come_back(client, 1500, back_ms, recovered=True, seed_ms=seed_ms)

    assert count(ledger, client).concealed == concealed


def test_who_is_cut_before_the_seed_was_promised_nothing(ledger, client):
    publish(ledger, 2000)
    come_back(client, 1500, 2500, recovered=True)

    assert count(ledger, client).concealed == 0


def test_the_claim_begins_where_the_client_stood(ledger, client):
    """It was connected when it missed the message, and has an offset behind it by now."""
    publish(ledger, 2000)
    client.take(publish(ledger, 3000), 3001, at(3000))
    come_back(client, 3500, 4000, recovered=True, seed_ms=3900)

    result = count(ledger, client)

    assert (result.concealed, result.unnoticed) == (0, 1)


def test_missing_and_told_so_is_admitted(ledger, client):
    publish(ledger, 2000)
    come_back(client, 1500, 2500, recovered=False, seed_ms=2400)

    result = count(ledger, client)

    assert (result.admitted, result.concealed, result.unnoticed) == (1, 0, 0)


def test_a_claim_without_offsets_reaches_up_to_now(ledger):
    """Node's offsets tell no time."""
    client = Receipts(ROOM)
    client.connected(START_MS, recovered=False)
    publish(ledger, 2000)
    come_back(client, 1500, 2500, recovered=True)

    assert count(ledger, client).concealed == 1


@pytest.mark.parametrize(
    ("left_ms", "owed"),
    [(2000, 0), (3000, 0), (4000, 1), (None, 1)],
    ids=["just then", "soon", "later", "never"],
)
def test_some_messages_are_owed_only_to_those_who_stay(ledger, client, left_ms, owed):
    publish(ledger, 2000, audience=Audience.ONLINE)
    if left_ms:
        client.disconnected(left_ms, by_server=False)

    assert count(ledger, client).owed == owed


def test_nobody_is_owed_some_but_they_can_be_concealed(ledger, client):
    publish(ledger, 2000, audience=Audience.NOBODY)
    come_back(client, 1500, 2500, recovered=True, seed_ms=2400)

    result = count(ledger, client)

    assert (result.owed, result.concealed) == (0, 1)


def test_excused_messages_are_the_later_ones(ledger):
    early, late = publish(ledger, 2000), publish(ledger, 3000)

    ledger.excuse(2500)

    assert (early.audience, late.audience) == (Audience.MEMBERS, Audience.ONLINE)


def test_twice_and_late_are_told_apart(ledger, client):
    first, second = publish(ledger, 2000), publish(ledger, 2100)
    client.take(second, 2105, at(2101))
    client.take(first, 2106, at(2102))
    client.take(first, 2107, at(2103))

    result = count(ledger, client)

    assert (result.received, result.twice, result.late) == (3, 1, 1)


def test_publishers_are_ordered_each_for_itself(ledger, client):
    plain, lib = publish(ledger, 2000, publisher="plain"), publish(ledger, 2001)
    client.take(lib, 2005, at(2002))
    client.take(plain, 2006, at(2003))

    assert count(ledger, client).late == 0


def test_what_was_published_while_away_has_no_delay(ledger, client):
    client.disconnected(1500, by_server=False)
    message = publish(ledger, 2000)
    client.connected(4000, recovered=True)
    client.take(message, 4001, at(2001))

    assert count(ledger, client).max_ms == 0


def test_offsets_have_to_grow_within_an_epoch(ledger, client):
    for offset in (at(2000), at(2000), at(1999), at(1, "b"), at(2, "b"), at(2001, "a")):
        client.take(publish(ledger, 2000), 2001, offset)

    result = count(ledger, client)

    assert (result.repeated, result.backwards) == (1, 2)
    assert client.trail.epochs == ["a", "b"]


def test_a_seed_may_repeat_the_offset_but_not_fall_behind(client):
    client.seeded(at(START_MS))
    client.seeded(at(START_MS - 1))

    assert (client.trail.repeated, client.trail.backwards) == (0, 1)


def test_only_the_server_hangs_up(ledger, client):
    come_back(client, 1500, 2000, recovered=True)
    client.disconnected(3000, by_server=True)

    assert count(ledger, client).hung_up == 1
