"""Heard and seen, in whatever order: matched once, oldest first."""

import pytest

from channel_server.core.unseen import Unseen

ONE = ("/records", b"one")
TWO = ("/records", b"two")


@pytest.fixture
def given_up():
    return []


@pytest.fixture
def unseen(given_up):
    return Unseen(1000, given_up.append)


def waiting(unseen):
    return [heard.content for heard in unseen.waiting()]


def test_what_was_heard_waits_until_it_is_seen(unseen):
    unseen.hear(ONE, 1.0, None, is_kept=False)
    unseen.hear(TWO, 2.0, None, is_kept=False)

    assert waiting(unseen) == [ONE, TWO]
    assert unseen.oldest.at_s == 1.0
    assert unseen.see(ONE, 3.0) is not None
    assert waiting(unseen) == [TWO]


def test_what_was_seen_first_is_not_waited_for(unseen):
    assert unseen.see(ONE, 1.0) is None

    assert unseen.hear(ONE, 2.0, None, is_kept=False) is None
    assert len(unseen) == 0


def test_the_same_words_twice_are_two_messages(unseen):
    unseen.hear(ONE, 1.0, None, is_kept=False)
    unseen.hear(ONE, 2.0, None, is_kept=False)

    assert unseen.see(ONE, 3.0) is not None
    assert waiting(unseen) == [ONE]
    assert unseen.see(ONE, 3.0) is not None
    assert unseen.see(ONE, 3.0) is None


def test_channels_are_told_apart(unseen):
    unseen.hear(ONE, 1.0, None, is_kept=False)

    assert unseen.see(("/system_notice", b"one"), 2.0) is None
    assert waiting(unseen) == [ONE]


def test_what_clients_have_is_not_new_when_it_is_seen(unseen):
    """The journal was slow, not broken."""
    unseen.hear(ONE, 1.0, None, is_kept=False).is_delivered = True

    assert waiting(unseen) == []
    assert unseen.oldest is None
    assert unseen.see(ONE, 2.0).is_delivered


def test_what_was_announced_long_ago_does_not_swallow_a_message(unseen):
    """Heard before the subscription stood, so never: the same words later are another message."""
    unseen.see(ONE, 1.0)
    unseen.see(TWO, 5.0)

    unseen.forget_announced(4.0)

    assert unseen.hear(ONE, 6.0, None, is_kept=False) is not None
    assert unseen.hear(TWO, 6.0, None, is_kept=False) is None


def test_what_the_journal_never_showed_is_forgotten_in_the_end(unseen):
    unseen.hear(ONE, 1.0, None, is_kept=False).is_delivered = True
    unseen.hear(TWO, 1.0, None, is_kept=False)

    unseen.forget_delivered(60.0)

    assert len(unseen) == 1
    assert unseen.see(ONE, 61.0) is None


def test_memory_is_bounded_on_both_sides(unseen, given_up):
    for number in range(100):
        unseen.hear(("/records", b"h%099d" % number), 1.0, None, is_kept=False)
        unseen.see(("/records", b"s%099d" % number), 1.0)

    assert len(unseen) == 10
    assert len(given_up) == 90
    assert len(unseen._announced) == 10


def test_one_message_larger_than_the_bound_is_kept(unseen):
    assert unseen.hear(("/records", b"x" * 5000), 1.0, None, is_kept=False) is not None

    assert len(unseen) == 1


def test_what_is_too_old_to_be_heard_is_not_announced(unseen):
    """Found in review: after a start, the same words said again were taken for those of the past."""
    assert unseen.see(ONE, float("-inf")) is None

    assert unseen.hear(ONE, 1.0, None, is_kept=False) is not None


def test_what_waits_is_seen_however_old_it_is(unseen):
    unseen.hear(ONE, 1.0, None, is_kept=False)

    assert unseen.see(ONE, float("-inf")) is not None
