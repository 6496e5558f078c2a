"""What the process needs, beside what prometheus-client finds out by its own ways."""

import os

import psutil
import pytest
from prometheus_client import ProcessCollector

from channel_server.web.process import process_families


@pytest.fixture
def ours():
    return {family.name: family.read() for family in process_families()}


def test_all_that_prometheus_client_tells_is_told_under_its_names(ours):
    theirs = {
        sample.name: sample.value
        for metric in ProcessCollector(registry=None).collect()
        for sample in metric.samples
    }

    assert ours.keys() == theirs.keys()
    assert ours["process_max_fds"] == theirs["process_max_fds"]
    for name in ("process_virtual_memory_bytes", "process_resident_memory_bytes"):
        assert ours[name] == pytest.approx(theirs[name], rel=0.1)
    assert ours["process_cpu_seconds_total"] == pytest.approx(
        theirs["process_cpu_seconds_total"], abs=1.0
    )
    # Theirs is of the interpreter, ours of the server in it.
    assert theirs["process_start_time_seconds"] - 1 <= ours["process_start_time_seconds"]


def test_descriptors_are_counted():
    def count():
        return {family.name: family.read() for family in process_families()}["process_open_fds"]

    before = count()
    pairs = [os.pipe() for _ in range(50)]
    try:
        assert count() == before + 100
        assert count() == pytest.approx(psutil.Process().num_fds(), abs=2)
    finally:
        for pair in pairs:
            for end in pair:
                os.close(end)
