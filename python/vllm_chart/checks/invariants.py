"""What must hold for every render of the chart, whatever the values: each a promise, by name.

An invariant takes the rendered objects and yields what breaks its promise. It is an error where the chart or
the cluster would be at fault, a warning where a user may have reasons that values can't tell.
"""

import base64
import dataclasses
import functools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from vllm_chart.findings import Finding, Severity
from vllm_chart.rendered import scaling
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import Container, Pod, engines, pods
from vllm_chart.rendered.quantities import parse_quantity
from vllm_chart.rendered.workload import workloads

#: What the engine takes to end once it is idle, measured with vLLM 0.32 on one GPU's worth of processes: 5 s.
ENGINE_END_SECONDS = 10

Invariant = Callable[[Manifests], list[Finding]]

#: Every invariant by its name, in the order of this file.
INVARIANTS: dict[str, Invariant] = {}


def check(manifests: Manifests) -> list[Finding]:
    """Hold rendered objects against every invariant."""
    return [finding for promise in INVARIANTS.values() for finding in promise(manifests)]


def invariant(promise: Callable[[Manifests], Iterator[Finding]]) -> Invariant:
    """Register a promise; its function's name is the name of the check."""
    name = promise.__name__.replace("_", "-")

    @functools.wraps(promise)
    def named(manifests: Manifests) -> list[Finding]:
        return [dataclasses.replace(finding, check=name) for finding in promise(manifests)]

    INVARIANTS[name] = named
    return named


def broken(where: str, message: str, remedy: str = "", severity: Severity = "error") -> Finding:
    """What breaks the promise of the invariant that yields it."""
    return Finding("", where, message, remedy, severity)


def own(manifests: Manifests) -> list[Object]:
    """The chart's own objects: not what the user added as `extraObjects`."""
    return [found for found in manifests if not found.is_extra]


# Objects


@invariant
def no_object_twice(manifests: Manifests) -> Iterator[Finding]:
    """No two objects share group, kind, namespace and name: one would overwrite the other."""
    identities = Counter(
        (str(found.get("apiVersion")).rpartition("/")[0], found.kind, found.namespace, found.name)
        for found in manifests
    )
    for (_, kind, _, name), times in identities.items():
        if times > 1:
            yield broken(f"{kind}/{name}", f"is rendered {times} times")


@invariant
def objects_carry_the_standard_labels(manifests: Manifests) -> Iterator[Finding]:
    """Every object of the chart can be found by Kubernetes' recommended labels and Helm's own."""
    standard = {
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/version",
        "app.kubernetes.io/managed-by",
        "helm.sh/chart",
    }
    for found in own(manifests):
        if missing := standard - (found.metadata.get("labels") or {}).keys():
            yield broken(f"{found.where}: metadata.labels", f"lacks {', '.join(sorted(missing))}")


@invariant
def labels_are_valid(manifests: Manifests) -> Iterator[Finding]:
    """Every label's value is one: at most 63 letters, digits, dots, dashes and underscores."""
    owners = [(found.where, found.metadata) for found in manifests]
    owners += [(f"{pod.where}: template", pod.metadata) for pod in pods(manifests)]
    for where, metadata in owners:
        for name, value in (metadata.get("labels") or {}).items():
            if not re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", str(value)):
                yield broken(f"{where}: metadata.labels.{name}", f"{value!r} is not a label's value")


@invariant
def objects_name_one_namespace(manifests: Manifests) -> Iterator[Finding]:
    """Every object of the chart names its namespace, all the same one: `kubectl apply` can't scatter them."""
    namespaces = {found.namespace for found in own(manifests)}
    for found in own(manifests):
        if not found.namespace:
            yield broken(f"{found.where}: metadata.namespace", "is missing")
    if len(namespaces - {""}) > 1:
        yield broken("metadata.namespace", f"differs: {', '.join(sorted(namespaces))}")


