"""The plan's hard errors for other commands: what can be said without a GPU, a cluster or the network."""

from collections.abc import Mapping
from typing import Any

from vllm_chart.findings import Finding, UnavailableError
from vllm_chart.sizing import plan, refusals, sources
from vllm_chart.sizing import settings as engine
from vllm_chart.sizing.memory import gpus, kvcache
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.model import architecture, quantization


def check(values: Mapping[str, Any], app_version: str, gpu: Gpu | None = None) -> list[Finding]:
    """Errors of these merged values where the model's config is at hand: in a local directory, or among the facts
    that come with the package. Nothing where it isn't: a verdict doesn't depend on what a cache holds.

    app_version: the chart's, which is vLLM's where `image.tag` is empty.
    gpu: what the pods will run on, for warnings too and for what depends on it; None where it is not known.
    """
    try:
        settings = engine.from_values(values, app_version)
    except engine.SettingError as error:
        return [Finding("plan", error.where, str(error))]
    try:
        source = sources.find(settings.model, revision=settings.revision, offline=True, use_cache=False)
        with architecture.reading():
            model = architecture.read(source.config)
            if wrong := plan.refused_quantization(settings, model):
                return [wrong]
            made = plan.make(settings, model, source, gpu or gpus.products()[0])
    except (
        UnavailableError,
        sources.UnreadableConfigError,
        architecture.ConfigError,
        quantization.UnknownQuantizationError,
        kvcache.CacheError,
    ):
        return []
    if gpu:
        return list(made.findings)
    return [found for found in made.findings if found.severity == "error" and found.check not in refusals.OF_GPU]
