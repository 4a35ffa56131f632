"""Containers that don't start, that end, or that are asked for what they don't answer."""

import re
from collections.abc import Iterable, Iterator

from kubernetes.client import CoreV1Event, V1ContainerStateTerminated, V1ContainerStatus, V1Pod

from vllm_chart.findings import Finding, Severity
from vllm_chart.live import engine_log
from vllm_chart.live.diagnose import images
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.live.diagnose.objects import (
    container_of,
    container_statuses,
    is_about,
    name_of,
    startup_seconds,
    state,
    waits,
)
from vllm_chart.live.engine_log import stages
from vllm_chart.vllm_args import streaming
from vllm_chart.vllm_args.owned import OWNED_FLAGS

SIGILL = 128 + 4
"""The exit code of a process that met an instruction which its processor does not have."""

LOST = (255, "Unknown")
"""The exit code and reason that containerd gives a container which was gone when it started again itself.

`unknownExitCode` and `unknownExitReason` in internal/cri/server/helpers.go of containerd 2.
"""

_LIMIT = (
    "raise resources.limits.memory; /dev/shm (shm.sizeLimit) counts against it, and so does the KV cache of the CPU "
    "engine (env.VLLM_CPU_KVCACHE_SPACE, in GiB)"
)
#: A kubelet with rotated serving certificates has none before somebody approves its request. Source:
#: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#certificate-rotation
_LOG = (
    "the API server asks the pod's kubelet for it, with your right to get pods/log: for an error of TLS, see that "
    "`kubectl get csr` has no request of that node Pending; else whether the node answers at port 10250"
)
_COMPILERS = "compilers of kernels ran side by side: write env.MAX_JOBS: 1 (or a few); or "


def explain(pod: V1Pod, snapshot: Snapshot) -> Iterator[Finding]:
    """What keeps the containers of a pod from running, or ended them."""
    for status in container_statuses(pod):
        yield from _explain(pod, status, snapshot)
        if why := snapshot.unread.get((name_of(pod), status.name)):
            yield Finding(
                "log", f"Pod/{name_of(pod)}: container {status.name}", f"its log can't be read: {why}", _LOG, "warning"
            )


def _explain(pod: V1Pod, status: V1ContainerStatus, snapshot: Snapshot) -> Iterator[Finding]:
    where = f"Pod/{name_of(pod)}: container {status.name}"
    reason, message = waits(status)
    if reason in images.REASONS:
        volume = images.volume(pod, message)
        image = volume or status.image
        message = images.pull_error(pod, image, snapshot.events) or message
        remedy = images.remedy_of_volume(message) if volume else images.remedy(message)
        yield Finding("image", where, f"image {image} can't be pulled: {message}", remedy)
    elif reason == "CreateContainerConfigError":
        yield Finding("configuration", where, message, _configuration_remedy(message))
    elif reason == "CreateContainerError" and images.UNMOUNTED in message:
        yield Finding("image", where, message, images.remedy_of_mount(message))
    elif reason in ("CreateContainerError", "RunContainerError"):
        yield Finding("command", where, message, _start_remedy(message))
    elif ended := state(status.state).terminated or state(status.last_state).terminated:
        finished_init = status.ready and ended.exit_code == 0
        if not finished_init:
            yield _end(where, pod, status, snapshot)


def _configuration_remedy(message: str) -> str:
    """For an environment that the kubelet could not put together; its words: pkg/kubelet/kubelet_pods.go."""
    if found := re.search(r'secret "([^"]+)" not found', message):
        return (
            f"create the Secret {found[1]} in the release's namespace, or correct hub.tokenSecretRef.name "
            "(or auth.apiKeySecretRef.name, objectStorage.credentialsSecretRef, env, envFrom)"
        )
    if found := re.search(r"couldn't find key (\S+) in Secret (\S+)", message):
        if found[1] in {name for names in streaming.REQUIRED.values() for name in names}:
            return (
                f"add the key {found[1]} to the Secret {found[2]}, or correct objectStorage.credentialsSecretRef or env"
            )
        return (
            f"add the key {found[1]} to the Secret {found[2]}, or correct hub.tokenSecretRef.key "
            "(or auth.apiKeySecretRef.key, objectStorage.credentialsSecretRef, env)"
        )
    if re.search(r'configmap "[^"]+" not found|in ConfigMap', message):
        return "create that ConfigMap, or its key, in the release's namespace, or correct env and envFrom"
    if "runAsNonRoot" in message or "non-root" in message or "non-numeric" in message:
        return "the image's user is not known to be other than root: write podSecurityContext.runAsUser: 2000"
    return "correct env, envFrom or securityContext"