@invariant
def names_fit_dns(manifests: Manifests) -> Iterator[Finding]:
    """Every name is a DNS label of at most 63 characters: it becomes a host name and a label's value.

    A service account may be the user's own, whose name may have dots.
    """
    label = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
    patterns = {"Service": rf"(?=[a-z]){label}", "ServiceAccount": rf"(?=.{{1,253}}$){label}(\.{label})*"}
    for found in own(manifests):
        if not re.fullmatch(patterns.get(found.kind, label), found.name):
            yield broken(f"{found.where}: metadata.name", f"{found.name!r} is not a DNS label")


@invariant
def hooks_clean_up(manifests: Manifests) -> Iterator[Finding]:
    """Every hook says when it is deleted: Helm leaves hooks behind otherwise, and the next run fails."""
    for found in own(manifests):
        annotations = found.metadata.get("annotations") or {}
        if "helm.sh/hook" in annotations and "helm.sh/hook-delete-policy" not in annotations:
            yield broken(f"{found.where}: metadata.annotations", "has helm.sh/hook without a delete policy")


# Identity: what belongs to what


@invariant
def selectors_never_change(manifests: Manifests) -> Iterator[Finding]:
    """Selectors are name and instance only: immutable, and never another release's pods."""
    identity = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
    for found, selector in _selectors(manifests):
        if selector.keys() != identity:
            yield broken(f"{found.where}: spec.selector", f"selects by {', '.join(sorted(selector)) or 'nothing'}")


@invariant
def selectors_match_the_engine_alone(manifests: Manifests) -> Iterator[Finding]:
    """A selector matches the engine's pods and no others: no request, and no budget, for a test pod."""
    running = [pod for pod, _ in engines(manifests)]
    for found, selector in _selectors(manifests):
        if not any(selector.items() <= pod.labels.items() for pod in running):
            yield broken(f"{found.where}: spec.selector", "does not match the engine's pods")
        for pod in pods(manifests):
            if pod not in running and selector.items() <= pod.labels.items():
                yield broken(f"{found.where}: spec.selector", f"matches {pod.where} too")


@invariant
def services_reach_a_port(manifests: Manifests) -> Iterator[Finding]:
    """Every port of a Service leads to a port of the engine's pod: one that a container names, or a number."""
    ports = [port for pod, _ in engines(manifests) for container in pod.containers for port in container.all("ports")]
    names = {port.get("name") for port in ports}
    for service in own(manifests):
        if service.kind == "Service":
            for index, port in enumerate(service["spec"].get("ports") or []):
                target = port.get("targetPort", port["port"])
                if isinstance(target, str) and target not in names:
                    where = f"{service.where}: spec.ports[{index}].targetPort"
                    yield broken(where, f"{target!r} is not a named port of the engine's pod")


@invariant
def drains_can_go_on(manifests: Manifests) -> Iterator[Finding]:
    """A disruption budget always lets one pod go, or no node could ever be drained."""
    replicas = [
        scaling.scale(workload, manifests).replicas * workload.pods_per_replica
        for workload in workloads(own(manifests))
    ]
    for budget in manifests.all("PodDisruptionBudget"):
        least, most = budget["spec"].get("minAvailable"), budget["spec"].get("maxUnavailable")
        needs_all = least == "100%" or (isinstance(least, int) and any(0 < count <= least for count in replicas))
        if most in (0, "0", "0%") or needs_all:
            yield broken(f"{budget.where}: spec", "allows no eviction", "write podDisruptionBudget.maxUnavailable: 1")


@invariant
def replicas_have_one_owner(manifests: Manifests) -> Iterator[Finding]:
    """A workload that an autoscaler scales leaves `replicas` out: an upgrade would reset them."""
    for autoscaler in scaling.autoscalers(manifests):
        # The user's own autoscaler is the user's own affair.
        severity: Severity = "warning" if autoscaler.object.is_extra else "error"
        for workload in workloads(own(manifests)):
            if autoscaler.scales(workload) and workload.replicas is not None:
                where, message = f"{workload.where}: spec.replicas", f"is set beside {autoscaler.where}"
                yield broken(where, message, "write replicaCount: null: an upgrade leaves them alone then", severity)


