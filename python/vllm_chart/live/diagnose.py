"""Why a release is not ready: what the cluster says about it, in words that name the value to change.

`release` asks a cluster, `explain` draws the conclusions from what it answered. `explain` is pure, so each of
its conclusions has a test with recorded objects. Nothing here reads a Secret: what is wrong with one, the
kubelet says.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kubernetes import client
from kubernetes.client import (
    CoreV1Event,
    V1Container,
    V1ContainerState,
    V1ContainerStatus,
    V1Deployment,
    V1Node,
    V1PersistentVolumeClaim,
    V1Pod,
    V1ReplicaSet,
)

from vllm_chart.cluster import scheduling
from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import Finding, Severity
from vllm_chart.live import engine_log
from vllm_chart.vllm_args.owned import OWNED_FLAGS

# A traceback of vLLM is long, and its cause stands at its head.
LOG_LINES = 2000

SIGILL = 128 + 4
"""The exit code of a process that met an instruction which its processor does not have."""


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What a cluster says about a release at one moment.

    `nodes` is None where the caller may not list them. `logs` holds, by pod and container, the last lines of the
    run that ended, or of the current one if none has.
    """

    release: str
    namespace: str
    deployments: Sequence[V1Deployment] = ()
    replica_sets: Sequence[V1ReplicaSet] = ()
    pods: Sequence[V1Pod] = ()
    events: Sequence[CoreV1Event] = ()
    claims: Sequence[V1PersistentVolumeClaim] = ()
    nodes: Sequence[V1Node] | None = None
    logs: Mapping[tuple[str, str], str] = dataclasses.field(default_factory=dict)


def release(name: str, namespace: str, cluster: Cluster) -> list[Finding]:
    """Say why a release is not ready; an empty list means that it is.

    Raises `UnavailableError` when the cluster does not answer, or refuses to.
    """
    with asking_the_api_server():
        return explain(_snapshot(name, namespace, cluster))


def _snapshot(name: str, namespace: str, cluster: Cluster) -> Snapshot:
    selector = f"app.kubernetes.io/instance={name}"
    core, apps = cluster.core, cluster.apps
    pods = core.list_namespaced_pod(namespace, label_selector=selector).items
    return Snapshot(
        release=name,
        namespace=namespace,
        deployments=apps.list_namespaced_deployment(namespace, label_selector=selector).items,
        replica_sets=apps.list_namespaced_replica_set(namespace, label_selector=selector).items,
        pods=pods,
        events=core.list_namespaced_event(namespace).items,
        claims=core.list_namespaced_persistent_volume_claim(namespace).items,
        nodes=_nodes(core),
        logs=dict(_logs(core, namespace, pods)),
    )


def _nodes(core: client.CoreV1Api) -> list[V1Node] | None:
    try:
        return core.list_node().items
    except client.ApiException as error:
        if error.status == 403:
            return None
        raise


def _logs(core: client.CoreV1Api, namespace: str, pods: Iterable[V1Pod]) -> Iterator[tuple[tuple[str, str], str]]:
    for pod in pods:
        for status in _container_statuses(pod):
            if status.ready:
                continue
            ran_before = _state(status.last_state).terminated is not None
            try:
                log = core.read_namespaced_pod_log(
                    _name(pod), namespace, container=status.name, previous=ran_before, tail_lines=LOG_LINES
                )
            except client.ApiException as error:
                # It never ran (400), or its log is not ours to read (403) or gone (404).
                if error.status not in (400, 403, 404):
                    raise
                continue
            yield (_name(pod), status.name), log


def explain(snapshot: Snapshot) -> list[Finding]:
    """Draw the conclusions. The same cause in several pods is one finding."""
    if not snapshot.deployments:
        return [
            Finding(
                "release",
                f"namespace {snapshot.namespace}",
                f"there is no Deployment of a release {snapshot.release!r}",
                "`helm list --all-namespaces` shows the releases and their namespaces",
            )
        ]
    pods = list(_current_pods(snapshot))
    findings = [
        *_refused_pods(snapshot),
        *(finding for pod in pods for finding in _pod_findings(pod, snapshot)),
        *_pending_claims(pods, snapshot),
    ]
    return _merged(findings or _still_starting(pods, snapshot))


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per cause: the replicas of a Deployment fail alike, only their names differ."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.check, finding.remedy, finding.severity), []).append(finding)
    return [
        dataclasses.replace(
            group[0],
            where=group[0].where + (f" (and {len(group) - 1} more)" if len(group) > 1 else ""),
            message=engine_log.redacted(group[0].message),
        )
        for group in groups.values()
    ]


