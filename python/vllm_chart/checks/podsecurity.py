"""The Pod Security Standards: what a namespace that enforces a level would refuse.

Written after https://kubernetes.io/docs/concepts/security/pod-security-standards/ and its implementation, the
checks of k8s.io/pod-security-admission, for Linux pods; Python has no library for it. What only some
supported Kubernetes versions allow (with user namespaces, from 1.35 on) is not allowed here.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import Pod, pods

CHECK = Check(
    "pod-security",
    "Every pod fits the Pod Security Standard that the namespace enforces (--pod-security).",
    "The API server refuses the pods, and only events say so.",
    "Rendered objects",
)

Level = Literal["privileged", "baseline", "restricted"]

#: What is found: the field, and what it has to be.
Violation = tuple[str, str]

CAPABILITIES = {
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
}
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
PROFILES = {"RuntimeDefault", "Localhost"}


def check(manifests: Manifests, level: Level = "restricted") -> list[Finding]:
    """What a namespace that enforces the level would refuse, each naming the field and what it has to be."""
    rules = {"privileged": [], "baseline": [_baseline], "restricted": [_baseline, _restricted]}[level]
    return [
        Finding("pod-security", f"{pod.where}: {field}", f"refused by the {level} Pod Security Standard", remedy)
        for pod in pods(manifests)
        for rule in rules
        for field, remedy in rule(pod)
    ]


def _baseline(pod: Pod) -> Iterator[Violation]:
    """Against known privilege escalations."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field):
            yield field, "leave it out"
    for index, volume in enumerate(pod.all("volumes")):
        if "hostPath" in volume:
            yield f"volumes[{index}].hostPath", "use a persistentVolumeClaim, or a local persistent volume"
    for index, sysctl in enumerate(_context(pod.spec).get("sysctls") or []):
        if sysctl.get("name") not in SYSCTLS:
            yield f"securityContext.sysctls[{index}]", f"only {', '.join(sorted(SYSCTLS))}"
    for name, value in (pod.metadata.get("annotations") or {}).items():
        if name.startswith("container.apparmor.security.beta.kubernetes.io/") and not (
            value == "runtime/default" or str(value).startswith("localhost/")
        ):
            yield f"metadata.annotations[{name}]", "runtime/default or localhost/…"
    yield from _baseline_context("securityContext", _context(pod.spec))
    for container in pod.containers:
        yield from _baseline_context(f"{container.path}securityContext", _context(container))
        for index, port in enumerate(container.all("ports")):
            if port.get("hostPort"):
                yield f"{container.path}ports[{index}].hostPort", "leave it out: a Service reaches the pod"
        hooks = {f"lifecycle.{name}": hook for name, hook in (container.get("lifecycle") or {}).items()}
        for name, handlers in (hooks | container.probes).items():
            for handler in ("httpGet", "tcpSocket"):
                if isinstance(handlers, dict) and (handlers.get(handler) or {}).get("host"):
                    yield f"{container.path}{name}.{handler}.host", "leave it out: the pod itself is asked"


def _baseline_context(path: str, context: Mapping[str, Any]) -> Iterator[Violation]:
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{path}.windowsOptions.hostProcess", "leave it out"
    if context.get("privileged"):
        yield f"{path}.privileged", "false"
    if set((context.get("capabilities") or {}).get("add") or []) - CAPABILITIES:
        yield f"{path}.capabilities.add", f"at most {', '.join(sorted(CAPABILITIES))}"
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type") not in SELINUX_TYPES:
        yield f"{path}.seLinuxOptions.type", f"one of {', '.join(sorted(filter(None, SELINUX_TYPES)))}"
    for field in ("user", "role"):
        if selinux.get(field):
            yield f"{path}.seLinuxOptions.{field}", "leave it out"
    if context.get("procMount") not in (None, "Default"):
        yield f"{path}.procMount", "Default"
    for field in ("seccompProfile", "appArmorProfile"):
        profile = context.get(field)
        if profile and profile.get("type") not in PROFILES:
            yield f"{path}.{field}.type", "RuntimeDefault or Localhost"


def _restricted(pod: Pod) -> Iterator[Violation]:
    """Hardening as it is best practice today."""
    for index, volume in enumerate(pod.all("volumes")):
        if kinds := set(volume) - {"name"} - VOLUMES:
            yield f"volumes[{index}].{kinds.pop()}", f"one of {', '.join(sorted(VOLUMES))}"
    pod_context = _context(pod.spec)
    if pod_context.get("runAsUser") == 0:
        yield "securityContext.runAsUser", "any other user than 0"
    for container in pod.containers:
        path, context = container.path, _context(container)
        effective = {**pod_context, **context}
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{path}securityContext.allowPrivilegeEscalation", "false"
        if effective.get("runAsNonRoot") is not True:
            yield f"{path}securityContext.runAsNonRoot", "true, here or for the pod"
        if context.get("runAsUser") == 0:
            yield f"{path}securityContext.runAsUser", "any other user than 0"
        if not effective.get("seccompProfile"):
            yield (
                f"{path}securityContext.seccompProfile.type",
                "RuntimeDefault or Localhost, here or for the pod",
            )
        capabilities = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or []):
            yield f"{path}securityContext.capabilities.drop", "[ALL]"
        if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
            yield f"{path}securityContext.capabilities.add", "at most NET_BIND_SERVICE"


def _context(owner: Mapping[str, Any]) -> Mapping[str, Any]:
    context: Mapping[str, Any] = owner.get("securityContext") or {}
    return context