# Start


@invariant
def engine_is_probed(manifests: Manifests) -> Iterator[Finding]:
    """The engine has a startup and a readiness probe: without them it gets requests it can't answer."""
    for pod, engine in engines(manifests):
        for probe in ("startupProbe", "readinessProbe"):
            if probe not in engine.probes:
                yield broken(f"{pod.where}: {engine.path}{probe}", "is missing", severity="warning")


@invariant
def probes_ask_one_way(manifests: Manifests) -> Iterator[Finding]:
    """Every probe has exactly one handler: the API server refuses two."""
    for pod, container in _containers(manifests):
        for name, probe in container.probes.items():
            handlers = [handler for handler in ("httpGet", "tcpSocket", "exec", "grpc") if probe.get(handler)]
            if len(handlers) != 1:
                yield broken(f"{pod.where}: {container.path}{name}", f"has {' and '.join(handlers) or 'no handler'}")


@invariant
def probes_reach_a_declared_port(manifests: Manifests) -> Iterator[Finding]:
    """Every probe asks a port that its container declares."""
    for pod, container in _containers(manifests):
        declared = {port.get(key) for port in container.all("ports") for key in ("name", "containerPort")}
        for name, probe in container.probes.items():
            for handler in ("httpGet", "tcpSocket", "grpc"):
                port = (probe.get(handler) or {}).get("port")
                if probe.get(handler) and port not in declared:
                    # A port that is open but not declared works as a number; as a name it can't be resolved.
                    severity: Severity = "warning" if isinstance(port, int) else "error"
                    where = f"{pod.where}: {container.path}{name}.{handler}.port"
                    yield broken(where, f"{port!r} is not a declared port", severity=severity)


@invariant
def probes_do_not_wait(manifests: Manifests) -> Iterator[Finding]:
    """No probe of the engine waits a fixed time: a ready model serves at once, a slow one has its budget."""
    for pod, engine in engines(manifests):
        for name, probe in engine.probes.items():
            if probe.get("initialDelaySeconds"):
                yield broken(
                    f"{pod.where}: {engine.path}{name}.initialDelaySeconds",
                    "keeps a model that is ready waiting",
                    "leave it out: startup.budgetSeconds is the time that a start may take",
                    "warning",
                )


@invariant
def a_late_answer_kills_nothing(manifests: Manifests) -> Iterator[Finding]:
    """No engine dies of one missed answer: a busy one answers late, and a restart loads the model again."""
    for pod, engine in engines(manifests):
        if engine.probes.get("livenessProbe", {}).get("failureThreshold") == 1:
            where = f"{pod.where}: {engine.path}livenessProbe.failureThreshold"
            yield broken(where, "1 restarts the engine at the first late answer", "write 3 or more", "warning")


@invariant
def a_failed_start_ends_soon(manifests: Manifests) -> Iterator[Finding]:
    """Startup and liveness probes have a short grace period of their own: a loading engine ignores SIGTERM."""
    for pod, engine in engines(manifests):
        for name in ("startupProbe", "livenessProbe"):
            if name in engine.probes and "terminationGracePeriodSeconds" not in engine.probes[name]:
                where = f"{pod.where}: {engine.path}{name}.terminationGracePeriodSeconds"
                yield broken(where, "is missing: the pod's long one is waited out", "write 30", "warning")


