"""A chart of a few lines, with a values model and a check of its own, as it would be written and generated."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ci import generate
from vllm_chart.charts import Chart
from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.values.base import Count, Section

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-tiny
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/name: tiny
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/version: "1"
    app.kubernetes.io/managed-by: {{ .Release.Service }}
    helm.sh/chart: tiny
data:
  greeting: {{ .Values.greeting | quote }}
  limits: {{ .Files.Get "files/generated/limits.json" | fromJson | toJson | quote }}
"""
ABOUT = """\
{apiVersion: v2, name: tiny, version: 0.1.0, appVersion: "1", description: A greeting., kubeVersion: ">=1.30.0-0",
 icon: https://example.com/icon.png}
"""


class Words(Section):
    heading = "What is said"

    greeting: str = Field("hello", description="Said to everyone.")


class Numbers(Section):
    heading = "How often"

    times: Count = Field(1, description="How often it is said.")


class Values(Words, Numbers):
    """Every key of the chart."""

    remedies: ClassVar = {"greetings": "write greeting"}


def polite(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> Iterable[Finding]:
    if manifests.one("ConfigMap")["data"]["greeting"] == "bah":
        yield Finding("politeness", "greeting", f"is not polite in {app_version}", "write hello")


def make(parent: Path) -> Chart:
    """The chart in a folder of the parent's, beside a folder of its examples."""
    folder = parent / "tiny"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(ABOUT)
    (folder / "templates" / "config-map.yaml").write_text(TEMPLATE)
    (parent / "examples").mkdir()
    (parent / "examples" / "good.yaml").write_text("greeting: good morning\n")
    chart = Chart(
        "tiny",
        model=lambda: Values,
        checks=(Check("politeness", "Greetings are polite.", "People leave.", "Manners"),),
        examinations=(polite,),
        reads=frozenset(("greeting",)),
        examples=str(parent / "examples"),
        path=folder,
        title="Tiny",
        facts={"limits.json": lambda: {"most": 3}},
    )
    for path, text in generate.of_chart(chart).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return chart
