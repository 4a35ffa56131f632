"""Recording rules, alerts and promises: what people run, and is accepted."""

from collections.abc import Callable

from tests.render.acceptances.rows import Row
from tests.render.view import View

OPERATOR = "https://prometheus-operator.dev/docs/developer/alerting/"
SRE = "https://sre.google/workbook/alerting-on-slos/"
METRICS = "https://docs.vllm.ai/en/stable/design/metrics/"


def alert(name: str, has: str) -> Callable[[View], bool]:
    """Whether the alert's expression has a text in it."""

    def asked(view: View) -> bool:
        rules = [rule for group in view.manifests.one("PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
        (found,) = [rule for rule in rules if rule.get("alert") == name]
        return has in str(found)

    return asked


def records(has: str) -> Callable[[View], bool]:
    """Whether some recording rule has a text in it."""
    return lambda view: has in str(view.manifests.one("PrometheusRule")["spec"]["groups"][1])


ROWS: list[Row] = [
    (
        "rules that kube-prometheus-stack picks up, in its namespace",
        OPERATOR,
        """
        model: {id: Qwen/Qwen3-8B}
        prometheusRule:
          enabled: true
          namespace: monitoring
          labels: {release: kube-prometheus-stack}
          alertLabels: {team: ml}
        """,
        lambda v: v.manifests.one("PrometheusRule").metadata["labels"]["release"] == "kube-prometheus-stack",
    ),
    (
        "severities of one's own, and an alert less",
        OPERATOR,
        """
        model: {id: Qwen/Qwen3-8B}
        prometheusRule:
          enabled: true
          alerts: {VLLMDown: {severity: page, for: 1m30s}, VLLMAborted: {enabled: false}, VLLMPreempting: null}
        """,
        alert("VLLMDown", "'for': '1m30s', 'labels': {'release': 'llm', 'severity': 'page'}"),
    ),
    (
        "an objective of nine in ten, with thresholds that it leaves room for",
        SRE,
        """
        model: {id: Qwen/Qwen3-8B}
        prometheusRule: {enabled: true, alerts: {VLLMTTFTBudgetBurn: {threshold: 8}}}
        slo: {ttft: {seconds: 5, objective: 0.9}}
        """,
        alert("VLLMTTFTBudgetBurn", "> 8 * 0.1"),
    ),
    (
        "an objective of nine in ten, without the alerts about it",
        SRE,
        """
        model: {id: Qwen/Qwen3-8B}
        prometheusRule: {enabled: true, alerts: {VLLMITLBudgetBurn: {enabled: false}}}
        slo: {itl: {seconds: 0.2, objective: 0.9}}
        """,
        records('le="0.2"'),
    ),
    (
        "promises without alerts",
        SRE,
        "{model: {id: Qwen/Qwen3-8B}, slo: {ttft: {seconds: 3, objective: 0.5}}}",
        lambda v: not v.manifests.all("PrometheusRule"),
    ),
    (
        "boundaries of one's own",
        METRICS,
        """
        model: {id: Qwen/Qwen3-8B}
        prometheusRule: {enabled: true}
        slo: {ttft: {seconds: 2}}
        engine: {args: {custom-histogram-buckets: {time_to_first_token: [0.5, 1, 2, 4]}}}
        """,
        records('le="2.0"'),
    ),
    (
        "a vLLM whose boundaries nobody here knows",
        METRICS,
        """
        model: {id: Qwen/Qwen3-8B}
        image: {tag: nightly}
        prometheusRule: {enabled: true}
        slo: {ttft: {seconds: 2}}
        """,
        records('le="2.0"'),
    ),
]
