"""The ranks of `lora.adapters`: what `lora.maxRank` has to hold, and what it holds for nobody.

vLLM reserves buffers of `--max-lora-rank` for each of `--max-loras` adapters (`vllm_chart.sizing.model.adapters`), and
refuses an adapter of a higher rank once the model is loaded (lora/peft_helper.py, `validate_legal`, of 0.33).
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.facts import LORA_RANK, LORA_RANKS
from vllm_chart.findings import Check, Finding
from vllm_chart.sizing import hub
from vllm_chart.vllm_args.repositories import is_repository

RANKS = "adapter-ranks"

CHECKS = (
    Check(
        RANKS,
        "The room that lora.maxRank makes holds the adapters, and is no larger: `plan` reads their ranks at the Hub.",
        "One of a higher rank keeps the engine from starting; what is too large is GPU memory that nobody uses.",
        "Sizing",
    ),
)


def check(values: Mapping[str, Any], *, offline: bool) -> Iterator[Finding]:
    """Whether the adapters on the Hub fit lora.maxRank; silent about what the Hub does not tell, and about those in
    volumes.

    values: the chart's merged values; offline: whether the Hub is to be left alone, as HF_HUB_OFFLINE=1 says too.
    """
    if offline or os.environ.get("HF_HUB_OFFLINE") == "1":
        return
    lora, endpoint = values["lora"], hub.endpoint_of(values["hub"]["endpoint"])
    listed = [adapter for adapter in lora["adapters"] or () if adapter]
    on_hub = [adapter for adapter in listed if is_repository(adapter["source"])]
    read = {adapter["name"]: _rank(adapter, endpoint) for adapter in on_hub}
    known = {name: rank for name, rank in read.items() if rank}
    if not known:
        return
    name, rank = max(known.items(), key=lambda item: item[1])
    room = lora["maxRank"] or LORA_RANK
    step = next((step for step in LORA_RANKS if step >= rank), None)
    if step is None:
        message = f"the rank of {name} is {rank}, and vLLM serves none above {LORA_RANKS[-1]}"
        yield Finding(RANKS, "lora.adapters", message, "leave it out")
    elif rank > room:
        message = f"the rank of {name} is {rank}, and there is room for {room}"
        yield Finding(RANKS, "lora.maxRank", message, f"write {step}")
    elif step < room and len(known) == len(listed):
        message = f"no adapter's rank is above {rank} ({name}), and each has memory for {room}"
        remedy = f"write {step}: LoRA then takes {step}/{room} of it"
        yield Finding(RANKS, "lora.maxRank", message, remedy, "info")


def _rank(adapter: Mapping[str, Any], endpoint: str) -> int | None:
    """The largest rank of an adapter's layers; None where the Hub does not tell."""
    config = hub.adapter_config(adapter["source"], adapter.get("revision") or "main", endpoint) or {}
    pattern = config.get("rank_pattern")
    ranks = [config.get("r"), *(pattern.values() if isinstance(pattern, dict) else ())]
    return max((rank for rank in ranks if isinstance(rank, int)), default=None)
