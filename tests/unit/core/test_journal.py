"""The tail of the journal: what is covered, what was missed, what is dropped."""

import pytest

from channel_server.core.journal import Tail
from channel_server.core.offsets import Offset

MINUTE_MS = 60_000


def at(milliseconds, number=0):
    return (milliseconds << 64) | number


@pytest.fixture
def tail():
    tail = Tail(window_s=60, max_entries=5, max_bytes=100_000)
    tail.begin("e1", 0)
    return tail


def fill(tail, *milliseconds, room="a"):
    for each in milliseconds:
        tail.append(at(each), room, b"%d" % each)


def frames(entries):
    return [int(entry.frame) for entry in entries]


def test_a_client_gets_what_lies_after_its_offset_in_its_rooms_in_order(tail):
    fill(tail, 1, 4, room="a")
    fill(tail, 5, room="b")
    fill(tail, 6, room="c")
    fill(tail, 7, room="a")

    start = tail.start_of(Offset("e1", at(1)))

    assert frames(tail.missed(["a", "b", "nowhere", "a"], start, 10)) == [4, 5, 7]


def test_only_offsets_from_which_nothing_is_missing_are_covered(tail):
    fill(tail, 1, 2, 3, 4, 5, 6, 7)  # 5 are kept

    assert tail.covers(Offset("e1", at(2)))  # the last one that was dropped: it has that
    assert not tail.covers(Offset("e1", at(1)))
    assert tail.covers(Offset("e1", at(7)))


def test_an_offset_ahead_of_the_node_is_not_covered(tail):
    fill(tail, 1)

    assert tail.is_ahead(Offset("e1", at(2)))
    assert not tail.covers(Offset("e1", at(2)))
    assert tail.missed(["a"], tail.start_of(Offset("e1", at(2))), 10) == []


def test_offsets_before_a_gap_are_not_covered_and_still_get_everything_that_is_there(tail):
    fill(tail, 1, 2)
    tail.gap(at(3))
    fill(tail, 4)

    assert not tail.covers(Offset("e1", at(2)))
    assert tail.covers(Offset("e1", at(3)))
    assert frames(tail.missed(["a"], tail.start_of(Offset("e1", at(1))), 10)) == [2, 4]


def test_a_new_epoch_covers_nobody_of_the_old_one(tail):
    """Redis was emptied: what it had forgotten, nobody can know."""
    fill(tail, 1, 2)
    tail.begin("e2", at(1))
    fill(tail, 2)

    assert not tail.covers(Offset("e1", at(2)))
    assert tail.covers(Offset("e2", at(1)))


def test_a_client_of_an_epoch_that_this_node_has_seen_gets_the_rest_of_it_and_all_after(tail):
    fill(tail, 1, 2)
    tail.begin("e2", 0)
    tail.append(at(1), "a", b"201")

    assert frames(tail.missed(["a"], tail.start_of(Offset("e1", at(1))), 10)) == [2, 201]


def test_a_client_of_an_unknown_epoch_gets_all_of_the_current_one(tail):
    """It was away while the epoch began, so it has seen none of this."""
    fill(tail, 1)
    tail.begin("e2", 0)
    tail.append(at(1), "a", b"201")

    start = tail.start_of(Offset("gone", at(999_999)))

    assert frames(tail.missed(["a"], start, 10)) == [201]
    assert tail.is_ahead(Offset("gone", at(0)))


def test_old_entries_are_dropped_by_the_clock_of_redis(tail):
    fill(tail, 1, 30_000)

    tail.trim(MINUTE_MS + 2)

    assert len(tail) == 1
    assert not tail.covers(Offset("e1", at(0)))
    assert tail.covers(Offset("e1", at(1)))


def test_bytes_are_bounded():
    tail = Tail(window_s=60, max_entries=1000, max_bytes=10_000)
    tail.begin("e1", 0)

    for number in range(1, 100):
        tail.append(at(number), "a", b"x" * 1000)

    assert tail._bytes <= 10_000
    assert 5 <= len(tail) <= 10


def test_rooms_without_entries_are_forgotten(tail):
    """Memory follows the present: every discussion has had a room at some time."""
    for number in range(1, 100):
        tail.append(at(number), f"room-{number}", b"x")

    assert len(tail._rooms) == 5


def test_a_place_that_concerns_no_client_moves_the_node_on(tail):
    fill(tail, 1)

    tail.advance(at(9))

    assert tail.offset == Offset("e1", at(9))
    assert tail.covers(Offset("e1", at(9)))


def test_before_the_first_epoch_there_is_no_offset():
    tail = Tail(window_s=60, max_entries=5, max_bytes=100)

    assert tail.offset is None
    assert tail.key == 0
    assert not tail.covers(Offset("", 0))
    assert tail.start_of(Offset("e1", 5)) == 0


def test_what_was_trimmed_before_it_was_read_is_a_gap(tail):
    fill(tail, 1)

    tail.trimmed(at(5))

    assert not tail.covers(Offset("e1", at(1)))
    assert tail.position == at(5)


def test_what_was_trimmed_after_it_was_read_is_still_here(tail):
    fill(tail, 1, 2)

    tail.trimmed(at(1))

    assert tail.covers(Offset("e1", at(1)))


def test_newest_key_of_a_room_tells_whether_it_was_quiet(tail):
    fill(tail, 1, room="a")
    seen = tail.key
    fill(tail, 2, room="b")

    assert tail.last_key("a") <= seen < tail.last_key("b")
    assert tail.last_key("nowhere") == 0


def test_epochs_are_not_remembered_for_ever(tail):
    for number in range(100):
        tail.begin(f"epoch-{number}", 0)

    assert len(tail._ordinals) <= 16
    assert tail.is_ahead(Offset("e1", 0))


def test_frames_are_known_by_their_place(tail):
    fill(tail, 1)
    tail.begin("e2", 0)
    tail.append(at(2), "a", b"2")

    assert tail.frames() == {at(1): b"1", at(2): b"2"}


@pytest.mark.parametrize("size", [1, 1_000])
def test_it_turns_over_when_a_quarter_of_what_it_can_hold_is_new(size):
    """By number, and by size: small entries reach one bound, large ones the other."""
    tail = Tail(window_s=60, max_entries=100, max_bytes=50_000)
    tail.begin("e1", 0)
    assert not tail.is_turning_over(tail.key)
    for number in range(1, 201):
        tail.append(number << 64, "a", b"x" * size)
    since = tail.key
    came = 0
    while not tail.is_turning_over(since):
        came += 1
        tail.append((200 + came) << 64, "a", b"x" * size)

    assert len(tail) // 4 - 1 <= came <= len(tail) // 4 + 1
