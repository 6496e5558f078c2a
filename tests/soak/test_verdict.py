"""A soak that could not fail would show nothing."""

import pytest

from tests.soak.samples import Sample
from tests.soak.verdict import MOST_DESCRIPTORS, MOST_MB, verdict

LITTLE = Sample(50.0, 300)


def samples(*quarters):
    return [sample for sample in quarters for _ in range(5)]


def test_a_server_that_stays_as_it_is_has_not_grown():
    assert not verdict("serve", samples(LITTLE, LITTLE, LITTLE, LITTLE)).has_grown


@pytest.mark.parametrize(
    "much", [Sample(50.1 + MOST_MB, 300), Sample(50.0, 301 + MOST_DESCRIPTORS)]
)
def test_more_in_the_last_quarter_than_in_the_second_is_growth(much):
    assert verdict("serve", samples(LITTLE, LITTLE, LITTLE, much)).has_grown


def test_the_first_quarter_does_not_count():
    much = Sample(70.0, 900)

    assert not verdict("serve", samples(LITTLE, much, much, much)).has_grown
    assert not verdict("serve", samples(much, LITTLE, LITTLE, LITTLE)).has_grown


def test_one_sample_that_is_high_is_no_growth():
    high = [*samples(LITTLE, LITTLE, LITTLE, LITTLE)[:-1], Sample(90.0, 900)]

    assert not verdict("serve", high).has_grown


def test_a_server_that_has_ended_at_once_is_not_well():
    assert verdict("serve", [LITTLE] * 3).has_grown


def test_the_text_says_how_much_of_what():
    assert verdict("serve", samples(LITTLE, LITTLE, LITTLE, Sample(52.25, 290))).text == (
        "serve: 50.00 MB in the second quarter, 52.25 MB in the last, +2.25 MB;"
        " 300 and 290 descriptors, -10: GROWN"
    )