def _end(where: str, pod: V1Pod, status: V1ContainerStatus, snapshot: Snapshot) -> Finding:
    """Why a container's last run ended. vLLM leaves with code 0 when its engine died, so any end counts."""
    ended = state(status.last_state).terminated or state(status.state).terminated
    assert ended is not None
    # A container that is up again lost requests all the same.
    severity: Severity = "warning" if status.ready else "error"
    container = container_of(pod, status.name)
    # By the time that the log was read, it may have been the next run's: the message holds the last run's end.
    log = f"{snapshot.logs.get((name_of(pod), status.name), '')}\n{ended.message or ''}"
    # What an engine says after that is how its processes were ended, and no cause.
    log, killed_while_loading, _ = log.partition(engine_log.KILLED_WHILE_LOADING)
    outcome = f"(exit code {ended.exit_code}, {status.restart_count} restarts)"
    if ended.reason == "OOMKilled":
        limit = (container.resources.limits or {}).get("memory") if container and container.resources else None
        message = f"killed for its memory; the limit is {limit or 'the node'} {outcome}"
        remedy = f"{_COMPILERS}{_LIMIT}" if engine_log.compiles(log) else _LIMIT
        return Finding("memory", where, message, remedy, severity)
    if known := engine_log.explain(log):
        # The Hub's library does not say which model it looked for; it is the engine's first argument.
        model = f"{container.args[0]}: " if known.check in ("model", "hub") and container and container.args else ""
        return Finding(known.check, where, f"{model}{known.line} {outcome}", known.remedy, severity)
    if ended.reason in ("StartError", "ContainerCannotRun"):
        message = ended.message or ""
        return Finding("command", where, f"{message} {outcome}", _start_remedy(message), severity)
    if (ended.exit_code, ended.reason) == LOST:
        message = f"its node, or the node's container runtime, was restarted while it ran {outcome}"
        return Finding("crash", where, message, _node_remedy(pod), "warning")
    if ended.exit_code == SIGILL:
        message = f"its CPU lacks an instruction that the image uses {outcome}"
        return Finding("processor", where, message, "choose nodes with nodeSelector whose CPU has AVX-512", severity)
    # The hook says so; the event says so for an hour, and of an image without Python too.
    if killed_while_loading or _killed_by_startup_probe(pod, status, snapshot.events):
        budget = f"not ready after {startup_seconds(container)} s, so the startup probe killed it"
        message = f"{budget}: {_reached(log, ended)} {outcome}"
        return Finding("startup", where, message, _slow_start(stages.reached(log)), severity)
    whole = f"kubectl logs --namespace {snapshot.namespace} {name_of(pod)} --container {status.name} --previous"
    return _unexplained(where, log, outcome, whole, severity)


def _unexplained(where: str, log: str, outcome: str, whole: str, severity: Severity) -> Finding:
    """For an end that no table knows: its exceptions, uncut, and the keys that they name or that are read there."""
    failure = engine_log.failure(log)
    message = failure.message if failure else engine_log.last_line(log) or "it left no log"
    variables = [f"env.{name}" for name in engine_log.named_variables(message)]
    if keys := [*(_key(name) for name in engine_log.named_arguments(message)), *variables]:
        remedy = f"correct {' or '.join(keys)}; the whole log: {whole}"
        return Finding("engine-arguments", where, f"{message} {outcome}", remedy, severity)
    if failure and failure.keys:
        remedy = f"look at {' and '.join(failure.keys)}, which that part of vLLM reads; the whole log: {whole}"
        return Finding("crash", where, f"{message} {outcome}", remedy, severity)
    return Finding("crash", where, f"{message} {outcome}", whole, severity)


def _key(argument: str) -> str:
    """The key of the values that an argument of vLLM's follows from."""
    if argument in OWNED_FLAGS:
        return OWNED_FLAGS[argument].removeprefix("write ")
    return f"engine.args.{argument}"


def _node_remedy(pod: V1Pod) -> str:
    node = pod.spec.node_name if pod.spec else None
    return f"nothing in the values: `kubectl describe node {node or 'NODE'}` shows since when it is ready"


def _start_remedy(message: str) -> str:
    """For a container that the runtime could not start; the words of runc and of NVIDIA's container toolkit."""
    if "unsatisfied condition: cuda" in message:
        return "upgrade the node's driver, choose nodes with a newer one in nodeSelector, or write an older image.tag"
    if re.search(r"nvidia-container-cli|could not select device driver|CDI device", message):
        return (
            "the node's NVIDIA driver or container toolkit is not in order: choose other nodes with nodeSelector, or "
            "ask who runs them"
        )
    return "correct command, or write the image that has it"


def _killed_by_startup_probe(pod: V1Pod, status: V1ContainerStatus, events: Iterable[CoreV1Event]) -> bool:
    killed = f"Container {status.name} failed startup probe"
    return any(killed in (event.message or "") and is_about(event, pod) for event in events)


def _reached(log: str, ended: V1ContainerStateTerminated) -> str:
    """What a start was at when it was ended; its last line where it is not known how long that took."""
    if not ended.started_at or not ended.finished_at:
        return engine_log.last_line(log) or "it left no log"
    progress = stages.progress(log, ended.started_at, ended.finished_at)
    took = stages.told({**progress.before, progress.stage.name: progress.seconds})
    return f"{progress.stage.doing} ({took}; usual: {progress.stage.usual})"


def _slow_start(stage: stages.Stage) -> str:
    if stage == stages.LOAD:
        return (
            "raise startup.budgetSeconds; from a network volume, engine.args.safetensors-load-strategy: prefetch "
            "reads whole files instead of pages"
        )
    return "raise startup.budgetSeconds; persistence.enabled: true keeps weights and compile caches for next time"


def wrong_probes(pod: V1Pod, events: Iterable[CoreV1Event]) -> Iterator[Finding]:
    """A probe that is answered, but not by vLLM's /health: that is 200, or 503 from an engine that is dead."""
    for event in events:
        found = re.search(r"(Startup|Readiness|Liveness) probe failed: .*statuscode: 4\d\d", event.message or "")
        if found and is_about(event, pod):
            probe = f"{found[1].lower()}Probe"
            remedy = f"write in {probe}.httpGet the path that this image answers, or image.repository of a vLLM"
            yield Finding("probe", f"Pod/{name_of(pod)}: {probe}", found[0], remedy)
