"""The vLLM engine: its device, its flags, its GPUs and how the model is split over them."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from vllm_chart.values.base import NAME_IN_KEY, SUBDOMAIN, Block, Count, Empty, Parts, Pattern
from vllm_chart.vllm_args.owned import OWNED_FLAGS as OWNED_FLAGS


class EngineArgs:
    """Marks the map of vLLM's flags, whose schema follows from the catalogues: see `vllm_chart.vllm_args.schema`."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "object"}


class Engine(Block):
    """How `vllm serve` runs."""

    remedies: ClassVar[dict[str, str]] = {
        "extra_args": "write engine.extraArgs",
        "flags": "write engine.args",
        "arguments": "write engine.args",
        "env": "write env at the top level",
        "resources": "write resources at the top level",
        "tensorParallelSize": "write parallelism.tensorParallelSize, or only gpu.count",
        "port": "write containerPort at the top level",
        "image": "write image at the top level",
        "host": "write engine.args.host",
        "passArgs": "write engine.passArguments",
    }

    device: Literal["cuda", "cpu"] = Field(
        "cuda", description="`cuda`, or `cpu`: vLLM's CPU image and what it needs to run well in a container."
    )
    args: Annotated[dict[str, Any], EngineArgs()] = Field(
        {},
        description="Flags of `vllm serve` by their own names, without the dashes: `max-model-len: 8192`, "
        "`enable-prefix-caching: false` (rendered as `--no-enable-prefix-caching`). A map becomes JSON, a list "
        "several values, `$(NAME)` the variable of that name in `env`. An empty or null value renders no flag: vLLM "
        "decides.",
    )
    extra_args: list[str] = Field(
        [], description='More arguments, word by word, for what `args` cannot say: `["--middleware=a.b"]`.'
    )
    pass_arguments: bool = Field(
        True,
        description="False: the container gets no arguments but extraArgs, for an image or a `command` with a script "
        "of its own that starts the engine. It has to listen on containerPort and to serve model.servedModelName; what "
        "the chart's arguments would do (`shutdown`'s last resort, shutdown.closeConnections, `hang`) it has to do "
        "itself.",
    )


class Gpu(Block):
    """The GPUs of a pod: the one number a user must think about."""

    remedies = {
        "limits": "write gpu.count",
        "num": "write gpu.count",
        "number": "write gpu.count",
        "type": "choose the GPU model with nodeSelector",
        "name": "write gpu.resourceName",
        "resource": "write gpu.resourceName",
        "memory": "memory of a GPU is what the node has: choose the node with nodeSelector",
    }

    count: Count | Empty = Field(
        "",
        description="GPUs (or other devices of gpu.resourceName) per pod, requested and limited alike; the "
        "tensor-parallel size follows it. Empty: 1, or 0 on the CPU engine. 0: none is requested (dynamic resource "
        "allocation, for example).",
    )
    resource_name: Annotated[
        str, Pattern(f"^{SUBDOMAIN}/{NAME_IN_KEY}$", "write what the node advertises: nvidia.com/gpu")
    ] = Field(
        "nvidia.com/gpu",
        description="What the device plugin calls a GPU: `nvidia.com/mig-3g.40gb`, `nvidia.com/gpu.shared`, …; or "
        "another device: `google.com/tpu`, `aws.amazon.com/neuron`, `habana.ai/gaudi`, …",
    )


class Parallelism(Block):
    """How the model is split. The product of the three is `gpu.count`, or a multiple where a device is many workers."""

    remedies = {
        "tensorParallel": "write parallelism.tensorParallelSize",
        "tensor": "write parallelism.tensorParallelSize",
        "tp": "write parallelism.tensorParallelSize",
        "pipelineParallel": "write parallelism.pipelineParallelSize",
        "pipeline": "write parallelism.pipelineParallelSize",
        "pp": "write parallelism.pipelineParallelSize",
        "dataParallel": "write parallelism.dataParallelSize",
        "data": "write parallelism.dataParallelSize",
        "dp": "write parallelism.dataParallelSize",
    }

    tensor_parallel_size: Parts | Empty = Field(
        "",
        description="GPUs that share each layer. Empty: what gpu.count leaves after the other two. Where a device is "
        "more than one worker (a Neuron device has 2 to 8 cores, a TPU v7x chip 2), it has to be said.",
    )
    pipeline_parallel_size: Parts = Field(1, description="Stages of layers, one after the other.")
    data_parallel_size: Parts = Field(
        1, description="Copies of the model in one pod. More pods (replicaCount) are simpler."
    )
