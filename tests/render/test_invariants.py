"""The invariants hold for every example on every Kubernetes version, and each can be broken."""

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.render.conftest import versions
from vllm_chart import checks, support
from vllm_chart.checks import invariants, podsecurity, same_twice
from vllm_chart.findings import Finding
from vllm_chart.helm import render
from vllm_chart.rendered.manifests import Manifests, Object


@pytest.mark.parametrize("kubernetes", support.KUBERNETES)
def test_examples_keep_every_promise(example: Path, kubernetes: str) -> None:
    if kubernetes not in versions(example):
        pytest.skip(f"needs Kubernetes {versions(example)[0]}")
    manifests = render(values_files=[example], kube_version=kubernetes)

    assert checks.inspect(manifests, kubernetes) == []


def test_examples_render_the_same_twice(example: Path) -> None:
    assert same_twice.check(render(values_files=[example]), render(values_files=[example])) == []


# A render with something of everything, for the mutations below.
WHOLE: dict[str, Any] = {
    "model": {"id": "org/name"},
    "autoscaling": {
        "enabled": True,
        "minReplicas": 2,
        "maxReplicas": 4,
        "prometheus": {"address": "http://prometheus:9090"},
    },
    "serviceMonitor": {"enabled": True},
    "persistence": {"enabled": True, "accessModes": ["ReadWriteMany"]},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "inference", "namespace": "gateways"}]},
    "inferencePool": {"enabled": True, "endpointPickerRef": {"name": "picker"}},
    "ingress": {"enabled": True, "hosts": ["llm.example.com"]},
    "resources": {"requests": {"cpu": 1, "memory": "16Gi"}, "limits": {"memory": "32Gi"}},
    "env": {"A": "text", "B": {"value": "$(A)"}, "LMCACHE_MAX_LOCAL_DISK_SIZE": "20"},
    "hub": {"tokenSecretRef": {"name": "hf"}},
    "auth": {"apiKeySecretRef": {"name": "key", "key": "key"}},
    "extraContainers": [
        {
            "name": "sidecar",
            "image": "registry.example.com/sidecar:1",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
    "extraObjects": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "first"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "second"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "third"}, "data": {"token": "aGY="}},
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "other"},
            "spec": {"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "a.io/v1", "kind": "Rollout", "name": "x"}},
        },
    ],
}

#: The way to a field.
Steps = tuple[str | int, ...]
POD: Steps = ("spec", "template", "spec")
ENGINE: Steps = (*POD, "containers", 0)
PRE_STOP: Steps = (*ENGINE, "lifecycle", "preStop", "exec", "command")
SIDECAR: Steps = (*POD, "containers", 1)
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llm-vllm"}
TRIGGER: Steps = ("spec", "triggers", 0, "metadata")
RULE: Steps = ("spec", "rules", 0)
PATH: Steps = (*RULE, "http", "paths", 0)
GONE = object()
OF_THIRD = {"secretKeyRef": {"name": "third", "key": "tokn"}}

