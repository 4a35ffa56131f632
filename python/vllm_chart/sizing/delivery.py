"""How much of a model is to be fetched and kept, how long that takes, and how often the Hub is asked for it."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import Container, Pod, engines
from vllm_chart.sizing.arithmetic import GIB, gib, quantity
from vllm_chart.sizing.checkpoint import UNKNOWN_SPREAD
from vllm_chart.sizing.model import architecture, drafts, quantization, vision
from vllm_chart.sizing.model import weights as tensors
from vllm_chart.sizing.model.quantization import UnknownQuantizationError
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.settings import Engine
from vllm_chart.sizing.sources import Source
from vllm_chart.vllm_args import repositories
from vllm_chart.vllm_args.container import environment, words

VOLUME = "volume-size"

RATES = {"1 Gb/s": 10**9 // 8, "10 Gb/s": 10**10 // 8}
"""Bytes a second of the lines for which a download's time is given."""

#: Requests of the Hub's API by one start of vLLM with a cold cache, with a warm one, and by each worker but the first.
#: Counted with vLLM 0.32 (CPU), one file of weights and one worker, huggingface_hub 2.4. More workers: computed.
COLD_REQUESTS, WARM_REQUESTS, WORKER_REQUESTS = 10, 9, 4

#: Requests of the API in five minutes: of an address without a token, of a free account, of an organisation on the
#: Enterprise plan. https://huggingface.co/docs/hub/rate-limits
LIMITS = {"no token": 500, "a free account": 1000, "an Enterprise organisation": 6000}


@dataclasses.dataclass(frozen=True)
class Weights:
    """What is fetched of the Hub for an engine.

    model, draft: bytes of the weights' files, and as few as they may be: fewer where those are an estimate. Of a draft
    that is a model of its own, where its config is known; else 0. uncounted: what else is fetched that has weights.
    """

    name: str
    model: tuple[int, int]
    draft_name: str = ""
    draft: tuple[int, int] = (0, 0)
    uncounted: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        return self.model[0] + self.draft[0]

    @property
    def least(self) -> int:
        return self.model[1] + self.draft[1]

    @property
    def told(self) -> str:
        """What was counted, in words."""
        drafted = f", and its draft {self.draft_name} {gib(self.draft[0])}" if self.draft[0] else ""
        return f"{self.name} has {gib(self.model[0])} of weights{drafted}"


