"""What the endpoint's chart alerts on, and when: the defaults of the values.

The expressions are in the chart's files/rules.yaml.
"""

from typing import Any

#: Of each alert the keys that it has in prometheusRule.alerts, with their defaults, in the order of files/rules.yaml.
ALERTS: dict[str, dict[str, Any]] = {
    "VLLMEndpointDown": {"for": "2m", "severity": "critical"},
    "VLLMEndpointAbsent": {"for": "5m", "severity": "critical"},
    "VLLMEndpointReplicaDown": {"for": "3m", "severity": "warning"},
    "VLLMEndpointModelDown": {"for": "1m", "severity": "critical"},
    "VLLMEndpointErrors": {"for": "5m", "severity": "warning", "threshold": 0.05, "minRequests": 20},
    "VLLMEndpointOverflow": {"for": "0m", "severity": "warning", "threshold": 0},
    "VLLMEndpointClientsRefused": {"for": "1m", "severity": "warning"},
    "VLLMEndpointUnauthorized": {"for": "5m", "severity": "warning", "threshold": 0.2, "minRequests": 20},
    "VLLMEndpointLimited": {"for": "15m", "severity": "warning", "threshold": 0.5, "minRequests": 20},
    "VLLMEndpointCertificateExpiring": {"for": "1h", "severity": "warning", "threshold": 14},
}


def facts() -> dict[str, Any]:
    """For the templates, which read them from the chart's files/generated/alerts.json."""
    return ALERTS
