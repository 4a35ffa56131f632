"""What is measured: a release as it runs, with its image, its nodes, its model's tokenizer and its objectives."""

import base64
import binascii
import copy
import dataclasses
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

import urllib3
from kubernetes import client

from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import UnavailableError
from vllm_chart.live.smoke.reach import Inside, Release, inside
from vllm_chart.live.top.pods import Replica, engine_of, replicas, status_of
from vllm_chart.rendered.workload import ENGINE
from vllm_chart.values.vllm.rules import InterTokenLatency, Slo, TimeToFirstToken
from vllm_chart.vllm_args import container

Json = Mapping[str, Any]

_TIMEOUT_SECONDS = 30.0


@dataclasses.dataclass(frozen=True)
class Objectives:
    """What is promised to callers."""

    errors: float
    """The share of requests that are to be answered."""
    ttft: tuple[float, float]
    """Seconds to the first token, and the share of requests that are to be as quick."""
    itl: tuple[float, float]
    """Seconds to each further token, and the share of tokens."""
    source: str
    """Where they are from, for a person."""

    @property
    def plain(self) -> dict[str, Any]:
        return {"errors": self.errors, "ttft": list(self.ttft), "itl": list(self.itl), "source": self.source}


@dataclasses.dataclass(frozen=True)
class Subject:
    """A release that runs. Its pods are as the API server's JSON has them."""

    release: Release
    front: Inside
    pods: Sequence[Json]
    """Those that are ready, the oldest first."""
    values: Json | None
    """What the release's user wrote, as Helm keeps it; None where that can't be read."""
    defaults: Json

    @property
    def pod(self) -> Json:
        """The pod that the bench's is made after."""
        return self.pods[0]

    @property
    def engine(self) -> Json:
        """Its engine's container."""
        engine = engine_of(self.pod)
        assert engine is not None  # `ready_pods` takes no other pod
        return engine

    @property
    def replicas(self) -> list[Replica]:
        return replicas(self.pods)

    @property
    def identities(self) -> dict[str, int]:
        """The pods' names with the restarts of their engines: what is not to change while it is measured."""
        return {replica.name: replica.restarts for replica in self.replicas}

    @property
    def images(self) -> list[str]:
        """What the nodes run, by digest; of different pods usually the same."""
        return sorted({str(status_of(pod, ENGINE).get("imageID") or "") for pod in self.pods})

    @property
    def nodes(self) -> list[str]:
        return sorted({str(pod["spec"].get("nodeName")) for pod in self.pods})

    def objectives(self) -> Objectives:
        """Its `slo`, over the defaults."""
        default = Slo()
        written: Json = {}
        source = "the chart's defaults, because the release's values can't be read"
        if self.values is not None:
            written = _merged(self.defaults.get("slo") or {}, self.values.get("slo") or {})
            source = "the release's values" if self.values.get("slo") else "the chart's defaults"

        def limit(name: str, block: TimeToFirstToken | InterTokenLatency) -> tuple[float, float]:
            own = written.get(name) or {}
            return float(own.get("seconds") or block.seconds), float(own.get("objective") or block.objective)

        errors = float(written.get("errors") or default.errors)
        return Objectives(errors, limit("ttft", default.ttft), limit("itl", default.itl), source)


@dataclasses.dataclass(frozen=True)
class Model:
    """What clients ask for, and where its tokenizer is for those who have the engine's volumes."""

    served: str
    tokenizer: str
    revision: str
    flags: tuple[str, ...]
    """Of `vllm bench serve`, so that it reads the tokenizer as the engine does."""


def find(cluster: Cluster, release: Release) -> Subject:
    """A release as it runs. Raises `UnavailableError` where there is none, or no pod of it is ready."""
    front = inside(cluster, release)
    pods = ready_pods(cluster, release, front)
    if not pods:
        raise UnavailableError(
            f"no pod of release {release.name} is ready: "
            f"`vllm-chart diagnose --release {release.name} --namespace {release.namespace}` says why"
        )
    values, defaults = _helm_values(cluster, release)
    return Subject(release, front, pods, values, defaults)


def ready_pods(cluster: Cluster, release: Release, front: Inside) -> list[Json]:
    """The pods behind its Service that are ready and run the engine, the oldest first."""
    selector = ",".join(f"{name}={value}" for name, value in front.labels.items())
    path = f"/api/v1/namespaces/{release.namespace}/pods"
    with asking_the_api_server():
        listed = json.loads(cluster.get(path, timeout_seconds=_TIMEOUT_SECONDS, labelSelector=selector))
    by_name = {str(pod["metadata"]["name"]): pod for pod in listed["items"]}
    return [by_name[replica.name] for replica in replicas(listed["items"]) if replica.ready]


def model_of(engine: Json) -> Model:
    """What an engine serves, read from its arguments.

    Raises `UnavailableError` for a model that does not generate: nothing else has a first token.
    """
    told = container.of_live(engine)
    name = str(told.get("model_tag") or told.get("model") or "")
    served = told.get("served_model_name") or [name]
    if str(told.get("runner")) == "pooling":
        raise UnavailableError(f"{served[0]} generates no text (--runner=pooling): there are no tokens to time")
    flags = [f"--tokenizer-mode={told['tokenizer_mode']}"] if told.get("tokenizer_mode") else []
    flags += ["--trust-remote-code"] if told.get("trust_remote_code") else []
    revision = told.get("tokenizer_revision") if told.get("tokenizer") else told.get("revision")
    return Model(str(served[0]), str(told.get("tokenizer") or name), str(revision or ""), tuple(flags))


# -- Helm's record ------------------------------------------------------------------------------------------


def _helm_values(cluster: Cluster, release: Release) -> tuple[Json | None, Json]:
    """What the user wrote, and the chart's defaults, out of the Secret in which Helm keeps a release.

    base64 of gzip of JSON (helm v4, pkg/storage/driver/util.go); a Secret's data is base64 by itself. None where there
    is no such Secret, as with Argo CD, or it can't be read.
    """
    selector = f"owner=helm,name={release.name},status=deployed"
    try:
        secrets = cluster.core.list_namespaced_secret(release.namespace, label_selector=selector).items
    except (client.ApiException, urllib3.exceptions.HTTPError):
        return None, {}
    data = [(each.data or {}).get("release", "") for each in secrets]
    try:
        record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data[-1]))))
    except (IndexError, OSError, ValueError, binascii.Error):
        return None, {}
    return record.get("config") or {}, ((record.get("chart") or {}).get("values")) or {}


def _merged(below: Json, above: Json) -> dict[str, Any]:
    """Maps merged as Helm does."""
    merged = dict(copy.deepcopy(below))
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