@invariant
def the_deadline_covers_the_start(manifests: Manifests) -> Iterator[Finding]:
    """A rollout is not given up while an old pod may still drain and a new one may still start."""
    for pod, engine in engines(manifests):
        if "startupProbe" in engine.probes:
            probe = engine.probes["startupProbe"]
            budget = probe.get("failureThreshold", 3) * probe.get("periodSeconds", 10)
            needed = budget + probe.get("initialDelaySeconds", 0) + _grace_period(pod)
            deadline = pod.workload.deadline_seconds if pod.workload else None
            if deadline is not None and deadline < needed:
                where = f"{pod.where}: spec.progressDeadlineSeconds"
                yield broken(where, f"{deadline} s is too short for a stop and a start of {needed} s")


# Stop


@invariant
def the_grace_period_covers_the_stop(manifests: Manifests) -> Iterator[Finding]:
    """The grace period holds the preStop hook and the engine's own shutdown timeout, one after the other."""
    for pod, engine in engines(manifests):
        hook = (engine.get("lifecycle") or {}).get("preStop") or {}
        waited = (hook.get("sleep") or {}).get("seconds", 0)
        drained = 0
        for argument in [*(hook.get("exec") or {}).get("command", []), *engine.all("args")]:
            if found := re.match(r"--(propagation|drain|shutdown-timeout)=(\d+)$", str(argument)):
                waited += int(found[2]) if found[1] == "propagation" else 0
                # Both end when the engine is idle, and the second only stands in for the first.
                drained = max(drained, int(found[2])) if found[1] != "propagation" else drained
        if _grace_period(pod) < waited + drained + ENGINE_END_SECONDS:
            where = f"{pod.where}: spec.terminationGracePeriodSeconds"
            needed = f"{waited} s of preStop, {drained} s of drain and {ENGINE_END_SECONDS} s of the engine's own end"
            yield broken(where, f"{_grace_period(pod)} s is less than {needed}")


@invariant
def the_engine_gets_the_signals(manifests: Manifests) -> Iterator[Finding]:
    """The engine is the container's first process: a shell in its place would keep SIGTERM to itself."""
    for pod, engine in engines(manifests):
        program = str((engine.get("command") or [""])[0]).rpartition("/")[2]
        if program in ("sh", "bash", "dash", "ash", "zsh"):
            where = f"{pod.where}: {engine.path}command"
            yield broken(where, "is a shell", "end its script with `exec vllm serve …`", "warning")
        if not all(isinstance(argument, str) for argument in engine.all("args")):
            yield broken(f"{pod.where}: {engine.path}args", "are not all text")


@invariant
def a_crash_tells_its_reason(manifests: Manifests) -> Iterator[Finding]:
    """The engine's last log lines become the container's termination message."""
    for pod, engine in engines(manifests):
        if engine.get("terminationMessagePolicy") != "FallbackToLogsOnError":
            yield broken(f"{pod.where}: {engine.path}terminationMessagePolicy", "is not FallbackToLogsOnError")


# Memory and devices


@invariant
def shared_memory_is_sized(manifests: Manifests) -> Iterator[Finding]:
    """/dev/shm is memory with a limit, which fits in the container's memory limit: it counts against it."""
    for pod, engine in engines(manifests):
        where = f"{pod.where}: {engine.path}volumeMounts"
        names = [mount.get("name") for mount in engine.all("volumeMounts") if mount.get("mountPath") == "/dev/shm"]
        volumes = [volume.get("emptyDir") or {} for volume in pod.all("volumes") if volume.get("name") in names]
        if not any(volume.get("medium") == "Memory" and volume.get("sizeLimit") for volume in volumes):
            yield broken(where, "has no memory of a given size at /dev/shm")
            continue
        size, limit = volumes[0]["sizeLimit"], engine.resources("limits").get("memory")
        if limit is not None and _quantity(size) >= _quantity(limit):
            yield broken(where, f"/dev/shm of {size} does not fit in the memory limit of {limit}")