#: Which invariant breaks when which field of which object is set to what.
BREAKS: list[tuple[str, str, Steps, object]] = [
    ("no-object-twice", "ConfigMap/second", ("metadata", "name"), "first"),
    ("containers-have-names-of-their-own", "Deployment/llm-vllm", (*SIDECAR, "name"), "vllm"),
    ("objects-carry-the-standard-labels", "Service/llm-vllm", ("metadata", "labels", "helm.sh/chart"), GONE),
    ("labels-are-valid", "Service/llm-vllm", ("metadata", "labels", "team"), "a team"),
    ("labels-are-valid", "Deployment/llm-vllm", ("spec", "template", "metadata", "labels", "x"), "y" * 64),
    ("objects-name-one-namespace", "Service/llm-vllm", ("metadata", "namespace"), GONE),
    ("objects-name-one-namespace", "Service/llm-vllm", ("metadata", "namespace"), "other"),
    ("names-fit-dns", "Service/llm-vllm", ("metadata", "name"), "1st"),
    ("names-fit-dns", "Deployment/llm-vllm", ("metadata", "name"), "x" * 64),
    ("names-fit-dns", "ServiceAccount/llm-vllm", ("metadata", "name"), "two..dots"),
    ("hooks-clean-up", "Pod/llm-vllm-test", ("metadata", "annotations", "helm.sh/hook-delete-policy"), GONE),
    ("keys-are-in-their-objects", "Deployment/llm-vllm", (*SIDECAR, "env"), [{"name": "A", "valueFrom": OF_THIRD}]),
    (
        "keys-are-in-their-objects",
        "Deployment/llm-vllm",
        (*POD, "volumes", 1),
        {"name": "tmp", "secret": {"secretName": "third", "items": [{"key": "tokn", "path": "a"}]}},
    ),
    (
        "keys-are-in-their-objects",
        "Deployment/llm-vllm",
        (*POD, "volumes", 1),
        {"name": "tmp", "projected": {"sources": [{"secret": {"name": "third", "items": [{"key": "tokn"}]}}]}},
    ),
    ("selectors-never-change", "Deployment/llm-vllm", ("spec", "selector", "matchLabels", "version"), "1"),
    ("selectors-match-the-engine-alone", "Service/llm-vllm", ("spec", "selector", "app.kubernetes.io/name"), "x"),
    ("selectors-match-the-engine-alone", "Pod/llm-vllm-test", ("metadata", "labels", "app.kubernetes.io/name"), "vllm"),
    (
        "exceptions-are-of-their-network",
        "NetworkPolicy/llm-vllm",
        ("spec", "ingress"),
        [{"from": [{"ipBlock": {"cidr": "10.0.0.0/16", "except": ["192.168.0.0/16"]}}]}, {}],
    ),
    ("selectors-never-change", "NetworkPolicy/llm-vllm", ("spec", "podSelector"), {}),
    (
        "selectors-match-the-engine-alone",
        "NetworkPolicy/llm-vllm",
        ("spec", "podSelector", "matchLabels"),
        {"app.kubernetes.io/instance": "llm"},
    ),
    ("selectors-never-change", "InferencePool/llm-vllm", ("spec", "selector", "matchLabels", "version"), "1"),
    (
        "selectors-match-the-engine-alone",
        "InferencePool/llm-vllm",
        ("spec", "selector", "matchLabels", "app.kubernetes.io/instance"),
        "other",
    ),
    ("routes-lead-to-the-release", "HTTPRoute/llm-vllm", (*RULE, "backendRefs", 0, "name"), "llm"),
    ("routes-lead-to-the-release", "HTTPRoute/llm-vllm", (*RULE, "backendRefs", 0, "kind"), "Service"),
    ("routes-lead-to-the-release", "Ingress/llm-vllm", (*PATH, "backend", "service", "port", "number"), 8000),
    ("routes-keep-streams", "HTTPRoute/llm-vllm", (*RULE, "timeouts"), GONE),
    ("routes-keep-streams", "HTTPRoute/llm-vllm", (*RULE, "timeouts", "request"), "60s"),
    (
        "policies-let-the-gateway-in",
        "NetworkPolicy/llm-vllm",
        ("spec", "ingress", 0, "from"),
        [{"podSelector": {}}],
    ),
    ("services-reach-a-port", "Service/llm-vllm", ("spec", "ports", 0, "targetPort"), "web"),
    ("policies-open-what-a-service-leads-to", "NetworkPolicy/llm-vllm", ("spec", "ingress", 0, "ports", 0, "port"), 1),
    ("policies-open-what-a-service-leads-to", "NetworkPolicy/llm-vllm", ("spec", "ingress"), []),
    (
        "policies-let-the-test-in",
        "NetworkPolicy/llm-vllm",
        ("spec", "ingress", 0, "from"),
        [{"ipBlock": {"cidr": "::/0"}}],
    ),
    ("policies-let-a-release-talk-to-itself", "NetworkPolicy/llm-vllm", ("spec", "ingress", 1), GONE),
    ("drains-can-go-on", "PodDisruptionBudget/llm-vllm", ("spec", "maxUnavailable"), 0),
    ("drains-can-go-on", "PodDisruptionBudget/llm-vllm", ("spec", "minAvailable"), 2),
    ("replicas-have-one-owner", "Deployment/llm-vllm", ("spec", "replicas"), 2),
    ("workloads-have-one-autoscaler", "HorizontalPodAutoscaler/other", ("spec", "scaleTargetRef"), TARGET),
    ("autoscalers-find-their-workload", "ScaledObject/llm-vllm", ("spec", "scaleTargetRef", "name"), "llm"),
    ("scaling-follows-the-release-alone", "ScaledObject/llm-vllm", (*TRIGGER, "query"), "sum(vllm:a) + sum(vllm:b{})"),
    ("lost-metrics-scale-nothing-down", "ScaledObject/llm-vllm", (*TRIGGER, "ignoreNullValues"), "true"),
    ("lost-metrics-scale-nothing-down", "ScaledObject/llm-vllm", (*TRIGGER, "ignoreNullValues"), GONE),
    ("scaling-queries-give-one-number", "ScaledObject/llm-vllm", (*TRIGGER, "query"), "vllm:num_requests_waiting"),
    ("monitors-find-the-pods", "ServiceMonitor/llm-vllm", ("spec", "selector", "matchLabels"), {"a": "b"}),
    ("monitors-find-the-pods", "ServiceMonitor/llm-vllm", ("spec", "selector"), GONE),
    ("monitors-find-the-pods", "ServiceMonitor/llm-vllm", ("metadata", "namespace"), "other"),
    ("monitors-find-a-port", "ServiceMonitor/llm-vllm", ("spec", "endpoints", 0, "port"), "metrics"),
    ("monitors-find-a-port", "ServiceMonitor/llm-vllm", ("spec", "endpoints", 0, "port"), GONE),
    ("targets-have-one-job", "ServiceMonitor/llm-vllm", ("spec", "endpoints", 0, "relabelings"), GONE),
    (
        "targets-have-one-job",
        "ServiceMonitor/llm-vllm",
        ("spec", "endpoints", 0, "relabelings", 0, "replacement"),
        "other/llm-vllm",
    ),
    ("engine-is-probed", "Deployment/llm-vllm", (*ENGINE, "startupProbe"), GONE),
    ("probes-ask-one-way", "Deployment/llm-vllm", (*ENGINE, "livenessProbe", "exec"), {"command": ["true"]}),
    ("probes-ask-one-way", "Deployment/llm-vllm", (*ENGINE, "livenessProbe", "httpGet"), GONE),
    ("probes-reach-a-declared-port", "Deployment/llm-vllm", (*ENGINE, "startupProbe", "httpGet", "port"), "web"),
    ("probes-do-not-wait", "Deployment/llm-vllm", (*ENGINE, "readinessProbe", "initialDelaySeconds"), 300),
    (
        "scripts-do-what-their-user-may",
        "Deployment/llm-vllm",
        (*ENGINE, "command"),
        ["bash", "-c", 'apt-get update && apt-get -y install ffmpeg && exec vllm serve "$0" "$@"'],
    ),
    ("a-late-answer-kills-nothing", "Deployment/llm-vllm", (*ENGINE, "livenessProbe", "failureThreshold"), 1),
    (
        "a-failed-start-ends-soon",
        "Deployment/llm-vllm",
        (*ENGINE, "startupProbe", "terminationGracePeriodSeconds"),
        GONE,
    ),
    ("the-deadline-covers-the-start", "Deployment/llm-vllm", ("spec", "progressDeadlineSeconds"), 600),
    ("the-deadline-covers-the-start", "Deployment/llm-vllm", (*ENGINE, "startupProbe", "failureThreshold"), 2000),
    ("the-grace-period-covers-the-stop", "Deployment/llm-vllm", (*POD, "terminationGracePeriodSeconds"), GONE),
    ("the-grace-period-covers-the-stop", "Deployment/llm-vllm", (*PRE_STOP, 5), "--drain=900"),
    ("the-grace-period-covers-the-stop", "Deployment/llm-vllm", (*PRE_STOP, 4), "--propagation=60"),
    ("the-engine-gets-the-signals", "Deployment/llm-vllm", (*ENGINE, "command"), ["/bin/sh", "-c"]),
    ("the-engine-gets-the-signals", "Deployment/llm-vllm", (*ENGINE, "args"), [8000]),
    ("a-crash-tells-its-reason", "Deployment/llm-vllm", (*ENGINE, "terminationMessagePolicy"), "File"),
    ("shared-memory-is-sized", "Deployment/llm-vllm", (*POD, "volumes", 0, "emptyDir"), {}),
    ("shared-memory-is-sized", "Deployment/llm-vllm", (*POD, "volumes", 0, "emptyDir", "sizeLimit"), "32Gi"),
    ("shared-memory-is-sized", "Deployment/llm-vllm", (*ENGINE, "volumeMounts", 0, "mountPath"), "/dev/other"),
    ("requests-fit-the-limits", "Deployment/llm-vllm", (*ENGINE, "resources", "requests", "memory"), "33Gi"),
    ("requests-fit-the-limits", "Deployment/llm-vllm", (*ENGINE, "resources", "requests", "cpu"), "one"),
    (
        "devices-are-asked-for-as-limited",
        "Deployment/llm-vllm",
        (*ENGINE, "resources", "requests", "nvidia.com/gpu"),
        2,
    ),
    (
        "devices-are-asked-for-as-limited",
        "Deployment/llm-vllm",
        (*ENGINE, "resources", "limits", "nvidia.com/gpu"),
        GONE,
    ),
    ("devices-are-asked-for-as-limited", "Deployment/llm-vllm", (*ENGINE, "resources", "limits", "a.b/c"), "500m"),
    ("gpus-stay-hidden-from-the-test", "Pod/llm-vllm-test", ("spec", "containers", 0, "env"), []),
    ("volumes-and-mounts-agree", "Deployment/llm-vllm", (*ENGINE, "volumeMounts", 0, "name"), "other"),
    ("volumes-and-mounts-agree", "Deployment/llm-vllm", (*ENGINE, "volumeMounts", 1, "mountPath"), "/dev/shm/"),
    ("volumes-and-mounts-agree", "Deployment/llm-vllm", (*POD, "volumes", 1, "name"), "shm"),
    ("volumes-and-mounts-agree", "Deployment/llm-vllm", (*SIDECAR, "volumeMounts"), [{"name": "x", "mountPath": "/x"}]),
    (
        "the-kept-cache-fits",
        "Deployment/llm-vllm",
        (*ENGINE, "resources", "limits"),
        {"memory": "32Gi", "ephemeral-storage": "10Gi"},
    ),
    ("variables-are-unique", "Deployment/llm-vllm", (*ENGINE, "env", 0, "name"), "HOME"),
    ("references-come-after-their-variable", "Deployment/llm-vllm", (*ENGINE, "env", 0, "value"), "$(HOME)"),
    ("references-come-after-their-variable", "Deployment/llm-vllm", (*ENGINE, "env", 0, "value"), "$(NOWHERE)"),
    (
        "secrets-come-from-secrets",
        "Deployment/llm-vllm",
        (*SIDECAR, "env"),
        [{"name": "AWS_SECRET_ACCESS_KEY", "value": "abc"}],
    ),
    ("secrets-come-from-secrets", "Deployment/llm-vllm", (*ENGINE, "args", 1), "--api-key=abc"),
    ("secrets-come-from-secrets", "Deployment/llm-vllm", (*SIDECAR, "args"), ["--hf-token", "abc"]),
    (
        "downloads-have-the-token",
        "Deployment/llm-vllm",
        (*POD, "initContainers"),
        [{"name": "get", "image": "a:1", "command": ["hf", "download", "org/name"]}],
    ),
    ("secrets-are-base64", "Secret/third", ("data", "token"), "REPLACE_WITH_TOKEN"),
    ("secret-files-stay-secret", "Deployment/llm-vllm", (*POD, "volumes", 0, "secret"), {"defaultMode": 420}),
    ("service-links-are-off", "Deployment/llm-vllm", (*POD, "enableServiceLinks"), GONE),
    ("no-service-account-token", "Deployment/llm-vllm", (*POD, "automountServiceAccountToken"), True),
    ("images-are-pinned", "Deployment/llm-vllm", (*ENGINE, "image"), "registry:5000/vllm/vllm-openai"),
    ("images-are-pinned", "Deployment/llm-vllm", (*SIDECAR, "image"), "sidecar:latest"),
]


