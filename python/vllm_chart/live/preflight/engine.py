"""What a release of the chart vllm needs of a cluster, as the engine that it runs has it."""

from collections.abc import Iterator

from vllm_chart.findings import Finding
from vllm_chart.live.preflight import addresses, gpus
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.own import Own
from vllm_chart.live.preflight.wanted import Wanted
from vllm_chart.vllm_args import chat_template, compiling


def _explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    yield from addresses.explain(wanted, snapshot)
    yield from gpus.explain(wanted, snapshot)
    if snapshot.live:
        yield from compiling.explain(snapshot.live, wanted.workload, wanted.values)
    yield from _chat_template(wanted, snapshot)


def _chat_template(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """The template of a ConfigMap that is in the cluster already, which `check` can't read."""
    reference = wanted.values["model"]["chatTemplateRef"]
    there = snapshot.found.get(("ConfigMap", reference["name"]))
    if text := there and (there.data or {}).get(reference["key"]):
        kwargs = chat_template.default_kwargs(wanted.manifests, wanted.values, wanted.app_version)
        yield from chat_template.findings("model.chatTemplateRef", text, kwargs)


OWN = Own(_explain)
