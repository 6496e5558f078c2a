"""The metrics are those that docs/operations.md explains, and no others."""

import re
from pathlib import Path

import pytest

from channel_server.metrics import Metrics
from channel_server.operating import families

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()


class Anything:
    """Stands for parts that are looked at only when a value is read."""

    def __getattr__(self, name):
        return self


@pytest.fixture
def every_family():
    part, metrics = Anything(), Metrics()
    return [
        *families.of_process(metrics, part, part),
        *families.of_connections(part, part, part, part),
        *families.of_clients(metrics, part, part),
        *families.of_messages(metrics),
        *families.of_redis(part, part),
        *families.of_journal(metrics, part, part),
        *families.of_bots(metrics),
        *families.of_documents(metrics),
    ]


def test_every_metric_is_explained_with_its_labels(every_family):
    section = PAGE.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    rows = [row.split(" | ")[0] for row in section.splitlines() if row.startswith("| `")]
    explained = dict(
        re.fullmatch(r"(\w+)(?:\{(.*)\})?", name).groups()
        for row in rows
        for name in re.findall(r"`([^`]+)`", row)
    )

    found = {family.name: ",".join(family.labels) or None for family in every_family}
    assert {name: labels for name, labels in found.items() if name != "build_info"} == {
        name: labels for name, labels in explained.items() if name != "build_info"
    }
    assert "build_info" in explained


def test_counters_end_in_total_and_times_in_seconds(every_family):
    """The conventions of Prometheus."""
    for family in every_family:
        assert family.name.endswith("_total") == (family.kind == "counter"), family.name
        assert family.name.endswith("_seconds") or family.kind != "histogram", family.name
        assert family.text.endswith("."), family.name
    names = [family.name for family in every_family]
    assert len(names) == len(set(names))


def test_counts_without_labels_can_be_read():
    metrics = Metrics()
    metrics.recovered, metrics.not_recovered["gap or too late"] = 3, 2
    metrics.messages["records"] = 7

    read = {family.name: family.read() for family in families.of_messages(metrics)}
    (recoveries,) = (
        family.read()
        for family in families.of_journal(metrics, Anything(), Anything())
        if family.name == "recoveries_total"
    )

    assert read["messages_total"] == {"/records": 7, "/system_notice": 0}
    assert recoveries == {("yes", ""): 3, ("no", "gap or too late"): 2}
