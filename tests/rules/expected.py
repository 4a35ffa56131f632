"""The alerts there are, and how severe each is."""

CRITICAL, WARNING = "critical", "warning"

SEVERITIES = {
    "VLLMDown": CRITICAL,
    "VLLMAbsent": CRITICAL,
    "VLLMReplicaDown": WARNING,
    "VLLMStartTooLong": WARNING,
    "VLLMRestarting": WARNING,
    "VLLMStalled": CRITICAL,
    "VLLMQueueing": WARNING,
    "VLLMOverloaded": CRITICAL,
    "VLLMKVCacheFull": WARNING,
    "VLLMPreempting": WARNING,
    "VLLMRejecting": WARNING,
    "VLLMAborted": WARNING,
    "VLLMEngineErrors": WARNING,
    "VLLMErrorBudgetBurn": CRITICAL,
    "VLLMErrorBudgetBurnSlow": WARNING,
    "VLLMTTFTBudgetBurn": CRITICAL,
    "VLLMTTFTBudgetBurnSlow": WARNING,
    "VLLMITLBudgetBurn": CRITICAL,
    "VLLMITLBudgetBurnSlow": WARNING,
    "VLLMAutoscalerBlind": WARNING,
    "VLLMAutoscalerAtMax": WARNING,
}
#: What each alert's rule adds to the labels of what it found.
ALERTS = {alert: {"severity": severity, "release": "llm"} for alert, severity in SEVERITIES.items()}
