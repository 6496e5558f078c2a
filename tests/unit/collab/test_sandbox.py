"""A process of its own for what takes long, and for what may be a trap."""

import asyncio

import psutil
import pytest
import pytest_asyncio

from channel_server.collab import merging
from channel_server.collab.lib0 import string, uint
from channel_server.collab.merging import LIGHT_BYTES, Job, check, merge
from channel_server.collab.sandbox import Sandbox
from channel_server.errors import BrokenUpdate, TooCostly

pytestmark = pytest.mark.asyncio

HELLO = b"\x01\x01\x05\0\x04\x01\x01t\x02hi\0"
HEAD = b"\x01\x01\x05\0\x08\x01" + string("t") + b"\x01"


@pytest_asyncio.fixture
async def sandbox():
    sandbox = Sandbox()
    yield sandbox
    await sandbox.close()


def children():
    return [child for child in psutil.Process().children() if child.is_running()]


async def test_job_gives_the_same_as_here(sandbox):
    job = merge(HELLO, HELLO)

    assert await sandbox.run(job) == job.run() == HELLO


async def test_process_is_started_when_it_is_needed(sandbox):
    before = len(children())
    assert await sandbox.finish(_one(merge(HELLO))) == HELLO
    assert len(children()) == before

    await sandbox.run(merge(HELLO))
    assert len(children()) == before + 1

    await sandbox.close()
    assert len(children()) == before


async def test_broken_update_is_an_error_there_too(sandbox):
    with pytest.raises(BrokenUpdate, match="ends in a number"):
        await sandbox.run(check(b"\xff\xff"))


async def test_process_that_is_brought_down_is_replaced(sandbox):
    await sandbox.run(merge(HELLO))
    sandbox._process.kill()
    with pytest.raises(TooCostly):
        await sandbox.run(merge(HELLO))

    assert await sandbox.run(merge(HELLO)) == HELLO


@pytest.mark.parametrize(
    "bomb", [HEAD + b"\x76" + uint(2**31), HEAD + b"\x75\x01" * 200_000 + b"\x7e\0"]
)
async def test_bomb_is_refused(sandbox, bomb):
    with pytest.raises(BrokenUpdate):
        await sandbox.run(check(bomb))

    assert await sandbox.run(merge(HELLO)) == HELLO


async def test_job_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(merging, "_WITHIN_S", 0.0)
    sandbox = Sandbox()
    with pytest.raises(BrokenUpdate, match="too much for the sandbox"):
        await sandbox.run(merge(HELLO))

    assert sandbox._process is None


async def test_job_that_nobody_waits_for_is_no_answer_to_the_next(sandbox):
    await sandbox.run(merge(HELLO))
    task = asyncio.get_running_loop().create_task(sandbox.run(check(HELLO)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})

    assert await sandbox.run(merge(HELLO)) == HELLO


async def test_jobs_wait_for_each_other(sandbox):
    jobs = [merge(HELLO), check(HELLO), merge(HELLO, HELLO)]

    assert await asyncio.gather(*map(sandbox.run, jobs)) == [HELLO, b"", HELLO]


async def test_large_job_is_sent_whole(sandbox):
    text = b"x" * (2 * LIGHT_BYTES)
    large = b"\x01\x01\x05\0\x04\x01\x01t" + uint(len(text)) + text + b"\0"

    assert await sandbox.finish(_one(merge(large, large))) == large


async def test_error_is_told_to_the_steps(sandbox):
    def steps():
        with pytest.raises(BrokenUpdate):
            yield check(b"\xff")
        return (yield merge(HELLO))

    assert await sandbox.finish(steps()) == HELLO


async def test_idle_process_ends(sandbox, monkeypatch):
    await sandbox.run(merge(HELLO))
    await sandbox.end_if_idle()
    assert sandbox._process is not None

    monkeypatch.setattr("channel_server.collab.sandbox._IDLE_S", 0.0)
    await sandbox.end_if_idle()
    assert sandbox._process is None


def _one(job: Job):
    return (yield job)