@invariant
def requests_fit_the_limits(manifests: Manifests) -> Iterator[Finding]:
    """No container asks for more than its limit, in quantities that Kubernetes can read."""
    for pod, container in _containers(manifests):
        where = f"{pod.where}: {container.path}resources"
        limits, requests = container.resources("limits"), container.resources("requests")
        for kind, quantities in (("limits", limits), ("requests", requests)):
            for name, quantity in quantities.items():
                if math.isnan(_quantity(quantity)):
                    yield broken(f"{where}.{kind}.{name}", f"{quantity!r} is not a quantity")
        for name in limits.keys() & requests.keys():
            if _quantity(requests[name]) > _quantity(limits[name]):
                yield broken(f"{where}.requests.{name}", f"{requests[name]} is more than the limit {limits[name]}")


@invariant
def devices_are_asked_for_as_limited(manifests: Manifests) -> Iterator[Finding]:
    """GPUs and other extended resources are whole, and request and limit the same: Kubernetes wants it so.

    https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources
    """
    for pod, container in _containers(manifests):
        limits, requests = container.resources("limits"), container.resources("requests")
        for name in sorted(limits.keys() | requests.keys()):
            if "/" in name and not name.startswith("kubernetes.io/"):
                where = f"{pod.where}: {container.path}resources.limits.{name}"
                limit = _quantity(limits.get(name, 0))
                if limit % 1 or limit != _quantity(requests.get(name, limit)):
                    yield broken(where, "request and limit have to be the same whole number")


@invariant
def gpus_stay_hidden_from_the_test(manifests: Manifests) -> Iterator[Finding]:
    """What uses the engine's image beside the engine sees no GPU: the image asks for all of the node's."""
    images = {engine.get("image") for _, engine in engines(manifests)}
    for pod, container in _containers(manifests):
        if container.get("image") in images and not container.is_engine:
            hidden = [v for v in container.all("env") if v.get("name") == "NVIDIA_VISIBLE_DEVICES"]
            if [variable.get("value") for variable in hidden] != ["void"]:
                yield broken(f"{pod.where}: {container.path}env", "NVIDIA_VISIBLE_DEVICES is not void")


@invariant
def volumes_and_mounts_agree(manifests: Manifests) -> Iterator[Finding]:
    """Every mount has its volume and every volume a mount; no name and no path is used twice."""
    for pod in pods(manifests):
        names = Counter(volume.get("name") for volume in pod.all("volumes"))
        mounts = [mount for container in pod.containers for mount in container.all("volumeMounts")]
        for name, times in names.items():
            if times > 1:
                yield broken(f"{pod.where}: volumes", f"{name!r} is there {times} times")
            if name not in {mount.get("name") for mount in mounts}:
                yield broken(f"{pod.where}: volumes", f"{name!r} is mounted nowhere", severity="warning")
        for container in pod.containers:
            paths = Counter(str(mount.get("mountPath")).rstrip("/") for mount in container.all("volumeMounts"))
            where = f"{pod.where}: {container.path}volumeMounts"
            for mount in container.all("volumeMounts"):
                if mount.get("name") not in names:
                    yield broken(where, f"{mount.get('name')!r} is not a volume of the pod")
            for path in (path for path, times in paths.items() if times > 1):
                yield broken(where, f"{path} is mounted more than once")


@invariant
def the_kept_cache_fits(manifests: Manifests) -> Iterator[Finding]:
    """What LMCache may keep on disk fits in the pod's limit: its setting counts for each worker (LMCache#1399)."""
    for pod, engine in engines(manifests):
        sizes = [re.match(r"--(?:tensor|pipeline|data)-parallel-size=(\d+)", a) for a in engine.all("args")]
        workers = math.prod(int(found[1]) for found in sizes if found)
        limit = engine.resources("limits").get("ephemeral-storage")
        for variable in engine.all("env"):
            if variable.get("name") == "LMCACHE_MAX_LOCAL_DISK_SIZE" and limit is not None:
                kept = Decimal(variable.get("value") or 0)
                if kept * workers * 2**30 > _quantity(limit):
                    where = f"{pod.where}: {engine.path}env.LMCACHE_MAX_LOCAL_DISK_SIZE"
                    message = f"{kept} GiB for each of {workers} workers exceeds the ephemeral-storage limit of {limit}"
                    yield broken(where, message, "divide it by the workers, and leave room beside it", "warning")


