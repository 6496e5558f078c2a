"""``GET /metrics``: what Prometheus reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from channel_server.metrics import Histogram
from channel_server.web.process import process_families

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from channel_server.metrics import Family

PREFIX: Final = "channel_server_"


class Exposition(Collector):
    """Writes families in the text formats of Prometheus and OpenMetrics.

    What the process itself needs (memory, processor time, descriptors) is added.

    Args:
        families: What to expose.
    """

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = (*families, *process_families())
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Read everything."""
        return (_expose(family) for family in self._families)

    async def get(self, request: web.Request) -> web.Response:
        """Answer ``GET /metrics``."""
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": kind})


def _expose(family: Family) -> Metric:
    name, text = f"{PREFIX}{family.name}", family.text
    value = family.read()
    if isinstance(value, Histogram):
        return HistogramMetricFamily(name, text, buckets=_buckets(value), sum_value=value.total_s)
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(name, text, labels=family.labels)
    if not isinstance(value, Mapping):
        metric.add_metric((), value)
        return metric
    for labels, number in value.items():
        metric.add_metric((labels,) if isinstance(labels, str) else labels, number)
    return metric


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Prometheus wants them cumulated."""
    total, buckets = 0, []
    bounds = (*(repr(bound) for bound in histogram.bounds), "+Inf")
    for bound, count in zip(bounds, histogram.counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets
