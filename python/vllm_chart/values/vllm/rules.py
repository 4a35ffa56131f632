"""What is promised to callers, and when somebody is told that it does not hold."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

from vllm_chart.observe.alerts import ALERTS
from vllm_chart.values.base import Annotations, Block, Labels, LabelValue, Pattern, Reference, Schema

#: https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations
_DURATION = "^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$"
Duration = Annotated[str, Pattern(_DURATION, "write a duration: 30s, 5m or 1h30m")]


@dataclass(frozen=True)
class Number:
    """Marks a number that may be written as text, as `--set` does with a fraction."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {"type": ["number", "string"], "minimum": 0, "pattern": r"^[0-9]*\.?[0-9]+$"}


class Share:
    """Marks a share of all, more than none and less than all."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {
            "type": ["number", "string"],
            "if": {"exclusiveMinimum": 0, "exclusiveMaximum": 1, "pattern": r"^0?\.[0-9]+$"},
            "else": {"const": "write a share below 1: 0.999 for 99.9 %"},
        }


Objective = TypeAliasType("Objective", Annotated[float, Share()])


class Alert(Block):
    """When an alert fires; each has those of these keys that are in its defaults."""

    enabled: bool | None = Field(None, description="false leaves the alert out.")
    for_: Duration | None = Field(None, alias="for", description="How long it has to be so.")
    severity: Annotated[str, LabelValue()] | None = Field(None, description="The label by which it is routed.")
    threshold: Annotated[float, Number()] | None = Field(None, description="What is too much.")
    long_threshold: Annotated[float, Number()] | None = Field(None, description="The same in the longer windows.")
    min_requests: Annotated[float, Number()] | None = Field(None, description="With fewer requests it is silent.")


class AnAlert:
    """Marks the settings of an alert, whose defaults are plain maps and no blocks."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return handler(Alert.__pydantic_core_schema__) | {"type": ["object", "null"]}


AlertSettings = TypeAliasType("AlertSettings", Annotated[dict[str, Any], AnAlert()])


class ByAlert:
    """Marks a map with a key for each alert."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        alert = handler(schema)["additionalProperties"]
        return {"type": "object", "properties": dict.fromkeys(ALERTS, alert), "additionalProperties": False}


class PrometheusRule(Block):
    """Recording rules and alerts, as an object of the Prometheus operator. `vllm-chart rules -f mine.yaml` prints the
    same as a file for a Prometheus without it. They find the release by the labels `namespace` and `job`
    (`<namespace>/<name>`), which the chart's monitors and annotations give it."""

    remedies = {
        "additionalLabels": "write labels (of the object) or alertLabels (of each alert)",
        "additionalRuleLabels": "write alertLabels",
        "rules": "write a PrometheusRule of your own in extraObjects",
        "groups": "write a PrometheusRule of your own in extraObjects",
        "additionalGroups": "write a PrometheusRule of your own in extraObjects",
        "create": "write enabled",
        "runbookBaseUrl": "write runbookUrl",
        "runbookURL": "write runbookUrl",
    }

    enabled: bool = Field(False, description="Render a PrometheusRule.")
    namespace: Reference = Field(
        "",
        description="Where the object is, for a Prometheus that looks into its own namespace alone. Empty: beside "
        "the pods.",
    )
    labels: Labels = Field(
        {},
        description="Labels of the object, by which a Prometheus picks rules: `release: kube-prometheus-stack`, for "
        "example. `vllm-chart preflight` reads the Prometheus and says which one is missing.",
    )
    annotations: Annotations = Field({}, description="Annotations of the object.")
    interval: Duration = Field("30s", description="How often they are evaluated.")
    alert_labels: Labels = Field({}, description="Labels of each alert beside `severity` and `release`: `team: ml`.")
    runbook_url: str = Field(
        "docs/runbooks",
        description="Where the pages on the alerts are, one for each: `runbook_url` of VLLMDown leads to VLLMDown.md "
        "in it. The default is the folder in the chart's repository.",
    )
    dashboard_url: str = Field("", description="Address of a dashboard, which each alert gets as `dashboard_url`.")
    alerts: Annotated[dict[str, AlertSettings], ByAlert()] = Field(
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
