"""What AsyncLink checks before it connects. The rest: tests/integration/test_publisher_faults.py."""

import asyncio

import pytest

from publisher.aio_link import AsyncLink
from publisher.command import Command
from publisher.settings import Settings


def test_second_event_loop_is_told_off():
    """In there the command would be sent, and its answer never be seen."""
    link = AsyncLink(Settings())

    async def use_again():
        with pytest.raises(RuntimeError, match="one event loop"):
            await link.execute(Command(("PING",)))
        with pytest.raises(RuntimeError, match="one event loop"):
            await link.close()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(link.close())
        second.run(use_again())
        first.run(link.close())
