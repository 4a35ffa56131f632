"""What the chart alerts on, and when: the defaults of the values, and what vLLM's histograms can tell apart.

The expressions are in the chart's files/rules.yaml.
"""

from typing import Any

_BURN = {"for": "2m", "severity": "critical", "threshold": 14.4, "longThreshold": 6, "minRequests": 20}
_BURN_SLOW = {"for": "15m", "severity": "warning", "threshold": 3, "longThreshold": 1, "minRequests": 20}

#: Of each alert the keys that it has in prometheusRule.alerts, with their defaults, in the order of files/rules.yaml.
#: The thresholds of budgets are those of https://sre.google/workbook/alerting-on-slos/ (table 5-8).
ALERTS: dict[str, dict[str, Any]] = {
    "VLLMDown": {"for": "2m", "severity": "critical"},
    "VLLMAbsent": {"for": "5m", "severity": "critical"},
    "VLLMReplicaDown": {"for": "3m", "severity": "warning"},
    "VLLMStartTooLong": {"for": "", "severity": "warning"},
    "VLLMRestarting": {"for": "0m", "severity": "warning", "threshold": 2},
    "VLLMStalled": {"for": "1m", "severity": "critical"},
    "VLLMQueueing": {"for": "5m", "severity": "warning", "threshold": 0},
    "VLLMOverloaded": {"for": "10m", "severity": "critical", "threshold": 1},
    "VLLMKVCacheFull": {"for": "10m", "severity": "warning", "threshold": 0.95},
    "VLLMPreempting": {"for": "10m", "severity": "warning", "threshold": 0.05},
    "VLLMRejecting": {"for": "5m", "severity": "warning", "threshold": 0},
    "VLLMAborted": {"for": "15m", "severity": "warning", "threshold": 0.2, "minRequests": 20},
    "VLLMEngineErrors": {"for": "5m", "severity": "warning", "threshold": 0.01},
    "VLLMErrorBudgetBurn": {**_BURN},
    "VLLMErrorBudgetBurnSlow": {**_BURN_SLOW},
    "VLLMTTFTBudgetBurn": {**_BURN},
    "VLLMTTFTBudgetBurnSlow": {**_BURN_SLOW},
    "VLLMITLBudgetBurn": {**_BURN},
    "VLLMITLBudgetBurnSlow": {**_BURN_SLOW},
    "VLLMAutoscalerBlind": {"for": "10m", "severity": "warning"},
    "VLLMAutoscalerAtMax": {"for": "15m", "severity": "warning"},
}

#: Seconds: where vLLM's histograms have a boundary, by the family's name in --custom-histogram-buckets. A share of
#: requests above any other number is a guess. v1/metrics/buckets.py:52 and :80 of 0.33.0, the same in 0.32.0.
BUCKETS = {
    "time_to_first_token": (
        *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
        *(20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
    ),
    "inter_token_latency": (
        *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
        *(20.0, 40.0, 80.0),
    ),
}

#: Seconds that a start may take beyond its budget before VLLMStartTooLong fires.
START_MARGIN_SECONDS = 60


def facts() -> dict[str, Any]:
    """For the templates, which read them as `.Facts.alerts`."""
    return {"defaults": ALERTS, "buckets": BUCKETS, "startMarginSeconds": START_MARGIN_SECONDS}
