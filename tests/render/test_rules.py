"""Recording rules and alerts: what depends on the release and its values."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import values_from_yaml

from vllm_chart import helm
from vllm_chart.facts import STARTUP_BUDGET_SECONDS
from vllm_chart.observe.alerts import ALERTS, START_MARGIN_SECONDS

FILE = Path("charts/vllm/files/rules.yaml")
Rule = dict[str, Any]


def rules(text: str = "", **options: Any) -> list[Rule]:
    """The rules of a release with these values."""
    return [rule for group in groups(text, **options) for rule in group["rules"]]


def groups(text: str = "", **options: Any) -> list[dict[str, Any]]:
    given = values_from_yaml(text)
    values = {"model": {"id": "org/name"}} | given
    values["prometheusRule"] = {"enabled": True} | given.get("prometheusRule", {})
    found: list[dict[str, Any]] = helm.render(values=values, **options).one("PrometheusRule")["spec"]["groups"]
    return found


def alerts(text: str = "", **options: Any) -> dict[str, Rule]:
    return {rule["alert"]: rule for rule in rules(text, **options) if "alert" in rule}


def test_the_values_know_every_alert_of_the_file_and_no_other() -> None:
    written = [rule["alert"] for rule in yaml.safe_load(FILE.read_text())["alerts"]]

    assert written == list(ALERTS)


def test_a_release_has_all_alerts_but_those_of_an_autoscaler() -> None:
    assert list(alerts()) == [name for name in ALERTS if not name.startswith("VLLMAutoscaler")]


def test_groups_have_names_of_their_own_and_long_windows_are_computed_less_often() -> None:
    found = groups("prometheusRule: {interval: 15s}")

    assert [(group["name"], group["interval"]) for group in found] == [
        ("llm-vllm", "15s"),
        ("llm-vllm-slo", "15s"),
        ("llm-vllm-slo-long", "2m"),
        ("llm-vllm-alerts", "15s"),
    ]
    windows = {group["name"]: {*re.findall(r"\[(\w+)\]", json.dumps(group))} for group in found}
    assert windows["llm-vllm-slo"] == {"5m", "30m", "1h", "2h"}
    assert windows["llm-vllm-slo-long"] == {"6h", "1d", "3d"}


def test_nothing_is_left_to_fill_in() -> None:
    for rule in rules():
        text = re.sub(r"\$(value|labels)\b", "", json.dumps(rule))
        assert "$" not in text, text
        assert "{S" not in text, text


def test_every_selector_is_of_this_release() -> None:
    found = rules(release="chat", namespace="models")
    own = '{namespace="models",job="models/chat-vllm"'
    for rule in found:
        for selector in re.findall(r"(?:[a-z_]+:)?[a-zA-Z_:]+(?=\{)(\{[^}]*\})", rule["expr"]):
            outside = selector.startswith('{namespace="models",container=')  # of kube-state-metrics
            assert selector.startswith(own) or outside, rule["expr"]


def test_every_alert_says_what_it_is_and_where_to_begin() -> None:
    for name, alert in alerts(release="chat", namespace="models").items():
        said = alert["annotations"]
        assert "{{" not in said["summary"], name
        assert said["description"].endswith("Begin with: vllm-chart diagnose --release chat -n models"), name
        assert alert["labels"] == {"severity": ALERTS[name]["severity"], "release": "chat"}, name
        assert "dashboard_url" not in said
        if "threshold" in ALERTS[name]:
            assert "$value" in said["description"], name
            assert str(ALERTS[name]["threshold"]) in said["description"], name


def test_runbooks_dashboards_and_labels_are_the_users() -> None:
    alert = alerts(
        """
        prometheusRule:
          runbookUrl: https://wiki.example.com/vllm/
          dashboardUrl: https://grafana.example.com/d/1?a=$b
          alertLabels: {team: ml}
        """
    )["VLLMDown"]

    assert alert["annotations"]["runbook_url"] == "https://wiki.example.com/vllm/VLLMDown.md"
    assert alert["annotations"]["dashboard_url"] == "https://grafana.example.com/d/1?a=$b"
    assert alert["labels"] == {"team": "ml", "severity": "critical", "release": "llm"}


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, key) for name, keys in ALERTS.items() for key in keys if not name.startswith("VLLMAutoscaler")],
)
def test_every_setting_of_an_alert_is_in_it(name: str, key: str) -> None:
    given = {"for": "77s", "severity": "info"}.get(key, 0.75)  # a share has to be below 1
    values = {"prometheusRule": {"alerts": {name: {key: given}}}, "slo": {"ttft": {"objective": 0.99}}}
    found = alerts(json.dumps(values))

    where = found[name]["labels"] if key == "severity" else found[name] if key == "for" else found[name]["expr"]
    assert str(given) in str(where)
    others = alerts(json.dumps({"slo": values["slo"]}))
    assert {other: found[other] for other in found if other != name} == {
        other: others[other] for other in others if other != name
    }


@pytest.mark.parametrize("settings", ["{enabled: false}", "null"])
def test_an_alert_can_be_left_out(settings: str) -> None:
    assert "VLLMDown" not in alerts(f"prometheusRule: {{alerts: {{VLLMDown: {settings}}}}}")


def test_nought_is_a_setting_too() -> None:
    found = alerts("prometheusRule: {alerts: {VLLMAborted: {minRequests: 0, threshold: 0.0}, VLLMDown: {for: '0'}}}")

    assert "> 0\n" in found["VLLMAborted"]["expr"]
    assert ">= 0\n" in found["VLLMAborted"]["expr"]
    assert found["VLLMDown"]["for"] == "0"


def test_a_deleted_setting_is_the_default() -> None:
    changed = alerts("prometheusRule: {alerts: {VLLMDown: {for: null, severity: null}, VLLMQueueing: {for: ''}}}")

    assert changed["VLLMDown"] == alerts()["VLLMDown"]


def test_a_start_may_take_its_budget() -> None:
    assert alerts()["VLLMStartTooLong"]["for"] == f"{STARTUP_BUDGET_SECONDS + START_MARGIN_SECONDS}s"
    assert alerts("startup: {budgetSeconds: 600}")["VLLMStartTooLong"]["for"] == "660s"
    own_probe = "startupProbe: {failureThreshold: 400, periodSeconds: 10}"
    assert alerts(own_probe)["VLLMStartTooLong"]["for"] == "4060s"
    # A replica that came down is told of until then.
    assert "[780s]" in alerts("startup: {budgetSeconds: 600}")["VLLMReplicaDown"]["expr"]


@pytest.mark.parametrize(("seconds", "le"), [("1", "1.0"), ("2.5", "2.5"), ("'0.5'", "0.5"), ("2560", "2560.0")])
def test_a_promise_is_written_as_a_boundary_of_the_histogram(seconds: str, le: str) -> None:
    other = "image: {tag: nightly}"  # whose boundaries nobody knows
    found = [r["expr"] for r in rules(f"{{slo: {{ttft: {{seconds: {seconds}}}}}, {other}}}") if "ttft_slow" in str(r)]

    assert f'time_to_first_token_seconds_bucket{{namespace="default",job="default/llm-vllm",le="{le}"}}' in found[0]


def test_a_budget_is_what_the_objective_leaves() -> None:
    found = alerts("slo: {errors: 0.995, ttft: {objective: '0.97'}, itl: {objective: 0.98}}")

    assert "> 14.4 * 0.005\n" in found["VLLMErrorBudgetBurn"]["expr"]
    assert "> 14.4 * 0.03\n" in found["VLLMTTFTBudgetBurn"]["expr"]
    assert "> 1 * 0.02\n" in found["VLLMITLBudgetBurnSlow"]["expr"]
    assert "the objective is 0.97 without" in found["VLLMTTFTBudgetBurn"]["annotations"]["description"]


SCALER = "{apiVersion: a/v1, kind: %s, metadata: {name: a}, spec: {scaleTargetRef: {name: llm-vllm}%s}}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("autoscaling: {enabled: true, maxReplicas: 4, prometheus: {address: 'http://p:9090'}}", "keda-hpa-llm-vllm"),
        ("autoscaling: {enabled: true, maxReplicas: 4, kind: HPA}", "llm-vllm"),
        (f"replicaCount: null\nextraObjects: [{SCALER % ('HorizontalPodAutoscaler', '')}]", "a"),
        (f"replicaCount: null\nextraObjects: [{SCALER % ('ScaledObject', '')}]", "keda-hpa-a"),
        (
            "replicaCount: null\nextraObjects: "
            f"[{SCALER % ('ScaledObject', ', advanced: {horizontalPodAutoscalerConfig: {name: mine}}')}]",
            "mine",
        ),
    ],
)
def test_an_autoscaler_is_watched(text: str, name: str) -> None:
    found = alerts(text)

    assert [*found][-2:] == ["VLLMAutoscalerBlind", "VLLMAutoscalerAtMax"]
    for alert in ("VLLMAutoscalerBlind", "VLLMAutoscalerAtMax"):
        assert f'horizontalpodautoscaler="{name}"' in found[alert]["expr"]


@pytest.mark.parametrize("name", ["VLLMAutoscalerBlind", "VLLMAutoscalerAtMax"])
def test_the_settings_of_an_autoscalers_alert_are_in_it(name: str) -> None:
    scaled = "autoscaling: {enabled: true, maxReplicas: 4, kind: HPA}"
    found = alerts(f"{scaled}\nprometheusRule: {{alerts: {{{name}: {{for: 77s, severity: info}}}}}}")[name]

    assert (found["for"], found["labels"]["severity"]) == ("77s", "info")


@pytest.mark.parametrize(
    ("text", "absent", "down"),
    [
        ("", True, "2m"),
        ("replicaCount: null", True, "2m"),
        ("replicaCount: 0", False, "2m"),
        (f"replicaCount: null\nextraObjects: [{SCALER % ('HorizontalPodAutoscaler', '')}]", True, "2m"),
        (
            f"replicaCount: null\nextraObjects: [{SCALER % ('HorizontalPodAutoscaler', ', minReplicas: 0')}]",
            False,
            "1860s",
        ),
        (f"replicaCount: null\nextraObjects: [{SCALER % ('ScaledObject', '')}]", False, "1860s"),
        (f"replicaCount: null\nextraObjects: [{SCALER % ('ScaledObject', ', minReplicaCount: 1')}]", True, "2m"),
        ("autoscaling: {enabled: true, kind: HPA, maxReplicas: 4}", True, "2m"),
        (
            "autoscaling: {enabled: true, maxReplicas: 4, minReplicas: 0, prometheus: {address: 'http://p:9090'}, "
            "wakeUp: {httpAddon: {enabled: true, hosts: [a.example.com]}}}",
            False,
            "1860s",
        ),
    ],
)
def test_a_release_that_may_have_no_pods_is_not_missed(text: str, absent: bool, down: str) -> None:
    found = alerts(text)

    assert ("VLLMAbsent" in found) is absent
    assert found["VLLMDown"]["for"] == down
