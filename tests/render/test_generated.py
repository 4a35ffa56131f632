"""Whatever values the schema allows: a rule refuses them, or what they render keeps every promise."""

from typing import Any

from hypothesis import HealthCheck, given, reject, settings

from tests.render import generated
from vllm_chart import checks
from vllm_chart.helm import HelmError, render, values_schema


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(generated.values(values_schema()))
def test_values_are_refused_by_a_rule_or_render_soundly(values: dict[str, Any]) -> None:
    # Objects of the user's own may be anything; a release without a model is refused at once.
    values = {key: value for key, value in values.items() if key != "extraObjects"}
    values["model"] = {"id": "org/name", **{k: v for k, v in values.get("model", {}).items() if k != "id" or v}}

    try:
        manifests = render(values=values)
    except HelmError as refusal:
        if "specifications of the schema" in str(refusal):
            reject()  # what the strategy does not draw by: bounds beside a reference, conditions
        if "These values cannot work" in str(refusal):
            return
        raise

    assert [finding for finding in checks.inspect(manifests, "1.37", "privileged") if finding.severity == "error"] == []
