"""OpenShift's SecurityContextConstraints (SCC): what they refuse of a pod.

A pod is let in when one of those that its service account may use admits it, and is given what it leaves out: a user
and a group of the namespace's own ranges. Sources: github.com/openshift/api, security/v1/types.go, and
https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/authentication_and_authorization/managing-pod-security-policies
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kubernetes.client import V1Container, V1PodSpec, V1SecurityContext, V1Volume

Json = Mapping[str, Any]

UID_RANGE = "openshift.io/sa.scc.uid-range"
GROUPS = "openshift.io/sa.scc.supplemental-groups"
"""Annotations of every namespace of OpenShift: the ranges of its pods, "1000680000/10000"."""

#: What everyone may use from OpenShift 4.11 on, where the cluster's own may not be listed.
RESTRICTED: Json = {
    "metadata": {"name": "restricted-v2"},
    "allowPrivilegeEscalation": False,
    "allowedCapabilities": ["NET_BIND_SERVICE"],
    "runAsUser": {"type": "MustRunAsRange"},
    "fsGroup": {"type": "MustRunAs"},
    "supplementalGroups": {"type": "RunAsAny"},
    "seccompProfiles": ["runtime/default"],
    "volumes": [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ],
}

#: Why the remedy works: group 0 is what OpenShift's pods run as, and what owns the chart's directories.
FITS = (
    "OpenShift gives the pod a user and an fsGroup of its namespace's ranges, and the chart's pods need no user of "
    "their own, only group 0 (runAsGroup: 0 stays)"
)
GRANT = "`oc adm policy add-scc-to-user nonroot-v2 -z {account} -n {namespace}` lets the chart's defaults in instead"


class Refusal(NamedTuple):
    """A field that constraints refuse, what is wrong with it, and the values that mend it."""

    field: str
    message: str
    remedy: str


def name_of(constraints: Json) -> str:
    """The name of constraints."""
    return str((constraints.get("metadata") or {}).get("name") or "")


def refusals(constraints: Json, spec: V1PodSpec, annotations: Mapping[str, str]) -> list[Refusal]:
    """What these constraints refuse of a pod; nothing where they admit it.

    annotations: of its namespace.
    """
    refused = [
        *_user(constraints, spec, annotations),
        *_groups(constraints, spec, annotations),
        *_host(constraints, spec),
        *_volumes(constraints, spec.volumes or []),
        *_seccomp(constraints, spec),
    ]
    for container in _containers(spec):
        refused += _privileges(constraints, container)
    return list(dict.fromkeys(refused))


# -- user and groups ----------------------------------------------------------------------------------------


def _user(constraints: Json, spec: V1PodSpec, annotations: Mapping[str, str]) -> Iterator[Refusal]:
    strategy = constraints.get("runAsUser") or {}
    of_pod = spec.security_context.run_as_user if spec.security_context else None
    for container in _containers(spec):
        own = _context(container).run_as_user
        user = of_pod if own is None else own
        key = "podSecurityContext.runAsUser" if own is None else f"{_key(container)}.runAsUser"
        if user is None:
            continue
        if strategy.get("type") == "MustRunAsNonRoot" and user == 0:
            yield Refusal("runAsUser", "runAsUser 0 is root", f"write {key}: 2000")
        elif strategy.get("type") == "MustRunAs" and user != strategy.get("uid"):
            yield Refusal("runAsUser", f"runAsUser {user} is not {strategy.get('uid')}", f"write {key}: null")
        elif strategy.get("type") == "MustRunAsRange":
            allowed = _range(strategy.get("uidRangeMin"), strategy.get("uidRangeMax"), annotations.get(UID_RANGE))
            if allowed is None or user not in allowed:
                yield Refusal("runAsUser", f"runAsUser {user} is not {_told(allowed)}", f"write {key}: null")


def _groups(constraints: Json, spec: V1PodSpec, annotations: Mapping[str, str]) -> Iterator[Refusal]:
    context = spec.security_context
    wanted = [("fsGroup", context.fs_group)] if context and context.fs_group is not None else []
    wanted += [("supplementalGroups", group) for group in (context.supplemental_groups if context else None) or []]
    for field, group in wanted:
        strategy = constraints.get(field) or {}
        if strategy.get("type") not in ("MustRunAs", "MayRunAs"):
            continue
        written = [range(int(bounds["min"]), int(bounds["max"]) + 1) for bounds in strategy.get("ranges") or []]
        of_namespace = _range(None, None, annotations.get(GROUPS) or annotations.get(UID_RANGE))
        ranges = written or ([of_namespace] if of_namespace else [])
        if not any(group in allowed for allowed in ranges):
            message = f"{field} {group} is not {_told(ranges[0] if ranges else None)}"
            yield Refusal(field, message, f"write podSecurityContext.{field}: null")


def first_user(annotations: Mapping[str, str]) -> int | None:
    """The first user that OpenShift lets pods of a namespace run as, by its annotations; None where it keeps none, as
    other Kubernetes does."""
    allowed = _range(None, None, annotations.get(UID_RANGE))
    return allowed.start if allowed else None


def _range(least: int | None, most: int | None, annotation: str | None) -> range | None:
    """The range that constraints write, else that of the namespace: "1000680000/10000", or "1000680000-1000689999"."""
    if least is not None and most is not None:
        return range(least, most + 1)
    match = re.match(r"(\d+)([/-])(\d+)", annotation or "")
    if not match:
        return None
    start, number = int(match[1]), int(match[3])
    return range(start, start + number if match[2] == "/" else number + 1)


def _told(allowed: range | None) -> str:
    return f"in {allowed.start} to {allowed.stop - 1}" if allowed else "in the range of the namespace"


# -- the rest -----------------------------------------------------------------------------------------------


def _host(constraints: Json, spec: V1PodSpec) -> Iterator[Refusal]:
    for field, allowed, written in (
        ("hostNetwork", "allowHostNetwork", spec.host_network),
        ("hostIPC", "allowHostIPC", spec.host_ipc),
        ("hostPID", "allowHostPID", spec.host_pid),
    ):
        if written and not constraints.get(allowed):
            yield Refusal(field, f"{field} is not allowed", f"leave {field} out")
    ports = [port for container in _containers(spec) for port in container.ports or [] if port.host_port]
    if ports and not constraints.get("allowHostPorts"):
        yield Refusal("hostPort", "ports of the host are not allowed", "leave hostPort out: a Service reaches the pod")


def _volumes(constraints: Json, volumes: Sequence[V1Volume]) -> Iterator[Refusal]:
    allowed = set(constraints.get("volumes") or [])
    for volume in volumes if "*" not in allowed else []:
        for kind in volume.model_dump(by_alias=True, exclude_none=True).keys() - {"name"} - allowed:
            remedy = "use a claim instead" if kind == "hostPath" else f"use one of {', '.join(sorted(allowed))}"
            yield Refusal("volumes", f"the volume {volume.name} is a {kind}", f"volumes: {remedy}")


def _seccomp(constraints: Json, spec: V1PodSpec) -> Iterator[Refusal]:
    """Constraints without profiles refuse a pod that names one: OpenShift's `anyuid` is such."""
    allowed = {str(profile).lower() for profile in constraints.get("seccompProfiles") or []}
    owners: list[tuple[str, Any]] = [("podSecurityContext", spec.security_context)]
    owners += [(_key(container), _context(container)) for container in _containers(spec)]
    for key, context in owners:
        profile = context.seccomp_profile.type if context and context.seccomp_profile else None
        if profile == "RuntimeDefault" and not allowed & {"*", "runtime/default", "docker/default"}:
            yield Refusal("seccompProfile", "no seccomp profile may be named", f"write {key}.seccompProfile: null")


