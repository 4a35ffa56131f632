"""The mistakes: what was done, where it can be read, and the checks that catch it, the earliest one first."""

import dataclasses
import re
from typing import Any

from kubernetes.client import V1LimitRange, V1Namespace, V1ResourceQuota

from tests.cluster_objects import (
    GPU_TAINT,
    container_status,
    crashed,
    event,
    node,
    pod,
    snapshot,
    unschedulable,
    waiting,
)
from tests.render.mistakes.catches import (
    Answered,
    Catch,
    Checked,
    Diagnosed,
    Documented,
    Elsewhere,
    Explained,
    Mended,
    Planned,
    Preflighted,
    Refused,
)
from vllm_chart.live import preflight
from vllm_chart.live.diagnose import Snapshot


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A mistake that somebody made."""

    id: str
    did: str
    source: str
    catches: tuple[Catch, ...]


def mistake(name: str, did: str, source: str, *catches: Catch) -> Mistake:
    """A row; the source is a URL, or a thread as GitHub abbreviates it (owner/name#1)."""
    url = re.sub(r"^([^/:]+/[^#]+)#(\d+)$", r"https://github.com/\1/issues/\2", source)
    return Mistake(name, did, url, catches)


def crash(log: str) -> Snapshot:
    """A release whose engine ended with this log."""
    return snapshot(pod(status=crashed()), logs={("llm-vllm-5c8-x2x", "vllm"): log})


def refused_pod(message: str) -> Snapshot:
    """A release whose pods the API server refuses."""
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    return snapshot(conditions=[condition])


def init_crash(log: str) -> Snapshot:
    """A release whose init container ended with this log."""
    [status] = crashed()["containerStatuses"]
    spec = {"initContainers": [{"name": "download", "image": "downloader:1"}]}
    downloading = pod(spec=spec, status={"initContainerStatuses": [status | {"name": "download"}]})
    return snapshot(downloading, logs={("llm-vllm-5c8-x2x", "download"): log})


def cluster(**there: Any) -> preflight.Snapshot:
    """A cluster with one GPU node."""
    return preflight.Snapshot(V1Namespace(), **{"nodes": [node("gpu-1", gpu="1")], **there})


def limit_range(default: dict[str, str]) -> V1LimitRange:
    """A namespace's LimitRange for containers."""
    limits = [{"type": "Container", "default": default}]
    return V1LimitRange.model_validate({"metadata": {"name": "small"}, "spec": {"limits": limits}})


def quota(hard: dict[str, str]) -> V1ResourceQuota:
    """A namespace's ResourceQuota of which nothing is used."""
    return V1ResourceQuota.model_validate(
        {"metadata": {"name": "team"}, "spec": {"hard": hard}, "status": {"used": {}}}
    )


LATER = "later: "
ROUTER = Elsewhere(f"{LATER}a router in front of several models")
NETWORK = Elsewhere(f"{LATER}network policies and ingress")
METRICS = Elsewhere(f"{LATER}monitors and dashboards")
SCALING = Elsewhere(f"{LATER}autoscaling")
NODES = Elsewhere(f"{LATER}a model over several nodes")

FLAGS = [
    mistake(
        "shell-line-as-args-to-fixed-entrypoint",
        "a shell and its script as the engine's arguments, where the image's entrypoint is the engine",
        "opea-project/GenAIComps#336",
        Refused(
            "engine: {extraArgs: [/bin/bash, -c, 'export VLLM_CPU_KVCACHE_SPACE=40 && python3 -m vllm']}",
            "engine.extraArgs",
            "write another program in command",
        ),
    ),
    mistake(
        "suffix-not-supported-by-that-flag",
        "a number with a suffix for a flag that takes none in that version",
        "vllm-project/vllm#18968",
        Refused("engine: {args: {max-num-seqs: 1k}}", "engine.args.max-num-seqs", "write a whole number"),
        Mended(
            "this version reads max-num-batched-tokens: 10k, and so does the chart",
            lambda v: "--max-num-batched-tokens=10k" in v.args,
            "engine: {args: {max-num-batched-tokens: 10k}}",
        ),
    ),
    mistake(
        "max-model-len-over-derived",
        "a longer max-model-len than the model was made for",
        "vllm-project/vllm#7080",
        Checked(
            "{model: {id: meta-llama/Llama-2-7b-hf}, engine: {args: {max-model-len: 8192}}}",
            "engine.args.max-model-len",
            "write 4096 or less",
        ),
        Diagnosed(
            crash("ValueError: User-specified max_model_len (8192) is greater than the derived max_model_len (4096)"),
            "vllm",
            "lower engine.args.max-model-len",
        ),
    ),
    mistake(
        "extra-args-string-loses-api-key",
        "--api-key and its value as one word, so that no key is asked for",
        "MiaAI-Lab/Qwen3.8-Flash-Next-Single-DGX-Spark#11",
        Refused("engine: {extraArgs: [--api-key abc]}", "engine.extraArgs", "auth.apiKeySecretRef"),
        Refused("engine: {extraArgs: --api-key abc}", "engine.extraArgs", "got string, want array"),
    ),
    mistake(
        "whole-command-in-one-arg",
        "a whole command line as one argument, which Kubernetes does not split",
        "ai-dynamo/dynamo#2055",
        Refused(
            "engine: {extraArgs: [python3 -m vllm.entrypoints.openai.api_server --port 8000]}",
            "engine.extraArgs",
            "begin with one (--flag)",
        ),
    ),
    mistake(
        "non-openai-entrypoint",
        "the old demo server as the command, which has no /v1",
        "vllm-project/vllm#3663",
        Refused("command: [python, -m, vllm.entrypoints.api_server]", "command", "leave command empty"),
    ),
    mistake(
        "batched-tokens-below-model-len-without-chunked-prefill",
        "chunked prefill off, and fewer tokens in a batch than a request may have",
        "verl-project/verl#7626",
        Checked(
            "{model: {id: Qwen/Qwen3-8B},"
            " engine: {args: {enable-chunked-prefill: false, max-num-batched-tokens: 8192, max-model-len: 32768}}}",
            "engine.args.max-num-batched-tokens",
            "leave chunked prefill on",
        ),
    ),
    mistake(
        "flag-and-value-in-one-list-item",
        "a flag and its value in one list item",
        "vllm-project/vllm#22072",
        Refused("engine: {extraArgs: [--dtype auto]}", "engine.extraArgs", "write it with =, or as two items"),
    ),
    mistake(
        "invented-flag-enable-metrics",
        "a flag that vLLM does not have",
        "defilantech/LLMKube#1030",
        Refused("engine: {args: {enable-metrics: true}}", "engine.args.enable-metrics", "/metrics is always there"),
        Refused("engine: {extraArgs: [--enable-metrics]}", "engine.extraArgs", "/metrics is always there"),
    ),
    mistake(
        "lora-rank-over-default",
        "an adapter of a higher rank than max-lora-rank",
        "gpustack/gpustack#5438",
        Diagnosed(
            crash("ValueError: LoRA rank 64 is greater than max_lora_rank 16."), "vllm", "engine.args.max-lora-rank"
        ),
    ),
    mistake(
        "allow-long-max-model-len-env",
        "the variable that lets a request exceed the model's limit, and then crashes on it",
        "vllm-project/vllm#17924",
        Checked(
            'env: {VLLM_ALLOW_LONG_MAX_MODEL_LEN: "1"}',
            "env.VLLM_ALLOW_LONG_MAX_MODEL_LEN",
            "lower engine.args.max-model-len",
        ),
    ),
    mistake(
        "trust-remote-code-missing",
        "a model that brings its own code, without leave to run it",
        "ai-dynamo/dynamo#10106",
        Diagnosed(
            crash(
                "1 validation error for ModelConfig\n  The repository nvidia/X contains custom code which must be"
                " executed to correctly load the model. Please pass the argument `trust_remote_code=True`;"
                " consider setting `trust_remote_code=True`"
            ),
            "vllm",
            "model.trustRemoteCode: true",
        ),
    ),
]

GPUS = [
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

MEMORY = [
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
]

SHM = [
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

LIFE = [
    mistake(
        "liveness-failure-threshold-1",
        "a liveness probe that restarts the engine at the first late answer",
        "ai-dynamo/dynamo#2124",
        Checked("livenessProbe: {periodSeconds: 5, failureThreshold: 1}", "livenessProbe", "write 3 or more"),
        Mended("left to the chart, it is patient", lambda v: v.engine["livenessProbe"]["failureThreshold"] == 6),
    ),
    mistake(
        "liveness-kills-loading-model",
        "a liveness probe without a startup probe, which kills a model that still loads",
        "vllm-project/aibrix#772",
        Mended("a startup probe of startup.budgetSeconds comes first", lambda v: "startupProbe" in v.engine),
        Refused("startupProbe: null", "startupProbe", "leave startupProbe out"),
    ),
    mistake(
        "probe-on-wrong-port",
        "the engine moved to another port, and the probes left behind",
        "llm-d/llm-d-benchmark#1603",
        Refused("engine: {args: {port: 8200}}", "engine.args.port", "write containerPort"),
        Mended(
            "containerPort is the one place, and probes ask it by name",
            lambda v: "--port=8200" in v.args and v.engine["startupProbe"]["httpGet"]["port"] == "http",
            "containerPort: 8200",
        ),
    ),
    mistake(
        "probe-path-404",
        "a probe of a path that the image does not serve",
        "llm-d/llm-d-inference-sim#45",
        Diagnosed(
            snapshot(
                pod(status={"containerStatuses": [container_status(state={"running": {}})]}),
                events=[event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404")],
            ),
            "livenessProbe",
            "the path that this image answers",
        ),
    ),
    mistake(
        "startup-budget-too-small",
        "a startup probe that gives up before the model is loaded",
        "vllm-project/vllm#17386",
        Mended(
            "half an hour, unless startup.budgetSeconds says more",
            lambda v: v.engine["startupProbe"]["failureThreshold"] * v.engine["startupProbe"]["periodSeconds"] == 1800,
        ),
        Diagnosed(
            snapshot(
                pod(status=crashed()),
                events=[event("Killing", "Container vllm failed startup probe, will be restarted")],
                logs={("llm-vllm-5c8-x2x", "vllm"): "INFO 11-23 15:57:13 [core.py:99] Loading weights"},
            ),
            "vllm",
            "raise startup.budgetSeconds",
        ),
    ),
    mistake(
        "grace-equals-sum-no-margin",
        "a grace period that preStop and drain use up to the last second",
        "kserve/kserve#5496",
        Mended(
            "the grace period is both and a margin",
            lambda v: v.pod["terminationGracePeriodSeconds"] > 15 + 45,
            "shutdown: {propagationSeconds: 15, drainSeconds: 45}",
        ),
    ),
    mistake(
        "no-prestop-default-grace",
        "no preStop and half a minute of grace, so that a rollout breaks answers off",
        "volcano-sh/kthena#1589",
        Mended(
            "a preStop hook, a drain, and a grace period that holds them",
            lambda v: (
                "--propagation=10" in v.engine["lifecycle"]["preStop"]["exec"]["command"]
                and "--shutdown-timeout=120" in v.args
                and v.pod["terminationGracePeriodSeconds"] > 130
            ),
        ),
    ),
    mistake(
        "rolling-update-without-spare-gpu",
        "a rollout that starts the new pod first, without a GPU for it",
        "ai-runway/airunway#400",
        Mended(
            "a pod goes before its successor comes",
            lambda v: v.deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1},
        ),
    ),
    mistake(
        "version-label-in-selector",
        "a version among the selector's labels, which no upgrade may change",
        "jetstack/version-checker#140",
        Mended(
            "selectors are name and instance",
            lambda v: (
                v.deployment["spec"]["selector"]["matchLabels"].keys()
                == {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
            ),
            "{commonLabels: {version: v1}, podLabels: {chart: x-1}}",
        ),
    ),
    mistake(
        "surge-100-percent",
        "a rollout that needs all GPUs twice",
        "vllm-project/production-stack#103",
        Preflighted(
            'strategy: {rollingUpdate: {maxSurge: "100%", maxUnavailable: 0}}',
            cluster(installed=True),
            "Deployment/",
            "maxSurge: 0",
        ),
        Mended(
            "the default needs no spare GPU",
            lambda v: v.deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0,
            "replicaCount: 4",
        ),
    ),
    mistake(
        "rwo-volume-with-rolling-update",
        "a ReadWriteOnce volume and a rollout that starts the new pod first",
        "vllm-project/production-stack#107",
        Refused(
            "{persistence: {enabled: true, accessModes: [ReadWriteOnce]}, strategy: {rollingUpdate: {maxSurge: 1}}}",
            "strategy.rollingUpdate.maxSurge",
            "write maxSurge: 0",
        ),
    ),
]

ROUTING = [
    mistake(
        "scaled-to-zero-model-gives-404",
        "a router that answers 404 for a model that is scaled to nothing",
        "vllm-project/production-stack#889",
        ROUTER,
    ),
    mistake(
        "health-check-blocked-by-api-key",
        "a health check of a path that asks for the API key",
        "vllm-project/production-stack#631",
        Mended(
            "probes ask /health, which needs no key",
            lambda v: v.engine["readinessProbe"]["httpGet"]["path"] == "/health",
            "auth: {apiKeySecretRef: {name: key}}",
        ),
    ),
    mistake(
        "router-sends-to-terminating-pods",
        "requests sent to a pod that is going",
        "vllm-project/production-stack#601",
        Mended(
            "a pod that goes still takes requests for shutdown.propagationSeconds",
            lambda v: "--propagation=30" in v.engine["lifecycle"]["preStop"]["exec"]["command"],
            "shutdown: {propagationSeconds: 30}",
        ),
    ),
    mistake(
        "client-uses-served-name-router-knows-another",
        "a request for another name than the model is served under",
        "volcano-sh/kthena#1585",
        Answered(
            404,
            '{"error": {"message": "The model `demo` does not exist.", "type": "NotFoundError", "code": 404}}',
            "/v1/completions",
            "The model `demo` does not exist",
        ),
    ),
    mistake(
        "router-without-engine-key",
        "a client that asks without the engine's API key",
        "vllm-project/production-stack#150",
        Answered(401, '{"error": "Unauthorized"}', "/v1/models", "auth.apiKeySecretRef"),
    ),
]

STORAGE = [
    mistake(
        "lmcache-disk-limit-is-per-worker",
        "a limit of LMCache's that counts for each worker, taken as one for the pod",
        "LMCache/LMCache#1399",
        Checked(
            '{gpu: {count: 8}, env: {LMCACHE_MAX_LOCAL_DISK_SIZE: "640"},'
            " resources: {limits: {ephemeral-storage: 1000Gi}}}",
            "LMCACHE_MAX_LOCAL_DISK_SIZE",
            "640 GiB for each of 8 workers exceeds",
        ),
    ),
    mistake(
        "no-model-volume",
        "weights in the container's own file system, downloaded again at each restart",
        "linagora/openrag#977",
        Mended(
            "the cache is a volume, which outlives the container",
            lambda v: (
                "cache" in v.volumes
                and v.env["HF_HOME"].startswith("/cache/")
                and any(m == {"name": "cache", "mountPath": "/cache"} for m in v.engine["volumeMounts"])
            ),
        ),
    ),
    mistake(
        "pvc-never-bound",
        "a claim that no volume and no StorageClass answers",
        "vllm-project/production-stack#37",
        Preflighted(
            "persistence: {enabled: true}", cluster(), "PersistentVolumeClaim/", "no StorageClass is the default"
        ),
        Diagnosed(
            snapshot(
                pod(
                    status=unschedulable(
                        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1"
                    )
                )
            ),
            "Pod/",
            "persistence.storageClassName",
        ),
    ),
    mistake(
        "s3-env-for-the-wrong-kind-of-s3",
        "settings for a store like S3 beside a role of AWS",
        "run-ai/runai-model-streamer#46",
        Diagnosed(
            crash(
                "Exception: Could not send runai_request_with_credentials to libstreamer due to: b'File access error'"
            ),
            "vllm",
            "for a role of AWS write only serviceAccount.annotations",
        ),
    ),
    mistake(
        "no-ephemeral-storage-request",
        "a download onto the node's disk, which it never asked for",
        "GoogleCloudPlatform/kubernetes-engine-samples#1581",
        Diagnosed(
            snapshot(
                pod(
                    status={
                        "reason": "Evicted",
                        "message": "The node was low on resource: ephemeral-storage. Container llm was using 579Mi",
                    }
                )
            ),
            "Pod/",
            "persistence.enabled: true",
        ),
    ),
    mistake(
        "readonly-mount-with-hf-cache-layout",
        "the Hub's cache on a volume that cannot be written",
        "llm-d-incubation/llm-d-modelservice#243",
        Diagnosed(
            crash("OSError: [Errno 30] Read-only file system: '/model-cache/models--meta-llama--Llama-3.1-8B'"),
            "vllm",
            "mount something writable",
        ),
    ),
    mistake(
        "mmap-loading-over-network-storage",
        "weights read piecemeal over the network, which takes an hour",
        "vllm-project/vllm#24469",
        Diagnosed(
            snapshot(
                pod(status=crashed()),
                events=[event("Killing", "Container vllm failed startup probe, will be restarted")],
                logs={("llm-vllm-5c8-x2x", "vllm"): "Loading safetensors checkpoint shards:   3% Completed | 5/163"},
            ),
            "vllm",
            "safetensors-load-strategy: prefetch",
        ),
    ),
]

SECRETS = [
    mistake(
        "token-as-literal-env",
        "the Hub's token in the values",
        "vllm-project/production-stack#14",
        Refused("env: {HF_TOKEN: hf_abcdefghij}", "env.HF_TOKEN", "write hub.tokenSecretRef"),
    ),
    mistake(
        "token-with-trailing-newline",
        "a newline at the end of the token in its Secret",
        "depictio/depictio#104",
        Diagnosed(
            crash("httpcore.LocalProtocolError: Illegal header value b'Bearer hf_abcdefghijklmnop\\n'"),
            "vllm",
            "take the newline off",
        ),
    ),
    mistake(
        "hub-token-given-as-api-key",
        "the Hub's token given as the server's own key",
        "kserve/kserve#3832",
        Refused("engine: {extraArgs: [--api-key=hf_abc]}", "engine.extraArgs", "auth.apiKeySecretRef"),
    ),
    mistake(
        "plain-text-under-secret-data",
        "plain text where a Secret holds base64",
        "https://docs.vllm.ai/en/v0.6.3/serving/deploying_with_k8s.html",
        Checked(
            "extraObjects: [{apiVersion: v1, kind: Secret, metadata: {name: hf}, data: {token: REPLACE_WITH_TOKEN}}]",
            "Secret/hf: data.token",
            "write it in stringData",
        ),
    ),
    mistake(
        "token-not-given-to-init-container",
        "an init container that downloads a gated model without the token",
        "kserve/website#482",
        Checked(
            "hub: {tokenSecretRef: {name: hf}}\n"
            "initContainers: [{name: get, image: a:1, command: [hf, download, org/name]}]",
            "initContainers[0].env",
            "lacks HF_TOKEN",
        ),
        Diagnosed(
            init_crash(
                "Access to model meta-llama/Meta-Llama-3-8B-Instruct is restricted. You must have access to it and be"
                " authenticated to access it. Please log in."
            ),
            "download",
            "an init container that downloads needs HF_TOKEN",
        ),
    ),
]

IMAGES = [
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

SECURITY = [
    mistake(
        "uid-without-passwd-entry",
        "a user ID that the image has no name for",
        "llm-d/llm-d-benchmark#1573",
        Mended(
            "USER, LOGNAME and HOME are set for any user ID",
            lambda v: v.env["USER"] == v.env["LOGNAME"] == "vllm" and bool(v.env["HOME"]),
            "podSecurityContext: {runAsUser: 1002700000}",
        ),
    ),
    mistake(
        "host-ipc-and-pid",
        "the node's IPC and process namespaces, which hardened clusters refuse",
        "vllm-project/production-stack#495",
        Mended("neither is asked for", lambda v: not {"hostIPC", "hostPID"} & v.pod.keys()),
        Refused("hostPID: true", "hostPID", "no such key"),
    ),
    mistake(
        "only-vllm-cache-root-set",
        "one cache moved to where the user may write, and the others left",
        "vllm-project/vllm#20127",
        Mended(
            "HOME and every cache lie in volumes",
            lambda v: all(
                v.env[name].startswith(("/tmp/", "/cache"))
                for name in ("HOME", "XDG_CACHE_HOME", "HF_HOME", "VLLM_CACHE_ROOT", "TRITON_CACHE_DIR")
            ),
        ),
    ),
]

NAMES = [
    mistake(
        "release-agnostic-selector",
        "a selector that matches the pods of every release",
        "HolmesGPT/holmesgpt#2337",
        Mended(
            "the release is in the selector", lambda v: v.service["selector"]["app.kubernetes.io/instance"] == "llm"
        ),
    ),
    mistake(
        "uppercase-in-service-name",
        "capitals in the name of a Service",
        "gpustack/gpustack#3109",
        Refused("fullnameOverride: qwen3-0.6b-k8s-PekUm", "fullnameOverride", "lower-case letters"),
        Mended(
            "the model's name does not become the Service's",
            lambda v: v.manifests.one("Service").name == "llm-vllm",
            "model: {id: Org/Model-With-Capitals}",
        ),
    ),
    mistake(
        "vllm-port-used-as-http-port",
        "VLLM_PORT taken for the HTTP port",
        "vllm-project/vllm#5867",
        Refused('env: {VLLM_PORT: "9000"}', "env.VLLM_PORT", "write containerPort"),
    ),
    mistake(
        "labels-edited-only-on-one-side",
        "labels of the pods changed, and not the Service's selector",
        "vllm-project/vllm#37942",
        Refused(
            "podLabels: {app.kubernetes.io/instance: test}", "podLabels.app.kubernetes.io/instance", "the chart's own"
        ),
        Mended(
            "labels of users never become part of a selector",
            lambda v: "environment" not in v.service["selector"],
            "podLabels: {environment: test}",
        ),
    ),
]

NETWORKS = [
    mistake(
        "dp-rpc-port-equals-http-port",
        "an internal port that is the HTTP port as well",
        "vllm-project/vllm#20119",
        Refused(
            "engine: {args: {data-parallel-rpc-port: 8000}}", "engine.args.data-parallel-rpc-port", "write another one"
        ),
    ),
    mistake(
        "client-points-to-missing-service",
        "a client that asks a Service which is not there",
        "ogx-ai/ogx-demos#49",
        Explained("charts/vllm/templates/NOTES.txt", "In the cluster:"),
    ),
    mistake(
        "airgap-model-id-instead-of-path",
        "a Hub id in a network without the Hub, where the weights lie in a volume",
        "vllm-project/vllm#1986",
        Refused(
            "{model: {id: meta-llama/Llama-2-13b-chat-hf}, hub: {offline: true}}",
            "hub.offline",
            "write the path of a mounted model",
        ),
        Diagnosed(
            crash("OSError: We couldn't connect to 'https://huggingface.co' to load the files"), "vllm", "hub.offline"
        ),
    ),
    mistake(
        "custom-port-not-followed-everywhere",
        "the engine's port changed by a flag, which Service and probes do not follow",
        "volcano-sh/kthena#1434",
        Refused('engine: {extraArgs: [--port, "9000"]}', "engine.extraArgs", "write containerPort"),
        Mended(
            "Service and probes go by the name of containerPort",
            lambda v: (
                v.service["ports"][0]["targetPort"] == v.engine["livenessProbe"]["httpGet"]["port"] == "http"
                and v.engine["ports"][0]["containerPort"] == 9000
            ),
            "containerPort: 9000",
        ),
    ),
    mistake(
        "cached-model-without-offline-mode",
        "a cached model of which every start asks the Hub, until the Hub asks for patience",
        "vllm-project/vllm#24541",
        Diagnosed(
            crash(
                "huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url:"
                " https://huggingface.co/api/models/Qwen/Qwen3-8B"
            ),
            "vllm",
            "hub.offline: true",
        ),
    ),
    mistake(
        "networkpolicy-for-metrics-blocks-inference",
        "one policy for the metrics, which closes the pods to everybody else",
        "opendatahub-io/kserve#1904",
        NETWORK,
    ),
    mistake(
        "podmonitor-only-own-namespace",
        "a monitor that looks for pods in its own namespace only",
        "llm-d/llm-d-async#359",
        METRICS,
    ),
    mistake(
        "monitor-without-release-label",
        "a monitor without the label by which Prometheus chooses",
        "vllm-project/production-stack#606",
        METRICS,
    ),
    mistake(
        "percentages-summed-over-pods",
        "percentages of several pods added up",
        "GoogleCloudPlatform/monitoring-dashboard-samples#1188",
        METRICS,
    ),
    mistake(
        "scaler-query-empty-at-zero",
        "a scaler that waits for a metric of pods that are not there",
        "llm-d/llm-d#1981",
        SCALING,
    ),
    mistake(
        "target-above-what-one-pod-can-show",
        "a scaler's target that one pod's metric can never reach",
        "defilantech/LLMKube#482",
        SCALING,
    ),
]

YAML = [
    mistake(
        "nested-typo-accepted",
        "a key misspelt below the first level, and ignored",
        "fosrl/helm-charts#37",
        Refused("service: {prot: 8000}", "service.prot", "did you mean service.port?"),
    ),
    mistake(
        "key-from-tutorial-not-supported",
        "a key where a tutorial has it and the chart does not read it",
        "vllm-project/production-stack#758",
        Refused("engine: {env: [{name: HTTPS_PROXY, value: x}]}", "engine.env", "write env at the top level"),
    ),
    mistake(
        "digits-e-digits-string",
        "a commit that YAML reads as a number",
        "vidispine/hull#262",
        Refused("model: {revision: 12e7}", "model.revision", "got number, want string"),
    ),
    mistake(
        "decimal-mode-read-as-octal",
        "a file mode written in decimal, so that a Secret's files are everybody's",
        "cilium/cilium#17367",
        Checked(
            "volumes: [{name: tls, secret: {secretName: tls, defaultMode: 420}}]\n"
            "volumeMounts: [{name: tls, mountPath: /tls}]",
            "volumes.tls.secret.defaultMode",
            "420 is 0644 in octal",
        ),
    ),
    mistake(
        "json-flag-overescaped",
        "a JSON flag with a shell's escapes in it",
        "eugr/spark-vllm-docker#111",
        Refused(
            r"""engine: {args: {speculative-config: '\{\"method\":\"qwen3_next_mtp\"\}'}}""",
            "engine.args.speculative-config",
            "nothing takes quotes or backslashes off",
        ),
        Checked(
            r"""engine: {extraArgs: ['--speculative-config=\{\"method\":\"mtp\"\}']}""", "--speculative-config", "JSON"
        ),
    ),
    mistake(
        "block-scalar-trailing-newline",
        "arguments as a block of text, with the newline at its end",
        "llm-d-incubation/llm-d-fast-model-actuation#624",
        Refused(
            "engine:\n  extraArgs: >\n    --max-model-len 8192\n    --gpu-memory-utilization 0.85\n",
            "engine.extraArgs",
            "got string, want array",
        ),
    ),
    mistake(
        "set-on-one-list-element",
        "--set of one element of a list, which empties the others",
        "linagora/openrag#633",
        Refused("{}", "tolerations[1].operator", "is missing", ("tolerations[1].effect=NoSchedule",)),
    ),
    mistake(
        "json-flag-in-literal-quotes",
        "a JSON flag with a shell's quotes around it",
        "MiaAI-Lab/Qwen3.8-Flash-Next-Single-DGX-Spark#5",
        Refused(
            """engine: {args: {hf-overrides: "'{\\"text_config\\":{}}'"}}""",
            "engine.args.hf-overrides",
            "nothing takes quotes or backslashes off",
        ),
    ),
    mistake(
        "lists-replaced-across-values-files",
        "environment in two files, of which the last one's list wins",
        "helm/helm#3486",
        Mended(
            "env is a map: what two files and the chart say of it is merged",
            lambda v: v.env["FOO"] == "bar" and "HF_HOME" in v.env,
            "env: {FOO: bar}",
        ),
        Refused("env: [{name: FOO, value: bar}]", "env", "write a map"),
    ),
    mistake(
        "variable-inside-single-quoted-json",
        "a shell's variable in a JSON flag, which no shell expands",
        "volcano-sh/kthena#937",
        Refused(
            "env: {ENGINE_ID: a}\n"
            """engine: {args: {kv-transfer-config: '{"kv_connector":"MooncakeConnector","engine_id":"$ENGINE_ID"}'}}""",
            "engine.args.kv-transfer-config",
            "write $(ENGINE_ID)",
        ),
    ),
    mistake(
        "set-splits-on-commas-and-braces",
        "JSON in --set, which takes it apart",
        "helm/helm#10051",
        Refused(
            "{}",
            "engine.args.speculative-config",
            "use --set-json",
            ('engine.args.speculative-config={"method":"mtp","num_speculative_tokens":1}',),
        ),
    ),
    mistake(
        "integer-in-scientific-notation",
        "a large number that the template writes as 1.048576e+06",
        "helm/helm#12195",
        Mended(
            "numbers are written in full",
            lambda v: "--max-model-len=1048576" in v.args,
            "engine: {args: {max-model-len: 1048576}}",
        ),
    ),
    mistake(
        "probe-handler-merged-not-replaced",
        "another probe handler beside the chart's own",
        "helm/helm#9027",
        Mended(
            "a handler of the user's replaces the chart's",
            lambda v: "exec" in v.engine["livenessProbe"] and "httpGet" not in v.engine["livenessProbe"],
            'livenessProbe: {exec: {command: ["true"]}}',
        ),
    ),
    mistake(
        "image-tag-as-number",
        "a tag that YAML reads as a number",
        "contiv/vpp#1391",
        Refused("image: {tag: 1.10}", "image.tag", "got number, want string"),
    ),
]

REST = [
    mistake(
        "http-probe-or-no-probe-on-headless-worker",
        "HTTP probes, or none, on workers that have no HTTP server",
        "defilantech/LLMKube#1782",
        NODES,
    ),
    mistake(
        "gloo-on-loopback",
        "no interface named, so that the nodes' processes look for each other on loopback",
        "aws-samples/aws-do-eks#50",
        NODES,
    ),
    mistake(
        "wrong-chart-name",
        "a name in the documentation's install command that is not the chart's",
        "vllm-project/production-stack#37",
        Documented(),
    ),
]

ARGUMENTS = [
    mistake(
        "flag-that-was-removed",
        "a flag of an older vLLM, kept through an upgrade of the image",
        "gpustack/gpustack#3991",
        Refused("engine: {args: {task: embed}}", "engine.args.task", "gone since 0.13: write runner: pooling"),
        Refused("engine: {extraArgs: [--task=embed]}", "engine.extraArgs", "gone since 0.13"),
    ),
    mistake(
        "flag-that-was-renamed",
        "a switch that vLLM turned round",
        "ai-dynamo/dynamo#8693",
        Refused(
            "{image: {tag: v0.32.0}, engine: {args: {disable-log-requests: true}}}",
            "engine.args.disable-log-requests",
            "vLLM 0.32.0 has no such flag",
        ),
    ),
    mistake(
        "sampling-parameter-as-flag",
        "a parameter of requests among the flags",
        "containers/ramalama#758",
        Refused("engine: {args: {temperature: 0.8}}", "engine.args.temperature", "override-generation-config"),
    ),
    mistake(
        "limits-per-prompt-in-the-old-form",
        "image=4,audio=1 for a flag that reads JSON now",
        "vllm-project/vllm#39687",
        Refused(
            "engine: {args: {limit-mm-per-prompt: 'image=4,audio=1'}}",
            "engine.args.limit-mm-per-prompt",
            "write a map",
        ),
    ),
    mistake(
        "flags-in-camel-case",
        "flags as another chart spells them",
        "vllm-project/production-stack#700",
        Refused(
            "engine: {args: {maxModelLen: 2048, gpuMemoryUtilization: 0.8}}",
            "engine.args.gpuMemoryUtilization",
            "write gpu-memory-utilization",
        ),
    ),
    mistake(
        "unknown-key-in-a-json-flag",
        "a key of a JSON flag by the name that it had as a flag of its own",
        "vllm-project/vllm#24888",
        Refused(
            "engine: {args: {speculative-config:"
            " {method: ngram, num_speculative_tokens: 10, ngram_prompt_lookup_max: 10}}}",
            "ngram_prompt_lookup_max",
            "prompt_lookup_max?",
        ),
    ),
    mistake(
        "tool-choice-without-parser",
        "automatic tool choice, and no parser for the model's calls",
        "vllm-project/vllm#14359",
        Refused(
            "engine: {args: {enable-auto-tool-choice: true}}",
            "engine.args.enable-auto-tool-choice",
            "write engine.args.tool-call-parser too",
        ),
    ),
    mistake(
        "parser-that-this-version-has-not",
        "a parser of tool calls by a name that this vLLM does not know",
        "vllm-project/vllm#9312",
        Refused(
            "engine: {args: {enable-auto-tool-choice: true, tool-call-parser: llama3}}",
            "engine.args.tool-call-parser",
            "llama3_json",
        ),
    ),
    mistake(
        "tools-asked-of-an-engine-without",
        "a client that calls tools, of an engine that was not told to",
        "vllm-project/vllm#9986",
        Answered(
            400,
            '{"error": {"message": "\\"auto\\" tool choice requires --enable-auto-tool-choice and --tool-call-parser'
            ' to be set", "type": "BadRequestError", "code": 400}}',
            "/v1/chat/completions",
            "write engine.args.enable-auto-tool-choice: true and engine.args.tool-call-parser",
        ),
    ),
    mistake(
        "model-without-chat-template",
        "a chat with a model that brings no template for one",
        "vllm-project/vllm#17977",
        Answered(
            400,
            '{"error": {"message": "As of transformers v4.44, default chat template is no longer allowed"}}',
            "/v1/chat/completions",
            "write one in engine.args.chat-template",
        ),
    ),
    mistake(
        "template-that-is-not-in-the-pod",
        "the path of a chat template that nothing mounts",
        "vllm-project/vllm#47600",
        Refused(
            "engine: {args: {chat-template: /etc/templates/gemma4.jinja}}",
            "engine.args.chat-template",
            "add its volume",
        ),
        Diagnosed(
            crash(
                "ValueError: The supplied chat template string (examples/x.jinja) appears path-like, but doesn't exist!"
            ),
            "vllm",
            "mount the template",
        ),
    ),
    mistake(
        "adapter-that-is-not-in-the-pod",
        "the path of an adapter that nothing mounts",
        "vllm-project/vllm#30690",
        Refused(
            "engine: {args: {enable-lora: true, lora-modules: [qc=/data/output/checkpoint-57]}}",
            "engine.args.lora-modules",
            "nothing is mounted at /data/output/checkpoint-57",
        ),
        Diagnosed(
            crash("ValueError: Call to add_lora method failed: Loading lora qc failed: No adapter found for /data/out"),
            "vllm",
            "correct the path in engine.args.lora-modules",
        ),
    ),
    mistake(
        "quantization-other-than-the-checkpoints",
        "a quantization beside the one that the checkpoint has",
        "vllm-project/vllm#5842",
        Checked(
            "{model: {id: Qwen/Qwen2.5-32B-Instruct-AWQ}, engine: {args: {quantization: fp8}}}",
            "engine.args.quantization",
            "fp8 is not the awq by which",
        ),
        Diagnosed(
            crash(
                "  Value error, Quantization method specified in the model config (gptq) does not match the"
                " quantization method specified in the `quantization` argument (gptq_marlin)."
            ),
            "vllm",
            "leave engine.args.quantization out",
        ),
    ),
    mistake(
        "quantization-of-a-plain-checkpoint",
        "a quantization that only a checkpoint made for it can have",
        "vllm-project/vllm#1419",
        Checked(
            "{model: {id: Qwen/Qwen3-8B}, engine: {args: {quantization: awq}}}",
            "engine.args.quantization",
            "is not quantized",
        ),
        Diagnosed(crash("ValueError: Cannot find the config file for awq"), "vllm", "engine.args.quantization"),
    ),
    mistake(
        "quantization-whose-package-is-missing",
        "a quantization whose package the image does not bring",
        "vllm-project/production-stack#548",
        Diagnosed(
            crash("ImportError: Please install bitsandbytes>=0.46.1 via `pip install bitsandbytes>=0.46.1`"),
            "vllm",
            "write an image.repository that has it",
        ),
    ),
    mistake(
        "mistral-format-of-other-files",
        "Mistral's own formats for a repository in Hugging Face's",
        "vllm-project/vllm#17132",
        Diagnosed(
            crash("ValueError: Failed to load mistral 'params.json' config for model RedHatAI/Mistral-Small-FP8."),
            "vllm",
            "leave engine.args.config-format, load-format and tokenizer-mode out",
        ),
    ),
    mistake(
        "image-larger-than-a-batch",
        "a picture that has more tokens than a batch",
        "vllm-project/vllm#42687",
        Diagnosed(
            crash(
                "ValueError: Chunked MM input disabled but max_tokens_per_mm_item (2496) is larger than"
                " max_num_batched_tokens (2048). Please increase max_num_batched_tokens."
            ),
            "vllm",
            "correct engine.args.max-num-batched-tokens",
        ),
    ),
    mistake(
        "pipeline-of-a-model-that-has-none",
        "stages for a model that cannot be cut into them",
        "vllm-project/vllm#16231",
        Diagnosed(
            crash("NotImplementedError: Pipeline parallelism is not supported for this model."),
            "vllm",
            "write parallelism.pipelineParallelSize: 1",
        ),
    ),
    mistake(
        "heads-over-six-gpus",
        "as many GPUs as there were, which do not divide the model",
        "vllm-project/vllm#11147",
        Checked(
            "{model: {id: meta-llama/Llama-3.1-70B-Instruct}, gpu: {count: 6}}",
            "parallelism.tensorParallelSize",
            "sizes that work: 1, 2, 4, 8",
        ),
    ),
    mistake(
        "sizes-beyond-the-gpus",
        "stages on top of a tensor-parallel size that takes all GPUs already",
        "vllm-project/production-stack#512",
        Refused(
            "{gpu: {count: 4}, parallelism: {tensorParallelSize: 4, pipelineParallelSize: 2}}",
            "parallelism",
            "gpu.count: 8",
        ),
    ),
]

VARIABLES = [
    mistake(
        "backend-by-its-old-variable",
        "the attention backend by a variable that nothing reads any more",
        "vllm-project/vllm#50292",
        Checked(
            "env: {VLLM_ATTENTION_BACKEND: TRITON_ATTN}",
            "env.VLLM_ATTENTION_BACKEND",
            "write engine.args.attention-backend",
        ),
    ),
    mistake(
        "downloads-by-hf-transfer",
        "fast downloads by a package that is not there",
        "vllm-project/vllm-omni#1264",
        Checked(
            'env: {HF_HUB_ENABLE_HF_TRANSFER: "1"}', "env.HF_HUB_ENABLE_HF_TRANSFER", "write HF_XET_HIGH_PERFORMANCE"
        ),
        Diagnosed(
            crash("ValueError: Fast download using 'hf_transfer' is enabled (HF_HUB_ENABLE_HF_TRANSFER=1) but"),
            "vllm",
            "leave HF_HUB_ENABLE_HF_TRANSFER out of env",
        ),
    ),
    mistake(
        "token-under-another-name",
        "the Hub's token in a variable that another program reads",
        "opea-project/GenAIInfra#100",
        Refused(
            "env: {HUGGINGFACEHUB_API_TOKEN: {valueFrom: {secretKeyRef: {name: hf, key: token}}}}",
            "env.HUGGINGFACEHUB_API_TOKEN",
            "write hub.tokenSecretRef",
        ),
    ),
    mistake(
        "gpu-by-its-index",
        "a GPU of the node by its index, in a pod that has one of its own",
        "vllm-project/production-stack#270",
        Refused(
            'env: {CUDA_VISIBLE_DEVICES: "4"}', "env.CUDA_VISIBLE_DEVICES", "the device plugin chooses the pod's GPU"
        ),
    ),
    mistake(
        "all-gpus-visible",
        "all GPUs of the node, whatever the pod was given",
        "otwld/ollama-helm#98",
        Refused("env: {NVIDIA_VISIBLE_DEVICES: all}", "env.NVIDIA_VISIBLE_DEVICES", "leave it out"),
    ),
]

CLUSTERS = [
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
    ),
]

MISTAKES = [
    *FLAGS,
    *GPUS,
    *MEMORY,
    *SHM,
    *LIFE,
    *ROUTING,
    *STORAGE,
    *SECRETS,
    *IMAGES,
    *SECURITY,
    *NAMES,
    *NETWORKS,
    *YAML,
    *REST,
    *ARGUMENTS,
    *VARIABLES,
    *CLUSTERS,
]
