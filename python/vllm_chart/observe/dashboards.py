"""The dashboards of a chart as files, for those who bring them into a Grafana by hand."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from vllm_chart import charts, checks, helm
from vllm_chart.findings import Finding, WrongCallError, has_errors
from vllm_chart.helm import AnyChart, LoadedChart, ValuesOptions
from vllm_chart.rendered.manifests import Manifests

#: As they stand in each chart, in `files/dashboards/`.
NAMES = {charts.VLLM.name: ("service", "replica"), charts.ENDPOINT.name: ("endpoint",)}
Board = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Dashboards:
    """The dashboards by their names, and what was found of the values; none where that is an error."""

    boards: Mapping[str, Board]
    findings: Sequence[Finding] = ()


def dashboards(
    chart: AnyChart = None, *, release: str = "llm", namespace: str = "default", **options: Unpack[ValuesOptions]
) -> Dashboards:
    """What `dashboards` renders for these values, whether or not it is enabled in them; without any values, what the
    chart has for every release.

    Raises WrongCallError for a chart without dashboards, HelmError for what is none, OSError for an unreadable file.
    """
    loaded = charts.having(chart, "dashboards", "dashboards")
    if not any(options.values()):
        return Dashboards(of_any_release(loaded))
    findings = checks.validate(loaded, **options)
    if has_errors(findings):
        return Dashboards({}, findings)
    given = helm.user_values(**options)
    values = given | {"dashboards": (given.get("dashboards") or {}) | {"enabled": True}}
    return Dashboards(of(helm.render(chart=loaded, release=release, namespace=namespace, values=values)), findings)


def of_any_release(loaded: LoadedChart) -> dict[str, Board]:
    """The dashboards that a chart has, by their names. Raises WrongCallError for one without."""
    texts = {file["name"]: file["data"] for file in loaded.chart.files}
    try:
        return {name: json.loads(texts[f"files/dashboards/{name}.json"]) for name in NAMES[loaded.name]}
    except KeyError as error:
        raise WrongCallError(f"{loaded.path} has no {error}: it is older than its dashboards") from error


def of(manifests: Manifests) -> dict[str, Board]:
    """The dashboards that a render has, by their names."""
    found = [object_ for object_ in manifests if object_.kind == "ConfigMap" and not object_.is_extra]
    texts = {key: text for object_ in found for key, text in (object_.get("data") or {}).items()}
    names = [name for known in NAMES.values() for name in known]
    by_name = {name: [text for key, text in texts.items() if key.endswith(f".vllm-{name}.json")] for name in names}
    return {name: json.loads(text) for name, alike in by_name.items() for text in alike}
