"""A bench from its beginning to its end: the pod, its steps, and what the engines say before and after."""

import dataclasses
import importlib.metadata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client

from vllm_chart.bench import pod, report, subject
from vllm_chart.bench.keep import Folder
from vllm_chart.bench.report import Report, Step
from vllm_chart.bench.subject import Objectives, Subject
from vllm_chart.cluster.api import Cluster
from vllm_chart.cluster.errand import Errand
from vllm_chart.findings import Finding, UnavailableError
from vllm_chart.live.smoke.reach import Release
from vllm_chart.live.top import readings, ways
from vllm_chart.observe.page import PageError

Json = Mapping[str, Any]

_PAGE_SECONDS = 10.0
_ADVICE = "another image of this vLLM goes by --image"
#: By what an error of the tool says.
_ADVICES = (
    (
        ("okenizer", "Hub", "hugging", "offline"),
        "name a tokenizer that the pod reaches by --tokenizer, a folder in a volume of the release or a Hub id",
    ),
    (
        ("Bad Request",),
        "prompts and answers have to fit max-model-len: lower --input-tokens, --output-tokens or --spread",
    ),
    (("Unauthorized",), "the release names no Secret for its API key (auth.apiKeySecretRef)"),
)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a call says of a bench, beside the release and the load."""

    tokenizer: str = ""
    image: str = ""
    ttft_seconds: float | None = None
    itl_seconds: float | None = None


@dataclasses.dataclass
class Stand:
    """How it stands, for those who wait."""

    now: str = "the pod starts"
    progress: str = ""

    def __str__(self) -> str:
        return f"{self.now}{f', {self.progress} requests' if self.progress else ''}"


def measure(
    cluster: Cluster,
    release: Release,
    load: pod.Load,
    asked: Asked,
    folder: Path,
    *,
    stand: Stand,
    tell: Callable[[str], None],
) -> Report:
    """Measure a release. What there is when the user interrupts it is the report, with `whole` false.

    tell: is told of each step that has ended.
    Raises `UnavailableError` where there is nothing to measure, the pod does not start, or the tool fails at once;
    OSError where the folder can't be written.
    """
    found = subject.find(cluster, release)
    objectives = _objectives(found, asked)
    model = subject.model_of(found.engine)
    if asked.tokenizer:
        model = dataclasses.replace(model, tokenizer=asked.tokenizer, revision="")
    if not model.served or not model.tokenizer:
        raise UnavailableError("the engine's arguments name no model: name its tokenizer by --tokenizer")
    storage = pod.storage(cluster, found)
    manifest = pod.manifest(found, model, load, objectives, storage, asked.image)
    kept = Folder(folder)
    kept.begin(found, manifest)
    with ways.Ways(cluster, release.namespace, _PAGE_SECONDS) as way:
        before = _pages(way, found)
        kept.metrics("before", before)
        run = _Run(found, kept, stand, tell)
        with Errand(cluster, release.namespace, manifest, start_seconds=pod.START_SECONDS, advice=_ADVICE) as errand:
            tell(f"pod {errand.name} measures {found.front.url}")
            whole = run.follow(errand)
            own = _image_of(cluster, release.namespace, errand.name) if run.steps else ""
        after = _again(cluster, found)
        kept.metrics("after", _pages(way, after))
    environment = _environment(found, own, model, load, folder)
    done = Report(
        release.name,
        release.namespace,
        len(found.pods),
        objectives,
        run.steps,
        [*_about(found, after, before, own), *([run.failure] if run.failure else [])],
        whole,
        environment,
    )
    done = report.judged(done)
    if said := kept.end(done):
        tell(f"no plot: {said}")
    return done


def _objectives(found: Subject, asked: Asked) -> Objectives:
    objectives = found.objectives()
    if asked.ttft_seconds is None and asked.itl_seconds is None:
        return objectives
    return dataclasses.replace(
        objectives,
        ttft=(asked.ttft_seconds or objectives.ttft[0], objectives.ttft[1]),
        itl=(asked.itl_seconds or objectives.itl[0], objectives.itl[1]),
        source=f"the options, over {objectives.source}",
    )


class _Run:
    """Takes in what the pod says."""

    def __init__(self, found: Subject, kept: Folder, stand: Stand, tell: Callable[[str], None]) -> None:
        self.steps: list[Step] = []
        self.failure: Finding | None = None
        self._where = f"release {found.release.namespace}/{found.release.name}"
        self._kept = kept
        self._stand = stand
        self._tell = tell

    def follow(self, errand: Errand) -> bool:
        """Until the pod has said all; whether it has."""
        try:
            for said in errand.documents():
                if "done" in said:
                    return True
                if "error" in said:
                    self._failed(str(said["error"]))
                    return False
                self._take(said)
        except KeyboardInterrupt:
            return False
        return False

    def _take(self, said: Json) -> None:
        if "began" in said:
            ((name, value),) = said["began"].items()
            self._stand.now, self._stand.progress = f"{name} {value:g}", ""
        elif "progress" in said:
            self._stand.progress = str(said["progress"])
        elif "step" in said:
            asked = {name: said["step"][name] for name in ("concurrency", "rate") if name in said["step"]}
            step = Step(asked, said["step"]["missed"], said["step"]["result"])
            self.steps.append(step)
            self._kept.step(len(self.steps), step)
            self._tell(report.told(step))

    def _failed(self, why: str) -> None:
        if not self.steps:
            raise UnavailableError(f"nothing could be measured: {why}{_advice(why)}")
        self.failure = Finding("bench-broken-off", self._where, f"it broke off: {why}", "the steps before it count")


def _advice(why: str) -> str:
    """What to do about an error of the tool's, where it is known."""
    for words, advice in _ADVICES:
        if any(word in why for word in words):
            return f": {advice}"
    return ""


