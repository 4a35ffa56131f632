"""Kubernetes' own schemas, strict and offline, for every version that the chart supports, and those of the custom
resources that it renders.

The schemas are those that `kubernetes-validate` carries. Its own `validate` reads them anew for each object
and stops at the first mistake; here they are read once and every mistake is told. Nearly all objects are right, so a
compiled schema is asked first; jsonschema, which takes a tenth of a second to import and to run, finds the words.

Those of custom resources are written by ci/crds.py, each of one release: a field that it does not know may be another
release's, and is a warning.
"""

import dataclasses
import functools
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from vllm_chart import support
from vllm_chart.findings import Check, Finding, Severity, UnavailableError
from vllm_chart.helm.compiled import DRAFT, Accepts, accepting, definitions
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.workload import KINDS

if TYPE_CHECKING:
    from jsonschema import ValidationError

Schema = dict[str, Any]

CHECK = Check(
    "kubernetes-schema",
    "Every object fits Kubernetes' own schema, strictly, for each version that is asked for; prometheus-operator's, "
    "KEDA's and the Gateway API's fit theirs.",
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

    Of custom resources those of `_custom` are known, and an unknown field of theirs is a warning; another kind can't be
    held against anything, which is told as a note.
    """
    kinds = frozenset(_kind(object_) for object_ in manifests)
    accepts = _accepts(kinds, kubernetes)
    return [
        finding
        for object_ in manifests
        if not accepts({" ".join(_kind(object_)): object_})
        for finding in _check_object(object_, kubernetes)
    ]


def knows(object_: Object, version: str) -> bool:
    """Whether there is a schema that the object can be held against."""
    return _schema(*_kind(object_), version) is not None


#: What jsonschema says of a value of another type, and of a field that has to be there.
_OTHER_TYPE, _MISSING = " is not of type ", " is a required property"


def readable(manifests: Manifests, findings: Sequence[Finding], *, ours: bool) -> Manifests:
    """The objects that other checks can read: not those in which `check` found a value of another type or a field
    missing, which have to be mended first. The shape of `ours` is held by the schema of their values."""
    wrong = [f"{one.where}: " for one in findings if _OTHER_TYPE in one.message or one.message.endswith(_MISSING)]
    objects = [
        one
        for one in manifests
        if (ours and not one.is_extra) or not any(where.startswith(f"{one.where}: ") for where in wrong)
    ]
    return Manifests(objects, manifests.notes)


def _kind(object_: Object) -> tuple[str, str]:
    return str(object_.get("apiVersion", "")), object_.kind


#: Checks that may find other things for another Kubernetes: its schemas, and rules of the chart that ask for it.
_OF_VERSIONS = (CHECK.name, "rule")


def of_unasked(by_version: Mapping[str, Sequence[Finding]]) -> dict[str, list[Finding]]:
    """The findings of versions that nobody asked for, oldest first: what only older ones refuse is a note there,
    because a field that came later (a pod's resource claims, an image as a volume) is right where the cluster has it.
    """
    newest = [*by_version][-1]
    lasting = set(by_version[newest])
    told: dict[str, list[Finding]] = {}
    for version, findings in by_version.items():
        told[version] = [
            finding if finding in lasting or finding.check not in _OF_VERSIONS else _of_older(finding, by_version)
            for finding in findings
        ]
    return told


def _of_older(finding: Finding, by_version: Mapping[str, Sequence[Finding]]) -> Finding:
    if finding.severity != "error":
        return finding
    last = max(index for index, findings in enumerate(by_version.values()) if finding in findings)
    since = [*by_version][last + 1]
    remedy = f"run it on Kubernetes {since} or later; --kube-versions says which are yours"
    return dataclasses.replace(finding, remedy=remedy, severity="info")


def _check_object(object_: Object, version: str) -> Iterator[Finding]:
    schema = _schema(*_kind(object_), version)
    if schema is None:
        schema = _of_its_pods(object_)
        but = " but for the pods that it makes" if schema else ""
        none = f"Kubernetes itself has no {object_.get('apiVersion')} {object_.kind}"
        yield Finding("kubernetes-schema", object_.where, f"not checked{but}: {none}", severity="info")
    if not schema:
        return
    import jsonschema

    for error in jsonschema.Draft202012Validator(_whole(schema, version)).iter_errors(dict(object_)):
        for leaf in _leaves(error):
            path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in leaf.absolute_path)
            where = f"{object_.where}: {path.removeprefix('.')}" if path else object_.where
            newer = leaf.validator == "additionalProperties" and " ".join(_kind(object_)) in _custom()
            severity: Severity = "warning" if newer else "error"
            yield Finding("kubernetes-schema", where, leaf.message, severity=severity)


def _of_its_pods(object_: Object) -> Schema:
    """What is known of a workload that Kubernetes itself doesn't have: its templates of pods; empty of what is none."""
    api_version, name = _kind(object_)
    kind = KINDS.get(name)
    if kind is None or kind.group != api_version.rpartition("/")[0]:
        return {}
    templates = []
    for path in filter(None, kind.templates):
        schema: Schema = {"$ref": "#/$defs/io.k8s.api.core.v1.PodTemplateSpec"}
        for key in reversed(path):
            schema = {"type": "object", "properties": {key: schema}}
        templates.append(schema)
    return {"allOf": templates} if templates else {}


def of_another_type(manifests: Manifests, version: str) -> list[Finding]:
    """The fields that are of another type than Kubernetes has them; all else that may be wrong is left to `check`."""
    return [finding for finding in check(manifests, version) if _OTHER_TYPE in finding.message]


def _leaves(error: "ValidationError") -> "list[ValidationError]":
    """What is wrong at the bottom of an `anyOf`; the error itself where there is none."""
    return [leaf for inner in error.context for leaf in _leaves(inner)] if error.context else [error]


@functools.lru_cache(maxsize=64)
def _accepts(kinds: frozenset[tuple[str, str]], version: str) -> Accepts:
    """Whether an object of these kinds, beside its kind ("v1 Service"), surely fits."""
    schemas = {" ".join(kind): _schema(*kind, version) for kind in kinds}
    known = {kind: schema for kind, schema in schemas.items() if schema is not None}
    # A kind that is not known fits nothing, so that it is told.
    schema: Schema = {"$schema": DRAFT, "properties": known, "additionalProperties": False}
    return accepting(_whole(schema, version))


@functools.cache
def _schema(api_version: str, kind: str, version: str) -> Schema | None:
    """The schema of a kind; None for one that is not known, or that this Kubernetes does not bring along."""
    group, _, api = api_version.rpartition("/")
    # The files are named without the domain of the group: rbac.authorization.k8s.io/v1 is rbac-v1.
    stem = f"{group.partition('.')[0]}-{api}" if group else api
    file = _folder(version) / f"{kind.lower()}-{stem}.json"
    if not file.is_file():
        return _custom().get(f"{api_version} {kind}")
    schema: Schema = from_json(file.read_bytes())
    return {key: value for key, value in schema.items() if key != "$id"}


@functools.cache
def _custom() -> dict[str, Schema]:
    """The schemas of custom resources, by `<apiVersion> <kind>`."""
    kinds: dict[str, Schema] = from_json((Path(__file__).parent.parent / "data/custom_resources.json").read_bytes())[
        "kinds"
    ]
    return kinds


def _whole(schema: Schema, version: str) -> Schema:
    """A schema with the definitions that it needs, at the place where it looks for them."""
    needed = definitions(schema, _definitions(version), "#/$defs/")  # a few of the thousand that there are
    return schema | {"$id": "https://kubernetes.io/api/_definitions.json", "$defs": needed}


@functools.lru_cache(maxsize=16)
def _definitions(version: str) -> Schema:
    known: Schema = from_json((_folder(version) / "_definitions.json").read_bytes())["$defs"]
    return known


@functools.cache
def _folder(version: str) -> Path:
    """Where kubernetes-validate keeps a version's schemas; the package itself imports too much to be asked."""
    package = importlib.util.find_spec("kubernetes_validate")
    if package is None or package.origin is None:
        raise UnavailableError("the schemas of Kubernetes are not there: install kubernetes-validate")
    return Path(package.origin).parent / "kubernetes-json-schema" / f"v{version}.0-local-strict"
