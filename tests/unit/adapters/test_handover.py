"""Two subscriptions hear the same for a moment: nothing is taken twice, nothing out of order."""

import pytest

from channel_server.adapters.handover import Handover

pytestmark = pytest.mark.asyncio

PROBES = "probes"
MARKER = (PROBES, b"7")


def records(*numbers):
    return [("/records", b"%d" % number) for number in numbers]


def play(old, new):
    """What is taken in the end, if the old one hears this and the new one that; and the handover."""
    handover = Handover(PROBES)
    handover.expect(MARKER[1])
    counted = [message for message in old if handover.old_heard(*message)]
    taken = [message for message in counted if message[0] != PROBES]
    for message in new:
        handover.new_heard(*message)
    handover.finish(lambda channel, payload: taken.append((channel, payload)))
    return taken, handover.is_seamless


@pytest.mark.parametrize("heard_by_old", [0, 1, 2])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (records(1, 2), records(2)),
        (records(1), records()),
        (records(), records()),
        (records(1, 1), records(1)),
    ],
)
async def test_after_the_marker_only_the_new_one_counts(old, new, heard_by_old):
    """However far ahead the old one is; found in review: words said once more were dropped."""
    after = records(1, 9)

    result = play([*old, MARKER, *after[:heard_by_old]], [*new, MARKER, *after])

    assert result == ([*old, *after], True)


async def test_a_later_probe_will_do_for_a_marker_that_was_lost():
    later = (PROBES, b"10")

    assert play([*records(1), later], [*records(1), later, *records(2)]) == (records(1, 2), True)


async def test_a_probe_before_the_marker_is_no_last_word():
    earlier = (PROBES, b"6")

    assert play([*records(1), earlier], [earlier, *records(2), MARKER]) == (records(1, 2), False)


async def test_a_new_one_that_has_not_heard_the_marker_proves_nothing():
    assert play([*records(1), MARKER], records(1)) == (records(1), False)


@pytest.mark.parametrize(
    ("old", "new", "taken"),
    [
        (records(1, 2, 3), records(2, 3, 4), records(1, 2, 3, 4)),
        (records(1), records(2, 3), records(1, 2, 3)),
        ([], records(1, 2), records(1, 2)),
        (records(1), records(1, 1), records(1, 1)),
        (records(1, 2), records(1, 2), records(1, 2)),
        (records(2, 1, 3), records(1, 2), records(2, 1, 3, 1, 2)),
        (records(1), [("/system_notice", b"1")], [*records(1), ("/system_notice", b"1")]),
    ],
)
async def test_an_old_one_that_falls_silent(old, new, taken):
    """What both have heard is the end of the one, and the beginning of the other."""
    assert play(old, [*new, MARKER]) == (taken, False)
