"""All that reaches behind helm-python-sdk's public interface.

Its `Chart.render` hands on neither the cluster's Kubernetes version nor its APIs, which the library underneath takes.
The names used here are private to helm-python-sdk 0.2. Where another version lacks them, a render that asks for neither
goes the public way, and any other says what is missing.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import helm_python

from vllm_chart import support
from vllm_chart.findings import UnavailableError


def render(
    chart: helm_python.Chart,
    values: str,
    *,
    release: str,
    namespace: str,
    kube_version: str | None,
    api_versions: Sequence[str],
) -> Mapping[str, str]:
    """What each template renders, by its path. values: the user's, as JSON.

    Raises helm_python.HelmError where the schema or a template refuses; UnavailableError where this version of
    helm-python-sdk cannot be told the cluster's version or APIs.
    """
    library = _library()
    if library is None or not hasattr(chart, "_raw"):
        if kube_version or api_versions:
            from importlib import metadata

            raise UnavailableError(
                f"helm-python-sdk {metadata.version('helm-python-sdk')} cannot render for a chosen Kubernetes: "
                "install helm-python-sdk 0.2.2"
            )
        return chart.render(json.loads(values), name=release, namespace=namespace)
    target: dict[str, object] = {"name": release, "namespace": namespace, "api_versions": list(api_versions)}
    # The library's own is behind: what only a newer one takes would be refused where nobody named any.
    target["kube_version"] = kube_version or support.KUBERNETES[-1]
    rendered: dict[str, str] = json.loads(library.call_string("helm_render", chart._raw(), values, json.dumps(target)))
    return rendered


def _library() -> Any | None:
    """The library's own calls, or None where they are no longer where they were."""
    library = getattr(helm_python, "_native", None)
    return library if hasattr(library, "call_string") else None
