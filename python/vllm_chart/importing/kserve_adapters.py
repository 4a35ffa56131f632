"""The LoRA adapters of an LLMInferenceService (`spec.model.lora`), which KServe hands to the engine as flags.

As pkg/controller/v1alpha2/llmisvc/workload_lora.go of https://github.com/kserve/kserve does, and what is left out means
what pkg/apis/serving/v1alpha2/llm_inference_service_types.go says.
"""

import json
from collections.abc import Iterator, Sequence

from vllm_chart.importing.draft import Draft
from vllm_chart.importing.source import Part

_FLAGS = {
    "maxRank": ("--max-lora-rank", "lora.maxRank"),
    "maxAdapters": ("--max-loras", "lora.maxLoras"),
    "maxCpuAdapters": ("--max-cpu-loras", "engine.args.max-cpu-loras"),
}


def words(draft: Draft, lora: Part | None, given: Sequence[str]) -> Iterator[str]:
    """The flags of the adapters, and a volume of the draft for each that is in a claim; an adapter that can't be
    carried is told. given: the user's own words."""
    if lora is None or not lora.value:
        return
    if any(word.startswith(("--lora-modules", "--lora_modules")) for word in given):
        lora.covered("the arguments say --lora-modules, which counts")
        return
    modules = [module for one in lora.maps("adapters") if (module := _module(draft, one))]
    if not modules:
        return
    yield "--enable-lora"
    if lora.get("maxAdapters") is None:
        yield f"--max-loras={len(modules)}"
    for key, (flag, into) in _FLAGS.items():
        if part := lora.get(key):
            yield f"{flag}={part.value}"
            part.carried(into)
    yield "--lora-modules"
    yield from (json.dumps(module) for module in modules)


def pin(draft: Draft, lora: Part | None) -> None:
    """Write the revisions, for which the engine's flag has no place."""
    revisions = {one.value_of("name"): _at_the_hub(one)[1] for one in (lora.maps("adapters") if lora else ())}
    for adapter in draft.get("lora.adapters") or ():
        if revision := revisions.get(adapter["name"]):
            adapter["revision"] = revision


def _module(draft: Draft, one: Part) -> dict[str, str] | None:
    """An adapter as the engine's flag has it; None for one that can't be carried."""
    name, uri = one.get("name"), one.get("uri")
    if name is None or uri is None:
        one.left(f"it has no {'name, which clients write' if uri else 'uri'}", "write it in lora.adapters")
        return None
    scheme, _, rest = str(uri.value).partition("://")
    if scheme == "hf":
        path, _ = _at_the_hub(one)
        uri.carried("lora.adapters")
    elif scheme == "pvc":
        claim, _, inside = rest.partition("/")
        volume, path = f"lora-{one.path[-1]}", f"/mnt/lora/{name.value}"
        draft.append(uri, "volumes", {"name": volume, "persistentVolumeClaim": {"claimName": claim}})
        mount = {"name": volume, "mountPath": path, "readOnly": True}
        draft.append(None, "volumeMounts", mount | ({"subPath": inside} if inside else {}))
    else:
        by = f"and not by {scheme}://" if rest else f"and {uri.value} says neither pvc:// nor hf://"
        reason = f"adapters come out of a mounted volume or of the Hub, {by}"
        one.left(reason, "put it into a volume, and write lora.adapters")
        return None
    name.carried("lora.adapters")
    return {"name": str(name.value), "path": path}


def _at_the_hub(one: Part) -> tuple[str, str]:
    """Repository and revision of `hf://organisation/name:revision`; the revision is "" where there is none."""
    scheme, _, rest = str(one.value_of("uri") or "").partition("://")
    repository, _, revision = rest.partition(":")
    return (repository, revision) if scheme == "hf" else ("", "")