@dataclasses.dataclass(frozen=True)
class Delivery:
    """What a model costs before it is in memory.

    requests: of the Hub's API by each start of an engine; 0 where a Job asks in its place, an image has the model, or
    nobody asks.
    """

    weights: Weights
    requests: int

    @property
    def bytes(self) -> int:
        return self.weights.bytes

    @property
    def seconds(self) -> dict[str, float]:
        """By rate, how long the weights take on a line that has nothing else to do."""
        return {name: self.bytes / rate for name, rate in RATES.items()}

    @property
    def starts(self) -> dict[str, int]:
        """By whose limit, how many engines may start in five minutes; none where they don't ask."""
        return {name: limit // self.requests for name, limit in LIMITS.items()} if self.requests else {}

    @property
    def disk(self) -> dict[str, int]:
        """Bytes by method: in a volume; while a revision changes; on a node that pulls the model as an image, which it
        keeps packed and unpacked (kserve/kserve, docs/samples/storage/oci-image-volume)."""
        both = self.bytes + self.weights.model[0]
        return {"volume": self.bytes, "volume, while a revision changes": both, "image": 2 * self.weights.model[0]}

    def told(self) -> list[str]:
        """For a person."""
        about = "" if self.weights.least == self.bytes else "about "
        times = ", ".join(f"{seconds:.0f} s at {rate}" for rate, seconds in self.seconds.items())
        asked = "none: what engines need is there before them"
        if self.requests:
            starts = ", ".join(f"{count} with {whose}" for whose, count in self.starts.items())
            asked = f"{self.requests} of the API a start; in 5 minutes {starts}"
        volume, changing, packed = self.disk.values()
        image = "or" if packed == changing else gib(packed)
        alone = f"  not counted       {', '.join(self.weights.uncounted)}, whose weights come on top"
        return [
            f"  to fetch          {about}{gib(self.bytes)}: {times}",
            *([f"  of it             {self.weights.told}"] if self.weights.draft[0] else []),
            *([alone] if self.weights.uncounted else []),
            f"  disk              {gib(volume)}; {gib(changing)} while a revision changes, {image} as an image",
            f"  Hub requests      {asked}",
        ]

    def document(self) -> dict[str, Any]:
        """For a machine: bytes, seconds, requests."""
        return {
            "bytes": self.bytes,
            "leastBytes": self.weights.least,
            "draftBytes": self.weights.draft[0],
            "uncounted": list(self.weights.uncounted),
            "seconds": {name: round(seconds, 1) for name, seconds in self.seconds.items()},
            "disk": self.disk,
            "hubRequestsPerStart": self.requests,
            "startsPerFiveMinutes": self.starts,
        }


def of(planned: Plan, values: Mapping[str, Any]) -> Delivery | None:
    """What the model of a plan costs to deliver; None where it is none of the Hub's, or its size can't be known."""
    found = weights(planned.engine, values, planned.checkpoint.source, planned.checkpoint.draft_source)
    if found is None:
        return None
    offline = values["hub"]["offline"] or (values.get("download") or {}).get("enabled") or _is_in_image(values)
    kept = values["persistence"]["enabled"] and not values["persistence"]["ephemeral"]
    requests = (WARM_REQUESTS if kept else COLD_REQUESTS) + WORKER_REQUESTS * (planned.engine.workers - 1)
    return Delivery(found, 0 if offline else requests)


def weights(
    engine: Engine, values: Mapping[str, Any], source: Source, draft_source: Source | None = None
) -> Weights | None:
    """What is fetched of the Hub; None where the model is none of it, or its size can't be known.

    source, draft_source: the configs of the model and of its draft, where that has one of its own that was read.
    """
    name = str(values["model"]["id"])
    sized = checkpoint_bytes(source) if repositories.is_repository(name) else None
    if sized is None:
        return None
    draft, config = drafts.repository(engine.speculative, draft_source)
    adapters = (values.get("lora") or {}).get("adapters")
    others = [str(adapter.get("source") or "") for adapter in adapters or () if adapter]
    drafted = (0, 0)
    if repositories.is_repository(draft) and draft != name:
        drafted = (config and checkpoint_bytes(config)) or drafted
        others += [draft] * (not drafted[0])
    return Weights(name, sized, draft, drafted, tuple(dict.fromkeys(filter(repositories.is_repository, others))))


def checkpoint_bytes(source: Source) -> tuple[int, int] | None:
    """Bytes of the weights' files and the least that they may be; None where there is no formula for them.

    The size that an index of the files says, else that of the tensors in the checkpoint's own dtype and quantization.
    """
    if source.weight_bytes:
        return source.weight_bytes, source.weight_bytes
    try:
        with architecture.reading():
            model = architecture.read(source.config)
            quantized = quantization.read(model.quantization, model.dtype)
            total = sum(
                tensors.size(weight, model.dtype, quantized)
                for weight in (*tensors.language_weights(model), *vision.weights(model, Split()))
                if not weight.derived
            )
    except (architecture.ConfigError, UnknownQuantizationError):
        return None
    sure = source.confidence == "config" and tensors.known(model)
    return total, total if sure else round(total * (1 - UNKNOWN_SPREAD))


def _is_in_image(values: Mapping[str, Any]) -> bool:
    """Whether the node pulls the model as an image, so that nothing of it comes from the Hub."""
    return bool((values["model"].get("image") or {}).get("reference"))


# Whether it fits the volume


def check(manifests: Manifests, values: Mapping[str, Any], fetched: Weights | None) -> Iterator[Finding]:
    """A volume that is too small for the weights that are fetched into it, in a rendered release."""
    pod, container = next(engines(manifests), (None, None))
    if fetched is None or _is_in_image(values) or pod is None or container is None:
        return
    found = _room(manifests, pod, container)
    if found is None:
        return
    key, room = found
    least = f"write at least {-(-fetched.bytes * 11 // 10 // GIB)}Gi"
    both = fetched.bytes + fetched.model[0]
    if room < fetched.least:
        yield Finding(VOLUME, key, f"{fetched.told}, and the volume that they are fetched into {gib(room)}", least)
    elif (values.get("download") or {}).get("nextRevision") and room < fetched.least + fetched.model[1]:
        message = f"{fetched.told}, and with a revision that differs in all of them {gib(both)}"
        yield Finding(VOLUME, key, message, f"write at least {-(-both * 21 // 20 // GIB)}Gi", severity="warning")


def _room(manifests: Manifests, pod: Pod, container: Container) -> tuple[str, int] | None:
    """The key that says how large the volume is which the Hub's cache is in, and its bytes; None where nothing does."""
    folder = _cache(container)
    mounts = [mount for mount in container.all("volumeMounts") if f"{folder}/".startswith(f"{mount['mountPath']}/")]
    if not mounts:
        return None
    name = max(mounts, key=lambda mount: len(mount["mountPath"]))["name"]
    volume: Mapping[str, Any] = next((each for each in pod.all("volumes") if each["name"] == name), {})
    if "emptyDir" in volume:
        limits = {"volumes": (volume["emptyDir"] or {}).get("sizeLimit")}
        limits["resources.limits.ephemeral-storage"] = container.resources("limits").get("ephemeral-storage")
        known = [(key, size) for key, text in limits.items() if text and (size := quantity(str(text)))]
        return min(known, key=lambda each: each[1], default=None)
    claims = {claim.name: claim["spec"] for claim in manifests.all("PersistentVolumeClaim") if not claim.is_extra}
    spec = claims.get(str((volume.get("persistentVolumeClaim") or {}).get("claimName")))
    spec = spec or ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec")
    if name != "cache" or not spec:  # a claim that is there has the size that somebody gave it
        return None
    size = quantity(str(spec["resources"]["requests"]["storage"]))
    return ("persistence.size", size) if size else None


def _cache(container: Container) -> str:
    """Where vLLM downloads to: --download-dir (model_executor/model_loader/weight_utils.py:466 of 0.33), or as
    huggingface_hub finds its cache (constants.py)."""
    told, env = words(container), environment(container)
    for word, following in zip(told, [*told[1:], ""], strict=True):
        if word.partition("=")[0] == "--download-dir":
            return (word.partition("=")[2] or following).rstrip("/")
    home = env.get("HF_HOME") or f"{env.get('XDG_CACHE_HOME') or ''}/huggingface"
    return (env.get("HF_HUB_CACHE") or env.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub").rstrip("/")