# Environment and security


@invariant
def variables_are_unique(manifests: Manifests) -> Iterator[Finding]:
    """No variable is set twice: server-side apply refuses it, and which one wins is luck."""
    for pod, container in _containers(manifests):
        for name, times in Counter(variable.get("name") for variable in container.all("env")).items():
            if times > 1:
                yield broken(f"{pod.where}: {container.path}env", f"{name} is there {times} times")


@invariant
def references_come_after_their_variable(manifests: Manifests) -> Iterator[Finding]:
    """`$(NAME)` stands after NAME: Kubernetes expands only what it has seen, and leaves the rest as it is."""
    for pod, container in _containers(manifests):
        every = {variable.get("name") for variable in container.all("env")}
        seen: set[Any] = set()
        for variable in container.all("env"):
            for name in _references(variable.get("value")):
                where = f"{pod.where}: {container.path}env.{variable.get('name')}"
                if name in every - seen:
                    yield broken(where, f"refers to {name}, which comes after it")
                elif name not in every and not container.all("envFrom"):
                    yield broken(where, f"refers to {name}, which is not there", "escape it: $$(", "warning")
            seen.add(variable.get("name"))


@invariant
def secrets_come_from_secrets(manifests: Manifests) -> Iterator[Finding]:
    """No token, key or password is written out: whoever may read the release could read it."""
    for pod, container in _containers(manifests):
        for variable in container.all("env"):
            name, value = str(variable.get("name")), str(variable.get("value") or "")
            # A path, a flag, a number or a word that says "none" is a setting about a secret, not one.
            setting = value.startswith(("/", "$(")) or value.isdigit() or re.fullmatch(_NO_SECRET, value.lower())
            if re.search(r"(^|_)(TOKEN|KEY|PASSWORD|PASSWD|SECRET)($|_)", name.upper()) and not setting:
                where = f"{pod.where}: {container.path}env.{name}"
                yield broken(where, "looks like a secret in plain text", "refer to a Secret: valueFrom.secretKeyRef")
        for argument in container.all("args"):
            if re.match(r"--(api-key|hf-token)\b(?!=\$\()", str(argument)):
                where = f"{pod.where}: {container.path}args"
                yield broken(where, "has a secret in plain text", "write auth.apiKeySecretRef or hub.tokenSecretRef")


@invariant
def downloads_have_the_token(manifests: Manifests) -> Iterator[Finding]:
    """An init container that downloads from the Hub is given the token too, where the engine has one."""
    for pod, engine in engines(manifests):
        if not any(variable.get("name") == "HF_TOKEN" for variable in engine.all("env")):
            continue
        for container in pod.containers:
            line = " ".join(map(str, [*container.all("command"), *container.all("args")]))
            names = {variable.get("name") for variable in container.all("env")}
            downloads = re.search(r"\b(hf|huggingface-cli) download\b|snapshot_download", line)
            if downloads and not names & {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} and not container.all("envFrom"):
                where = f"{pod.where}: {container.path}env"
                yield broken(where, "lacks HF_TOKEN, which the download asks for", "give it HF_TOKEN", "warning")


@invariant
def secrets_are_base64(manifests: Manifests) -> Iterator[Finding]:
    """`data` of a Secret is base64: plain text is refused, or decoded to something else."""
    for secret in manifests.all("Secret"):
        for key, value in (secret.get("data") or {}).items():
            try:
                base64.b64decode(str(value), validate=True)
            except ValueError:
                yield broken(f"{secret.where}: data.{key}", "is not base64", "write it in stringData")


