"""The page of metrics, the dashboard, the alerts and the mapping speak of the metrics that the code sends."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from include.audit.metrics import METRICS, Kind
from tests.docs.pages import PROJECT, page, rows, words

DASHBOARDS = PROJECT / "deploy" / "dashboards"
NAME = re.compile(r"\brecording_archive_\w+")
OF_TIMERS = ("_bucket", "_sum", "_count")
SUFFIX = {Kind.COUNTER: "_total", Kind.GAUGE: "", Kind.TIMER: "_seconds"}
STATSD_TYPE = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.TIMER: "observer"}
BY_PROMETHEUS_NAME = {f"recording_archive_{metric.name}{SUFFIX[metric.kind]}": metric for metric in METRICS}
GRAFANA = json.loads((DASHBOARDS / "grafana.json").read_text("utf-8"))
ALERTS = yaml.safe_load((DASHBOARDS / "alerts.yaml").read_text("utf-8"))
MAPPINGS = yaml.safe_load((DASHBOARDS / "statsd-mapping.yaml").read_text("utf-8"))["mappings"]
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
EXPRESSIONS = [
    *((f"panel {panel['title']}", target["expr"]) for panel in GRAFANA["panels"] for target in panel["targets"]),
    *((f"alert {rule['alert']}", rule["expr"]) for rule in RULES),
]


def filled(template, match):
    """Put what the wildcards matched into the exporter's ``$1`` and ``${1}``."""
    return match.expand(re.sub(r"\$\{?(\d)\}?", r"\\g<\1>", template))


def exported(name, kind):
    """Return the Prometheus name and the labels that the exporter's first matching rule gives a StatsD name."""
    for rule in MAPPINGS:
        pattern = re.escape(rule["match"]).replace(r"\*", r"([^.]*)")
        match = re.fullmatch(pattern, name)
        if match and rule["match_metric_type"] == STATSD_TYPE[kind]:
            template = re.compile(r"\$\{?(\d)\}?")
            labels = {
                label: match.expand(template.sub(r"\\g<\1>", value)) for label, value in rule.get("labels", {}).items()
            }
            return match.expand(template.sub(r"\\g<\1>", rule["name"])), labels
    return None


def test_table_has_every_metric_and_no_other():
    """Name, kind and Prometheus name of each, in the order of the code."""
    table = rows(page("docs/metrics.md").section("Names"), "name")
    expected = [
        [f"`{metric.of('*').replace('*', f'<{metric.label}>')}`", str(metric.kind), f"`{name}`"]
        for name, metric in BY_PROMETHEUS_NAME.items()
    ]
    assert expected == [row[:3] for row in table]
    assert all(len(words(row[0])) == 1 and row[3] for row in table)


@pytest.mark.parametrize("name", BY_PROMETHEUS_NAME)
def test_mapping_makes_the_name_of_the_table(name):
    """The exporter's rules, in order, lead to the name that the page promises, with the word as a label."""
    metric = BY_PROMETHEUS_NAME[name]
    labels = {metric.label: "word"} if metric.label else {}
    assert (name, labels) == exported(f"airflow.{metric.of('word')}", metric.kind)


@pytest.mark.parametrize(("place", "expression"), EXPRESSIONS)
def test_expression_asks_for_what_is_there(place, expression):
    """Each name is exported, a timer's through its parts, labels are those of the metric; brackets close."""
    assert place
    names = NAME.findall(expression)
    assert names
    for name in names:
        parts = [name.removesuffix(end) for end in OF_TIMERS if name.endswith(end)]
        metric = BY_PROMETHEUS_NAME[parts[0] if parts else name]
        assert bool(parts) == (metric.kind is Kind.TIMER)
        for label in re.findall(rf"{name}\{{(\w+)", expression):
            assert metric.label == label
        counted = re.search(rf"(rate|increase)\({name}", expression)
        assert (metric.kind is not Kind.GAUGE) == bool(counted)
    for pair in ("()", "[]", "{}"):
        assert expression.count(pair[0]) == expression.count(pair[1])


def test_every_metric_is_on_the_dashboard():
    """What is measured can be seen."""
    shown = {
        name for place, expression in EXPRESSIONS if place.startswith("panel") for name in NAME.findall(expression)
    }
    seen = {name.removesuffix(end) for name in shown for end in ("", *OF_TIMERS)}
    assert [] == [name for name in BY_PROMETHEUS_NAME if name not in seen]


def test_dashboard_can_be_imported():
    """Unique panels that do not overlap, each asking the chosen data source."""
    panels = GRAFANA["panels"]
    assert len(panels) == len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels})
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert 24 > max(x for x, _ in cells)
    assert {"${datasource}"} == {target["datasource"]["uid"] for panel in panels for target in panel["targets"]}
    assert ["datasource"] == [variable["name"] for variable in GRAFANA["templating"]["list"]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alert_says_what_to_do(rule):
    """A severity, a summary and a description; pages that it names are there."""
    assert {"page", "ticket"} > {rule["labels"]["severity"]}
    assert {"summary", "description"} == rule["annotations"].keys()
    for name in re.findall(r"docs/[\w.-]+", rule["annotations"]["description"]):
        assert (PROJECT / name.rstrip(".")).exists()
