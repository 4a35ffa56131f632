"""Helm in process: its own library, which helm-python-sdk holds (Helm 4).

Files and expressions are read, values coalesced and templates rendered by Helm's own code, so that nothing here can
drift from what `helm install` does.
"""

import json
from collections.abc import Sequence
from typing import Any, Unpack

import helm_python

from vllm_chart.helm import _helm_native, refusal
from vllm_chart.helm.loading import AnyChart, load, refuse_dependencies
from vllm_chart.helm.options import HelmError, ValuesOptions
from vllm_chart.helm.values import user_values
from vllm_chart.rendered.manifests import Manifests


def merged_values(chart: AnyChart = None, **options: Unpack[ValuesOptions]) -> dict[str, Any]:
    """The values that the chart's templates see: its defaults under the user's. Raises as `user_values`."""
    return load(chart).merged(user_values(**options))


def app_version(chart: AnyChart = None) -> str:
    """The chart's appVersion. Raises HelmError if it is no chart."""
    return load(chart).app_version


def values_schema(chart: AnyChart = None) -> dict[str, Any]:
    """The chart's values.schema.json; an empty schema where it has none."""
    return load(chart).schema


def render(
    *,
    chart: AnyChart = None,
    release: str = "llm",
    namespace: str = "default",
    kube_version: str | None = None,
    api_versions: Sequence[str] = (),
    **options: Unpack[ValuesOptions],
) -> Manifests:
    """Render a chart (default: ours) in process, as `helm template` does.

    kube_version: the Kubernetes to render for, "1.34"; None is the newest that is supported.
    api_versions: APIs that the cluster has beside the built-in ones, "monitoring.coreos.com/v1".

    Raises HelmError with Helm's message when the schema or a template refuses, OSError for an unreadable
    file, ManifestError when what was rendered is no Kubernetes manifest, UnavailableError for a chart with others in it
    that this renders otherwise than Helm.
    """
    loaded = load(chart)
    refuse_dependencies(loaded)
    given = user_values(**options)
    try:
        helm_python.validate_release_name(release)
        # Helm compiles the schema anew each time, so it is asked only where the compiled one doesn't take the values.
        merged = loaded.merged(given)
        taken = loaded.accepts(merged)
        if not taken:
            refusal.refuse(loaded, merged)
        rendered = _helm_native.render(
            loaded.without_schema if taken else loaded.chart,
            json.dumps(given),
            release=release,
            namespace=namespace,
            kube_version=kube_version,
            api_versions=api_versions,
        )
    except helm_python.HelmError as error:
        raise HelmError(str(error).strip()) from error
    return Manifests.from_templates(rendered)
