"""The scenarios of ``make chaos`` in their short form: what must arrive arrives, on any machine.

How fast it does, and at what cost, is for ``make chaos`` to show.
"""

import random

import pytest

from tests.bench.servers import OURS
from tests.chaos.plan import SHORT
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import Stage
from tests.conftest import need_redis

pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.asyncio]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", SCENARIOS)
async def test_nothing_is_lost_unsaid(name, tmp_path_factory):
    """The seed is fixed only to make the load of every run alike: what comes when is not."""
    need_redis()
    folder = tmp_path_factory.mktemp("chaos")
    async with Stage(OURS, SHORT, folder, random.Random(name)) as stage:
        outcome = await SCENARIOS[name].run(stage)

    assert [check.text for check in outcome.missed if not check.is_timing] == []
