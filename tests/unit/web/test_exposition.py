"""The text that Prometheus reads, read by its own parser."""

import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read

from channel_server.metrics import Family, Histogram
from channel_server.web.exposition import Exposition

OPEN = "application/openmetrics-text; version=1.0.0"


def durations(*seconds):
    histogram = Histogram((0.1, 1.0))
    for each in seconds:
        histogram.observe(each)
    return histogram


FAMILIES = [
    Family("rooms", "gauge", "Rooms.", lambda: 3),
    Family("messages_total", "counter", "Messages.", lambda: {"/records": 2}, ("channel",)),
    Family("pairs", "gauge", "Pairs.", lambda: {("a", 'b"\n'): 1}, ("one", "two")),
    Family("lag_seconds", "histogram", "Lag.", lambda: durations(0.05, 0.5, 7.0)),
    Family("nothing_total", "counter", "Nothing yet.", dict, ("reason",)),
]


async def samples(accept=""):
    request = make_mocked_request("GET", "/metrics", headers={"Accept": accept})
    response = await Exposition(FAMILIES).get(request)
    families = (read_open if accept else read)(response.body.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.asyncio
@pytest.mark.parametrize("accept", ["", OPEN])
async def test_values_are_what_was_read(accept):
    found = await samples(accept)

    assert found["channel_server_rooms", ()] == 3
    assert found["channel_server_messages_total", (("channel", "/records"),)] == 2
    assert found["channel_server_pairs", (("one", "a"), ("two", 'b"\n'))] == 1


@pytest.mark.asyncio
async def test_histograms_are_cumulated():
    found = await samples()
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "channel_server_lag_seconds_bucket"
    }

    assert buckets == {"0.1": 1, "1.0": 2, "+Inf": 3}
    assert found["channel_server_lag_seconds_count", ()] == 3
    assert found["channel_server_lag_seconds_sum", ()] == pytest.approx(7.55)


@pytest.mark.asyncio
async def test_every_name_begins_with_ours_and_the_process_is_there():
    found = await samples()

    assert all(name.startswith("channel_server_") for name, _ in found)
    assert ("channel_server_process_resident_memory_bytes", ()) in found
