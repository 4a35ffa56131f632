"""Images: mistakes that somebody made."""

from tests.cluster_objects import (
    pod,
    snapshot,
    waiting,
)
from tests.render.mistakes.catches import (
    Checked,
    Diagnosed,
    Planned,
    Refused,
)
from tests.render.mistakes.rows import Mistake, crash, mistake

ROWS: list[Mistake] = [
    mistake(
        "x86-image-on-arm-node",
        "an image for another processor than the node's",
        "SemiAnalysisAI/InferenceX#1582",
        Diagnosed(
            snapshot(
                pod(
                    status=waiting(
                        "ErrImagePull",
                        "no matching manifest for linux/arm64/v8 in the manifest list entries",
                    )
                )
            ),
            "vllm",
            "kubernetes.io/arch",
        ),
        Diagnosed(crash("exec /usr/bin/vllm: exec format error"), "vllm", "kubernetes.io/arch"),
    ),
    mistake(
        "gpu-too-old-for-image",
        "a GPU for which the image has no kernels any more",
        "vllm-project/production-stack#973",
        Planned("model: {id: Qwen/Qwen3-8B}", "v100-32gb", "image.repository", "built for 7.5 and later"),
        Diagnosed(
            crash("torch.AcceleratorError: CUDA error: no kernel image is available for execution on the device"),
            "vllm",
            "choose other GPUs",
        ),
    ),
    mistake(
        "tag-resolved-automatically-to-old",
        "a tag that names no version, and was an old one for months",
        "llm-d/llm-d-benchmark#1573",
        Refused("image: {tag: latest}", "image.tag", "write a version"),
        Checked(
            "{image: {repository: registry.example.com/vllm, tag: auto}, engine: {args: {max-model-len: 8192}}}",
            "image.tag",
            "the engine's arguments are unchecked",
        ),
    ),
]
