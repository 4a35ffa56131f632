"""Alerts: mistakes that somebody made."""

from tests.render.mistakes.catches import Mended
from tests.render.mistakes.rows import Mistake, mistake
from tests.render.view import View

ON = "prometheusRule: {enabled: true}"
OF_LLM_D = "https://github.com/llm-d/llm-d/blob/main/docs/monitoring/prometheus-alerting-rules.yaml"


def expression(view: View, alert: str) -> str:
    """What an alert asks."""
    groups = view.manifests.one("PrometheusRule")["spec"]["groups"]
    (found,) = (rule["expr"] for group in groups for rule in group["rules"] if rule.get("alert") == alert)
    return str(found)


ROWS: list[Mistake] = [
    mistake(
        "down-while-it-loads",
        "an alert on a target that is down, which fires at every load of a model",
        "vllm-project/vllm#12173",
        Mended(
            "VLLMDown asks whether it was up before, and a start may take its budget",
            lambda v: "max_over_time(up" in expression(v, "VLLMDown"),
            ON,
        ),
    ),
    mistake(
        "down-is-silent-without-targets",
        "an alert on the sum of targets that are up, which is silent when there are none",
        OF_LLM_D,
        Mended(
            "VLLMAbsent asks for targets that are missing",
            lambda v: expression(v, "VLLMAbsent").startswith("absent_over_time(up"),
            ON,
        ),
    ),
    mistake(
        "counter-without-total",
        "an alert on a counter's name as vLLM's source has it, without the _total of its page",
        OF_LLM_D,
        Mended(
            "the names are those of real pages, which a test holds them to",
            lambda v: "vllm:num_preemptions_total{" in expression(v, "VLLMPreempting"),
            ON,
        ),
    ),
    mistake(
        "burn-rate-of-once",
        "burn-rate alerts that compare with the budget itself in every window",
        OF_LLM_D,
        Mended(
            "14.4 and 6 times in two windows each, 3 and 1 times over days",
            lambda v: "> 14.4 * 0.001\n" in expression(v, "VLLMErrorBudgetBurn"),
            ON,
        ),
    ),
    mistake(
        "alerts-of-all-releases-in-one",
        "alerts without a scope, which add up all releases of a cluster",
        OF_LLM_D,
        Mended(
            "every selector names the release's namespace and job",
            lambda v: 'up{namespace="default",job="default/llm-vllm"}' in expression(v, "VLLMDown"),
            ON,
        ),
    ),
]