# -- pods that the API server refuses -----------------------------------------------------------------------

_REFUSALS = (
    (
        r"violates PodSecurity",
        "pod-security",
        "make the pod fit the namespace's level: podSecurityContext, securityContext, volumes, extraContainers, "
        "initContainers (the chart's defaults fit `restricted`)",
    ),
    (r"exceeded quota", "quota", "lower resources, gpu.count or replicaCount, or raise the ResourceQuota"),
    (r"failed quota", "quota", "write in resources what the ResourceQuota wants to see"),
    (
        r"(?:minimum|maximum) \S+ usage per|limit to request ratio",
        "limit-range",
        "write resources within the namespace's LimitRange",
    ),
    (
        r"serviceaccount \S+ not found",
        "service-account",
        "write serviceAccount.create: true, or a serviceAccount.name that exists",
    ),
    (r"no PriorityClass with name", "priority-class", "write a priorityClassName that exists"),
    (r"RuntimeClass .* not found", "runtime-class", "write a runtimeClassName that exists"),
)


def _refused_pods(snapshot: Snapshot) -> Iterator[Finding]:
    """A Deployment repeats what the API server told its ReplicaSet, which found no pod to make."""
    for deployment in snapshot.deployments:
        for condition in (deployment.status.conditions if deployment.status else None) or []:
            if condition.type != "ReplicaFailure" or condition.status != "True":
                continue
            message = condition.message or ""
            check, remedy = next(
                ((check, remedy) for pattern, check, remedy in _REFUSALS if re.search(pattern, message)),
                ("admission", "change what the message names, or ask who owns the cluster's policy"),
            )
            yield Finding(check, f"Deployment/{_name(deployment)}", f"its pods are refused: {message}", remedy)


# -- pods that are there ------------------------------------------------------------------------------------


def _current_pods(snapshot: Snapshot) -> Iterator[V1Pod]:
    """Pods of each Deployment's newest ReplicaSet: the others are on their way out."""
    newest = {_newest_replica_set(deployment, snapshot) for deployment in snapshot.deployments}
    for pod in snapshot.pods:
        if pod.metadata and pod.metadata.deletion_timestamp is None and _owners(pod) & newest:
            yield pod


def _newest_replica_set(deployment: V1Deployment, snapshot: Snapshot) -> str:
    def revision(replica_set: V1ReplicaSet) -> int:
        annotations = (replica_set.metadata.annotations if replica_set.metadata else None) or {}
        return int(annotations.get("deployment.kubernetes.io/revision", "0"))

    mine = [item for item in snapshot.replica_sets if _name(deployment) in _owners(item)]
    return _name(max(mine, key=revision)) if mine else ""


def _pod_findings(pod: V1Pod, snapshot: Snapshot) -> Iterator[Finding]:
    where = f"Pod/{_name(pod)}"
    if pod.status and pod.status.reason == "Evicted":
        message = pod.status.message or ""
        yield Finding(
            "evicted",
            where,
            f"its node evicted it: {message}",
            "weights need disk: write persistence.enabled: true, or raise resources.limits.ephemeral-storage"
            if "ephemeral" in message
            else "raise resources.requests to what it really uses",
        )
        return
    if pod.status and re.match(r"UnexpectedAdmissionError|OutOf", pod.status.reason or ""):
        yield Finding(
            "node",
            where,
            f"its node turned it away: {pod.status.message or pod.status.reason}",
            "look at the node's device plugin, and at pods that hold its GPUs; a new pod is made in its place",
        )
        return
    for condition in (pod.status.conditions if pod.status else None) or []:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable" and pod.spec:
            message = condition.message or ""
            for cause in scheduling.unschedulable(pod.spec, message, snapshot.nodes):
                yield Finding("scheduling", where, f"{cause.message}: {message}", cause.remedy)
    statuses = _container_statuses(pod)
    for status in statuses:
        yield from _container_findings(pod, status, snapshot)
    yield from _probe_findings(pod, snapshot.events)
    if any(_waits(status)[0] in ("ContainerCreating", "PodInitializing") for status in statuses):
        yield from _mount_findings(pod, snapshot.events)


