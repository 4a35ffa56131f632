"""The plan's hard errors for other commands: what can be said without a GPU, a cluster or the network."""

from collections.abc import Mapping
from typing import Any

from vllm_chart.findings import Finding, UnavailableError
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.sizing import checkpoint, plan, refusals, settings, sources
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.plan import NO_FORMULA


def check(manifests: Manifests, values: Mapping[str, Any], app_version: str, gpu: Gpu | None = None) -> list[Finding]:
    """Errors of a rendered release where the model's config is at hand: in a local directory, or among the facts that
    come with the package. Nothing where it isn't: a verdict doesn't depend on what a cache holds.

    values: the chart's merged values.
    app_version: the chart's, which is vLLM's where `image.tag` is empty.
    gpu: what the pods will run on, for warnings too and for what depends on it; None where it is not known.
    """
    try:
        engine = settings.from_release(manifests, values, app_version)
        source = sources.find(engine.model, revision=engine.revision, offline=True, use_cache=False)
        read = checkpoint.read(engine, source)
        if wrong := refusals.of_checkpoint(read):
            return wrong
        findings = list(refusals.check(plan.make(engine, read, gpu or gpus.products()[0])))
    except settings.SettingError as error:
        # Arguments that vLLM refuses are told of where they are checked, and those of another version are not known.
        return [] if error.is_argument else [Finding("plan", error.where, str(error))]
    except (UnavailableError, sources.UnreadableConfigError, *NO_FORMULA):
        return []
    if gpu:
        return findings
    return [finding for finding in findings if finding.severity == "error" and finding.check not in refusals.OF_GPU]
