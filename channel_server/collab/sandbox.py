"""Runs jobs in a process of its own: what takes long, and what may be a trap.

The process is started when the first such job comes, and ends when none has come for a minute. A
job that takes too long, or too much memory, ends with it; the next one gets a new process.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Final, TypeVar

from channel_server.collab.lib0 import buffer, string
from channel_server.errors import BrokenUpdate, TooCostly

if TYPE_CHECKING:
    from channel_server.collab.merging import Job, Steps

_WORKER: Final = ("-m", "channel_server.collab.sandboxed")
_SIZE_BYTES: Final = 8
_FAILED: Final = b"!"
_IDLE_S: Final = 60.0

Result = TypeVar("Result")


class Sandbox:
    """One process, one job at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._used_at_s = 0.0

    async def run(self, job: Job) -> bytes:
        """Do a job.

        Raises:
            TooCostly: If it took too long, too much memory, or the process down.
            BrokenUpdate: If it failed otherwise.
        """
        async with self._turn:
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(job.within_s):
                    answer = await self._ask(job)
            except BaseException as error:
                await self._end()  # what it would answer now is no answer to the next job
                if isinstance(error, TimeoutError | OSError | asyncio.IncompleteReadError):
                    raise TooCostly("too much for the sandbox") from None
                raise
            self._used_at_s = loop.time()
        if answer.startswith(_FAILED):
            raise BrokenUpdate(answer[1:].decode())
        return answer[1:]

    async def finish(self, steps: Steps[Result], job: Job | None = None) -> Result:
        """Run steps to their end.

        Args:
            steps: What to do.
            job: Yielded already, and not done.
        """
        try:
            job = job or next(steps)
            while True:
                try:
                    result = job.run() if job.is_light else await self.run(job)
                except BrokenUpdate as error:
                    job = steps.throw(error)
                else:
                    job = steps.send(result)
        except StopIteration as done:
            value: Result = done.value
            return value

    async def _ask(self, job: Job) -> bytes:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *_WORKER,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us; it ends when we do
            )
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None, "asked for"
        assert writer is not None, "asked for"
        question = string(job.name) + b"".join(map(buffer, job.blobs))
        writer.write(len(question).to_bytes(_SIZE_BYTES, "big"))
        writer.write(question)
        await writer.drain()
        size = int.from_bytes(await reader.readexactly(_SIZE_BYTES), "big")
        return await reader.readexactly(size)

    async def end_if_idle(self) -> None:
        """Give its memory back when it was not needed for a while."""
        is_used = asyncio.get_running_loop().time() - self._used_at_s < _IDLE_S
        if self._process is not None and not is_used and not self._turn.locked():
            await self.close()

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()