def _probe_findings(pod: V1Pod, events: Iterable[CoreV1Event]) -> Iterator[Finding]:
    """A probe that is answered, but not by vLLM's /health: that is 200, or 503 from an engine that is dead."""
    for event in events:
        found = re.search(r"(Startup|Readiness|Liveness) probe failed: .*statuscode: 4\d\d", event.message or "")
        if found and _about(event, pod):
            probe = f"{found[1].lower()}Probe"
            remedy = f"write in {probe}.httpGet the path that this image answers, or image.repository of a vLLM"
            yield Finding("probe", f"Pod/{_name(pod)}: {probe}", found[0], remedy)


_MOUNTS = (
    (
        r'configmap "[^"]*" not found|configmap references non-existent',
        "create the ConfigMap in the release's namespace, or correct volumes (or caBundle)",
    ),
    (
        r'secret "[^"]*" not found|secret references non-existent',
        "create the Secret in the release's namespace, or correct volumes",
    ),
    (
        r"Multi-Attach error",
        "a ReadWriteOnce volume serves one node: write persistence.accessModes: [ReadWriteMany], or one replica "
        "without surge",
    ),
    (
        r"no runtime for \S+ is configured|RuntimeHandler \S+ not supported",
        "the node's container runtime knows no such handler: correct runtimeClassName, or choose nodes with "
        "nodeSelector",
    ),
)


def _mount_findings(pod: V1Pod, events: Iterable[CoreV1Event]) -> Iterator[Finding]:
    for event in events:
        if event.reason in ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox") and _about(event, pod):
            message = event.message or ""
            remedy = next(
                (remedy for pattern, remedy in _MOUNTS if re.search(pattern, message)),
                "see persistence, volumes and volumeMounts",
            )
            yield Finding("volume", f"Pod/{_name(pod)}", message, remedy)


def _pending_claims(pods: Sequence[V1Pod], snapshot: Snapshot) -> Iterator[Finding]:
    """Claims that no volume answers. One that only waits for its pod is in order: it has no such event."""
    used = {
        volume.persistent_volume_claim.claim_name
        for pod in pods
        for volume in (pod.spec.volumes if pod.spec else None) or []
        if volume.persistent_volume_claim
    }
    for claim in snapshot.claims:
        if _name(claim) not in used or not claim.status or claim.status.phase != "Pending":
            continue
        for event in snapshot.events:
            if event.reason in ("ProvisioningFailed", "FailedBinding") and _about(event, claim):
                yield Finding(
                    "volume",
                    f"PersistentVolumeClaim/{_name(claim)}",
                    f"it gets no volume: {event.message}",
                    "write a class that exists in persistence.storageClassName (`kubectl get storageclass`), and "
                    "persistence.accessModes and persistence.size that it can give",
                )


# -- containers ---------------------------------------------------------------------------------------------


def _container_findings(pod: V1Pod, status: V1ContainerStatus, snapshot: Snapshot) -> Iterator[Finding]:
    where = f"Pod/{_name(pod)}: container {status.name}"
    reason, message = _waits(status)
    if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"):
        message = _pull_error(pod, status, snapshot.events) or message
        yield Finding("image", where, f"image {status.image} can't be pulled: {message}", _image_remedy(message))
    elif reason == "CreateContainerConfigError":
        yield Finding("configuration", where, message, _configuration_remedy(message))
    elif reason in ("CreateContainerError", "RunContainerError"):
        yield Finding("command", where, message, _start_remedy(message))
    elif ended := _state(status.state).terminated or _state(status.last_state).terminated:
        finished_init = status.ready and ended.exit_code == 0
        if not finished_init:
            yield _end(where, pod, status, snapshot)


def _pull_error(pod: V1Pod, status: V1ContainerStatus, events: Iterable[CoreV1Event]) -> str:
    """The registry's own words: in back-off the container's status has forgotten them, the event has not."""
    said = (event.message or "" for event in events if event.reason == "Failed" and _about(event, pod))
    return next((message for message in said if f'Failed to pull image "{status.image}"' in message), "")


