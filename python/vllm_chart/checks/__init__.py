"""Every check of values before an install, in one call: what `vllm-chart` and the pytest plugin run."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from vllm_chart import charts, helm, support
from vllm_chart.charts import Chart
from vllm_chart.checks import files, invariants, podsecurity, registry, same_twice, schemas
from vllm_chart.findings import Finding, Report, told_once
from vllm_chart.helm import AnyChart, HelmError, LoadedChart, ValuesOptions, both, verdict
from vllm_chart.rendered.manifests import ManifestError, Manifests

Values = dict[str, Any]

__all__ = ["check", "inspect", "invariants", "podsecurity", "readable", "registry", "schemas", "validate"]


def validate(chart: AnyChart = None, **options: Unpack[ValuesOptions]) -> list[Finding]:
    """Whether Helm would take these values: every finding of the chart's schema, or else of its rules; and what the
    checks find that the chart has of its own (for vllm: whether vLLM takes the arguments, and the model the split).

    Raises HelmError for a directory that is no chart.
    """
    findings, values = _read(**options)
    if values is None:
        return findings
    loaded = helm.load(chart)
    return [*findings, *_take(loaded, values, functools.partial(helm.render, chart=loaded, values=values))]


def check(
    chart: AnyChart = None,
    *,
    kubernetes: Sequence[str] = (),
    pod_security: podsecurity.Level = "restricted",
    release: str = "llm",
    namespace: str = "default",
    api_versions: Sequence[str] = (),
    ignore: Sequence[str] = (),
    **options: Unpack[ValuesOptions],
) -> Report:
    """Everything that can be known without a cluster: `validate`, then `inspect` for each Kubernetes version.

    kubernetes: versions, oldest first. None of them: all that the chart supports, and then what only older ones refuse
    is a note (`schemas.of_unasked`).
    ignore: names of checks whose findings don't count, and are told apart from the others.

    Raises HelmError for a directory that is no chart, ValueError for a name in `ignore` that can't be ignored.
    """
    ignore = registry.ignorable(ignore)
    loaded = helm.load(chart)
    findings, values = _read(**options)
    if values is None:
        return Report(findings, ignore=ignore)
    rendered = functools.partial(
        helm.render, chart=loaded, release=release, namespace=namespace, api_versions=api_versions, values=values
    )
    versions = kubernetes or support.KUBERNETES
    renders = Renders(rendered, versions[-1], alike=not _asks_kubernetes(loaded, values))
    findings += _take(loaded, values, renders.newest)
    report = Report(findings, ignore=ignore)
    if report.stops_at_values:
        return report
    by_version = {version: _of_version(loaded, renders, version, pod_security) for version in versions}
    by_version = by_version if kubernetes else schemas.of_unasked(by_version)
    twice = same_twice.check(renders.newest(), rendered(kube_version=versions[-1]))
    return dataclasses.replace(report, renders=[*told_once(by_version), *twice])


def inspect(
    manifests: Manifests,
    kubernetes: str,
    pod_security: podsecurity.Level = "restricted",
    *,
    chart: Chart | None = charts.VLLM,
) -> list[Finding]:
    """Hold rendered objects against Kubernetes' schemas, the invariants and a Pod Security Standard: the last two
    speak of objects only that the first can make something of.

    chart: which of this project's charts rendered them; None for another's, of which less is expected.
    """
    manifests = manifests.decoded()
    findings = schemas.check(manifests, kubernetes)
    rest = schemas.readable(manifests, findings, ours=chart is not None)
    return [
        *findings,
        *invariants.check(rest, ours=chart is not None),
        *podsecurity.check(rest, pod_security),
    ]


def readable(manifests: Manifests, chart: Chart | None) -> Manifests:
    """What a chart rendered, without the `extraObjects` (of another's chart: any) that nothing can be made of:
    `inspect` says what is wrong with them."""
    manifests = manifests.decoded()
    doubtful = Manifests([one for one in manifests if one.is_extra or chart is None])
    wrong = schemas.check(doubtful, support.KUBERNETES[-1])
    return schemas.readable(manifests, wrong, ours=chart is not None)


def _asks_kubernetes(loaded: LoadedChart, values: Values) -> bool:
    """Whether the values may render otherwise for another version of Kubernetes."""
    ours = charts.of(loaded)
    return loaded.asks_kubernetes and (ours is None or ours.asks_kubernetes(loaded.merged(values)))


def _read(**options: Unpack[ValuesOptions]) -> tuple[list[Finding], Values | None]:
    """The user's values, and what is wrong with the files that they stand in; None where they can't be read."""
    findings = [finding for file in options.get("values_files", ()) for finding in files.check(file)]
    if any(finding.check == "values" for finding in findings):
        return findings, None
    try:
        return findings, helm.user_values(**options)
    except HelmError as error:
        return [*findings, Finding("values", "", str(error))], None


class Renders:
    """What a chart renders of the same values for one version of Kubernetes after the other, each rendered once; once
    in all where they are `alike`, because no template asks for the version."""

    def __init__(self, render: Callable[..., Manifests], newest: str, *, alike: bool) -> None:
        self._newest = newest
        self._alike = alike
        self._of = functools.cache(lambda version: render(kube_version=version))

    def newest(self) -> Manifests:
        return self._of(self._newest)

    def of(self, version: str) -> Manifests:
        return self._of(self._newest if self._alike else version)


def _of_version(loaded: LoadedChart, renders: Renders, version: str, level: podsecurity.Level) -> list[Finding]:
    """What is found of the objects that are rendered for a version, or Helm's refusal to render them for it."""
    try:
        return inspect(renders.of(version), version, level, chart=charts.of(loaded))
    except HelmError as error:
        return verdict.findings(str(error), loaded.schema)


def _take(loaded: LoadedChart, values: Values, render: Callable[[], Manifests]) -> list[Finding]:
    """Helm's verdict on values, or what the chart's own checks find in what they render."""
    try:
        manifests = render()
    except HelmError as error:
        return [*verdict.findings(str(error), loaded.schema), *both.rules_beside(loaded, values, str(error))]
    except ManifestError as error:
        return [Finding("render", "", str(error))]
    return _examine(loaded, manifests, loaded.merged(values))


def _examine(loaded: LoadedChart, manifests: Manifests, values: Mapping[str, Any]) -> list[Finding]:
    """What the checks of the chart's own find; of another's chart, that there are none."""
    if chart := charts.of(loaded):
        return chart.examine(readable(manifests, chart), values, loaded.app_version)
    ours = " or ".join(charts.CHARTS)
    message = f"{loaded.name} is not {ours}: only what is known of any chart is checked"
    return [Finding("values", "", message, severity="info")]
