"""Which document is stored when."""

import pytest

from channel_server.collab.agenda import Agenda

DEBOUNCE_S, MAX_DEBOUNCE_S = 5.0, 30.0


@pytest.fixture
def agenda(clock):
    return Agenda(DEBOUNCE_S, MAX_DEBOUNCE_S, clock)


def test_document_is_stored_some_time_after_its_last_change(agenda, clock):
    agenda.changed("a", is_ours=True)
    clock.advance(4)
    agenda.changed("a", is_ours=True)
    clock.advance(4)
    assert agenda.take_due() == []

    clock.advance(1)
    assert agenda.take_due() == ["a"]


def test_document_that_changes_all_the_time_is_stored_in_the_end(agenda, clock):
    for _ in range(10):
        agenda.changed("a", is_ours=True)
        clock.advance(3)

    assert agenda.take_due() == ["a"]


def test_document_that_another_node_has_to_store_waits_longest(agenda, clock):
    agenda.changed("a", is_ours=False)
    clock.advance(MAX_DEBOUNCE_S - 1)
    agenda.changed("a", is_ours=False)
    assert agenda.take_due() == []

    clock.advance(1)
    assert agenda.take_due() == ["a"]


def test_change_of_our_own_comes_first(agenda, clock):
    agenda.changed("a", is_ours=False)
    agenda.changed("a", is_ours=True)
    agenda.changed("a", is_ours=False)
    clock.advance(DEBOUNCE_S)

    assert agenda.take_due() == ["a"]


def test_document_is_stored_by_one_at_a_time(agenda):
    agenda.soon("a")
    assert agenda.take_urgent() == ["a"]

    agenda.changed("a", is_ours=True)
    agenda.soon("a")
    assert agenda.take_urgent() == []
    assert agenda.take_due() == []

    agenda.done("a")
    agenda.soon("a")
    assert agenda.take_due() == ["a"]


def test_failure_is_tried_again_with_longer_and_longer_pauses(agenda, clock):
    agenda.soon("a")
    agenda.take_due()
    pauses = []
    for _ in range(7):
        agenda.failed("a")
        agenda.changed("a", is_ours=True)  # makes it no sooner
        failed_at_s = clock()
        while not agenda.take_due():
            clock.advance(0.5)
        pauses.append(clock() - failed_at_s)

    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_failure_can_be_tried_again_at_once(agenda):
    agenda.soon("a")
    agenda.take_due()
    agenda.failed("a")
    agenda.soon("a")

    assert agenda.take_due() == ["a"]


def test_what_is_done_is_forgotten(agenda):
    agenda.soon("a")
    assert agenda

    agenda.take_due()
    agenda.done("a")

    assert not agenda
    agenda.done("a")


def test_urgent_is_not_urgent_while_it_fails(agenda, clock):
    agenda.urge("a")
    assert agenda.take_urgent() == ["a"]
    agenda.failed("a")
    agenda.urge("a")
    assert agenda.take_urgent() == agenda.take_due() == []

    clock.advance(1)
    assert agenda.take_due() == ["a"]
