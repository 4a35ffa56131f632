"""What a log of vLLM says about a start that failed.

The texts are those of vLLM 0.32, huggingface_hub 2.4 and transformers 5.23, at the places named beside them.
"""

import re
from typing import NamedTuple

from vllm_chart.vllm_args import catalogue


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
    # huggingface_hub before 1.0, file_download.py
    KnownError(
        "hub",
        r".*Fast download using 'hf_transfer' is enabled.*",
        "leave HF_HUB_ENABLE_HF_TRANSFER out of env: this image has no hf_transfer; HF_XET_HIGH_PERFORMANCE: 1 is its "
        "successor",
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
        "hub-token",
        r".*401 Client Error: Unauthorized for url.*",
        "name the Secret of a token that may read model.id in hub.tokenSecretRef",
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
        r"|CERTIFICATE_VERIFY_FAILED|We couldn't connect to '|Please check your (?:internet )?connection"
        r"|huggingface.*(?:Max retries exceeded|Read timed out)|Unable to connect to proxy|Tunnel connection failed"
        r"|http(?:x|core)\.(?:ConnectError|ConnectTimeout|ReadTimeout|ProxyError)).*",
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
        r".*(?:Invalid repository ID or local directory specified: |Repo id must be in the form |Repo id must use "
        r"alphanumeric chars).*",
        "correct model.id: a Hub id, or the path of a directory with a config.json in a mounted volume",
    ),
    KnownError(
        "model",
        r".*Cannot find any model weights with .*",
        "correct model.id, or what its volume holds: the directory has no *.safetensors",
    ),
    # vllm/transformers_utils/config.py; mistral_common, by way of vllm/tokenizers/mistral.py
    KnownError(
        "engine-arguments",
        r".*(?:Failed to load mistral '|Make sure that a Mistral tokenizer is present|No tokenizer file found in "
        r"dir).*",
        "leave engine.args.config-format, load-format and tokenizer-mode out: the files of model.id are in Hugging "
        "Face's format, not in Mistral's",
    ),
    # transformers, tokenization_utils_base.py and utils/hub.py; safetensors
    KnownError(
        "model",
        r".*(?:Tokenizer class \S+ does not exist|Couldn't instantiate the backend tokenizer).*",
        "write an image.tag of a vLLM that knows the model's tokenizer, or name another one in engine.args.tokenizer",
    ),
    KnownError(
        "model",
        r".*does not appear to have a file named .*",
        "correct model.id, or what its volume holds: the file is missing there",
    ),
    KnownError(
        "model",
        r".*SafetensorError: .*",
        "download the weights of model.id anew: a file is cut off, or only a Git LFS pointer",
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
    # vllm/config/model.py, vllm/config/vllm.py, vllm/model_executor/model_loader/weight_utils.py
    KnownError(
        "engine-arguments",
        r"Quantization method specified in the model config .* does not match .*",
        "leave engine.args.quantization out: the model's own config.json says how it is quantized",
    ),
    KnownError(
        "engine-arguments",
        r".*Cannot find the config file for .*",
        "leave engine.args.quantization out, or write a model.id that is quantized so; fp8_per_tensor quantizes any "
        "model as it is loaded",
    ),
    KnownError(
        "engine-arguments",
        r"\S+ is not supported for quantization method .*",
        "leave engine.args.dtype out, or write one of the dtypes that it lists (half is float16)",
    ),
    KnownError(
        "gpu",
        r".*(?:[Qq]uantization (?:method|scheme) .*is not supported for the current GPU|not supported in this "
        r"architecture).*",
        "choose newer GPUs with nodeSelector, or a model.id (and engine.args.kv-cache-dtype) of a format that these "
        "can compute: FP8 begins with compute capability 8.9",
    ),
    # vllm/lora/peft_helper.py
    KnownError(
        "engine-arguments",
        r"LoRA rank \d+ is greater than max_lora_rank.*",
        "write engine.args.max-lora-rank: the largest `r` in the adapters' adapter_config.json",
    ),
    # vllm/v1/worker/lora_model_runner_mixin.py, vllm/lora/worker_manager.py, vllm/exceptions.py
    KnownError(
        "engine-arguments",
        r".*LoRA is not enabled.*",
        "write engine.args.enable-lora: true, or leave engine.args.lora-modules out",
    ),
    KnownError(
        "engine-arguments",
        r".*(?:Loading lora .* failed|No adapter found for).*",
        "correct the path in engine.args.lora-modules, and mount the volume that has the adapter (volumes, "
        "volumeMounts)",
    ),
    KnownError(
        "engine-arguments",
        r".*does not support LoRA.*",
        "leave engine.args.enable-lora out, or write another model.id: adapters have no place in this one",
    ),
    # vllm/renderers/chat_utils.py, vllm/tool_parsers/, vllm/reasoning/
    KnownError(
        "engine-arguments",
        r".*(?:The supplied chat template .*|the supplied chat template path) (?:appears path-like|doesn't exist).*",
        "mount the template, from a ConfigMap in volumes and volumeMounts, and write its path in "
        "engine.args.chat-template",
    ),
    KnownError(
        "engine-arguments",
        r".*(?:invalid (tool call|reasoning) parser|(Tool|Reasoning) parser '.*' not found).*",
        "write in engine.args.tool-call-parser or reasoning-parser a name that this vLLM has, or a newer image.tag",
    ),
    KnownError(
        "engine-arguments",
        r"Pipeline parallelism is not supported for this model.*",
        "write parallelism.pipelineParallelSize: 1: the tensor-parallel size then follows gpu.count",
    ),
    KnownError(
        "engine-arguments",
        r"Total number of attention heads .* must be divisible by tensor parallel size .*",
        "write a gpu.count (or parallelism.tensorParallelSize) that divides the number of heads",
    ),
    KnownError(
        "gpu",
        r"(?:World size .* is larger|Tensor parallel size .* cannot be larger) than the number of available GPUs.*",
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
    # NCCL, src/misc/shmutils.cc and src/debug.cc
    KnownError(
        "shared-memory",
        r".*Error while (?:creating|attaching to) shared memory segment .*",
        "raise shm.sizeLimit, or leave it empty: the chart then computes it",
    ),
    KnownError(
        "gpu",
        r".*(?:NCCL error|ncclSystemError|ncclUnhandledCudaError).*",
        "write env.NCCL_DEBUG: INFO, whose lines say the cause: mostly /dev/shm (shm.sizeLimit), the driver, or GPUs "
        "that cannot reach each other (env.NCCL_P2P_DISABLE)",
    ),
    # torch, vllm/config/device.py
    KnownError(
        "gpu",
        r".*(?:no kernel image is available|HIP error: invalid device function).*",
        "choose other GPUs with nodeSelector, or write an image.tag that is built for these",
    ),
    KnownError(
        "gpu",
        r".*(?:Found no NVIDIA driver|driver version is insufficient|NVIDIA driver on your system is too old).*",
        "upgrade the node's driver or write an older image.tag; if the container sees no driver at all, "
        "write runtimeClassName: nvidia",
    ),
    # the CUDA driver's own errors; https://docs.nvidia.com/deploy/cuda-compatibility/
    KnownError(
        "gpu",
        r".*Error 80[34]: .*",
        "upgrade the node's driver, or write an older image.tag. Where the driver is new enough, the image's "
        "compatibility libraries stand before it: env.LD_LIBRARY_PATH: /usr/local/nvidia/lib64:/usr/local/nvidia/lib",
    ),
    KnownError(
        "gpu",
        r".*libcuda\.so\.1: cannot open shared object file.*",
        "the container sees no driver: write gpu.count, or runtimeClassName: nvidia; without GPUs, engine.device: cpu",
    ),
    KnownError(
        "gpu",
        r".*(?:invalid literal for int\(\) with base 10: '(?:GPU|MIG)-|invalid device ordinal).*",
        "leave CUDA_VISIBLE_DEVICES out of env: the device plugin chooses, and gpu.count says how many",
    ),
    KnownError(
        "gpu",
        r"Failed to infer device type.*",
        "the container sees no GPU: write gpu.count, or runtimeClassName: nvidia; without GPUs, engine.device: cpu",
    ),
    # AMD's runtime, ROCR: libhsakmt/src/openclose.c; torch
    KnownError(
        "gpu",
        r".*(?:Unable to open /dev/kfd|No HIP GPUs are available).*",
        "write gpu.resourceName: amd.com/gpu; where the pod doesn't run as root, podSecurityContext.supplementalGroups "
        "with the number of the node's group `render`",
    ),
    # the operating system, by way of the container runtime
    KnownError(
        "image",
        r".*[Ee]xec format error.*",
        "the image is built for another processor than the node's: write the image.tag of its architecture, or "
        "choose nodes with nodeSelector kubernetes.io/arch",
    ),
    KnownError(
        "processor",
        r".*Signals\.SIGILL.*",
        "choose nodes with nodeSelector whose CPU has the instructions that the image is built for: AVX-512, for "
        "vLLM's own CPU image",
    ),
    KnownError(
        "port",
        r".*[Aa]ddress already in use.*",
        "write another containerPort, or leave hostNetwork out: something of the pod or the node listens there",
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
        r".*(?:Read-only file system|Permission denied)(?:: .*|$)",
        "mount something writable there (volumes, volumeMounts), or correct podSecurityContext: a volume whose driver "
        "ignores fsGroup has to belong to runAsUser",
    ),
    # Triton, runtime/build.py
    KnownError(
        "image",
        r".*Failed to find C compiler.*",
        "write an image.repository with a C compiler, or engine.args.enforce-eager: true",
    ),
    # Python, of what an argument asks for and the image does not bring
    KnownError(
        "image",
        r"^(?:ModuleNotFoundError|ImportError): .*",
        "write an image.repository that has it, made from vLLM's own, or leave out the argument that asks for it",
    ),
]

# `(EngineCore pid=41) ERROR 10-06 15:57:53 [core.py:1087] `, in front of every line of a child's log.
_PREFIX = re.compile(
    r"^(?:\([^)]*pid=\d+\) ?)?"
    r"(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\] ?)?"
)
_VALIDATION = re.compile(r"\d+ validation errors? for \w+$")
_EXCEPTION = re.compile(r"^(?:[a-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)(?:: |$)")
# A Hub token, an API key as most people make them, any bearer token.
_SECRET = re.compile(r"\b(?:hf_[A-Za-z0-9]{10,}|sk-[A-Za-z0-9_-]{8,})|(?<=Bearer )\S+", re.IGNORECASE)
#: The preStop hook's word: the startup probe ended a container in a pod that stays.
KILLED_WHILE_LOADING = "preStop: still loading"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


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
    """Return the first exception: in a chain of them it is the cause. Empty if there is none.

    Of one of pydantic's, its first complaint, which stands in a line of its own.
    """
    lines = _lines(log)
    found = next((line for line in lines if _EXCEPTION.match(line)), "")
    if _VALIDATION.search(found):
        return next((line.strip() for line in lines if line.startswith("  Value error, ")), found)
    return found


def named_arguments(text: str) -> list[str]:
    """The arguments of `vllm serve` that a text names, without their dashes: as a flag, or by the name in vLLM's
    configuration (one without an underscore only in backquotes, because it is a word too)."""
    known = catalogue.load(catalogue.versions()[-1])
    by_name = {argument.dest: argument.name for argument in known.arguments if argument.action != "help"}
    found = []
    for flag, quoted, word in re.findall(r"(--[a-z][\w-]*)|`(\w+)[`=]|\b([a-z]+(?:_[a-z0-9]+)+)\b", text):
        argument = known.by_flag.get(flag.replace("_", "-"))
        if name := argument.name if argument else by_name.get(quoted or word):
            found.append(name)
    return [*dict.fromkeys(found)]


def last_line(log: str) -> str:
    """Return the last line with something in it. Empty if there is none."""
    return next(reversed(_lines(log)), "")


def redacted(text: str) -> str:
    """Return the text without what looks like a secret."""
    return _SECRET.sub("<redacted>", text)


def _lines(log: str) -> list[str]:
    plain = _COLOUR.sub("", log).splitlines()
    return [line for line in (_PREFIX.sub("", raw).rstrip() for raw in plain) if line.strip()]
