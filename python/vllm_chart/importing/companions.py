"""Objects beside a workload as values: Service, claims, autoscaler, budget, monitors, Ingress, and what they hold."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vllm_chart.findings import Finding, Severity
from vllm_chart.importing import services
from vllm_chart.importing.belonging import Companions, extra_object
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.objects import HOOK, Object, cover_metadata
from vllm_chart.importing.pod import PodReader
from vllm_chart.importing.shell import ENGINE
from vllm_chart.importing.source import Part

Json = Any

_WITHOUT_PODS = ("ConfigMap", "Secret", "CustomResourceDefinition")
#: Kinds that hold engines, and why they are no release of this chart.
_ENGINES = {
    "LeaderWorkerSet": "a model over several pods is not in the chart yet",
    "DisaggregatedSet": "a model over several pods is not in the chart yet",
    "RayCluster": "the chart runs vLLM without Ray",
    "RayService": "the chart runs vLLM without Ray",
    "RayJob": "the chart runs vLLM without Ray",
    "DynamoGraphDeployment": "Dynamo starts its own workers, which are no `vllm serve`",
    "Workspace": "kaito chooses model and flags by a preset",
    "Model": "KubeAI chooses image and resources by a profile of its own",
    "NIMService": "NIM's own server takes none of vLLM's arguments",
    "SeldonDeployment": "Seldon's servers take none of vLLM's arguments",
    "ModelServing": "a model over several pods is not in the chart yet",
    "Job": "a Job ends, and a release serves",
    "CronJob": "a Job ends, and a release serves",
}

#: Of which the values have one block, so that a release has no more than one of each.
_BLOCKS = {
    "HorizontalPodAutoscaler": "autoscaling",
    "ScaledObject": "autoscaling",
    "PodDisruptionBudget": "podDisruptionBudget",
    "ServiceMonitor": "serviceMonitor",
    "PodMonitor": "podMonitor",
    "Ingress": "ingress",
}


def take(
    draft: Draft, workload: Object, pod: Part, labels: Part | None, reader: PodReader, others: Sequence[Object]
) -> list[Finding]:
    """Write what belongs to a workload into its release; what can't be is told. labels: of its pods."""
    found = Companions(draft, workload, pod, labels, reader)
    first: dict[str, Object] = {}
    for one in _in_order(others):
        if not found.is_its(one):
            continue
        block = _BLOCKS.get(one.kind)
        if block and block in first:
            remedy = "write it in extraObjects, with the names and labels of the release's objects"
            one.left(f"a release has one {block}, and that is of {first[block]}", remedy)
            continue
        if block:
            first[block] = one
        READERS[one.kind](found, one, cover_metadata(one))
    return found.findings


def _in_order(others: Sequence[Object]) -> list[Object]:
    """Those that others refer to come first; a Service with an address of its own before one without."""
    kinds = list(READERS)
    own = [one for one in others if one.kind in READERS]
    return sorted(own, key=lambda one: (kinds.index(one.kind), one.value_of("spec", "clusterIP") == "None"))