@functools.cache
def whole() -> Manifests:
    return render(values=WHOLE)


def mutated(where: str, path: Steps, value: object) -> Manifests:
    """The whole render with one field of one object set to something else, or gone."""
    objects = [Object(copy.deepcopy(dict(found)), found.source) for found in whole()]
    (target,) = (found for found in objects if found.where == where)
    parent: Any = target
    for step in path[:-1]:
        parent = parent[step]
    if value is GONE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return Manifests(objects)


def test_the_whole_render_is_sound() -> None:
    assert [f for f in checks.inspect(whole(), "1.37") if f.severity != "info"] == []


@pytest.mark.parametrize(("name", "where", "path", "value"), BREAKS, ids=[f"{b[0]}-{b[2][-1]}" for b in BREAKS])
def test_an_invariant_sees_what_breaks_it(name: str, where: str, path: Steps, value: object) -> None:
    findings = invariants.INVARIANTS[name](mutated(where, path, value))

    assert findings, f"{name} holds although {where} has {value!r} at {path}"
    assert {finding.check for finding in findings} == {name}
    assert all(finding.message for finding in findings)


#: What works, beside what breaks a promise.
KEEPS: list[tuple[str, str, Steps, object]] = [
    (
        "secrets-come-from-secrets",
        "Deployment/llm-vllm",
        (*SIDECAR, "args"),
        ["--api-key", "$(VLLM_API_KEY)", "--api-key-file=/run/keys/x", "--hf-token=$(HF_TOKEN)", "--api-key"],
    ),
    ("secrets-are-base64", "Secret/third", ("data", "token"), "YWJj\r\nZGVm\n"),
]


