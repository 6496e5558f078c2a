"""Whatever clients write, in whatever order it comes: the server has what yjs has."""

import pytest

from tests.collab.servers import play

pytestmark = [pytest.mark.node, pytest.mark.slow, pytest.mark.timeout(150)]

SEEDS = 200
PER_RUN = 50


@pytest.mark.parametrize("first", range(1, SEEDS + 1, PER_RUN))
def test_server_has_what_yjs_has(ours, first):
    assert play(ours, "fuzz", file="fuzz", first=first, count=PER_RUN) == PER_RUN
