"""Kinds of workload: where an object keeps its pods, replicas and rollout, as rendered or as a cluster holds it.

The one place of the package that knows such kinds. Another kind is another entry of `KINDS`; what reads a `Workload`
(invariants, preflight, diagnose, smoke) stays as it is.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from vllm_chart.rendered.manifests import ManifestError, Manifests, Object

Json = Mapping[str, Any]
Path = tuple[str, ...]

#: The name of the engine's container in the pods of the chart.
ENGINE = "vllm"


class UnknownKindError(ManifestError):
    """An object holds the engine's pods, and its kind is none that is read here; the text names it."""


@dataclasses.dataclass(frozen=True)
class Part:
    """Pods of one replica that share a template."""

    path: str
    """Where the template is written: "spec.template"."""
    template: Json
    count: int
    """How many such pods a replica has."""

    @property
    def labels(self) -> Mapping[str, str]:
        return (self.template.get("metadata") or {}).get("labels") or {}

    @property
    def spec(self) -> Json:
        return self.template.get("spec") or {}

    @property
    def runs_engine(self) -> bool:
        return any(container.get("name") == ENGINE for container in self.spec.get("containers") or [])


@dataclasses.dataclass(frozen=True)
class Revision:
    """How pods of the newest revision are told from those on their way out."""

    owner: str | None = None
    """The name of the object that owns them; None where their labels tell."""
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def has(self, labels: Mapping[str, str], owners: set[str]) -> bool:
        """Whether a pod with these labels and owners is of this revision."""
        return (self.owner is None or self.owner in owners) and self.labels.items() <= labels.items()


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of object that makes pods."""

    name: str
    plural: str
    group: str = "apps"
    version: str = "v1"
    templates: tuple[Path, ...] = (("spec", "template"),)
    """Where its pods are written; of several, the first answers requests. An empty path is the object itself."""
    serves: bool = False
    """Whether it keeps a number of pods running for good, so that the engine may be in them."""
    size: Path = ()
    """Where the pods of a replica are counted; empty where a replica is one pod."""
    rollout: Path = ()
    """Where its strategy is written, and behind it what a rolling update may do."""
    rolling: str = "rollingUpdate"
    surge: int | str = 0
    """What a rollout starts beside the old pods where nothing is written, in replicas or percent of them."""
    unavailable: int | str = 1
    """What a rollout may take away at a time where nothing is written."""
    deadline: int | None = None
    """`spec.progressDeadlineSeconds` where it is left out; None for a kind without one."""
    own_label: str = ""
    """The label by which its controller finds its pods, with its name; empty for a kind with `spec.selector`."""
    refusal: str = ""
    """The condition in which it says that its pods are refused; empty where only events say so."""
    between: str = ""
    """The kind of the objects between it and its pods; empty for a kind that owns them itself."""
    newest: Callable[["Workload", Sequence[Json]], Revision] = lambda workload, between: Revision(workload.name)
    """The revision that it now makes pods of, given the objects between."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclasses.dataclass(frozen=True)
