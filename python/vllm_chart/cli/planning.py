"""What `vllm-chart plan` answers: from values, a model's config and a GPU to a plan, or to why there is none.

It stands apart from the command because its imports cost more than the help of the command may take.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from vllm_chart import charts, checks, helm
from vllm_chart.findings import Finding, Severity, UnavailableError, has_errors
from vllm_chart.sizing import checkpoint, delivery, picture, plan, ranks, refusals, settings, show, sources
from vllm_chart.sizing.arithmetic import quantity
from vllm_chart.sizing.explain import explain
from vllm_chart.sizing.memory import gpus, nodes
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.sources import Source
from vllm_chart.vllm_args import devices


@dataclasses.dataclass(frozen=True)
class Answer:
    """Findings, and the texts for a person and a machine where there is more to say than those."""

    findings: Sequence[Finding]
    human: Callable[[], str] | None = None
    machine: Callable[[], str] | None = None


@dataclasses.dataclass(frozen=True)
class Device:
    """The GPU that a call names: by a product's name, by its memory in bytes, or by a cluster's nodes."""

    name: str | None = None
    memory: int | None = None
    cluster: bool = False
    kubeconfig: Path | None = None
    context: str | None = None

    def find(self, values: Mapping[str, Any]) -> Gpu | None:
        """The GPU; for the CPU engine, the container in its place; None where the call names none.

        Raises UnknownGpuError for a name that is in no table, UnavailableError where no cluster answers,
        click.UsageError for a GPU that would not be looked at.
        """
        named = " and ".join(option for option, given in (("--gpu", self.name), ("--gpu-memory", self.memory)) if given)
        if named and self.cluster:
            raise click.UsageError(f"{named} names the GPU, and --cluster asks nodes for it: leave one of them out")
        if values["engine"]["device"] == "cpu":
            if named:
                raise click.UsageError(f"engine.device is cpu, which uses no GPU: leave out {named}")
            resources = values["resources"] or {}
            limit = (resources.get("limits") or {}).get("memory") or (resources.get("requests") or {}).get("memory")
            return gpus.host(quantity(str(limit or "")) or 0)
        if self.name:
            gpu = _measured(gpus.find(self.name), self.memory)
            return gpu if self.memory else gpus.sliced(gpu, values["gpu"]["resourceName"])
        if self.memory:
            return gpus.of_memory(self.memory, _called(values["gpu"]["resourceName"]))
        return self._of_nodes(values) if self.cluster else None

    def _of_nodes(self, values: Mapping[str, Any]) -> Gpu:
        from vllm_chart.cluster.api import Cluster, asking_the_api_server  # the Kubernetes client takes half a second

        with Cluster(self.kubeconfig, self.context) as cluster, asking_the_api_server():
            return nodes.smallest(cluster.core.list_node().items, values)


def _called(resource: str) -> str:
    return f"a {devices.device(resource).one}"


def _measured(gpu: Gpu, memory: int | None) -> Gpu:
    """The product, with the memory that was read on it."""
    if not memory:
        return gpu
    return dataclasses.replace(gpu, memory=memory, confidence="given", source="--gpu-memory")


def answer(
    chart: Path | None,
    values_options: Any,
    device: Device,
    *,
    config: Path | None = None,
    offline: bool = False,
    explained: bool = False,
    svg: Path | None = None,
) -> Answer:
    """The plan for values on a device, or the findings that leave none.

    Raises click.UsageError for a GPU that is in no table, a file that is no config and a picture of no GPU,
    UnavailableError where neither the Hub nor the package has the model's config, or can have it.
    """
    loaded = charts.require(chart, "plan")
    if has_errors(told := checks.validate(loaded, **values_options)):
        return Answer(told)
    warnings = [finding for finding in told if finding.severity == "warning"]
    values = helm.merged_values(loaded, **values_options)
    try:
        manifests = helm.render(chart=loaded, **values_options)
        engine = settings.from_release(manifests, values, loaded.app_version)
        # A GPU that is in no table is told before the Hub is asked.
        gpu = None if device.cluster else device.find(values)
        hub = values["hub"]
        offline = offline or hub["offline"]
        image = values["model"]["image"]["reference"]
        if image and config is None and "/" not in engine.model:
            why = f"{engine.model} names the model in {image}, and none of the Hub's"
            raise UnavailableError(f"{why}: give its config.json with --config")
        source = sources.find(
            engine.model, path=config, revision=engine.revision, endpoint=hub["endpoint"], offline=offline
        )
        draft = _draft(engine, hub, offline)
        warnings += delivery.check(manifests, values, delivery.weights(engine, values, source, draft))
        read = checkpoint.read(engine, source, draft)
        if refused := refusals.of_checkpoint(read):
            return Answer(refused)
        gpu = gpu or device.find(values)
        planned = plan.make(engine, read, gpu or gpus.products()[0])
        warnings.extend(ranks.check(values, offline=offline))
    except settings.SettingError as error:
        severity: Severity = "warning" if error.is_argument else "error"
        return Answer([Finding("plan", error.where, f"no plan: {error}", severity=severity)])
    except (gpus.UnknownGpuError, sources.UnreadableConfigError) as error:
        raise click.UsageError(str(error)) from error
    except sources.UnknownModelError as error:
        return Answer([Finding("plan", "model.id", str(error))])
    except plan.NO_FORMULA as error:
        return Answer([Finding("plan", "model.id", f"no plan: {error}", severity="warning")])
    if gpu is None:
        return _of_no_gpu(planned, warnings, values, svg)
    if svg:
        svg.write_text(picture.svg(planned), encoding="utf-8")
    return _of_gpu(planned, warnings, values, explained)


def _of_no_gpu(planned: Plan, warnings: Sequence[Finding], values: Mapping[str, Any], svg: Path | None) -> Answer:
    """Which GPUs the model would fit, and what is wrong on any of them."""
    if svg:
        raise click.UsageError("--svg draws one GPU's memory: name the GPU, by --gpu, --gpu-memory or --cluster")
    of_plan = [finding for finding in refusals.check(planned) if finding.check not in refusals.OF_GPU]
    findings = list(dict.fromkeys([*warnings, *of_plan]))
    return Answer(
        findings,
        human=lambda: show.where_it_fits(planned, findings, values, "human"),
        machine=lambda: show.where_it_fits(planned, findings, values, "json"),
    )


def _of_gpu(planned: Plan, warnings: Sequence[Finding], values: Mapping[str, Any], explained: bool) -> Answer:
    findings = list(dict.fromkeys([*warnings, *refusals.check(planned)]))

    def human() -> str:
        return "\n\n".join([show.human(planned, findings, values), *([explain(planned)] if explained else [])])

    return Answer(findings, human=human, machine=lambda: json.dumps(show.document(planned, findings, values), indent=2))


def _draft(engine: settings.Engine, hub: Mapping[str, Any], offline: bool) -> Source | None:
    """The config of a draft that is named; None where nothing has it: the plan then says that it is left out."""
    name = engine.speculative.get("model")
    if not isinstance(name, str) or name == engine.model:
        return None
    try:
        revision = str(engine.speculative.get("revision") or "")
        return sources.find(name, revision=revision, endpoint=hub["endpoint"], offline=offline)
    except (UnavailableError, sources.UnknownModelError, sources.UnreadableConfigError):
        return None
