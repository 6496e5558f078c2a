"""Somebody wants the process to end."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Stop:
    """How the process is asked to end.

    Attributes:
        asked: Once: politely.
        hurried: Twice: at once.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()

    def ask(self) -> None:
        """Ask; to ask again is to hurry."""
        if self.asked.is_set():
            self.hurried.set()
        self.asked.set()

    def on_signals(self) -> None:
        """Ask at each signal that ends a process, at Ctrl-C among them; at the second one, hurry.

        Started with ``nohup``, a process goes on when its terminal is closed.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, self.ask)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGHUP, self.ask)

    async def unless_hurried(self, work: Coroutine[None, None, None]) -> None:
        """Wait for work to be done; hurried, cancel it."""
        async with asyncio.TaskGroup() as group:
            working = group.create_task(work)
            hurry = group.create_task(self.hurried.wait())
            await asyncio.wait({working, hurry}, return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            hurry.cancel()

    async def pause(self, seconds: float) -> None:
        """Wait, unless hurried."""
        try:
            async with asyncio.timeout(seconds):
                await self.hurried.wait()
        except TimeoutError:
            pass