@pytest.mark.parametrize(("name", "where", "path", "value"), KEEPS, ids=[name for name, *_ in KEEPS])
def test_an_invariant_lets_be_what_works(name: str, where: str, path: Steps, value: object) -> None:
    assert invariants.INVARIANTS[name](mutated(where, path, value)) == []


@pytest.mark.parametrize(
    ("secret", "severity"),
    [
        ("stringData: {access-key: x}", "error"),
        (
            "metadata: {name: s, annotations: {secret-generator.v1.mittwald.de/autogenerate: k}}, data: {a: YQ==}",
            "warning",
        ),
        ("data: {}", None),
        ("metadata: {name: s, namespace: other}, stringData: {a: x}", None),
        ("stringData: {token: x}", None),
    ],
    ids=["other", "generated", "empty", "elsewhere", "there"],
)
def test_a_key_may_come_into_an_object_later(secret: str, severity: str | None) -> None:
    object_ = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **values_from_yaml(f"{{{secret}}}")}
    values = {
        "model": {"id": "a/b"},
        "hub": {"tokenSecretRef": {"name": "s", "key": "token"}},
        "extraObjects": [object_],
    }
    found = invariants.INVARIANTS["keys-are-in-their-objects"](render(values=values))

    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert all("Secret/s has no token" in finding.message for finding in found)


