"""How long a release takes to start, and whether it found what an earlier start has compiled."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from kubernetes.client import V1Pod

from ci import versions
from tests.e2e.clients import pod_name
from tests.e2e.releases import ROLLOUT_SECONDS, Installation
from vllm_chart.cluster.api import Cluster
from vllm_chart.cluster.conditions import condition
from vllm_chart.live.engine_log import stages
from vllm_chart.load.asker import OK, Options
from vllm_chart.load.pod import LoadPod, Placement
from vllm_chart.rendered.workload import ENGINE

#: For an answer of a few tokens.
WAIT_SECONDS = 10


def first_token(cluster: Cluster, namespace: str, service: str, model: str, install: Callable[[], object]) -> float:
    """Seconds from the beginning of `install` to the first token that comes through a Service.

    Who asks is there before, and asks once a second, whatever becomes of the questions before: where no engine is ready
    yet, a network plugin may let them go nowhere, rather than have them refused.
    """
    url = f"http://{service}.{namespace}.svc"
    options = Options(
        url,
        model,
        rate=1,
        duration_seconds=ROLLOUT_SECONDS,
        streaming=1,
        fresh=1,
        max_tokens=8,
        timeout_seconds=WAIT_SECONDS,
    )
    with LoadPod(cluster, Placement(namespace, versions.CLIENT_IMAGE), options) as pod:
        pod.wait_until_started()
        began = time.time()
        install()
        for record in pod.records():
            if record.kind == OK and record.first_token_seconds is not None:
                return record.started + record.first_token_seconds - began
    raise AssertionError("no answer")


def seconds_to_ready(pod: V1Pod) -> float:
    """From a pod's creation until it was ready, in whole seconds."""
    assert pod.metadata
    assert pod.metadata.creation_timestamp
    ready = condition(pod, "Ready")
    assert ready
    assert ready.last_transition_time
    return (ready.last_transition_time - pod.metadata.creation_timestamp).total_seconds()


def log(release: Installation) -> str:
    """Of the engine of a release that has one."""
    (pod,) = release.engines()
    return log_of(release, pod)


def log_of(release: Installation, pod: V1Pod) -> str:
    """Of one of a release's engines."""
    core, name = release.cluster.core, pod_name(pod)
    said: str = core.read_namespaced_pod_log(name, release.namespace, container=ENGINE, timestamps=True)
    return said


def compile_cache(release: Installation) -> str:
    """Whether its one engine found the compiled model of an earlier start: "hit", "missed", or "" (eager)."""
    return stages.compile_cache(log(release))


def stages_told(release: Installation) -> str:
    """The stages of its one engine's start, and the seconds of each: "import 20 s, load 1 s, …"."""
    (pod,) = release.engines()
    statuses = (pod.status.container_statuses if pod.status else None) or []
    (started,) = (each.state.running.started_at for each in statuses if each.state and each.state.running)
    assert started
    progress = stages.progress(log(release), started, datetime.now(UTC))
    return stages.told(progress.before)