@invariant
def secret_files_stay_secret(manifests: Manifests) -> Iterator[Finding]:
    """Files of a Secret get the mode that was meant: 420 is 0644, which all may read, and 400 is 0620."""
    for pod in pods(manifests):
        for volume in pod.all("volumes"):
            mode = (volume.get("secret") or {}).get("defaultMode")
            if mode is not None and (mode & 0o004 or mode in (400, 440)):
                where = f"{pod.where}: volumes.{volume.get('name')}.secret.defaultMode"
                yield broken(where, f"{mode} is {mode:#o} in octal".replace("0o", "0"), "write 0440", "warning")


@invariant
def service_links_are_off(manifests: Manifests) -> Iterator[Finding]:
    """No variable per Service: one named vllm would set VLLM_PORT, which the engine reads as its own."""
    for pod in pods(Manifests(own(manifests))):
        if pod.spec.get("enableServiceLinks") is not False:
            yield broken(f"{pod.where}: enableServiceLinks", "is not false")


@invariant
def no_service_account_token(manifests: Manifests) -> Iterator[Finding]:
    """Pods hold no credentials of the cluster: the engine does not talk to it."""
    for pod in pods(Manifests(own(manifests))):
        if pod.spec.get("automountServiceAccountToken") is not False:
            where = f"{pod.where}: automountServiceAccountToken"
            yield broken(where, "is not false", "write serviceAccount.automount: false", "warning")


@invariant
def images_are_pinned(manifests: Manifests) -> Iterator[Finding]:
    """Every image has a version or a digest; `latest` is another image tomorrow."""
    for pod, container in _containers(manifests):
        image = str(container.get("image"))
        tag = image.rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and tag in ("", "latest"):
            severity: Severity = "error" if container.is_engine else "warning"
            yield broken(f"{pod.where}: {container.path}image", f"{image} is not a fixed version", severity=severity)


# What invariants share


#: As in the chart's own rule.
_NO_SECRET = "true|false|-|(empty|none|null|dummy|fake|placeholder|unused|not-?(needed|used)|no-?key(-required)?)?"


def _containers(manifests: Manifests) -> Iterator[tuple[Pod, Container]]:
    return ((pod, container) for pod in pods(manifests) for container in pod.containers)


def _selectors(manifests: Manifests) -> Iterator[tuple[Object, dict[str, str]]]:
    for found in own(manifests):
        if found.kind == "Service":
            yield found, found["spec"].get("selector") or {}
        elif found.kind == "PodDisruptionBudget" or _has_selector(found):
            yield found, found["spec"].get("selector", {}).get("matchLabels") or {}


def _has_selector(found: Object) -> bool:
    """Whether it is a workload whose selector is written: the controller of some kinds has one of its own."""
    return any(not workload.kind.own_label for workload in workloads([found]))


def _grace_period(pod: Pod) -> int:
    return int(pod.spec.get("terminationGracePeriodSeconds", 30))


def _references(value: object) -> list[str]:
    """The names in `$(NAME)`, but not in the escaped `$$(NAME)`."""
    return re.findall(r"(?<!\$)(?:\$\$)*\$\(([A-Za-z_][-.\w]*)\)", str(value or ""))


def _quantity(value: object) -> Decimal:
    """A Kubernetes quantity as a number; NaN if it is none."""
    try:
        return parse_quantity(value)
    except ValueError:
        return Decimal("NaN")


def same_twice(first: Manifests, second: Manifests) -> list[Finding]:
    """Rendering the same values twice gives the same objects: a GitOps tool would never come to rest otherwise."""
    pairs = zip(first, second, strict=False)
    different = [a.where for a, b in pairs if json.dumps(a) != json.dumps(b)]
    if len(first) == len(second) and not different:
        return []
    return [Finding("same-twice", ", ".join(different), "the same values rendered twice are not the same")]