def _again(cluster: Cluster, found: Subject) -> Subject:
    """The release as it is now; as it was, where the API server does not say: what was measured is not lost for it."""
    try:
        return dataclasses.replace(found, pods=subject.ready_pods(cluster, found.release, found.front))
    except UnavailableError:
        return found


def _image_of(cluster: Cluster, namespace: str, name: str) -> str:
    """The image that the bench's pod ran, by its digest; empty where nobody says."""
    try:
        status = cluster.core.read_namespaced_pod(name, namespace).status
    except (client.ApiException, urllib3.exceptions.HTTPError):
        return ""
    return next((each.image_id for each in (status.container_statuses if status else None) or []), "")


def _pages(way: ways.Ways, found: Subject) -> dict[str, str]:
    """The engines' pages of metrics; without those that can't be read, which say nothing of the bench."""
    pages = {}
    for replica in found.replicas:
        try:
            pages[replica.name] = way.page(replica)
        except ways.NoAnswerError:
            continue
    return pages


def _about(found: Subject, after: Subject, before: Mapping[str, str], own: str) -> list[Finding]:
    """What makes the numbers doubtful."""
    where = f"release {found.release.namespace}/{found.release.name}"
    said = []
    if found.identities != after.identities:
        was, now = (", ".join(each.identities) or "none" for each in (found, after))
        what = f"its pods changed while it was measured: {was}; now {now}, or restarted"
        remedy = "hold the autoscaler (autoscaling.keda.sh/paused), wait for rollouts, and measure again"
        said.append(Finding("bench-pods-changed", where, what, remedy))
    if len(found.pods) > 1:
        what = f"its {len(found.pods)} replicas share the load by connections, and not evenly"
        remedy = "measure one replica for a number to rely on"
        said.append(Finding("bench-several-replicas", where, what, remedy, "info"))
    if busy := [name for name, text in before.items() if _is_busy(text)]:
        what = f"others asked it, too: {', '.join(busy)} had requests before it began"
        said.append(Finding("bench-not-alone", where, what, "measure a release that nobody uses", "warning"))
    if own and found.images != [own] and "" not in found.images:
        what = f"the pod ran {own}, the engines {', '.join(found.images)}"
        said.append(Finding("bench-image", where, what, "write image.digest, so that a tag can't move", "warning"))
    return said


def _is_busy(text: str) -> bool:
    try:
        reading = readings.read(text, 0.0)
    except PageError:
        return False
    return reading.running + reading.waiting > 0


def _environment(found: Subject, own: str, model: subject.Model, load: pod.Load, folder: Path) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "folder": str(folder),
        "vllm-chart": importlib.metadata.version("vllm-chart"),
        "image": str(found.engine["image"]),
        "imageIds": found.images,
        "ownImageId": own,
        "nodes": found.nodes,
        "arguments": [str(word) for word in found.engine.get("args") or []],
        "url": found.front.url,
        "model": model.served,
        "tokenizer": model.tokenizer,
        "load": dataclasses.asdict(load),
    }