def _privileges(constraints: Json, container: V1Container) -> Iterator[Refusal]:
    context, key = _context(container), _key(container)
    if context.privileged and not constraints.get("allowPrivilegedContainer"):
        yield Refusal("privileged", f"{container.name} is privileged", f"leave {key}.privileged out")
    if constraints.get("allowPrivilegeEscalation") is False and context.allow_privilege_escalation:
        message = f"{container.name} allows privilege escalation"
        yield Refusal("allowPrivilegeEscalation", message, f"write {key}.allowPrivilegeEscalation: false")
    added = set((context.capabilities.add if context.capabilities else None) or [])
    allowed = {*(constraints.get("allowedCapabilities") or []), *(constraints.get("defaultAddCapabilities") or [])}
    if more := sorted(added - allowed) if "*" not in allowed else []:
        names = ", ".join(more)
        yield Refusal("capabilities", f"{container.name} adds {names}", f"leave {names} out of {key}.capabilities.add")
    if constraints.get("readOnlyRootFilesystem") and context.read_only_root_filesystem is False:
        message = f"{container.name} has a root file system that it may write"
        yield Refusal("readOnlyRootFilesystem", message, f"write {key}.readOnlyRootFilesystem: true")


def _containers(spec: V1PodSpec) -> list[V1Container]:
    return [*spec.containers, *(spec.init_containers or [])]


def _context(container: V1Container) -> V1SecurityContext:
    return container.security_context or V1SecurityContext()


def _key(container: V1Container) -> str:
    """Where the values write a container's security context."""
    return "securityContext" if container.name == "vllm" else f"securityContext of the container {container.name}"