def _image_remedy(message: str) -> str:
    if re.search(r"couldn't parse image name|invalid reference format", message):
        return "correct image.repository, image.tag or image.digest (or global.imageRegistry)"
    if re.search(r"no match(?:ing manifest)? for (?:platform|linux)", message):
        return (
            "the image is not built for the node's processor: write the image.tag of its architecture, or choose "
            "nodes with nodeSelector kubernetes.io/arch"
        )
    if "no space left on device" in message:
        return "free the node's disk, or choose nodes with a larger one in nodeSelector: the image is ten gigabytes"
    if re.search(r"429 Too Many Requests|toomanyrequests", message):
        return "name an account's pull secret in imagePullSecrets, or write a mirror in global.imageRegistry"
    if re.search(r"not present with pull policy of Never", message):
        return "load the image on the node, or write image.pullPolicy: IfNotPresent"
    if re.search(r"unauthorized|denied|authentication required|authorization failed|forbidden", message, re.I):
        return "name a pull secret in imagePullSecrets, or correct image.repository"
    if re.search(r"dial tcp|no such host|timeout|timed out|x509|EOF", message):
        return (
            "the node can't reach the registry: write one that it reaches in global.imageRegistry or "
            "image.repository, or load the image on the node"
        )
    return "write image.repository and image.tag (or image.digest) of an image that exists"


def _configuration_remedy(message: str) -> str:
    """For an environment that the kubelet could not put together; its words: pkg/kubelet/kubelet_pods.go."""
    if found := re.search(r'secret "([^"]+)" not found', message):
        return (
            f"create the Secret {found[1]} in the release's namespace, or correct hub.tokenSecretRef.name "
            "(or auth.apiKeySecretRef.name, env, envFrom)"
        )
    if found := re.search(r"couldn't find key (\S+) in Secret (\S+)", message):
        return (
            f"add the key {found[1]} to the Secret {found[2]}, or correct hub.tokenSecretRef.key "
            "(or auth.apiKeySecretRef.key, env)"
        )
    if re.search(r'configmap "[^"]+" not found|in ConfigMap', message):
        return "create that ConfigMap, or its key, in the release's namespace, or correct env and envFrom"
    if "runAsNonRoot" in message or "non-root" in message or "non-numeric" in message:
        return "the image's user is not known to be other than root: write podSecurityContext.runAsUser: 2000"
    return "correct env, envFrom or securityContext"


def _end(where: str, pod: V1Pod, status: V1ContainerStatus, snapshot: Snapshot) -> Finding:
    """Why a container's last run ended. vLLM leaves with code 0 when its engine died, so any end counts."""
    ended = _state(status.last_state).terminated or _state(status.state).terminated
    assert ended is not None
    # A container that is up again lost requests all the same.
    severity: Severity = "warning" if status.ready else "error"
    container = _container(pod, status.name)
    # By the time that the log was read, it may have been the next run's: the message holds the last run's end.
    log = f"{snapshot.logs.get((_name(pod), status.name), '')}\n{ended.message or ''}"
    # What an engine says after that is how its processes were ended, and no cause.
    log, killed_while_loading, _ = log.partition(engine_log.KILLED_WHILE_LOADING)
    outcome = f"(exit code {ended.exit_code}, {status.restart_count} restarts)"
    if ended.reason == "OOMKilled":
        limit = (container.resources.limits or {}).get("memory") if container and container.resources else None
        return Finding(
            "memory",
            where,
            f"killed for its memory; the limit is {limit or 'the node'} {outcome}",
            "raise resources.limits.memory; /dev/shm (shm.sizeLimit) counts against it, and so does the KV cache "
            "of the CPU engine (env.VLLM_CPU_KVCACHE_SPACE, in GiB)",
            severity,
        )
    if known := engine_log.explain(log):
        # The Hub's library does not say which model it looked for; it is the engine's first argument.
        model = f"{container.args[0]}: " if known.check in ("model", "hub") and container and container.args else ""
        return Finding(known.check, where, f"{model}{known.line} {outcome}", known.remedy, severity)
    if ended.reason in ("StartError", "ContainerCannotRun"):
        message = ended.message or ""
        return Finding("command", where, f"{message} {outcome}", _start_remedy(message), severity)
    if ended.exit_code == SIGILL:
        message = f"its CPU lacks an instruction that the image uses {outcome}"
        return Finding("processor", where, message, "choose nodes with nodeSelector whose CPU has AVX-512", severity)
    last = engine_log.last_line(log) or "it left no log"
    # The hook says so; the event says so for an hour, and of an image without Python too.
    if killed_while_loading or _killed_by_startup_probe(pod, status, snapshot.events):
        return Finding(
            "startup",
            where,
            f"not ready after {_startup_seconds(container)} s, so the startup probe killed it: {last} {outcome}",
            _slow_start(last),
            severity,
        )
    cause = engine_log.first_exception(log) or last
    whole = f"kubectl logs --namespace {snapshot.namespace} {_name(pod)} --container {status.name} --previous"
    if keys := [_key(name) for name in engine_log.named_arguments(cause)]:
        remedy = f"correct {' or '.join(keys)}; the whole log: {whole}"
        return Finding("engine-arguments", where, f"{cause} {outcome}", remedy, severity)
    return Finding("crash", where, f"{cause} {outcome}", whole, severity)


