"""Whose rules are tried: those of each chart, with what they are tried against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.rules import endpoint_cases
from tests.rules.cases import CASES
from tests.rules.cases.recorded import RECORDINGS
from tests.rules.engine_page import Labels
from tests.rules.expected import ALERTS
from tests.rules.ruleset import RELEASE, RuleSet, rendered
from tests.rules.scenario import FULLNAME, NAMESPACE, Case, Recording
from vllm_chart.charts import ENDPOINT
from vllm_chart.endpoint import alerts
from vllm_chart.helm import render

#: With the names and the job of scenario.py.
ENDPOINT_VALUES = {
    "models": {"llama3": {"service": "llama"}},
    "clients": {"secretName": "keys"},
    "prometheusRule": {"enabled": True},
    "fullnameOverride": FULLNAME,
}


@dataclass(frozen=True)
class Subject:
    """The rules that a chart renders, and their cases. alerts: of each the labels that its rule adds."""

    rules: RuleSet
    cases: Sequence[Case]
    recordings: Sequence[Recording]
    alerts: Mapping[str, Labels]


def engine() -> Subject:
    """charts/vllm. Raises HelmError."""
    return Subject(rendered(), CASES, RECORDINGS, ALERTS)


def endpoint() -> Subject:
    """charts/vllm-endpoint. Raises HelmError."""
    manifests = render(chart=ENDPOINT.folder, values=ENDPOINT_VALUES, release=RELEASE, namespace=NAMESPACE)
    rules = RuleSet.of(manifests.one("PrometheusRule")["spec"]["groups"])
    labels = {alert: {"severity": one["severity"], "release": RELEASE} for alert, one in alerts.ALERTS.items()}
    return Subject(rules, endpoint_cases.CASES, endpoint_cases.RECORDINGS, labels)
