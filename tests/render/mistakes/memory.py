"""GPU memory and /dev/shm: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Diagnosed,
    Mended,
    Planned,
    Refused,
)
from tests.render.mistakes.rows import Mistake, crash, mistake

ROWS: list[Mistake] = [
    mistake(
        "gpu-memory-utilization-too-high",
        "nearly all of the GPU for vLLM, which leaves nothing for CUDA graphs",
        "vllm-project/vllm#57475",
        Planned(
            "{model: {id: Qwen/Qwen3-8B}, engine: {args: {gpu-memory-utilization: 0.98}}}",
            "h100-80gb",
            "engine.args.gpu-memory-utilization",
            "write 0.97 or less",
        ),
    ),
    mistake(
        "one-card-of-dp-group-shared",
        "a data-parallel group of which one card is shared with another server",
        "vllm-project/vllm#54354",
        Mended(
            "the pod has its GPUs for itself: whole ones, as many as it has workers",
            lambda v: v.resources["limits"] == {"nvidia.com/gpu": 3},
            "{gpu: {count: 3}, parallelism: {dataParallelSize: 3}}",
        ),
        Diagnosed(
            crash(
                "ValueError: Free memory on device cuda:0 (30.1/79.1 GiB) on startup is less than desired GPU memory"
                " utilization (0.821, 64.9 GiB)."
            ),
            "vllm",
            "free the GPU of what else uses it",
        ),
    ),
    mistake(
        "max-model-len-left-at-model-default",
        "no max-model-len for a model whose own is longer than the KV cache",
        "deepseek-ai/DeepSeek-V2#83",
        Planned("model: {id: Qwen/Qwen3-30B-A3B-Instruct-2507}", "h100-80gb", "max-model-len", "max-model-len:"),
    ),
    mistake(
        "kv-cache-does-not-hold-max-len",
        "a max-model-len that the KV cache cannot hold",
        "vllm-project/vllm#2418",
        Planned(
            "{model: {id: meta-llama/Llama-3.1-8B}, engine: {args: {max-model-len: 131072}}}",
            "l4",
            "engine.args.max-model-len",
            "of KV cache, and at most",
        ),
    ),
    mistake(
        "shm-too-small-for-kv-offload",
        "a /dev/shm smaller than the KV cache that is offloaded to it",
        "vllm-project/vllm#52496",
        Refused("{engine: {args: {kv-offloading-size: 4}}, shm: {sizeLimit: 1Gi}}", "shm.sizeLimit", "leave it empty"),
        Mended(
            "left empty, it is as large as what is offloaded, and 2Gi more",
            lambda v: v.volumes["shm"]["emptyDir"]["sizeLimit"] == "6Gi",
            "engine: {args: {kv-offloading-size: 4}}",
        ),
    ),
    mistake(
        "shm-counts-against-memory-limit",
        "a /dev/shm as large as the memory limit in which it counts",
        "kubernetes/website#36494",
        Refused(
            "{shm: {sizeLimit: 16Gi}, resources: {limits: {memory: 16Gi}}}",
            "shm.sizeLimit",
            "a larger resources.limits.memory",
        ),
    ),
    mistake(
        "shm-without-size-limit",
        "a /dev/shm without a limit, which takes what the node has",
        "kubernetes/kubernetes#125852",
        Mended("it always has a limit", lambda v: bool(v.volumes["shm"]["emptyDir"]["sizeLimit"])),
        Refused(
            "volumes: [{name: dshm, emptyDir: {medium: Memory}}]\nvolumeMounts: [{name: dshm, mountPath: /dev/shm}]",
            "volumeMounts",
            "write shm.sizeLimit",
        ),
    ),
]
