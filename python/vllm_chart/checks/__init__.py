"""Every check of values before an install, in one call: what `vllm-chart` and the pytest plugin run."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from vllm_chart import charts, helm
from vllm_chart.charts import Chart
from vllm_chart.checks import files, invariants, podsecurity, registry, same_twice, schemas
from vllm_chart.findings import Finding, Report, has_errors, told_once
from vllm_chart.helm import AnyChart, HelmError, LoadedChart, ValuesOptions, verdict
from vllm_chart.rendered.manifests import ManifestError, Manifests

Values = dict[str, Any]

__all__ = ["check", "inspect", "invariants", "podsecurity", "registry", "schemas", "validate"]


def validate(chart: AnyChart = None, **options: Unpack[ValuesOptions]) -> list[Finding]:
    """Whether Helm would take these values: every finding of the chart's schema, or else of its rules; and what the
    checks find that the chart has of its own (for vllm: whether vLLM takes the arguments, and the model the split).

    Raises HelmError for a directory that is no chart.
    """
    findings, values = _read(**options)
    return findings if values is None else [*findings, *_take(helm.load(chart), values)]


def check(
    chart: AnyChart = None,
    *,
    kubernetes: Sequence[str] = schemas.SUPPORTED_VERSIONS,
    pod_security: podsecurity.Level = "restricted",
    release: str = "llm",
    namespace: str = "default",
    api_versions: Sequence[str] = (),
    ignore: Sequence[str] = (),
    **options: Unpack[ValuesOptions],
) -> Report:
    """Everything that can be known without a cluster: `validate`, then `inspect` for each Kubernetes version.

    ignore: names of checks whose findings don't count, and are told apart from the others.

    Raises HelmError for a directory that is no chart, ValueError for a name in `ignore` that can't be ignored.
    """
    ignore = registry.ignorable(ignore)
    loaded = helm.load(chart)
    findings, values = _read(**options)
    findings += [] if values is None else _take(loaded, values)
    report = Report(findings, ignore=ignore)
    if values is None or has_errors(report.findings):
        return report
    ours = charts.of(loaded)
    manifests = functools.partial(
        helm.render,
        chart=loaded,
        release=release,
        namespace=namespace,
        api_versions=api_versions,
        values=values,
    )
    newest = kubernetes[-1]
    by_version = {
        version: inspect(manifests(kube_version=version), version, pod_security, chart=ours) for version in kubernetes
    }
    twice = same_twice.check(manifests(kube_version=newest), manifests(kube_version=newest))
    return Report(findings, [*told_once(by_version), *twice], ignore)


def inspect(
    manifests: Manifests,
    kubernetes: str,
    pod_security: podsecurity.Level = "restricted",
    *,
    chart: Chart | None = charts.VLLM,
) -> list[Finding]:
    """Hold rendered objects against Kubernetes' schemas, the invariants and a Pod Security Standard.

    chart: which of this project's charts rendered them; None for another's, of which less is expected.
    """
    return [
        *schemas.check(manifests, kubernetes),
        *invariants.check(manifests, ours=chart is not None),
        *podsecurity.check(manifests, pod_security),
    ]


def _read(**options: Unpack[ValuesOptions]) -> tuple[list[Finding], Values | None]:
    """The user's values, and what is wrong with the files that they stand in; None where they can't be read."""
    findings = [finding for file in options.get("values_files", ()) for finding in files.check(file)]
    if any(finding.check == "values" for finding in findings):
        return findings, None
    try:
        return findings, helm.user_values(**options)
    except HelmError as error:
        return [*findings, Finding("values", "", str(error))], None


def _take(loaded: LoadedChart, values: Values) -> list[Finding]:
    """Helm's verdict on values, or what the chart's own checks find in what they render."""
    try:
        manifests = helm.render(chart=loaded, values=values)
    except HelmError as error:
        return verdict.findings(str(error), loaded.schema)
    except ManifestError as error:
        return [Finding("render", "", str(error))]
    return _examine(loaded, manifests, loaded.merged(values))


def _examine(loaded: LoadedChart, manifests: Manifests, values: Mapping[str, Any]) -> list[Finding]:
    """What the checks of the chart's own find; of another's chart, that there are none."""
    if chart := charts.of(loaded):
        return chart.examine(manifests, values, loaded.app_version)
    ours = " or ".join(charts.CHARTS)
    message = f"{loaded.name} is not {ours}: only what is known of any chart is checked"
    return [Finding("values", "", message, severity="info")]
