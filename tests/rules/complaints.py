"""What is asked of a rule besides when it fires: labels to route by, and words for who is woken up."""

import re
from collections.abc import Iterator, Mapping

from tests.rules.engine_page import Labels
from tests.rules.expected import ALERTS
from tests.rules.ruleset import Rule

COMMAND = "vllm-chart diagnose --release llm -n prod"
#: These have no number to tell: something is not there.
WITHOUT_VALUE = {
    *("VLLMDown", "VLLMAbsent", "VLLMReplicaDown", "VLLMStartTooLong", "VLLMAutoscalerBlind"),
    *(f"VLLMEndpoint{name}" for name in ("Down", "Absent", "ReplicaDown", "ModelDown", "ClientsRefused")),
}


def complaints(rule: Rule, alerts: Mapping[str, Labels] = ALERTS) -> Iterator[str]:
    """What is wrong with a rule, but for its expression and its `for`. alerts: of each the labels that it adds."""
    if not rule.is_alert:
        return
    if rule.body.get("labels") != alerts[rule.name]:
        yield f"has the labels {rule.body.get('labels')}"
    annotations = rule.body.get("annotations", {})
    summary, description = annotations.get("summary", ""), annotations.get("description", "")
    if not summary or "$value" in summary or "$labels" in summary:
        yield "needs a summary, which is the same each time"
    if not description.endswith(COMMAND):
        yield f"needs a description that ends with what to do first: {COMMAND}"
    if "$value" not in description and rule.name not in WITHOUT_VALUE:
        yield "needs a description that tells the value"
    if re.search(r"\$(?!value\b|labels\b)", description):
        yield "has a description with a name that nothing was put in for"
    if not annotations.get("runbook_url", "").endswith(f"/{rule.name}.md"):
        yield "needs a runbook_url"
