"""When somebody is told that something is wrong: keys that every chart has."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

from vllm_chart.values.base import Annotations, Block, Labels, LabelValue, Reference, Schema
from vllm_chart.values.monitoring import Duration


@dataclass(frozen=True)
class Number:
    """Marks a number that may be written as text, as `--set` does with a fraction."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {"type": ["number", "string"], "minimum": 0, "pattern": r"^[0-9]*\.?[0-9]+$"}


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


@dataclass(frozen=True)
class ByAlert:
    """Marks a map with a key for each alert."""

    names: Iterable[str]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        alert = handler(schema)["additionalProperties"]
        return {"type": "object", "properties": dict.fromkeys(self.names, alert), "additionalProperties": False}


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
