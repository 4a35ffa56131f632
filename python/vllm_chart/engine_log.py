"""What a log of vLLM says about a start that failed.

The texts are those of vLLM 0.32, huggingface_hub 2.4 and transformers 5.23, at the places named beside them.
"""

import re
from typing import NamedTuple


class KnownError(NamedTuple):
    """An error that has a remedy in the chart's values."""

    check: str
    """Name of the check of its finding."""
    pattern: str
    """Found in a line of the log; what it matches is shown."""
    remedy: str
    """`{1}` in it is the pattern's first group."""


class Explanation(NamedTuple):
    """An error found in a log."""

    check: str
    line: str
    remedy: str


# The first one that is found anywhere in the log wins. So a cause stands before the complaint that it ends in:
# vLLM says "Invalid repository ID" of a mistyped id and of a Hub that it could not reach.
_KNOWN_ERRORS = [
    # vllm/distributed/device_communicators/shm_broadcast.py
    KnownError(
        "shared-memory",
        r"Insufficient space in /dev/shm.*",
        "raise shm.sizeLimit, or leave it empty: the chart then computes it",
    ),
    # argparse, in vllm/utils/argparse_utils.py
    KnownError(
        "engine-arguments",
        r"error: unrecognized arguments: -*([^\s=]+).*",
        "correct {1} in engine.args or engine.extraArgs: this vLLM has no such flag",
    ),
    KnownError(
        "engine-arguments",
        r"error: argument (?:-\w/)?-*([^\s:/]+).*",
        "correct {1} in engine.args or engine.extraArgs",
    ),
    # huggingface_hub/utils/_http.py, _snapshot_download.py, file_download.py; transformers/utils/hub.py
    KnownError(
        "model",
        r".*(?:You are trying to access a gated repo|Cannot access gated repo|Access to model .* is restricted).*",
        "accept the model's licence with the token's account, and name its Secret in hub.tokenSecretRef; an init "
        "container that downloads needs HF_TOKEN in its own env",
    ),
    KnownError(
        "hub-token",
        r".*(?:Invalid username or password|Invalid credentials in Authorization header"
        r"|User Access Token .*expired).*",
        "renew the token in the Secret that hub.tokenSecretRef names",
    ),
    # h11 and httpx, which refuse to send such a header
    KnownError(
        "hub-token",
        r".*Illegal header value b?['\"]Bearer .*",
        "take the newline off the value in the Secret that hub.tokenSecretRef names: `kubectl create secret generic` "
        "with --from-literal adds none",
    ),
    KnownError(
        "hub",
        r".*429 (?:Client Error|Too Many Requests).*",
        "the Hub limits how often it is asked: write hub.offline: true once persistence holds the model, or name a "
        "token in hub.tokenSecretRef",
    ),
    # run-ai/runai-model-streamer, which vllm/model_executor/model_loader/runai_streamer_loader.py calls
    KnownError(
        "model",
        r".*Could not send runai_request.*",
        "the bucket of model.id refuses this identity: for a role of AWS write only serviceAccount.annotations; "
        "AWS_ENDPOINT_URL, AWS_EC2_METADATA_DISABLED and RUNAI_STREAMER_NO_BOTO3_SESSION in env are for other stores",
    ),
    KnownError(
        "model",
        r".*(?:Revision Not Found for url|is not a valid git identifier).*",
        "correct model.revision: the repository has no such revision",
    ),
    KnownError(
        "model",
        r".*(?:is not a local folder and is not a valid model identifier|Repository Not Found for url).*",
        "correct model.id; for a private model, name the Secret of a token in hub.tokenSecretRef",
    ),
    KnownError(
        "model",
        r".*(?:offline mode is enabled|outgoing traffic has been disabled|OfflineModeIsEnabled).*",
        "correct model.id: the Hub is off (hub.offline) and the model is not in the cache. Write the path of a "
        "directory, mount the volume that has it (persistence.existingClaim), or write hub.offline: false",
    ),
    KnownError(
        "hub",
        r".*(?:Name or service not known|Temporary failure in name resolution|Network is unreachable"
        r"|CERTIFICATE_VERIFY_FAILED|We couldn't connect to '|Please check your (?:internet )?connection).*",
        "the pod can't reach the Hub for model.id: write proxy.httpsProxy, a mirror in hub.endpoint, its "
        "authority in caBundle.configMapName; or mount the weights and write hub.offline: true",
    ),
    # vllm/transformers_utils/config.py, vllm/model_executor/, transformers/models/auto/
    KnownError(
        "model",
        r".*(?:requires you to execute |consider setting `trust_remote_code=True`).*",
        "if you trust the code in the model's repository: model.trustRemoteCode: true, and pin model.revision",
    ),
    KnownError(
        "model",
        r".*Invalid repository ID or local directory specified: .*",
        "correct model.id: a Hub id, or the path of a directory with a config.json in a mounted volume",
    ),
    KnownError(
        "model",
        r".*Cannot find any model weights with .*",
        "correct model.id, or what its volume holds: the directory has no *.safetensors",
    ),
    KnownError(
        "model",
        r".*(?:Model architectures? .* (?:are|is) not supported|does not recognize this architecture).*",
        "write an image.tag of a vLLM that knows the model, or another model.id",
    ),
    # vllm/config/model.py, vllm/config/parallel.py, vllm/platforms/cuda.py
    KnownError(
        "engine-arguments",
        r"User-specified max_model_len .*",
        "lower engine.args.max-model-len to what the model's config.json allows",
    ),
    # vllm/lora/peft_helper.py
    KnownError(
        "engine-arguments",
        r"LoRA rank \d+ is greater than max_lora_rank.*",
        "write engine.args.max-lora-rank: the largest `r` in the adapters' adapter_config.json",
    ),
    KnownError(
        "engine-arguments",
        r"Total number of attention heads .* must be divisible by tensor parallel size .*",
        "write a gpu.count (or parallelism.tensorParallelSize) that divides the number of heads",
    ),
    KnownError(
        "gpu",
        r"World size .* is larger than the number of available GPUs.*",
        "raise gpu.count, or lower parallelism: the pod sees fewer GPUs than the model is split over",
    ),
    KnownError(
        "gpu",
        r"Bfloat16 is only supported on GPUs.*",
        "write engine.args.dtype: half, or choose newer GPUs with nodeSelector",
    ),
    # vllm/v1/core/kv_cache_utils.py, vllm/v1/worker/utils.py, torch
    KnownError(
        "gpu-memory",
        r"To serve at least one request with the model's max seq len .*",
        "lower engine.args.max-model-len to the estimate, or raise engine.args.gpu-memory-utilization",
    ),
    KnownError(
        "gpu-memory",
        r"No available memory for the cache blocks.*",
        "the weights leave no room for the KV cache: raise gpu.count or engine.args.gpu-memory-utilization, "
        "choose bigger GPUs with nodeSelector, or a quantized model.id",
    ),
    KnownError(
        "gpu-memory",
        r"Free memory on device .* is less than desired GPU memory utilization.*",
        "free the GPU of what else uses it, or lower engine.args.gpu-memory-utilization",
    ),
    KnownError(
        "gpu-memory",
        r".*(?:CUDA out of memory|OutOfMemoryError).*",
        "lower engine.args.max-num-seqs or engine.args.max-num-batched-tokens, or raise gpu.count",
    ),
    # torch, vllm/config/device.py
    KnownError(
        "gpu",
        r".*no kernel image is available.*",
        "choose other GPUs with nodeSelector, or write an image.tag that is built for these",
    ),
    KnownError(
        "gpu",
        r".*(?:Found no NVIDIA driver|driver version is insufficient|NVIDIA driver on your system is too old).*",
        "upgrade the node's driver or write an older image.tag; if the container sees no driver at all, "
        "write runtimeClassName: nvidia",
    ),
    KnownError(
        "gpu",
        r"Failed to infer device type.*",
        "the container sees no GPU: write gpu.count, or runtimeClassName: nvidia; without GPUs, engine.device: cpu",
    ),
    # the operating system, by way of the container runtime
    KnownError(
        "image",
        r".*[Ee]xec format error.*",
        "the image is built for another processor than the node's: write the image.tag of its architecture, or "
        "choose nodes with nodeSelector kubernetes.io/arch",
    ),
    # the operating system; vllm/v1/engine/utils.py shows the exit codes of processes that were killed
    KnownError(
        "memory",
        r"Failed core proc\(s\): .*: -9.*",
        "raise resources.limits.memory: the kernel killed a process of the engine",
    ),
    KnownError(
        "disk",
        r".*No space left on device.*",
        "raise persistence.size, or the limit of ephemeral-storage in resources",
    ),
    KnownError(
        "file-permissions",
        r".*(?:Read-only file system|Permission denied): .*",
        "mount something writable there (volumes, volumeMounts), or correct podSecurityContext",
    ),
]

