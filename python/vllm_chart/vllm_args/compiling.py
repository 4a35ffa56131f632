"""Whether an upgrade finds the compiled model of before: what vLLM's compile cache is keyed with, and what changes."""

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding, WrongCallError
from vllm_chart.helm import StrPath, file_name, read_file
from vllm_chart.rendered import workload
from vllm_chart.rendered.manifests import ManifestError, Manifests
from vllm_chart.rendered.workload import ENGINE, Part, Workload
from vllm_chart.vllm_args.container import of_live

COMPILE = "compile-cache"

CHECKS = (
    Check(
        COMPILE,
        "An upgrade finds the compiled model of before, where a volume keeps it (`--upgrade-from`, or preflight).",
        "It is compiled anew, which takes a minute or two longer.",
        "Engine",
    ),
)

NOT_IN_KEY = frozenset((
    "VLLM_API_KEY", "VLLM_ASSETS_CACHE", "VLLM_ASSETS_CACHE_MODEL_CLEAN", "VLLM_AUDIO_FETCH_TIMEOUT",
    "VLLM_CACHE_ROOT", "VLLM_CHAT_TEMPLATE_FUEL", "VLLM_CONFIG_ROOT", "VLLM_CPU_KVCACHE_SPACE",
    "VLLM_CPU_MOE_PREPACK", "VLLM_CUDA_COMPATIBILITY_PATH", "VLLM_DEBUG_DUMP_PATH",
    "VLLM_DEBUG_LOG_API_SERVER_RESPONSE", "VLLM_DO_NOT_TRACK", "VLLM_DP_MASTER_IP", "VLLM_DP_MASTER_PORT",
    "VLLM_ELASTIC_EP_SCALE_UP_LAUNCH", "VLLM_ENABLE_CUDA_COMPATIBILITY", "VLLM_ENABLE_STARTUP_PLAN",
    "VLLM_ENABLE_V1_MULTIPROCESSING", "VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS", "VLLM_FLASHINFER_AUTOTUNE_CACHE_DIR",
    "VLLM_FLASHINFER_AUTOTUNE_SKIP_OPS", "VLLM_FORCE_AOT_LOAD", "VLLM_HOST_IP", "VLLM_HTTP_MAX_REQUEST_BODY_SIZE",
    "VLLM_HTTP_TIMEOUT_KEEP_ALIVE", "VLLM_IMAGE_FETCH_TIMEOUT", "VLLM_KEEP_ALIVE_ON_ENGINE_DEATH",
    "VLLM_LOGGING_COLOR", "VLLM_LOGGING_CONFIG_PATH", "VLLM_LOGGING_LEVEL", "VLLM_LOGGING_PREFIX",
    "VLLM_LOGGING_STREAM", "VLLM_LOG_STATS_INTERVAL", "VLLM_MAX_AUDIO_CLIP_FILESIZE_MB",
    "VLLM_MAX_AUDIO_DECODE_BYTES", "VLLM_MAX_AUDIO_DECODE_DURATION_S", "VLLM_MAX_AUDIO_PREPROCESS_WORKERS",
    "VLLM_MAX_EMBED_DECODE_BYTES", "VLLM_MAX_IMAGE_PIXELS", "VLLM_MAX_MEDIA_REQUEST_DECODE_BYTES",
    "VLLM_MAX_MEDIA_REQUEST_DOWNLOAD_SIZE_MB", "VLLM_MEDIA_CACHE", "VLLM_MEDIA_CACHE_MAX_SIZE_MB",
    "VLLM_MEDIA_CACHE_TTL_HOURS", "VLLM_MEDIA_CONNECTOR", "VLLM_MEDIA_FETCH_MAX_RETRIES",
    "VLLM_MEDIA_LOADING_THREAD_COUNT", "VLLM_MEDIA_URL_ALLOW_REDIRECTS", "VLLM_MODEL_REDIRECT_PATH",
    "VLLM_NIXL_SIDE_CHANNEL_HOST", "VLLM_NO_USAGE_STATS", "VLLM_OBJECT_STORAGE_SHM_BUFFER_NAME", "VLLM_PORT",
    "VLLM_RANDOMIZE_DP_DUMMY_INPUTS", "VLLM_RAY_BUNDLE_INDICES", "VLLM_REQUEST_BODY_LOG_LEVEL",
    "VLLM_RINGBUFFER_WARNING_INTERVAL", "VLLM_RPC_BASE_PATH", "VLLM_SERVER_DEV_MODE",
    "VLLM_SKIP_MODEL_NAME_VALIDATION", "VLLM_SKIP_VERSION_SUFFIX", "VLLM_TEST_FORCE_LOAD_FORMAT",
    "VLLM_TRITON_JIT_WARMUP_NUM_THREADS", "VLLM_TUNED_CONFIG_FOLDER", "VLLM_USAGE_STATS_SERVER",
    "VLLM_USE_MODELSCOPE", "VLLM_V1_OUTPUT_PROC_CHUNK_SIZE", "VLLM_VIDEO_FETCH_TIMEOUT", "VLLM_VIDEO_LOADER_BACKEND",
    "VLLM_WORKER_MULTIPROC_METHOD", "VLLM_WORKER_SHUTDOWN_TIMEOUT_SECONDS", "VLLM_XLA_CACHE_PATH",
    "VLLM_ZENTORCH_WEIGHT_PREPACK",
))  # fmt: skip
"""Variables that are not in the key, in 0.32 or 0.33: vllm/envs.py:2358 of 0.33, `compile_factors`. All others of
vLLM's own are."""

