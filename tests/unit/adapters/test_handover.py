"""Two subscriptions hear the same for a moment: nothing is taken twice, nothing out of order."""

import pytest

from channel_server.adapters.handover import Handover

pytestmark = pytest.mark.asyncio


def records(*numbers):
    return [("/records", b"%d" % number) for number in numbers]


def play(old, new):
    """What is taken in the end, if the old one hears this and the new one that."""
    handover, taken = Handover(), []
    for message in old:
        handover.heard(*message)
        taken.append(message)
    for message in new:
        handover.buffer(*message)
    handover.finish(lambda channel, payload: taken.append((channel, payload)))
    return taken


async def test_what_both_have_heard_is_taken_once():
    assert play(records(1, 2, 3), records(2, 3, 4)) == records(1, 2, 3, 4)


async def test_what_only_the_new_one_has_heard_comes_after_what_the_old_one_has():
    assert play(records(1), records(2, 3)) == records(1, 2, 3)


async def test_an_old_one_that_was_deaf_adds_nothing():
    assert play([], records(1, 2)) == records(1, 2)


async def test_the_same_words_said_twice_are_two_messages():
    assert play(records(1), records(1, 1)) == records(1, 1)


async def test_channels_are_told_apart():
    notice = ("/system_notice", b"1")

    assert play(records(1), [notice]) == [*records(1), notice]


async def test_it_is_seamless_if_the_old_one_hears_the_marker_or_a_later_probe():
    for number, is_seamless in ((b"6", False), (b"7", True), (b"10", True)):
        handover = Handover()
        last_word = handover.until_heard(b"7")

        handover.heard_probe(number)
        handover.heard_probe(number)

        assert handover.is_seamless is is_seamless
        assert last_word.done() is is_seamless


async def test_a_probe_before_the_marker_was_sent_is_no_last_word():
    handover = Handover()

    handover.heard_probe(b"9")

    assert not handover.is_seamless
