"""The chart's recording rules and alerts as a rule file, for a Prometheus without the operator."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from vllm_chart import charts, checks, helm, yaml_text
from vllm_chart.findings import Finding, has_errors
from vllm_chart.helm import AnyChart, ValuesOptions

Group = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class RuleFile:
    """The groups of a release, and what was found of its values; no groups where that is an error."""

    groups: Sequence[Group]
    findings: Sequence[Finding]
    head: str = ""

    @property
    def text(self) -> str:
        """As Prometheus reads it: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/."""
        groups = [_in_order(group) for group in self.groups]
        return self.head + yaml_text.dump({"groups": groups}, width=100)


def rule_file(
    chart: AnyChart = None, *, release: str = "llm", namespace: str = "default", **options: Unpack[ValuesOptions]
) -> RuleFile:
    """What `prometheusRule` renders for these values, whether or not it is enabled in them.

    Raises WrongCallError for a chart without them, HelmError for what is none, OSError for an unreadable file.
    """
    loaded = charts.having(chart, "rules", "prometheusRule")
    findings = checks.validate(loaded, **options)
    if has_errors(findings):
        return RuleFile([], findings)
    given = helm.user_values(**options)
    values = given | {"prometheusRule": given.get("prometheusRule", {}) | {"enabled": True}}
    findings = checks.validate(loaded, values=values)
    if has_errors(findings):
        return RuleFile([], findings)
    rendered = helm.render(chart=loaded, release=release, namespace=namespace, values=values)
    head = f"# Rules of the release {release} in namespace {namespace}, written by `vllm-chart rules`.\n"
    return RuleFile(rendered.one("PrometheusRule")["spec"]["groups"], findings, head)


_FIRST = ("name", "interval", "record", "alert", "expr", "for", "labels", "annotations", "summary", "description")


def _in_order(node: Any) -> Any:
    """The structure with its keys in the order in which a person reads a rule."""
    if isinstance(node, list):
        return [_in_order(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    keys = sorted(node, key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key))
    return {key: _in_order(node[key]) for key in keys}