def test_a_key_is_looked_for_in_the_releases_own_namespace() -> None:
    objects = values_from_yaml("""
    extraObjects:
      - {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: other}, stringData: {a: x}}
      - {apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {token: x}}
    """)
    values = {"model": {"id": "a/b"}, "hub": {"tokenSecretRef": {"name": "s", "key": "token"}}, **objects}

    assert invariants.INVARIANTS["keys-are-in-their-objects"](render(values=values)) == []


def test_every_invariant_is_seen_to_break() -> None:
    assert {name for name, *_ in BREAKS} == set(invariants.INVARIANTS)


@pytest.mark.parametrize("promise", invariants.INVARIANTS.values(), ids=invariants.INVARIANTS)
def test_every_invariant_says_what_it_promises(promise: Callable[[Manifests], list[Finding]]) -> None:
    assert promise.__doc__


def test_a_changed_render_is_not_the_same_twice() -> None:
    changed = mutated("Service/llm-vllm", ("spec", "type"), "NodePort")

    assert same_twice.check(whole(), changed)[0].where == "Service/llm-vllm"


#: What a namespace would refuse: level, field in the pod, value.
REFUSED: list[tuple[podsecurity.Level, Steps, object]] = [
    ("baseline", ("hostNetwork",), True),
    ("baseline", ("hostIPC",), True),
    ("baseline", ("volumes", 1), {"name": "tmp", "hostPath": {"path": "/tmp"}}),
    ("baseline", ("containers", 0, "ports", 0, "hostPort"), 8000),
    ("baseline", ("containers", 0, "livenessProbe", "httpGet", "host"), "127.0.0.1"),
    ("baseline", ("containers", 0, "lifecycle", "postStart"), {"httpGet": {"host": "x", "port": 1}}),
    ("baseline", ("containers", 0, "securityContext", "privileged"), True),
    ("baseline", ("containers", 0, "securityContext", "capabilities", "add"), ["SYS_ADMIN"]),
    ("baseline", ("containers", 0, "securityContext", "procMount"), "Unmasked"),
    ("baseline", ("containers", 0, "securityContext", "seLinuxOptions"), {"type": "spc_t"}),
    ("baseline", ("containers", 0, "securityContext", "seLinuxOptions"), {"user": "system_u"}),
    ("baseline", ("containers", 0, "securityContext", "windowsOptions"), {"hostProcess": True}),
    ("baseline", ("containers", 0, "securityContext", "appArmorProfile"), {"type": "Unconfined"}),
    ("baseline", ("securityContext", "seccompProfile", "type"), "Unconfined"),
    ("baseline", ("securityContext", "sysctls"), [{"name": "kernel.msgmax", "value": "1"}]),
    ("restricted", ("volumes", 1), {"name": "tmp", "nfs": {"server": "x", "path": "/"}}),
    ("restricted", ("securityContext", "runAsNonRoot"), False),
    ("restricted", ("securityContext", "runAsUser"), 0),
    ("restricted", ("securityContext", "seccompProfile"), None),
    ("restricted", ("containers", 0, "securityContext", "allowPrivilegeEscalation"), None),
    ("restricted", ("containers", 0, "securityContext", "runAsUser"), 0),
    ("restricted", ("containers", 0, "securityContext", "capabilities", "drop"), ["NET_RAW"]),
    ("restricted", ("containers", 0, "securityContext", "capabilities", "add"), ["CHOWN"]),
    ("restricted", ("initContainers",), [{"name": "init", "image": "x:1"}]),
]


@pytest.mark.parametrize(("level", "path", "value"), REFUSED, ids=[f"{r[0]}-{r[1][-1]}" for r in REFUSED])
def test_a_pod_security_standard_refuses(level: podsecurity.Level, path: Steps, value: object) -> None:
    manifests = mutated("Deployment/llm-vllm", (*POD, *path), value)
    below: podsecurity.Level = "privileged" if level == "baseline" else "baseline"

    assert podsecurity.check(manifests, level)
    assert podsecurity.check(manifests, below) == []


def test_an_annotation_cannot_switch_apparmor_off() -> None:
    annotation = {"container.apparmor.security.beta.kubernetes.io/vllm": "unconfined"}
    manifests = mutated("Deployment/llm-vllm", ("spec", "template", "metadata", "annotations"), annotation)

    assert len(podsecurity.check(manifests, "baseline")) == 1


def test_what_the_restricted_standard_allows() -> None:
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}
    manifests = mutated("Deployment/llm-vllm", (*ENGINE, "securityContext"), context)

    assert podsecurity.check(manifests, "restricted") == []
