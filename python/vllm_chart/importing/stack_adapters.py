"""The LoRA adapters of production-stack's values (`loraAdapters`), which its controller loads into running engines.

As helm/templates/deployment-lora-adapter.yaml of https://github.com/vllm-project/production-stack renders them.
"""

from collections.abc import Sequence
from typing import Any

from vllm_chart.importing.draft import Draft
from vllm_chart.importing.source import Part

Json = Any

#: Where an adapter is, by the type of its source: the field that says it.
_SOURCES = {"local": "adapterPath", "huggingface": "repository"}
_SWITCH = "VLLM_ALLOW_RUNTIME_LORA_UPDATING"


def of_model(listed: Sequence[Part], *names: Json) -> list[Part]:
    """Those of the model that has one of these names."""
    return [one for one in listed if one.value_of("baseModel") in names and one.value_of("enabled") is not False]


def tell_others(listed: Sequence[Part], taken: Sequence[Part]) -> None:
    """Say of those that no model has what becomes of them."""
    known = [part.path for part in taken]
    for one in listed:
        if one.value_of("enabled") is False:
            one.covered("it is not deployed")
        elif one.path not in known:
            base = one.value_of("baseModel") or "which it does not name"
            one.left(f"none of the releases here runs its model, {base}", "write it in lora.adapters of one that does")


def take(draft: Draft, listed: Sequence[Part]) -> None:
    """Write them as `lora`, reloaded as there: its controller loads them into engines that run."""
    adapters = [written for one in listed if (written := _take(one))]
    if adapters:
        draft.put(None, "lora.adapters", adapters)
        draft.put(None, "lora.reload", True)


def without_switch(variables: Sequence[Part]) -> list[Part]:
    """The variables but for the one that `lora.reload` sets."""
    for variable in variables:
        if variable.value_of("name") == _SWITCH:
            variable.covered("lora.reload sets it")
    return [variable for variable in variables if variable.value_of("name") != _SWITCH]


def _take(one: Part) -> Json:
    """An adapter of the chart; None for one of a kind that is not read here, which is told."""
    source = one.get("adapterSource")
    kind = str(source.value_of("type") or "") if source else ""
    place = source.get(_SOURCES[kind]) if source and kind in _SOURCES else None
    if source is None or place is None:
        one.left(_missing(kind), "write lora.adapters")
        return None
    name = source.get("adapterName") or one.get("name")
    for part in (place, name):
        if part:
            part.carried("lora.adapters")
    one.cover("it is an object's name, and no client's", *(["name"] if name and name.path[-1] != "name" else []))
    one.cover("it is the model's", "baseModel", "vllmApiKey", "labels", "enabled")
    one.cover("every replica has every adapter", "loraAdapterDeploymentConfig")
    source.cover(
        "it follows from where the adapter is", "type", "adapterPath" if kind == "huggingface" else "repository"
    )
    if credentials := source.get("credentials"):
        credentials.left("adapters are fetched by the model's token", "write hub.tokenSecretRef", "warning")
    for key in ("pattern", "maxAdapters"):
        if part := source.get(key):
            part.left("each adapter has a name and a place of its own", "write each in lora.adapters", "warning")
    return {"name": name.value if name else "", "source": place.value}


def _missing(kind: str) -> str:
    """Why a source does not say where an adapter is. kind: its type, or ""."""
    if kind in _SOURCES:
        return f"its adapterSource has no {_SOURCES[kind]}, which says where it is"
    if not kind:
        return "its adapterSource has no type, which says where it is"
    return f"adapters come out of a mounted volume or of the Hub, and not by {kind}"