def _claim(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    """The claim of the cache is the chart's to make; others are installed with the release, and kept after it."""
    draft, spec = found.draft, one.get("spec")
    if draft.get("persistence.existingClaim") != one.name or spec is None:
        extra_object(found, one, annotations)
        return
    del draft.values["persistence"]["existingClaim"]
    message = "the release makes a claim of its own, and downloads into it"
    one.ledger.cover(found.workload.path, "persistence.existingClaim", message)
    remedy = f"to keep the weights of a claim that is there, write persistence.existingClaim: {one.name}"
    found.findings.append(Finding("import-carries", str(one), message, remedy, "info"))
    draft.take(spec.get("resources", "requests", "storage"), "persistence.size")
    draft.take(spec.get("accessModes"), "persistence.accessModes")
    draft.take(spec.get("storageClassName"), "persistence.storageClassName")
    if draft.get("persistence.storageClassName") == "":
        draft.values["persistence"]["storageClassName"] = "-"
    for key, part in annotations.items():
        draft.put(part, ("persistence", "annotations", key), part.value)
    if (mode := spec.get("volumeMode")) and mode.value == "Filesystem":
        mode.covered("Kubernetes' own")
    for key in ("selector", "volumeName", "dataSource", "dataSourceRef"):
        if field := spec.get(key):
            field.left(
                "a claim of the chart's takes any volume of its class", f"write persistence.existingClaim: {one.name}"
            )
    if labels := one.get("metadata", "labels"):
        labels.left("the chart's claim has the labels of all its objects", "write commonLabels", "info")


def _config_map(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    extra_object(found, one, annotations)


def _secret(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    """Its name is in the values, and never what it holds."""
    keys = [key for field in ("data", "stringData") for key in one.value_of(field) or {}]
    named = "".join(f" --from-literal={key}=…" for key in keys)
    remedy = f"keep it, or make it: kubectl create secret generic {one.name}{named}"
    one.cover("it stays with the Secret", "type", "immutable")
    for field in ("data", "stringData"):
        if secret := one.get(field):
            secret.left("no secret goes into values, which name the Secret", remedy, "info")
    for part in annotations.values():
        part.left("it stays with the Secret", "", "info")
    if labels := one.get("metadata", "labels"):
        labels.left("it stays with the Secret", "", "info")


def _service_account(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    draft = found.draft
    draft.put(None, "serviceAccount.create", True)
    for key, part in annotations.items():
        draft.put(part, ("serviceAccount", "annotations", key), part.value)
    if automount := one.get("automountServiceAccountToken"):
        automount.covered("the pod says it")
    for key in ("secrets", "imagePullSecrets"):
        if field := one.get(key):
            field.left("the chart's ServiceAccount has none", "write imagePullSecrets, which are the pod's", "warning")
    if labels := one.get("metadata", "labels"):
        labels.left("the chart's ServiceAccount has the labels of all its objects", "write commonLabels", "info")


def _autoscaler(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    draft, spec = found.draft, one.get("spec")
    assert spec
    keda = one.kind == "ScaledObject"
    draft.put(None, "autoscaling.enabled", True)
    draft.put(None, "autoscaling.kind", "KEDA" if keda else "HPA")
    draft.values.pop("replicaCount", None)
    for key, into in (
        ("minReplicas", "minReplicas"),
        ("maxReplicas", "maxReplicas"),
        ("minReplicaCount", "minReplicas"),
        ("maxReplicaCount", "maxReplicas"),
        ("cooldownPeriod", "cooldownSeconds"),
    ):
        draft.take(spec.get(key), f"autoscaling.{into}")
    behavior = spec.get("behavior") or spec.get("advanced", "horizontalPodAutoscalerConfig", "behavior")
    for key in ("scaleUp", "scaleDown"):
        draft.take(behavior.get(key) if behavior else None, f"autoscaling.{key}")
    spec.cover("it is the release's Deployment", "scaleTargetRef")
    for key, part in annotations.items():
        draft.put(part, ("autoscaling", "annotations", key), part.value)
    measure = "the chart measures requests, running and waiting, and the KV cache: docs/autoscaling.md"
    if metrics := spec.get("metrics"):
        metrics.left(measure, "write autoscaling.requestsPerReplica", "warning")
    for trigger in spec.maps("triggers"):
        if address := trigger.get("metadata", "serverAddress"):
            draft.put(address, "autoscaling.prometheus.address", address.value)
            for key, part in trigger.fields().items():
                for below in part.fields().values() if key == "metadata" else [part]:
                    if below.path != address.path:
                        below.left(measure, "write autoscaling.requestsPerReplica", "warning")
        else:
            trigger.left(measure, "write autoscaling.wakeUp.triggers for what wakes it up from zero", "warning")
    if labels := one.get("metadata", "labels"):
        labels.left("the chart's autoscaler has the labels of all its objects", "write commonLabels", "info")


def _budget(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    draft, spec = found.draft, one.get("spec")
    assert spec
    for key in ("maxUnavailable", "minAvailable", "unhealthyPodEvictionPolicy"):
        draft.take(spec.get(key), f"podDisruptionBudget.{key}")
    spec.cover("the chart selects its pods by name and instance", "selector")
    _own_metadata(one, annotations, "PodDisruptionBudget")


def _own_metadata(one: Object, annotations: Mapping[str, Part], what: str) -> None:
    for part in (*annotations.values(), one.get("metadata", "labels")):
        if part:
            part.left(
                f"the chart's {what} has what all its objects have", "write commonLabels or commonAnnotations", "info"
            )


_ENDPOINT = ("interval", "scrapeTimeout", "relabelings", "metricRelabelings", "scheme", "tlsConfig", "authorization")


def _monitor(found: Companions, one: Object, annotations: Mapping[str, Part]) -> None:
    draft, spec = found.draft, one.get("spec")
    assert spec
    key = "serviceMonitor" if one.kind == "ServiceMonitor" else "podMonitor"
    draft.put(None, f"{key}.enabled", True)
    labels = one.get("metadata", "labels")
    for name, part in (labels.fields() if labels else {}).items():
        draft.put(part, (key, "labels", name), part.value)
    for name, part in annotations.items():
        draft.put(part, (key, "annotations", name), part.value)
    if one.namespace and one.namespace != found.workload.namespace:
        draft.take(one.get("metadata", "namespace"), f"{key}.namespace")
    spec.cover("the chart's monitor selects what is the release's", "selector", "namespaceSelector", "jobLabel")
    endpoints = spec.maps("endpoints") or spec.maps("podMetricsEndpoints")
    for index, endpoint in enumerate(endpoints):
        if index:
            endpoint.left("the chart's monitor has one endpoint", "write another monitor in extraObjects")
            continue
        for name in _ENDPOINT:
            draft.take(endpoint.get(name), f"{key}.{name}")
        endpoint.cover("the chart's own port", "port", "targetPort")
        if (path := endpoint.get("path")) and path.value == "/metrics":
            path.covered("the engine's")
    for name in ("sampleLimit", "scrapeClass"):
        draft.take(spec.get(name), f"{key}.{name}")


READERS: dict[str, Callable[[Companions, Object, Mapping[str, Part]], None]] = {
    "Service": services.service,
    "PersistentVolumeClaim": _claim,
    "ConfigMap": _config_map,
    "Secret": _secret,
    "ServiceAccount": _service_account,
    "HorizontalPodAutoscaler": _autoscaler,
    "ScaledObject": _autoscaler,
    "PodDisruptionBudget": _budget,
    "ServiceMonitor": _monitor,
    "PodMonitor": _monitor,
    "Ingress": services.ingress,
}


def reason(one: Object) -> tuple[str, str, Severity]:
    """Why an object is in no release: the reason, what to do, and how much it matters."""
    if one.kind in _ENGINES:
        return _ENGINES[one.kind], "write values by hand: docs/import.md", "error"
    if one.kind == "Namespace":
        return "a release doesn't make its namespace", "helm install --create-namespace --namespace NAME", "info"
    if one.kind == "Kustomization":
        return (
            "it is no object of a cluster",
            "pipe what it builds: kubectl kustomize DIRECTORY | vllm-chart import -",
            "error",
        )
    if one.value_of("metadata", "annotations", HOOK):
        return "Helm runs it at a step of a release", "it stays an object of its own", "info"
    if one.kind in ("Deployment", "StatefulSet", "DaemonSet", "Pod", "ReplicaSet"):
        if "vllm" in json.dumps(one.value):
            return "no container of it starts `vllm serve`", "if one does in the end, write values by hand", "warning"
        return "no container of it runs vLLM", "it stays an object of its own", "info"
    if holds_engine(one):
        return f"{one.kind} is not known here, and runs vLLM", "write values by hand: docs/import.md", "error"
    if one.kind in READERS:
        return "it belongs to no workload of this file that runs vLLM", "it stays an object of its own", "warning"
    return (
        f"{one.kind or 'an object without a kind'} is not known here",
        "keep it, or write it in extraObjects",
        "warning",
    )


def holds_engine(one: Object) -> bool:
    """Whether an object runs engines in a way that no release does."""
    if one.kind in _ENGINES or one.kind == "Kustomization":
        return True
    return one.kind not in _WITHOUT_PODS and bool(ENGINE.search(json.dumps(one.value).replace('", "', " ")))
