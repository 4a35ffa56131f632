"""GPUs and the split over them: mistakes that somebody made."""

from tests.cluster_objects import (
    GPU_TAINT,
    node,
    pod,
    snapshot,
    unschedulable,
)
from tests.render.mistakes.catches import (
    Diagnosed,
    Mended,
    Planned,
    Preflighted,
    Refused,
)
from tests.render.mistakes.rows import Mistake, cluster, crash, mistake, refused_pod

ROWS: list[Mistake] = [
    mistake(
        "bf16-on-pre-ampere",
        "bfloat16 on a GPU that is too old for it",
        "vllm-project/vllm#1157",
        Planned(
            "{model: {id: Qwen/Qwen3-0.6B}, engine: {args: {dtype: bfloat16}}}", "t4", "engine.args.dtype", "write half"
        ),
        Diagnosed(
            crash(
                "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4"
                " GPU has compute capability 7.5."
            ),
            "vllm",
            "engine.args.dtype: half",
        ),
    ),
    mistake(
        "taint-without-toleration",
        "no toleration for the taint of the GPU nodes",
        "NVIDIA/k8s-device-plugin#421",
        Preflighted(
            "{}",
            cluster(nodes=[node("gpu-1", taints=[GPU_TAINT], gpu="1")]),
            "Deployment/",
            "tolerate it in tolerations",
        ),
        Diagnosed(
            snapshot(
                pod(
                    spec={"tolerations": []},
                    status=unschedulable("0/3 nodes are available: 2 node(s) had untolerated taint {gpu: }."),
                )
            ),
            "Pod/",
            "tolerate it in tolerations",
        ),
    ),
    mistake(
        "extended-resource-request-not-equal-limit",
        "fewer accelerators requested than limited",
        "volcano-sh/kthena#576",
        Refused(
            'resources: {limits: {huawei.com/ascend-1980: "8"}, requests: {huawei.com/ascend-1980: "6"}}',
            "resources.requests.huawei.com/ascend-1980",
            "cannot be shared",
        ),
    ),
    mistake(
        "quantization-not-for-this-gpu",
        "a quantization that the GPU's generation cannot compute",
        "vllm-project/vllm#4202",
        Planned("model: {id: Qwen/Qwen2.5-32B-Instruct-AWQ}", "v100-32gb", "model.id", "awq needs 7.5"),
    ),
    mistake(
        "runtimeclass-missing",
        "no runtimeClassName where the nodes' default runtime does not know GPUs",
        "llm-d/llm-d-deployer#273",
        Diagnosed(
            crash(
                "INFO 11-23 15:57:13 [__init__.py:235] No platform detected, vLLM is running on UnspecifiedPlatform\n"
                "RuntimeError: Failed to infer device type"
            ),
            "vllm",
            "runtimeClassName: nvidia",
        ),
    ),
    mistake(
        "runtimeclass-not-in-cluster",
        "a RuntimeClass that the cluster does not have, because a default asked for it",
        "truenas/middleware#11178",
        Preflighted(
            "runtimeClassName: nvidia",
            cluster(found={("RuntimeClass", "nvidia"): None}),
            "RuntimeClass/nvidia",
            "correct runtimeClassName",
        ),
        Mended("no RuntimeClass is asked for", lambda v: "runtimeClassName" not in v.pod),
        Diagnosed(
            refused_pod('pods "llm-vllm-5c8-" is forbidden: pod rejected: RuntimeClass "nvidia" not found'),
            "Deployment/",
            "write a runtimeClassName that exists",
        ),
    ),
    mistake(
        "tp-across-mig",
        "one model over several MIG slices",
        "vllm-project/vllm#7211",
        Refused("gpu: {count: 2, resourceName: nvidia.com/mig-3g.20gb}", "gpu.count", "a larger slice, or whole GPUs"),
    ),
    mistake(
        "gpu-chart-on-cpu-cluster",
        "a GPU asked for in a cluster that has none",
        "vllm-project/production-stack#356",
        Preflighted("{}", cluster(nodes=[node("cpu")]), "Deployment/", "install the device plugin"),
        Diagnosed(
            snapshot(
                pod(
                    spec={"nodeSelector": {}},
                    requests={"nvidia.com/gpu": "1"},
                    status=unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu."),
                ),
                nodes=[node("cpu")],
            ),
            "Pod/",
            "install the device plugin",
        ),
        Mended(
            "engine.device: cpu switches image, GPUs and settings together",
            lambda v: "vllm-openai-cpu" in v.engine["image"] and "limits" not in v.resources,
            "engine: {device: cpu}",
        ),
    ),
    mistake(
        "gpu-product-affinity-mandatory-or-wrong",
        "an affinity to a GPU product that is a placeholder, or that no node has",
        "vllm-project/vllm#38308",
        Mended("no affinity is asked for", lambda v: "affinity" not in v.pod),
    ),
    mistake(
        "pin-mig-instance-by-env",
        "a device chosen by CUDA_VISIBLE_DEVICES, beside the one that the plugin hands out",
        "NVIDIA/k8s-device-plugin#960",
        Refused(
            "{gpu: {resourceName: nvidia.com/mig-1g.5gb}, env: {CUDA_VISIBLE_DEVICES: MIG-GPU-e88cb44c}}",
            "env.CUDA_VISIBLE_DEVICES",
            "the device plugin chooses",
        ),
    ),
    mistake(
        "gpu-only-under-requests",
        "a GPU requested and not limited",
        "kubernetes/kubernetes#57170",
        Refused("resources: {requests: {nvidia.com/gpu: 1}}", "resources.requests.nvidia.com/gpu", "write gpu.count"),
        Mended("request and limit are the same", lambda v: v.resources["limits"] == v.resources["requests"]),
    ),
]
