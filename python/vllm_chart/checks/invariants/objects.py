"""What every object of a chart has: a name, a namespace, labels, and an end."""

import re
from collections import Counter
from collections.abc import Iterator

from vllm_chart.checks.invariants.base import broken, containers, general, invariant, own
from vllm_chart.findings import Finding, Severity
from vllm_chart.rendered import references
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import Pod, pods
from vllm_chart.rendered.references import Reference


@general
def no_object_twice(manifests: Manifests) -> Iterator[Finding]:
    """No two objects share group, kind, namespace and name: one would overwrite the other."""
    identities = Counter(
        (str(object_.get("apiVersion")).rpartition("/")[0], object_.kind, object_.namespace, object_.name)
        for object_ in manifests
    )
    for (_, kind, _, name), times in identities.items():
        if times > 1:
            yield broken(f"{kind}/{name}", f"is rendered {times} times")


@general
def containers_have_names_of_their_own(manifests: Manifests) -> Iterator[Finding]:
    """No two containers of a pod share a name, init containers included: the API server refuses the pod.

    validateInitContainers of Kubernetes' pkg/apis/core/validation/validation.go holds all of them to one set of names.
    """
    for pod in pods(manifests):
        for name, times in Counter(str(container.get("name")) for container in pod.containers).items():
            if times > 1:
                yield broken(pod.where, f"has {times} containers named {name}", "give each a name of its own")


@invariant
def objects_carry_the_standard_labels(manifests: Manifests) -> Iterator[Finding]:
    """Every object of the chart has Kubernetes' recommended labels and Helm's: tools and people find it by them."""
    standard = {
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/version",
        "app.kubernetes.io/managed-by",
        "helm.sh/chart",
    }
    for object_ in own(manifests):
        if missing := standard - (object_.metadata.get("labels") or {}).keys():
            yield broken(f"{object_.where}: metadata.labels", f"lacks {', '.join(sorted(missing))}")


@general
def labels_are_valid(manifests: Manifests) -> Iterator[Finding]:
    """A label's value is at most 63 letters, digits, dots, dashes and underscores: the API server refuses others."""
    owners = [(object_.where, object_.metadata) for object_ in manifests]
    owners += [(f"{pod.where}: template", pod.metadata) for pod in pods(manifests)]
    for where, metadata in owners:
        for name, value in (metadata.get("labels") or {}).items():
            if not re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", str(value)):
                yield broken(f"{where}: metadata.labels.{name}", f"{value!r} is not a label's value")


@invariant
def objects_name_one_namespace(manifests: Manifests) -> Iterator[Finding]:
    """Every object of the chart names its namespace, all the same one but for what a Prometheus or a Grafana looks for
    in its own: `kubectl apply` can't scatter them."""
    namespaces = {object_.namespace for object_ in own(manifests) if not _is_for_others(object_)}
    for object_ in own(manifests):
        if not object_.namespace:
            yield broken(f"{object_.where}: metadata.namespace", "is missing")
    if len(namespaces - {""}) > 1:
        yield broken("metadata.namespace", f"differs: {', '.join(sorted(namespaces))}")


def _is_for_others(object_: Object) -> bool:
    """Whether no pod reads it: what tells Prometheus whom to scrape, and Grafana what to show."""
    component = (object_.metadata.get("labels") or {}).get("app.kubernetes.io/component")
    return object_.kind in ("ServiceMonitor", "PodMonitor", "PrometheusRule") or component == "dashboard"


@invariant
def names_fit_dns(manifests: Manifests) -> Iterator[Finding]:
    """Every name is a DNS label of at most 63 characters: it becomes a host name and a label's value.

    A service account may be the user's own, whose name may have dots.
    """
    label = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
    patterns = {"Service": rf"(?=[a-z]){label}", "ServiceAccount": rf"(?=.{{1,253}}$){label}(\.{label})*"}
    for object_ in own(manifests):
        if not re.fullmatch(patterns.get(object_.kind, label), object_.name):
            yield broken(f"{object_.where}: metadata.name", f"{object_.name!r} is not a DNS label")


@invariant
def hooks_clean_up(manifests: Manifests) -> Iterator[Finding]:
    """Every hook says when it is deleted: Helm leaves hooks behind otherwise, and the next run fails."""
    for object_ in own(manifests):
        annotations = object_.metadata.get("annotations") or {}
        if "helm.sh/hook" in annotations and "helm.sh/hook-delete-policy" not in annotations:
            yield broken(f"{object_.where}: metadata.annotations", "has helm.sh/hook without a delete policy")


@general
def keys_are_in_their_objects(manifests: Manifests) -> Iterator[Finding]:
    """A key that a pod takes out of a ConfigMap or a Secret of the release is in it: its containers don't start
    otherwise.

    One that is empty is taken to be filled by somebody else, and one with labels or annotations may be: OpenShift and
    others go by them.
    """
    objects = {(each.kind, each.namespace, each.name): each for each in manifests if each.get("apiVersion") == "v1"}
    for pod, where, reference in _references(manifests):
        kind, name = reference.kind, reference.name
        named = objects.get((kind, pod.owner.namespace, name)) or objects.get((kind, "", name))
        if named is None or reference.optional:
            continue
        there = {key for field in ("data", "binaryData", "stringData") for key in named.get(field) or ()}
        severity: Severity = "warning" if named.metadata.keys() & {"labels", "annotations"} else "error"
        for key in reference.keys:
            if key and there and key not in there:
                remedy = f"add it there, or name one that is there: {', '.join(sorted(there))}"
                yield broken(f"{pod.where}: {where}", f"{named.where} has no {key}", remedy, severity)


def _references(manifests: Manifests) -> Iterator[tuple[Pod, str, Reference]]:
    """The pod, the field, and what it names."""
    for pod, container in containers(manifests):
        for reference in references.of_variables(container):
            yield pod, f"{container.path}env.{reference.field}", reference
    for pod in pods(manifests):
        for reference in references.of_volumes(pod):
            yield pod, f"volumes.{reference.field}", reference