class Workload:
    """An object that keeps pods running, rendered or live."""

    kind: Kind
    object: Json
    name: str
    namespace: str
    replicas: int | None
    """None where it is left out: an autoscaler's, or one."""
    parts: tuple[Part, ...]
    """The pods of a replica, those that answer requests first."""

    @property
    def where(self) -> str:
        """The object as a person names it: "Deployment/llm-vllm"."""
        return f"{self.kind.name}/{self.name}"

    @property
    def uid(self) -> str:
        """What the cluster calls it; empty for a rendered one."""
        return str((self.object.get("metadata") or {}).get("uid") or "")

    @property
    def spec(self) -> Json:
        return self.object.get("spec") or {}

    @property
    def status(self) -> Json:
        return self.object.get("status") or {}

    @property
    def ready(self) -> int:
        """Replicas that are ready."""
        return int(self.status.get("readyReplicas") or 0)

    @property
    def pods_per_replica(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def front(self) -> Part:
        """The pods that answer requests."""
        return self.parts[0]

    @property
    def engines(self) -> tuple[Part, ...]:
        """The pods that run the engine."""
        return tuple(part for part in self.parts if part.runs_engine)

    @property
    def selector(self) -> Mapping[str, str]:
        """The labels by which its pods are found in its namespace."""
        if self.kind.own_label:
            return {self.kind.own_label: self.name}
        return self.written_selector

    @property
    def written_selector(self) -> Mapping[str, str]:
        """`spec.selector.matchLabels`; empty for a kind that has none."""
        return (self.spec.get("selector") or {}).get("matchLabels") or {}

    @property
    def strategy(self) -> Json:
        return _at(self.object, self.kind.rollout) if self.kind.rollout else {}

    @property
    def deadline_seconds(self) -> int | None:
        """How long a rollout may stand still before it counts as failed; None for a kind that knows no such time."""
        if self.kind.deadline is None:
            return None
        return int(self.spec.get("progressDeadlineSeconds") or self.kind.deadline)

    def surge(self, replicas: int) -> int:
        """How many replicas a rollout starts beside so many old ones: a percentage is rounded up.

        https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge
        """
        if self.strategy.get("type") in ("Recreate", "OnDelete"):
            return 0
        return _share(self._rolling("maxSurge", self.kind.surge), replicas, math.ceil)

    def unavailable(self, replicas: int) -> int:
        """How many of so many replicas a rollout may take away at a time: a percentage is rounded down.

        https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable
        """
        if self.strategy.get("type") == "Recreate":
            return replicas
        return _share(self._rolling("maxUnavailable", self.kind.unavailable), replicas, math.floor)

    def _rolling(self, field: str, default: int | str) -> int | str:
        written: int | str | None = (self.strategy.get(self.kind.rolling) or {}).get(field)
        return default if written is None else written

    def refusals(self) -> list[str]:
        """What the API server said of pods that it did not let in, as far as the object itself repeats it."""
        return [
            str(condition.get("message") or "")
            for condition in self.status.get("conditions") or []
            if condition.get("type") == self.kind.refusal and condition.get("status") == "True"
        ]

    def newest(self, between: Sequence[Json]) -> Revision:
        """The revision that it now makes pods of. between: the objects of `kind.between` that it owns."""
        return self.kind.newest(self, between)


# -- the kinds ----------------------------------------------------------------------------------------------


def _newest_replica_set(workload: Workload, between: Sequence[Json]) -> Revision:
    """A Deployment numbers its ReplicaSets; before it has one, no pod is its own."""

    def number(item: Json) -> int:
        annotations = (item.get("metadata") or {}).get("annotations") or {}
        return int(annotations.get("deployment.kubernetes.io/revision", "0"))

    return Revision(_name(max(between, key=number)) if between else "")


def _update_revision(workload: Workload, between: Sequence[Json]) -> Revision:
    """A StatefulSet names its newest revision, and labels its pods with theirs.

    https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/#StatefulSetStatus
    """
    revision = workload.status.get("updateRevision")
    return Revision(workload.name, {"controller-revision-hash": str(revision)} if revision else {})


def _group_revision(workload: Workload, between: Sequence[Json]) -> Revision:
    """Every pod of a group has its set's name and its revision as labels, as has the StatefulSet of the leaders.

    Source: kubernetes-sigs/lws, api/leaderworkerset/v1/leaderworkerset_types.go (SetNameLabelKey, RevisionKey)
    """
    leaders = next((item for item in between if _name(item) == workload.name), {})
    labels = (leaders.get("metadata") or {}).get("labels") or {}
    revision = {_GROUP_REVISION: labels[_GROUP_REVISION]} if _GROUP_REVISION in labels else {}
    return Revision(labels={_GROUP_NAME: workload.name, **revision})


_GROUP_NAME = "leaderworkerset.sigs.k8s.io/name"
_GROUP_REVISION = "leaderworkerset.sigs.k8s.io/template-revision-hash"

DEPLOYMENT = Kind(
    "Deployment",
    "deployments",
    serves=True,
    rollout=("spec", "strategy"),
    surge="25%",
    unavailable="25%",
    deadline=600,
    refusal="ReplicaFailure",
    between="ReplicaSet",
    newest=_newest_replica_set,
)

#: Every kind that makes pods, by its name.
KINDS = {
    kind.name: kind
    for kind in (
        DEPLOYMENT,
        Kind("StatefulSet", "statefulsets", serves=True, rollout=("spec", "updateStrategy"), newest=_update_revision),
        Kind(
            "LeaderWorkerSet",
            "leaderworkersets",
            group="leaderworkerset.x-k8s.io",
            templates=(
                ("spec", "leaderWorkerTemplate", "leaderTemplate"),
                ("spec", "leaderWorkerTemplate", "workerTemplate"),
            ),
            serves=True,
            size=("spec", "leaderWorkerTemplate", "size"),
            rollout=("spec", "rolloutStrategy"),
            rolling="rollingUpdateConfiguration",
            own_label=_GROUP_NAME,
            between="StatefulSet",
            newest=_group_revision,
        ),
        Kind("DaemonSet", "daemonsets"),
        Kind("ReplicaSet", "replicasets"),
        Kind("Job", "jobs", group="batch"),
        Kind("CronJob", "cronjobs", group="batch", templates=(("spec", "jobTemplate", "spec", "template"),)),
        Kind("Pod", "pods", group="", templates=((),)),
    )
}

#: The kinds that may run the engine, in the order in which they are looked for.
SERVING = tuple(kind for kind in KINDS.values() if kind.serves)


# -- reading them -------------------------------------------------------------------------------------------


def read(item: Json, kind: Kind | None = None) -> Workload:
    """A workload out of an object as Helm rendered it or an API server returned it.

    kind: where the object does not say it, as the items of a list. Raises UnknownKindError for an object that is none.
    """
    known = kind or KINDS.get(str(item.get("kind")))
    if known is None or not known.serves:
        raise _unknown(item)
    metadata, replicas = item.get("metadata") or {}, _mapping(item.get("spec")).get("replicas")
    return Workload(
        known,
        item,
        str(metadata.get("name") or ""),
        str(metadata.get("namespace") or ""),
        replicas if isinstance(replicas, int) else None,
        tuple(_parts(item, known)),
    )


def workloads(objects: Sequence[Object]) -> list[Workload]:
    """The workloads among rendered objects, in their order."""
    return [read(item) for item in objects if item.kind in KINDS and KINDS[item.kind].serves]


def engine(manifests: Manifests) -> Workload:
    """The workload that runs the engine: the chart's own, else one that the user brought in `extraObjects`.

    Raises UnknownKindError where an object of a kind that is not read here holds it, ManifestError where none does.
    """
    ours = [item for item in manifests if not item.is_extra]
    for objects in (ours, list(manifests)):
        running = [workload for workload in workloads(objects) if workload.engines]
        if running:
            return running[0]
        for item in objects:
            if item.kind not in KINDS and _holds_engine(item):
                raise _unknown(item)
    raise ManifestError(f"no workload with a container {ENGINE}; rendered: {', '.join(manifests.inventory())}")


def serving(manifests: Manifests) -> Workload:
    """The workload that a release is about: the one that runs the engine, or of a chart that has none, the first of its
    own that runs on.

    Raises UnknownKindError where an object of a kind that is not read here holds the engine, ManifestError where
    nothing runs on.
    """
    ours = workloads([item for item in manifests if not item.is_extra])
    if ours and not _holds_engine([*manifests]):
        return ours[0]
    return engine(manifests)


def templates(item: Object) -> list[tuple[str, Json]]:
    """The pods that an object makes, each with the path of its template: "spec.template"; empty for the object itself.

    Nothing for a kind that makes none.
    """
    kind = KINDS.get(item.kind)
    return _written(item, kind) if kind else []


def _parts(item: Json, kind: Kind) -> Iterator[Part]:
    """The pods of one replica. A group without a template for its leader makes it as its workers."""
    size = _at(item, kind.size) if kind.size else 1
    size = size if isinstance(size, int) else 1
    written = _written(item, kind)
    if len(written) == 1:
        yield Part(*written[0], size)
        return
    leader, worker = written
    yield Part(*leader, 1)
    if size > 1:
        yield Part(*worker, size - 1)


def _written(item: Json, kind: Kind) -> list[tuple[str, Json]]:
    """The templates that are there; the last one, as an empty mapping, where none is."""
    every = [(".".join(path), _at(item, path)) for path in kind.templates]
    maps = [(path, template) for path, template in every if isinstance(template, Mapping)]
    return [(path, template) for path, template in maps if template] or [(every[-1][0], {})]


def _holds_engine(value: Any) -> bool:
    """Whether a container of the engine's name is somewhere in an object."""
    if isinstance(value, Mapping):
        containers = value.get("containers")
        if isinstance(containers, list) and any(
            isinstance(container, Mapping) and container.get("name") == ENGINE for container in containers
        ):
            return True
        return any(map(_holds_engine, value.values()))
    return isinstance(value, list) and any(map(_holds_engine, value))


def _unknown(item: Json) -> UnknownKindError:
    name = f"{item.get('kind')}/{_name(item)}"
    known = ", ".join(kind.name for kind in SERVING)
    return UnknownKindError(f"{name}: {item.get('kind')} is no kind of workload that is read here; they are {known}")


def _mapping(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


def _name(item: Json) -> str:
    return str((item.get("metadata") or {}).get("name") or "")


def _at(item: Json, path: Path) -> Any:
    """What is written at a path; an empty mapping where nothing is."""
    value: Any = item
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value or {}


def _share(written: int | str, replicas: int, rounding: Callable[[Decimal], int]) -> int:
    """A number of replicas, which may be written as a percentage of them."""
    text = str(written)
    return rounding(replicas * Decimal(text.rstrip("%")) / 100) if text.endswith("%") else int(text)
