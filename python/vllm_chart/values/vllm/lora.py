"""LoRA adapters: what clients may write in a request's `model` beside the model's own names."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.values.base import Block, Empty, Kubernetes, Pattern

_PART = "[A-Za-z0-9][A-Za-z0-9._-]*"
#: Every part begins with a letter or a digit, so that none is `..`.
NAME = f"^{_PART}([/:]{_PART})*$"
SOURCE = f"^(/[^\\s]*|{_PART}/{_PART})$"

#: What vLLM makes room for (`MaxLoRARanks`, config/lora.py of 0.33), or its own default.
MaxRank = Literal["", 1, 8, 16, 32, 64, 128, 256, 320, 512]


class Adapter(Block):
    """An adapter, and where its files come from."""

    remedies = {
        "path": "write source: it takes a Hub id or a path in a mounted volume",
        "repo": "write source",
        "id": "write source, and name: what clients write",
        "uri": "write source: organisation/name, or a path in a mounted volume",
        "rank": "leave it out: the adapter's own adapter_config.json has it; lora.maxRank is the room for it",
    }

    name: Annotated[str, Pattern(NAME, "write letters, digits, dots, dashes, underscores", 253)] = Field(
        "", description="Required. What clients write in a request's `model`."
    )
    source: Annotated[str, Pattern(SOURCE, "write organisation/name, or the path of a directory from the root")] = (
        Field(
            "",
            description="Required. The path of a directory in a mounted volume, or a Hub id, which an init container "
            "fetches into the cache volume. New weights need a new path, or a new revision.",
        )
    )
    revision: Annotated[str, Pattern(r"^\S*$", "write a branch, a tag or a commit")] = Field(
        "", description="Branch, tag or commit of the Hub repository. Pin a commit: vLLM itself would take the newest."
    )


class Lora(Block):
    """LoRA adapters. Each is looked at before the engine starts, which would find what is wrong only once the model is
    loaded."""

    remedies = {
        "enabled": "leave it out: lora.adapters says it",
        "modules": "write lora.adapters: [{name: …, source: …}]",
        "maxLoraRank": "write lora.maxRank",
        "maxCpuLoras": "write engine.args.max-cpu-loras",
        "dynamic": "write lora.reload",
    }

    adapters: list[Adapter] = Field(
        [], description="The adapters: `[{name: sql, source: acme/sql-lora, revision: …}]`."
    )
    max_rank: MaxRank = Field(
        "", description="The largest rank that an adapter may have (`--max-lora-rank`). Empty: vLLM's own, 16."
    )
    max_loras: Annotated[int, Field(ge=1, le=1024)] | Empty = Field(
        "",
        description="How many adapters a batch may have (`--max-loras`): requests for others wait. Each takes GPU "
        "memory, asked for or not; `vllm-chart plan` says how much. Empty: as many as are listed, 8 at most.",
    )
    reload: bool = Field(
        False,
        description="A change of `adapters` reaches running pods without a restart, by a sidecar. False: it rolls the "
        "pods.",
    )
    resources: Annotated[dict[str, Any], Kubernetes("core.v1.ResourceRequirements")] = Field(
        {},
        description="Of the container that fetches and checks the adapters, or of the sidecar. Empty: the engine's CPU "
        "and memory for the one, which runs before it; none for the other.",
    )
