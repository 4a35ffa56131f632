"""Whether what was imported is the same engine: what the chart renders of the values, held to the source."""

from collections.abc import Iterator
from typing import Any

from vllm_chart import charts, helm
from vllm_chart.checks import check
from vllm_chart.findings import Finding
from vllm_chart.helm import HelmError
from vllm_chart.importing import arguments
from vllm_chart.importing.release import Release
from vllm_chart.redaction import told_without
from vllm_chart.rendered.manifests import ManifestError
from vllm_chart.rendered.pods import engines
from vllm_chart.vllm_args import argv
from vllm_chart.vllm_args import container as kubernetes

Json = Any
#: Arguments that the chart sets by itself: those of its own values, whatever the source says.
_CHART = frozenset(
    ("port", "shutdown-timeout", "middleware", "disable-access-log-for-endpoints", "enable-request-id-headers")
)


def verify(release: Release) -> Iterator[Finding]:
    """Render the values and compare the engine's arguments; then what `check` finds of them."""
    values = release.draft.minimal()
    findings = [] if release.words is None else list(_compare(release, values))
    findings += check(values=values, release=release.draft.object_name[:53].rstrip("-.")).findings
    for finding in findings:
        yield told_without(finding, release.draft.secrets)


def rendered_words(values: Json) -> list[str] | None:
    """The arguments of the engine that the chart renders, after `vllm serve`; None where it refuses the values."""
    try:
        manifests = helm.render(chart=charts.VLLM.folder, values=values)
    except (HelmError, ManifestError):
        return None
    pair = next(engines(manifests), None)
    if pair is None:
        return None
    known = kubernetes.environment(pair[1])
    return [kubernetes.expanded(str(word), known) for word in pair[1].get("args") or ()]


def _compare(release: Release, values: Json) -> Iterator[Finding]:
    rendered = rendered_words(values)
    if rendered is None or release.words is None:
        return
    try:
        lost, added = arguments.compared(release.words, rendered, release.version)
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
