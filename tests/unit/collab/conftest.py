"""A clock that passes only when told to."""

import pytest

from tests.unit.engine.doubles import Clock


@pytest.fixture
def clock():
    return Clock()