ARGUMENTS = {
    "model_tag": "model.id",
    "revision": "model.revision",
    "dtype": "engine.args.dtype",
    "quantization": "engine.args.quantization",
    "tensor_parallel_size": "gpu.count",
    "pipeline_parallel_size": "parallelism.pipelineParallelSize",
    "max_model_len": "engine.args.max-model-len",
    "max_num_batched_tokens": "engine.args.max-num-batched-tokens",
    "compilation_config": "engine.args.compilation-config",
    "enable_lora": "lora",
    "max_num_seqs": "engine.args.max-num-seqs",
}
"""Some of the arguments that are in the key for sure, by vLLM's names: config/vllm.py:460 (`compute_hash`, and that of
its parts: config/model.py:457, config/scheduler.py:280, config/parallel.py:906). Where the Hub is off, the model is
named by its directory (engine/arg_utils.py:939), in which its commit stands."""


def installed(file: StrPath) -> Workload:
    """What runs the engine in manifests, such as those of `helm get manifest`.

    Raises WrongCallError for what holds no engine; OSError for a file that can't be read.
    """
    try:
        return workload.engine(Manifests.parse(read_file(file).decode()))
    except (UnicodeDecodeError, ManifestError) as error:
        remedy = "write what `helm get manifest RELEASE` prints"
        raise WrongCallError(f"--upgrade-from: {file_name(file)}: {error}: {remedy}") from error


def of_render(before: Workload, manifests: Manifests, values: Mapping[str, Any]) -> list[Finding]:
    """What of an upgrade to rendered manifests changes the key; nothing where no engine is in them, which the
    invariants tell of."""
    try:
        return list(explain(before, workload.engine(manifests), values))
    except ManifestError:
        return []


def explain(before: Workload, wanted: Workload, values: Mapping[str, Any]) -> Iterator[Finding]:
    """What of an upgrade changes the key, where a compiled model is kept.

    before: what is there, live or rendered. wanted: what it is to become, by the merged `values`.
    """
    persistence = values["persistence"]
    if not persistence["enabled"] or persistence["ephemeral"]:
        return
    old, new = _engine(before.front), _engine(wanted.front)
    if not (old and new) or of_live(new).get("enforce_eager"):
        return
    changed = [*_image(old, new), *_variables(old, new), *_arguments(old, new)]
    if changed:
        yield Finding(
            COMPILE,
            wanted.where,
            f"the model is compiled anew: {', '.join(changed)} is in the key of the compile cache, and changes",
            "expect each first start to take a minute or two longer (startup.budgetSeconds)",
            "info",
        )


def _engine(part: Part) -> Mapping[str, Any]:
    containers = part.spec.get("containers") or []
    return next((container for container in containers if container.get("name") == ENGINE), {})


def _image(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("image") != new.get("image"):
        yield "image"


def _variables(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = (
        {variable["name"]: variable.get("value") or variable.get("valueFrom") for variable in each.get("env") or []}
        for each in (old, new)
    )
    for name in sorted(before.keys() | after.keys()):
        if name.startswith("VLLM_") and name not in NOT_IN_KEY and before.get(name) != after.get(name):
            yield f"env.{name}"
    if before.get("HF_HUB_OFFLINE") != after.get("HF_HUB_OFFLINE"):
        yield "hub.offline, or download"


def _arguments(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = of_live(old), of_live(new)
    for name, key in ARGUMENTS.items():
        if before and after and before.get(name) != after.get(name):
            yield key