def _key(argument: str) -> str:
    """The key of the values that an argument of vLLM's follows from."""
    if argument in OWNED_FLAGS:
        return OWNED_FLAGS[argument].removeprefix("write ")
    return f"engine.args.{argument}"


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
    return any(killed in (event.message or "") and _about(event, pod) for event in events)


def _slow_start(last_line: str) -> str:
    if "Loading safetensors" in last_line:
        return (
            "raise startup.budgetSeconds; from a network volume, engine.args.safetensors-load-strategy: prefetch "
            "reads whole files instead of pages"
        )
    return "raise startup.budgetSeconds; persistence.enabled: true keeps weights and compile caches for next time"


def _startup_seconds(container: V1Container | None) -> int:
    probe = container.startup_probe if container else None
    if probe is None:
        return 0
    return (probe.initial_delay_seconds or 0) + (probe.period_seconds or 10) * (probe.failure_threshold or 3)


# -- nothing is wrong, yet ----------------------------------------------------------------------------------


def _still_starting(pods: Sequence[V1Pod], snapshot: Snapshot) -> Iterator[Finding]:
    for deployment in snapshot.deployments:
        if not pods:
            doing = "it has no pods yet" if _wanted_replicas(deployment) else "it is scaled to 0 replicas"
            yield Finding("starting", f"Deployment/{_name(deployment)}", doing, severity="info")
    for pod in pods:
        for status in _container_statuses(pod):
            if status.ready:
                continue
            log = snapshot.logs.get((_name(pod), status.name), "")
            doing = engine_log.last_line(log) or _latest_event(pod, snapshot.events) or _waits(status)[0]
            yield Finding(
                "starting",
                f"Pod/{_name(pod)}: container {status.name}",
                f"not ready yet: {doing}",
                f"wait: it may take {_startup_seconds(_container(pod, status.name))} s from its container's start",
                "info",
            )


def _latest_event(pod: V1Pod, events: Iterable[CoreV1Event]) -> str:
    mine = [event for event in events if _about(event, pod)]
    return (mine[-1].message or "") if mine else ""


def _wanted_replicas(deployment: V1Deployment) -> int:
    return 1 if deployment.spec.replicas is None else deployment.spec.replicas


# -- reading objects ----------------------------------------------------------------------------------------


def _name(item: V1Deployment | V1ReplicaSet | V1Pod | V1PersistentVolumeClaim) -> str:
    return (item.metadata.name if item.metadata else None) or ""


def _owners(item: V1ReplicaSet | V1Pod) -> set[str]:
    return {owner.name for owner in (item.metadata.owner_references if item.metadata else None) or []}


def _about(event: CoreV1Event, item: V1Pod | V1PersistentVolumeClaim) -> bool:
    return item.metadata is not None and event.involved_object.uid == item.metadata.uid


def _container(pod: V1Pod, name: str) -> V1Container | None:
    spec = pod.spec
    containers = [*(spec.containers if spec else []), *((spec.init_containers if spec else None) or [])]
    return next((container for container in containers if container.name == name), None)


def _container_statuses(pod: V1Pod) -> list[V1ContainerStatus]:
    status = pod.status
    if status is None:
        return []
    return [*(status.init_container_statuses or []), *(status.container_statuses or [])]


def _state(state: V1ContainerState | None) -> V1ContainerState:
    return state or V1ContainerState()


def _waits(status: V1ContainerStatus) -> tuple[str, str]:
    """Why a container waits: the reason and the message, both empty if it does not."""
    waiting = _state(status.state).waiting
    return ((waiting.reason or "") if waiting else "", (waiting.message or "") if waiting else "")
