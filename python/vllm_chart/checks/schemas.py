"""Kubernetes' own schemas, strict and offline, for every version that the chart supports.

The schemas are those that `kubernetes-validate` carries. Its own `validate` reads them anew for each object
and stops at the first mistake; here they are read once and every mistake is told.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from vllm_chart import support
from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests, Object

CHECK = Check(
    "kubernetes-schema",
    "Every object fits Kubernetes' own schema, strictly, for each version that is asked for.",
    "The API server refuses a wrong type, and drops an unknown field without a word.",
    "Rendered objects",
)


def versions(text: str) -> list[str]:
    """The versions that "1.30-1.37", "1.34" or "1.30,1.37" means. Raises ValueError for any other text."""
    supported = support.KUBERNETES
    chosen: list[str] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        last = last or first
        if not (first in supported and last in supported and supported.index(first) <= supported.index(last)):
            raise ValueError(f"{part!r} is not among the versions {supported[0]}-{supported[-1]}")
        chosen += supported[supported.index(first) : supported.index(last) + 1]
    return chosen


def check(manifests: Manifests, kubernetes: str) -> list[Finding]:
    """Hold every object against the strict schemas of a Kubernetes version: an unknown field is an error.

    A kind that Kubernetes does not bring along (a custom resource) can't be held against anything: that is
    told as a note.
    """
    return [finding for object_ in manifests for finding in _check_object(object_, kubernetes)]


def of_unasked(by_version: Mapping[str, Sequence[Finding]]) -> dict[str, list[Finding]]:
    """The findings of versions that nobody asked for, oldest first: what only older ones refuse is a warning there,
    because a field that came later (a pod's resource claims, an image as a volume) is right where the cluster has it.
    """
    newest = [*by_version][-1]
    lasting = set(by_version[newest])
    told: dict[str, list[Finding]] = {}
    for version, findings in by_version.items():
        told[version] = [
            finding if finding in lasting or finding.check != CHECK.name else _of_older(finding, by_version)
            for finding in findings
        ]
    return told


def _of_older(finding: Finding, by_version: Mapping[str, Sequence[Finding]]) -> Finding:
    if finding.severity != "error":
        return finding
    last = max(index for index, findings in enumerate(by_version.values()) if finding in findings)
    since = [*by_version][last + 1]
    remedy = f"run it on Kubernetes {since} or later; --kube-versions says which are yours"
    return dataclasses.replace(finding, remedy=remedy, severity="warning")


def _check_object(object_: Object, version: str) -> Iterator[Finding]:
    validator = _validator(str(object_.get("apiVersion", "")), object_.kind, version)
    if validator is None:
        yield Finding(
            "kubernetes-schema",
            object_.where,
            f"not checked: Kubernetes itself has no {object_.get('apiVersion')} {object_.kind}",
            severity="info",
        )
        return
    for error in validator.iter_errors(dict(object_)):
        for leaf in _leaves(error):
            path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in leaf.absolute_path)
            where = f"{object_.where}: {path.removeprefix('.')}" if path else object_.where
            yield Finding("kubernetes-schema", where, leaf.message)


def _leaves(error: jsonschema.ValidationError) -> list[jsonschema.ValidationError]:
    """What is wrong at the bottom of an `anyOf`; the error itself where there is none."""
    return [leaf for inner in error.context for leaf in _leaves(inner)] if error.context else [error]


@functools.cache
def _definitions(version: str) -> Registry[Any]:
    definitions = schema_contents(f"kubernetes-json-schema/v{version}.0-local-strict/_definitions.json", version)
    return Resource.from_contents(definitions) @ Registry()


@functools.cache
def _validator(api_version: str, kind: str, version: str) -> jsonschema.Draft202012Validator | None:
    """None for a kind that this Kubernetes does not bring along."""
    group, _, api = api_version.rpartition("/")
    # The files are named without the domain of the group: rbac.authorization.k8s.io/v1 is rbac-v1.
    stem = f"{group.partition('.')[0]}-{api}" if group else api
    name = f"kubernetes-json-schema/v{version}.0-local-strict/{kind.lower()}-{stem}.json"
    try:
        schema = schema_contents(name, version)
    except FileNotFoundError:
        return None
    registry = Resource.from_contents(schema) @ _definitions(version)
    return jsonschema.Draft202012Validator(schema, registry=registry)
