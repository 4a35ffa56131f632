"""The plan's hard errors for other commands: what can be said without a GPU, a cluster or the network."""

from collections.abc import Mapping
from typing import Any

from vllm_chart.findings import Check, Finding, UnavailableError
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.sizing import checkpoint, delivery, plan, refusals, settings, sources
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.plan import NO_FORMULA

#: What a plan refuses or warns of, under these names: see `vllm_chart.sizing.refusals` and `.model.divisibility`.
CHECKS = tuple(
    Check(name, promise, reason, "Sizing")
    for name, promise, reason in (
        (
            "plan",
            "The model and the settings that its memory follows from can be read.",
            "What can't be read can't be computed: the plan says what it leaves out or takes for granted.",
        ),
        (
            "divisibility",
            "The model's heads, layers and vocabulary can be divided as the parallel sizes ask.",
            "vLLM ends while it starts where they can't.",
        ),
        (
            "quantization",
            "The quantization that is asked for is the checkpoint's own, or one that is applied as weights are loaded.",
            "vLLM ends while it starts on one that contradicts the checkpoint.",
        ),
        (
            "max-model-len",
            "No request may be longer than the model was made for.",
            "vLLM refuses such a length; where it is forced, positions that the model never saw yield nonsense.",
        ),
        (
            "batch",
            "A batch holds the longest request, or prefill is done in chunks.",
            "vLLM ends while it starts.",
        ),
        (
            "host-memory",
            "The memory limit holds the engine's processes, /dev/shm, and what settings keep in host memory.",
            "The kernel kills a process of the engine, which then ends.",
        ),
        (
            "memory-share",
            "The share of the GPU that is claimed is free when the engine starts, and leaves what CUDA graphs need.",
            "vLLM ends while it starts, or runs out of memory.",
        ),
        (
            "capability",
            "The GPU has the compute capability that image, dtype and quantization need.",
            "vLLM ends while it starts, or the kernels are not there.",
        ),
        (
            delivery.VOLUME,
            "The volume that the weights are fetched into holds them.",
            "The download ends with a full disk, or the kubelet evicts the pod, after most of it came.",
        ),
        (
            "weights",
            "The weights fit the GPUs.",
            "The engine runs out of memory while it loads, after minutes of download.",
        ),
        (
            "kv-cache",
            "The KV cache holds a request of full length.",
            "vLLM ends while it starts, after the weights are loaded.",
        ),
    )
)


def check(manifests: Manifests, values: Mapping[str, Any], app_version: str, gpu: Gpu | None = None) -> list[Finding]:
    """Errors of a rendered release where the model's config is at hand: in a local directory, or among the facts that
    come with the package. Nothing where it isn't: a verdict doesn't depend on what a cache holds.

    values: the chart's merged values.
    app_version: the chart's, which is vLLM's where `image.tag` is empty.
    gpu: what the pods will run on, for warnings too and for what depends on it; None where it is not known.
    """
    try:
        engine = settings.from_release(manifests, values, app_version)
    except settings.SettingError as error:
        # Arguments that vLLM refuses are told of where they are checked, and those of another version are not known.
        return [] if error.is_argument else [Finding("plan", error.where, str(error))]
    try:
        source = sources.find(engine.model, revision=engine.revision, offline=True, use_cache=False)
        small = list(delivery.check(manifests, values, delivery.weights(engine, values, source)))
        read = checkpoint.read(engine, source)
        if wrong := refusals.of_checkpoint(read):
            return [*small, *wrong]
        findings = list(refusals.check(plan.make(engine, read, gpu or gpus.products()[0])))
    except (UnavailableError, sources.UnreadableConfigError, *NO_FORMULA):
        return list(refusals.of_unknown_weights(engine))
    if gpu:
        return [*small, *findings]
    without_gpu = [finding for finding in findings if finding.check not in refusals.OF_GPU]
    told = refusals.OF_HOST if engine.host_memory or engine.offload else ""
    return small + [
        each for each in without_gpu if each.severity == "error" or (each.check == told and each.severity != "info")
    ]
