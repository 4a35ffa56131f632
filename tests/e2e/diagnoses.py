"""What is said of a release that does not come up."""

from tests.e2e.releases import Installation
from vllm_chart.findings import Finding
from vllm_chart.live import diagnose

FAILURE_SECONDS = 240


def wait_for_finding(release: Installation, check: str, message: str, *, without_pods: bool = False) -> Finding:
    """Wait until the diagnosis has the one finding of this check whose message has these words.

    without_pods: the API server lets none be made.
    """
    found: list[Finding] = []

    def is_diagnosed(_: object) -> bool:
        found[:] = [
            finding
            for finding in diagnose.release(release.name, release.namespace, release.cluster)
            if finding.check == check and message in finding.message
        ]
        return bool(found)

    core, apps = release.cluster.core, release.cluster.apps
    release.cluster.wait_for(
        apps.list_namespaced_deployment if without_pods else core.list_namespaced_pod,
        release.namespace,
        label_selector=f"app.kubernetes.io/instance={release.name}",
        until=is_diagnosed,
        timeout_seconds=FAILURE_SECONDS,
    )
    (finding,) = found
    return finding
