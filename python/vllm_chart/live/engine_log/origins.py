"""Which of the chart's keys a part of vLLM reads: for an exception that names none.

The folders are those of vLLM 0.32 and 0.33; the classes are those of vllm/config/, which tell of their fields.
"""

from collections.abc import Sequence

from vllm_chart.live.engine_log.exceptions import Raised

_CONFIGS = {
    "AttentionConfig": "engine.args.attention-config",
    "AuxOutputConfig": "engine.args.aux-output-config",
    "CacheConfig": "engine.args.kv-cache-dtype, block-size and the other arguments of the cache",
    "CompilationConfig": "engine.args.compilation-config",
    "DynamicShapesConfig": "engine.args.compilation-config",
    "PassConfig": "engine.args.compilation-config",
    "DiffusionConfig": "engine.args.diffusion-config",
    "ECTransferConfig": "engine.args.ec-transfer-config",
    "EPLBConfig": "engine.args.eplb-config",
    "EngramConfig": "engine.args.engram-config",
    "FaultToleranceConfig": "engine.args.fault-tolerance-config",
    "KVEventsConfig": "engine.args.kv-events-config",
    "KVTransferConfig": "engine.args.kv-transfer-config",
    "KernelConfig": "engine.args.kernel-config",
    "IrOpPriorityConfig": "engine.args.ir-op-priority",
    "LoRAConfig": "lora, or engine.args.max-lora-rank, max-loras and max-cpu-loras",
    "LoadConfig": "engine.args.load-format and model-loader-extra-config",
    "MambaConfig": "engine.args.mamba-backend and the other arguments of Mamba",
    "ModelConfig": "model.id and engine.args",
    "MultiModalConfig": "engine.args.limit-mm-per-prompt and mm-processor-kwargs",
    "ObservabilityConfig": "engine.args.otlp-traces-endpoint and the other arguments of metrics",
    "OffloadConfig": "engine.args.cpu-offload-gb and offload-group-size",
    "UVAOffloadConfig": "engine.args.cpu-offload-gb",
    "PrefetchOffloadConfig": "engine.args.offload-group-size",
    "ParallelConfig": "parallelism and gpu.count",
    "PoolerConfig": "engine.args.pooler-config",
    "ProfilerConfig": "engine.args.profiler-config",
    "ReasoningConfig": "engine.args.reasoning-config",
    "SchedulerConfig": "engine.args.max-num-seqs, max-num-batched-tokens and the other arguments of the scheduler",
    "SpeculativeConfig": "engine.args.speculative-config",
    "StructuredOutputsConfig": "engine.args.structured-outputs-config",
    "WatchdogConfig": "engine.args.watchdog-config",
    "WatermarkConfig": "engine.args.watermark-config",
    "WeightTransferConfig": "engine.args.weight-transfer-config",
}
#: The longest folder or file that a raising file is in counts.
_FOLDERS = {
    "config/attention.py": "engine.args.attention-config and attention-backend",
    "config/ec_manager_config.py": "engine.args.ec-transfer-config",
    "config/ec_transfer.py": "engine.args.ec-transfer-config",
    "config/engram.py": "engine.args.engram-config",
    "config/mamba.py": "engine.args.mamba-backend and the other arguments of Mamba",
    "config/model": "model.id and engine.args.hf-overrides, or the image.tag of another vLLM",
    "config/multimodal.py": "engine.args.limit-mm-per-prompt and mm-processor-kwargs",
    "config/pooler.py": "engine.args.pooler-config",
    "config/profiler.py": "engine.args.profiler-config",
    "config/quantization.py": "engine.args.quantization and quantization-config",
    "config/reasoning.py": "engine.args.reasoning-config",
    "config/structured_outputs.py": "engine.args.structured-outputs-config",
    "config/watermarking.py": "engine.args.watermark-config",
    "config/speculative.py": "engine.args.speculative-config",
    "config/kv_transfer.py": "engine.args.kv-transfer-config",
    "config/compilation.py": "engine.args.compilation-config",
    "config/lora.py": "engine.args.enable-lora and max-lora-rank",
    "config/parallel.py": "parallelism and gpu.count",
    "compilation/": "engine.args.compilation-config (engine.args.enforce-eager: true does without)",
    "distributed/kv_transfer/": "engine.args.kv-transfer-config",
    "distributed/ec_transfer/": "engine.args.ec-transfer-config",
    "distributed/eplb/": "engine.args.eplb-config (or enable-eplb)",
    "distributed/elastic_ep/": "engine.args.enable-elastic-ep",
    "distributed/weight_transfer/": "engine.args.weight-transfer-config",
    "distributed/device_communicators/": "parallelism, and what the GPUs reach each other by (env.NCCL_DEBUG: INFO)",
    "distributed/": "parallelism and gpu.count",
    "lora/": "engine.args.enable-lora, lora-modules and max-lora-rank",
    "model_executor/layers/quantization/": "engine.args.quantization, or a model.id of another format",
    "model_executor/layers/fused_moe/": "engine.args.moe-backend and all2all-backend",
    "model_executor/model_loader/": "model.id, engine.args.load-format and model-loader-extra-config",
    "model_executor/models/": "model.id and engine.args.hf-overrides, or the image.tag of another vLLM",
    "multimodal/": "engine.args.limit-mm-per-prompt and mm-processor-kwargs",
    "platforms/": "engine.device, image.tag, and engine.args that the device does not have",
    "plugins/": "image.repository, or env.VLLM_PLUGINS",
    "reasoning/": "engine.args.reasoning-parser",
    "tool_parsers/": "engine.args.tool-call-parser",
    "tokenizers/": "engine.args.tokenizer and tokenizer-mode",
    "transformers_utils/": "model.id and engine.args.hf-overrides, or the image.tag of another vLLM",
    "v1/attention/": "engine.args.attention-backend, kv-cache-dtype and block-size",
    "v1/core/": "engine.args.max-model-len, max-num-seqs and gpu-memory-utilization",
    "v1/kv_offload/": "engine.args.kv-transfer-config and kv-offloading-size",
    "v1/spec_decode/": "engine.args.speculative-config",
    "v1/structured_output/": "engine.args.structured-outputs-config",
    "v1/worker/gpu/spec_decode/": "engine.args.speculative-config",
}
_INSIDE = "/vllm/"


def keys(raised: Raised) -> Sequence[str]:
    """The keys to look at, of the part of vLLM that raised it; none where it is any part or none."""
    if raised.config:
        return [_CONFIGS[raised.config]] if raised.config in _CONFIGS else []
    for file in reversed(raised.files):
        _, inside, path = file.rpartition(_INSIDE)
        fitting = [folder for folder in _FOLDERS if inside and path.startswith(folder)]
        if fitting:
            return [_FOLDERS[max(fitting, key=len)]]
    return []
