"""Every check of values before an install, in one call: what `vllm-chart` and the pytest plugin run."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Unpack

import yaml

from vllm_chart.checks import invariants, podsecurity, schemas
from vllm_chart.findings import Finding, has_errors, told_once
from vllm_chart.helm import (
    HelmError,
    StrPath,
    ValuesOptions,
    app_version,
    merged_values,
    render,
    user_values,
    values_schema,
    verdict,
)
from vllm_chart.rendered.manifests import ManifestError, Manifests, duplicate_keys
from vllm_chart.sizing import check as sizing
from vllm_chart.vllm_args import check as engine

#: Under these names come the findings of `validate`.
OF_VALUES = ("values", "schema", "rule", "render", "plan", engine.ARGUMENTS, engine.ENVIRONMENT)

#: The names of all checks; "values" stands for those of `validate`, after which the others don't run.
NAMES = ("values", "kubernetes-schema", "pod-security", *invariants.INVARIANTS, "same-twice")


def validate(chart: StrPath | None = None, **options: Unpack[ValuesOptions]) -> list[Finding]:
    """Whether Helm would take these values: every finding of the chart's schema, or else of its rules; and whether
    vLLM would take the model so split, as far as its config is at hand.

    Raises OSError for an unreadable file, HelmError for a directory that is no chart.
    """
    schema = values_schema(chart)
    findings = [f for file in options.get("values_files", ()) for f in _file(Path(file))]
    if has_errors(findings):
        return findings
    try:
        user_values(**options)
    except HelmError as error:
        return [Finding("values", "", str(error))]
    try:
        manifests = render(chart=chart, **options)
    except HelmError as error:
        return verdict.findings(str(error), schema)
    except ManifestError as error:
        return [Finding("render", "", str(error))]
    values = merged_values(chart, **options)
    refused = engine.check_release(manifests, values, app_version(chart))
    return [*refused, *sizing.check(manifests, values, app_version(chart))]


def check(
    chart: StrPath | None = None,
    *,
    kubernetes: Sequence[str] = schemas.SUPPORTED_VERSIONS,
    pod_security: podsecurity.Level = "restricted",
    release: str = "llm",
    namespace: str = "default",
    api_versions: Sequence[str] = (),
    **options: Unpack[ValuesOptions],
) -> list[Finding]:
    """Everything that can be known without a cluster: `validate`, then `inspect` for each Kubernetes version.

    Raises as `validate`.
    """
    findings = validate(chart, **options)
    if has_errors(findings):
        return findings

    def manifests(version: str) -> Manifests:
        return render(
            chart=chart,
            release=release,
            namespace=namespace,
            kube_version=version,
            api_versions=api_versions,
            **options,
        )

    newest = kubernetes[-1]
    by_version = {version: inspect(manifests(version), version, pod_security) for version in kubernetes}
    return [*findings, *told_once(by_version), *invariants.same_twice(manifests(newest), manifests(newest))]


def inspect(manifests: Manifests, kubernetes: str, pod_security: podsecurity.Level = "restricted") -> list[Finding]:
    """Hold rendered objects against Kubernetes' schemas, the invariants and a Pod Security Standard."""
    return [
        *schemas.check(manifests, kubernetes),
        *invariants.check(manifests),
        *podsecurity.check(manifests, pod_security),
    ]


def _file(file: Path) -> Iterator[Finding]:
    """What Helm lets pass, or says without naming the file: a key twice, of which the last would win silently."""
    try:
        text = file.read_text()
        for key, line in duplicate_keys(text):
            yield Finding("values", f"{file}:{line}", f"the key {key!r} is there twice", "keep one of them")
        if not isinstance(yaml.safe_load(text), dict | None):
            yield Finding("values", str(file), "not a mapping", "write `key: value`, the chart's keys outermost")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        yield Finding("values", str(file), f"not YAML: {error}")
