"""Counts since the start; who counts what is tested beside Intake and Gateway."""

import dataclasses

import pytest

from channel_server.metrics import Metrics


def test_every_count_starts_at_zero():
    assert set(dataclasses.astuple(Metrics())) == {0}


def test_every_count_is_explained():
    """The names are what an operator sees."""
    for field in dataclasses.fields(Metrics):
        assert f"{field.name}: " in Metrics.__doc__


def test_count_with_a_misspelt_name_is_an_error():
    with pytest.raises(AttributeError):
        Metrics().message = 1
