"""What is promised to callers, and when somebody is told that it does not hold."""

from typing import Annotated

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

from vllm_chart.observe.alerts import ALERTS
from vllm_chart.values import rules
from vllm_chart.values.base import Block, Schema
from vllm_chart.values.rules import AlertSettings, ByAlert, Number


class Share:
    """Marks a share of all, more than none and less than all."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {
            "type": ["number", "string"],
            "if": {"exclusiveMinimum": 0, "exclusiveMaximum": 1, "pattern": r"^0?\.[0-9]+$"},
            "else": {"const": "write a share below 1: 0.999 for 99.9 %"},
        }


Objective = TypeAliasType("Objective", Annotated[float, Share()])


class PrometheusRule(rules.PrometheusRule):
    """Recording rules and alerts, as an object of the Prometheus operator. `vllm-chart rules -f mine.yaml` prints the
    same as a file for a Prometheus without it. They find the release by the labels `namespace` and `job`
    (`<namespace>/<name>`), which the chart's monitors and annotations give it."""

    alerts: Annotated[dict[str, AlertSettings], ByAlert(ALERTS)] = Field(
        ALERTS,
        description="When each alert fires: thresholds, how long it has to be so, how severe it is. `enabled: false` "
        "leaves one out. docs/alerts.md says what each means and what a threshold is compared with. An empty `for` of "
        "VLLMStartTooLong follows from startup.budgetSeconds.",
    )


class TimeToFirstToken(Block):
    """How long a caller waits for the first token."""

    seconds: Annotated[float, Number()] = Field(
        2.5,
        description="What is still quick: one of the boundaries of vLLM's histogram, because between two of them "
        "nobody knows how many there were. Others can be given to vLLM in engine.args.custom-histogram-buckets.",
    )
    objective: Objective = Field(0.95, description="The share of requests that are to be quick.")


class InterTokenLatency(Block):
    """How long a caller waits for each further token."""

    seconds: Annotated[float, Number()] = Field(0.1, description="What is still quick, likewise.")
    objective: Objective = Field(0.99, description="The share of tokens that are to be quick.")


class Slo(Block):
    """What is promised to callers. Alerts say when the rest, which is the budget for what goes wrong, is used up too
    fast, and `vllm-chart bench` counts what keeps it. An objective leaves room for 14.4 times its budget: 0.931 at
    least."""

    remedies = {
        "availability": "write errors",
        "timeToFirstToken": "write ttft: {seconds, objective}",
        "interTokenLatency": "write itl: {seconds, objective}",
        "tpot": "write itl: {seconds, objective}",
    }

    errors: Objective = Field(0.999, description="The share of requests that are to be answered without a 5xx.")
    ttft: TimeToFirstToken = Field(TimeToFirstToken(), description=TimeToFirstToken.__doc__)
    itl: InterTokenLatency = Field(InterTokenLatency(), description=InterTokenLatency.__doc__)
