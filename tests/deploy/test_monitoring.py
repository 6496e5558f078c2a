"""The dashboard for Grafana and the alert rules: that all they ask for exists, and means something."""

import json
import re
from unittest.mock import MagicMock

import pytest
import yaml

from channel_server.operating import families
from channel_server.web.exposition import PREFIX
from tests.deploy.programs import DEPLOY, ROOT, checked, program
from tests.internal.site import Server

pytestmark = [pytest.mark.redis, pytest.mark.slow]

DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
ALERTS_FILE = DEPLOY / "prometheus" / "alerts.yaml"
ALERTS = [
    rule for group in yaml.safe_load(ALERTS_FILE.read_text())["groups"] for rule in group["rules"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

# What Prometheus adds to everything that it scrapes, or to what it says itself.
SCRAPED = {"job", "instance"}

GRAFANA = {"$__rate_interval": "5m", "$__range": "3h", "$job": ".*", "$instance": ".*"}


def filled_in(expression):
    """An expression as Grafana sends it to Prometheus."""
    for name, value in GRAFANA.items():
        expression = expression.replace(name, value)
    return expression


SHOWN = [filled_in(target["expr"]) for panel in PANELS for target in panel["targets"]] + [
    filled_in(each["expr"]) for each in DASHBOARD["annotations"]["list"]
]
ALERTED = [rule["expr"] for rule in ALERTS]
EXPRESSIONS = SHOWN + ALERTED


def selectors(expression):
    """Find the metrics in an expression: ``(name, {label: value, ...})``."""
    for name, labels in re.findall(r"\b(channel_server_\w+)(?:\{(.*?)\})?", expression):
        yield name, dict(re.findall(r'(\w+)=~?"(.*?)"', labels))


def grouped(expression):
    """Labels by which an expression counts."""
    clauses = re.findall(r"\b(?:by|on|without|ignoring) \((.*?)\)", expression)
    return {label.strip() for clause in clauses for label in clause.split(",")}


def names_of(name, kind):
    """Under which names Prometheus knows a metric."""
    return [f"{name}_bucket", f"{name}_sum", f"{name}_count"] if kind == "histogram" else [name]


@pytest.fixture(scope="module")
def exposed(redis_server, tmp_path_factory):
    """Names of all metrics of servers that run, with bots, and for documents: by family."""
    folder = tmp_path_factory.mktemp("servers")
    (folder / "serve").mkdir()
    (folder / "collab").mkdir()
    settings = {"REDIS_URL": redis_server.url, "PRIVATE_APP_URL": "http://127.0.0.1:1"}
    with (
        Server(folder / "serve", BOTS="1", **settings) as live,
        Server(folder / "collab", "collab", COLLAB_PORT="0", **settings) as documents,
    ):
        texts = [server.ask("/metrics").body for server in (live, documents)]
    types = re.findall(r"^# TYPE (\w+) (\w+)$", "\n".join(texts), re.MULTILINE)
    return {name: names_of(name, kind) for name, kind in types}


@pytest.fixture(scope="module")
def labels():
    """Labels of each metric, also of those that have counted nothing yet."""
    anything = MagicMock()  # it is read when a metric is, and none is here
    parts = [
        families.of_process(anything, anything, anything),
        families.of_connections(anything, anything, anything, anything),
        families.of_clients(anything, anything, anything),
        families.of_messages(anything),
        families.of_redis(anything, anything),
        families.of_journal(anything, anything, anything),
        families.of_bots(anything),
        families.of_documents(anything),
    ]
    found = {}
    for family in [family for part in parts for family in part]:
        for name in names_of(f"{PREFIX}{family.name}", family.kind):
            found[name] = {*family.labels, *(["le"] if name.endswith("_bucket") else [])}
    return found


def test_every_metric_exists(exposed):
    """One that does not is an empty panel, or an alert that never comes."""
    asked = {name for expression in EXPRESSIONS for name, _ in selectors(expression)}

    assert asked
    assert not asked - {name for names in exposed.values() for name in names}


def test_every_label_exists(labels):
    """In selectors, and where an expression counts by it."""
    for expression in EXPRESSIONS:
        found = list(selectors(expression))
        available = SCRAPED.union(*(labels.get(name, set()) for name, _ in found))

        assert grouped(expression) <= available, expression
        for name, asked in found:
            # Those of the process itself have none.
            assert asked.keys() <= labels.get(name, set()) | SCRAPED, expression


def test_every_value_of_a_label_is_one_that_the_server_writes():
    """Somewhere in its source, in quotes."""
    source = "".join(path.read_text() for path in (ROOT / "channel_server").rglob("*.py"))
    values = {
        value
        for expression in EXPRESSIONS
        for _, asked in selectors(expression)
        for label, texts in asked.items()
        if label not in SCRAPED
        for value in texts.split("|")
    }

    assert values
    assert not {value for value in values if f'"{value}"' not in source}


def test_all_metrics_are_shown(exposed):
    """Who adds one should ask where an operator sees it. Of the process, some are enough."""
    variables = [each.get("definition", "") for each in DASHBOARD["templating"]["list"]]
    shown = {name for text in [*SHOWN, *variables] for name, _ in selectors(text)}

    assert not [
        family
        for family, names in exposed.items()
        if not shown & set(names) and not family.startswith(f"{PREFIX}process_")
    ]


def test_prometheus_reads_every_expression_of_the_dashboard(tmp_path):
    """As rules, since promtool checks these."""
    rules = [{"record": f"shown_{i}", "expr": text} for i, text in enumerate(SHOWN)]
    path = tmp_path / "shown.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]}))

    said = checked([program("promtool", "apt-get install prometheus"), "check", "rules", path])

    assert f"{len(SHOWN)} rules found" in said


def test_prometheus_reads_the_alert_rules():
    """And the templates in what they say."""
    promtool = program("promtool", "apt-get install prometheus")

    assert f"{len(ALERTS)} rules found" in checked([promtool, "check", "rules", ALERTS_FILE])


def test_alerts_come_when_they_should_and_not_otherwise(tmp_path):
    """On the days that alerts_test.yaml describes; together these have every alert."""
    text = (ROOT / "tests" / "deploy" / "alerts_test.yaml").read_text()
    path = tmp_path / "alerts_test.yaml"
    path.write_text(text.replace("[RULES]", f"[{ALERTS_FILE}]"))

    said = checked([program("promtool", "apt-get install prometheus"), "test", "rules", path])

    assert "SUCCESS" in said
    assert all(rule["alert"] in text for rule in ALERTS)


def test_alerts_say_how_bad_it_is_and_what_it_is():
    """Who is woken by one reads that first."""
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_panels_say_what_they_show_and_lie_beside_each_other():
    """Two at one place would hide one."""
    places = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not places & cells
        places |= cells
    assert all(panel["title"] and panel["description"] for panel in PANELS)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_all_panels_ask_the_prometheus_that_was_chosen():
    """And only for the servers that were chosen."""
    sources = [target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]]

    assert set(sources) == {"${datasource}"}
    for expression in SHOWN:
        for _, asked in selectors(expression):
            assert asked.keys() >= SCRAPED, expression
