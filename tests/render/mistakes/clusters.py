"""Clusters: mistakes that somebody made."""

from tests.cluster_objects import (
    crashed,
    node,
    pod,
    snapshot,
    unschedulable,
    waiting,
)
from tests.render.mistakes.catches import (
    Answered,
    Checked,
    Diagnosed,
    Mended,
    Preflighted,
    Refused,
)
from tests.render.mistakes.rows import Mistake, cluster, crash, init_crash, limit_range, mistake, quota, refused_pod

ROWS: list[Mistake] = [
    mistake(
        "two-shares-of-one-gpu",
        "two shares of a GPU for a model that needs two GPUs",
        "NVIDIA/gpu-operator#386",
        Refused(
            "gpu: {count: 2, resourceName: nvidia.com/gpu.shared}", "gpu.count", "two shares may be of the same GPU"
        ),
        Preflighted(
            "gpu: {count: 2}",
            cluster(nodes=[node("gpu-1", labels={"nvidia.com/gpu.replicas": "4"}, gpu="4")]),
            "Node/gpu-1",
            "write gpu.count: 1, or choose nodes that share no GPUs",
        ),
    ),
    mistake(
        "gpu-product-by-its-short-name",
        "a GPU by another name than its node's label has",
        "https://github.com/llm-d-incubation/llm-d-planner/pull/112",
        Preflighted(
            "nodeSelector: {nvidia.com/gpu.product: L4}",
            cluster(nodes=[node("gpu-1", labels={"nvidia.com/gpu.product": "NVIDIA-L4"}, gpu="1")]),
            "Deployment/",
            "nvidia.com/gpu.product=NVIDIA-L4",
        ),
    ),
    mistake(
        "driver-older-than-the-image",
        "a new image on nodes with an old driver",
        "vllm-project/vllm#18813",
        Preflighted(
            "{}",
            cluster(nodes=[node("gpu-1", labels={"nvidia.com/cuda.driver-version.major": "535"}, gpu="1")]),
            "Node/gpu-1",
            "its driver is R535",
        ),
        Diagnosed(
            snapshot(
                pod(
                    status=waiting(
                        "RunContainerError",
                        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your"
                        " driver to a newer version, or use an earlier cuda container: unknown",
                    )
                )
            ),
            "vllm",
            "upgrade the node's driver",
        ),
    ),
    mistake(
        "driver-and-libraries-that-do-not-fit",
        "the image's compatibility libraries before a driver that needs none",
        "gpustack/gpustack#4678",
        Diagnosed(
            crash(
                "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 803: system has unsupported display"
                " driver / cuda driver combination"
            ),
            "vllm",
            "env.LD_LIBRARY_PATH: /usr/local/nvidia/lib64",
        ),
    ),
    mistake(
        "format-that-the-gpu-cannot-compute",
        "an FP8 model on GPUs of the generation before",
        "vllm-project/vllm#18182",
        Diagnosed(
            crash('ValueError("type fp8e4nv not supported in this architecture. The supported fp8 dtypes are")'),
            "vllm",
            "FP8 begins with compute capability 8.9",
        ),
    ),
    mistake(
        "processor-without-avx512",
        "the CPU image on a processor that lacks its instructions",
        "volcano-sh/kthena#612",
        Diagnosed(
            crash("subprocess.CalledProcessError: Command '['python3', '-m', 'x']' died with <Signals.SIGILL: 4>."),
            "vllm",
            "AVX-512",
        ),
    ),
    mistake(
        "no-shared-memory-for-nccl",
        "the container runtime's 64 MiB of /dev/shm for GPUs that talk through it",
        "MiniMax-AI/MiniMax-01#42",
        Mended(
            "a gibibyte, and one more for each worker",
            lambda v: v.volumes["shm"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "9Gi"},
            "gpu: {count: 8}",
        ),
        Diagnosed(
            crash("NCCL WARN Error while creating shared memory segment /dev/shm/nccl-AbCdEf (size 7340384)"),
            "vllm",
            "raise shm.sizeLimit",
        ),
    ),
    mistake(
        "limits-for-small-pods",
        "a namespace whose default limits were made for small pods",
        "curie-eng/curie#2329",
        Preflighted(
            "{}",
            cluster(ranges=[limit_range({"memory": "1Gi"})]),
            "LimitRange/",
            "write resources.limits.memory",
        ),
    ),
    mistake(
        "quota-that-wants-to-see-memory",
        "a quota of memory, and pods that do not say how much they need",
        "kserve/kserve#1242",
        Preflighted(
            "{}", cluster(quotas=[quota({"limits.memory": "64Gi"})]), "ResourceQuota/", "write resources.limits.memory"
        ),
        Diagnosed(
            refused_pod('pods "llm-vllm-5c8-" is forbidden: failed quota: kf-resource-quota: must specify memory'),
            "Deployment/",
            "write in resources what the ResourceQuota wants to see",
        ),
    ),
    mistake(
        "volume-that-ignores-fsgroup",
        "a shared volume of the root user's, whose driver gives it to nobody else",
        "defilantech/LLMKube#855",
        Diagnosed(
            init_crash("mkdir: can't create directory '/models/1f3c': Permission denied"),
            "download",
            "a volume whose driver ignores fsGroup has to belong to runAsUser",
        ),
    ),
    mistake(
        "image-larger-than-the-disk",
        "an image of ten gigabytes and more for nodes with small disks",
        "vllm-project/vllm#17163",
        Diagnosed(
            snapshot(
                pod(
                    status=waiting(
                        "ErrImagePull", "failed to extract layer sha256:5dac: write /usr/lib/x: no space left on device"
                    )
                )
            ),
            "vllm",
            "free the node's disk",
        ),
    ),
    mistake(
        "condition-taken-for-a-taint",
        "a node that ran out of disk, and takes no pods for it",
        "llmos-ai/llmos#21",
        Diagnosed(
            snapshot(
                pod(
                    status=unschedulable(
                        "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }."
                    )
                )
            ),
            "Pod/",
            "free the node's disk",
        ),
    ),
    mistake(
        "pulls-without-an-account",
        "images pulled from Docker Hub without an account, by everybody at once",
        "canonical/bundle-kubeflow#1274",
        Diagnosed(
            snapshot(
                pod(
                    status=waiting(
                        "ErrImagePull",
                        "unexpected status from HEAD request to https://registry-1.docker.io/v2/vllm: 429 Too Many "
                        "Requests",
                    )
                )
            ),
            "vllm",
            "imagePullSecrets",
        ),
    ),
    mistake(
        "engine-that-is-not-in-the-image",
        "an image without a vllm command",
        "vllm-project/production-stack#454",
        Diagnosed(
            snapshot(
                pod(status=crashed(128, "StartError", message='exec: "vllm": executable file not found in $PATH'))
            ),
            "vllm",
            "write the image that has it",
        ),
    ),
    mistake(
        "no-gpu-asked-for",
        "a pod that asks for no GPU, with an image that can't do without",
        "vllm-project/vllm#27318",
        Checked("gpu: {count: 0}", "gpu.count", "engine.device: cpu"),
    ),
    mistake(
        "amd-gpu-of-another-group",
        "an AMD GPU that the container's user may not open",
        "kyuz0/amd-strix-halo-vllm-toolboxes#6",
        Diagnosed(
            crash("Unable to open /dev/kfd read-write: Permission denied\nRuntimeError: No HIP GPUs are available"),
            "vllm",
            "podSecurityContext.supplementalGroups",
        ),
    ),
    mistake(
        "timeout-of-a-gateway",
        "a gateway that gives up before the answer is whole",
        "defilantech/LLMKube#734",
        Answered(
            504, "<html><title>504 Gateway Time-out</title></html>", "/v1/completions", "timeouts of the proxy in front"
        ),
        Mended(
            "a route of the chart has no limit for a whole answer",
            lambda v: v.manifests.one("HTTPRoute")["spec"]["rules"][0]["timeouts"] == {"request": "0s"},
            "httpRoute: {enabled: true, parentRefs: [{name: inference}]}",
        ),
    ),
]
