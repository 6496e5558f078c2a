"""Counts since the start; who counts what is tested beside Intake and Gateway."""

import dataclasses

import pytest

from channel_server.metrics import Histogram, Metrics


def test_every_count_starts_at_zero():
    metrics = Metrics()

    for field in dataclasses.fields(Metrics):
        value = getattr(metrics, field.name)
        assert (value.count if isinstance(value, Histogram) else value) in (0, {})


def test_every_count_is_explained():
    """The names are what an operator sees."""
    for field in dataclasses.fields(Metrics):
        assert f"{field.name}: " in Metrics.__doc__


def test_histogram_counts_each_duration_in_the_first_bucket_that_holds_it():
    histogram = Histogram((0.1, 1.0))

    for duration_s in (0.05, 0.1, 0.5, 7.0, -1.0):
        histogram.observe(duration_s)

    assert histogram.counts == [3, 1, 1]
    assert histogram.count == 5
    assert histogram.total_s == pytest.approx(7.65)


def test_count_with_a_misspelt_name_is_an_error():
    with pytest.raises(AttributeError):
        Metrics().message = 1
