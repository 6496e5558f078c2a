"""Who is at a document, by the rules of y-protocols' awareness.js."""

import pytest

from channel_server.collab.awareness import OUTDATED_S, Awareness
from channel_server.collab.lib0 import string, uint
from channel_server.errors import MalformedFrame

ANN, BEN = "Ann's seat", "Ben's seat"


@pytest.fixture
def awareness(clock):
    return Awareness(clock)


def update(*states):
    """An awareness update: (client, clock, JSON) each."""
    parts = [uint(client) + uint(clock) + string(state) for client, clock, state in states]
    return uint(len(states)) + b"".join(parts)


def test_first_state_is_news(awareness):
    assert awareness.is_empty
    assert awareness.apply(update((1, 1, '{"a":1}')), ANN) == [1]

    assert awareness.present == [1]
    assert not awareness.is_empty
    assert awareness.update_for([1]) == update((1, 1, '{"a":1}'))


def test_text_of_a_state_is_handed_on_as_it_came(awareness):
    odd = '{ "a" : 1.0, "\\ud800" : "😀" }'
    awareness.apply(update((1, 1, odd)), ANN)

    assert awareness.update_for([1]) == update((1, 1, odd))


@pytest.mark.parametrize("older", [0, 1, 2])
def test_echo_and_older_states_are_no_news(awareness, older):
    awareness.apply(update((1, 2, '{"a":2}')), ANN)

    assert awareness.apply(update((1, older, '{"a":9}')), BEN) == []
    assert awareness.update_for([1]) == update((1, 2, '{"a":2}'))


def test_first_state_with_clock_0_is_ignored(awareness):
    assert awareness.apply(update((1, 0, "{}")), ANN) == []


def test_goodbye_has_the_clock_of_the_last_state(awareness):
    awareness.apply(update((1, 2, "{}")), ANN)

    assert awareness.apply(update((1, 2, "null")), ANN) == [1]
    assert awareness.is_empty
    assert awareness.apply(update((1, 2, "null")), ANN) == []


def test_echo_does_not_bring_back_who_is_gone(awareness):
    awareness.apply(update((1, 2, "{}")), ANN)
    awareness.remove_of(ANN)

    assert awareness.apply(update((1, 2, "{}")), BEN) == []
    assert awareness.apply(update((1, 3, "{}")), ANN) == [1]


def test_who_never_was_there_is_not_missed(awareness):
    assert awareness.apply(update((1, 1, "null")), ANN) == []


def test_clients_leave_with_their_seat(awareness):
    awareness.apply(update((1, 1, "{}"), (2, 1, "{}")), ANN)
    awareness.apply(update((3, 1, "{}")), BEN)

    assert awareness.remove_of(ANN) == [1, 2]
    assert awareness.update_for([1]) == update((1, 1, "null"))
    assert awareness.present == [3]
    assert awareness.remove_of(ANN) == []


def test_client_belongs_to_the_seat_it_was_heard_through_last(awareness):
    """It has reconnected; the old connection breaks later."""
    awareness.apply(update((1, 1, "{}")), ANN)
    awareness.apply(update((1, 2, "{}")), BEN)

    assert awareness.remove_of(ANN) == []
    assert awareness.present == [1]


def test_goodbye_of_another_node_does_not_remove_who_has_come_here(awareness):
    awareness.apply(update((1, 2, "{}")), ANN)

    assert awareness.apply(update((1, 2, "null")), None) == []
    assert awareness.present == [1]


def test_state_that_is_not_renewed_is_dropped(awareness, clock):
    awareness.apply(update((1, 1, "{}")), ANN)
    clock.advance(OUTDATED_S - 1)
    awareness.apply(update((2, 1, "{}")), BEN)
    assert awareness.remove_outdated() == []

    clock.advance(1)

    assert awareness.remove_outdated() == [1]
    assert awareness.present == [2]


@pytest.mark.parametrize("state", ["", "{", "NaN", "{} {}", "undefined", "[" * 5_000])
def test_state_that_a_browser_cannot_parse_is_refused(awareness, state):
    with pytest.raises(MalformedFrame, match="not JSON"):
        awareness.apply(update((1, 1, state)), ANN)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02\x01\x01\x02{}", b"\x01\x01\x01\x09{}"])
def test_truncated_update_is_refused(awareness, data):
    with pytest.raises(MalformedFrame):
        awareness.apply(data, ANN)


def test_states_take_bounded_memory(awareness):
    large = f'"{"x" * 100_000}"'
    for client in range(10):
        awareness.apply(update((client, 1, large)), ANN)

    with pytest.raises(MalformedFrame, match="too many states"):
        awareness.apply(update((10, 1, large)), ANN)

    assert len(awareness.present) == 10


def test_who_is_gone_is_forgotten_in_the_end(awareness):
    for client in range(20_000):
        awareness.apply(update((client, 1, "{}")), ANN)
        awareness.apply(update((client, 1, "null")), ANN)

    assert len(awareness._told) <= 1_001
