"""Whether what was imported is the same engine: what the chart renders of the values, held to the source."""

import json
from collections.abc import Iterator
from typing import Any

import helm_python

from vllm_chart import charts, helm
from vllm_chart.checks import check
from vllm_chart.facts import VOLUMES
from vllm_chart.findings import Finding
from vllm_chart.helm import HelmError
from vllm_chart.importing import arguments
from vllm_chart.importing.release import Release
from vllm_chart.redaction import told_without
from vllm_chart.rendered.manifests import ManifestError
from vllm_chart.rendered.pods import Container, Pod, engines
from vllm_chart.vllm_args import argv, container

Json = Any
#: Arguments that the chart sets by itself: those of its own values, whatever the source says.
_CHART = frozenset(
    ("port", "shutdown-timeout", "middleware", "disable-access-log-for-endpoints", "enable-request-id-headers")
)


def verify(release: Release) -> Iterator[Finding]:
    """Render the values and compare the engine's arguments; then what `check` finds of them."""
    values = helm_python.values_from_yaml(release.draft.text())  # as Helm will read the file
    findings = [] if release.words is None else list(_compare(release, values))
    findings += check(values=values, release=release.draft.object_name[:53].rstrip("-.")).findings
    for finding in findings:
        yield told_without(finding, release.draft.secrets)


def rendered_engine(values: Json) -> tuple[Pod, Container] | None:
    """The engine that the chart renders; None where it refuses the values."""
    try:
        manifests = helm.render(chart=charts.VLLM.folder, values=values)
    except (HelmError, ManifestError):
        return None
    return next(engines(manifests), None)


def _origins(pod: Pod, values: Json) -> dict[str, str]:
    """What the chart brings to a path of its own, by that path: adapters, and the model out of an image."""
    words = [str(word) for one in pod.all("initContainers") for word in one.get("command") or ()]
    listed = (word.removeprefix("--adapters=") for word in words if word.startswith("--adapters="))
    origins = {one["path"]: one["source"] for text in listed for one in json.loads(container.expanded(text, {}))}
    if values.get("model", {}).get("image"):
        origins[VOLUMES["model-image"]["path"]] = values["model"]["id"]
    return origins


def _compare(release: Release, values: Json) -> Iterator[Finding]:
    engine = rendered_engine(values)
    if engine is None or release.words is None:
        return
    pod, rendered = engine
    known = container.environment(rendered)
    words = [container.expanded(str(word), known) for word in rendered.all("args")]
    try:
        lost, added = arguments.compared(release.words, words, release.version, _origins(pod, values))
    except argv.ArgvError:
        return  # told when the source's were read
    for name, value in lost.items():
        message = f"the source has {value!r}, and what the chart renders has {added.get(name, 'none')!r}"
        yield Finding("import-argv", f"--{name}", message, "correct the values")
    for name, value in added.items():
        if name not in lost:
            severity: Any = "info" if name in _CHART else "warning"
            message = f"the chart adds {value!r}, which the source doesn't say"
            yield Finding("import-argv", f"--{name}", message, "", severity)