# `(EngineCore pid=41) ERROR 10-06 15:57:53 [core.py:1087] `, in front of every line of a child's log.
_PREFIX = re.compile(
    r"^(?:\([^)]*pid=\d+\) ?)?"
    r"(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\] ?)?"
)
_EXCEPTION = re.compile(r"^(?:[a-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)(?:: |$)")
# A Hub token, an API key as most people make them, any bearer token.
_SECRET = re.compile(r"\b(?:hf_|sk-)[A-Za-z0-9_-]{8,}|(?<=Bearer )\S+", re.IGNORECASE)


def explain(log: str) -> Explanation | None:
    """Find an error with a known remedy; None if there is none."""
    lines = _lines(log)
    for error in _KNOWN_ERRORS:
        for line in lines:
            if found := re.search(error.pattern, line):
                remedy = error.remedy.format(found[0], *found.groups())
                return Explanation(error.check, found[0].strip(), remedy)
    return None


def first_exception(log: str) -> str:
    """Return the first exception: in a chain of them it is the cause. Empty if there is none."""
    return next((line for line in _lines(log) if _EXCEPTION.match(line)), "")


def last_line(log: str) -> str:
    """Return the last line with something in it. Empty if there is none."""
    return next(reversed(_lines(log)), "")


def redacted(text: str) -> str:
    """Return the text without what looks like a secret."""
    return _SECRET.sub("<redacted>", text)


def _lines(log: str) -> list[str]:
    return [line for line in (_PREFIX.sub("", raw).rstrip() for raw in log.splitlines()) if line.strip()]
