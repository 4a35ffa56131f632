"""What to write instead: flags and variables that vLLM once had, and those that people take it to have.

Advice is only for what a version does not have.
"""

from collections.abc import Mapping

#: Flags that vLLM once had: the first release without them, as its parsers of 0.7.3 to 0.33.0 tell ("by" where the
#: release before that was not looked at), and what to write instead.
GONE: Mapping[str, tuple[str, str]] = {
    "calculate-kv-scales": ("by 0.28", "leave it out"),
    "cuda-graph-sizes": ("since 0.13", "write compilation-config: {cudagraph_capture_sizes: […]}"),
    "disable-async-output-proc": ("since 0.11", "leave it out"),
    "disable-frontend-multiprocessing": ("by 0.20", "leave it out"),
    "disable-logprobs-during-spec-decoding": ("by 0.8.5", "leave it out"),
    "disable-mm-preprocessor-cache": ("since 0.13", "write mm-processor-cache-gb: 0"),
    "enable-lora-bias": ("since 0.11.1", "leave it out"),
    "enable-multimodal-encoder-data-parallel": ("by 0.28", "write mm-encoder-tp-mode: data"),
    "enable-prompt-adapter": ("since 0.10.2", "leave it out"),
    "enable-reasoning": ("since 0.10", "reasoning-parser alone switches it on"),
    "engine-use-ray": ("by 0.9", "write distributed-executor-backend: ray"),
    "eplb-log-balancedness": ("by 0.28", "write eplb-config: {log_balancedness: true}"),
    "eplb-step-interval": ("by 0.28", "write eplb-config: {step_interval: …}"),
    "eplb-window-size": ("since 0.12", "write eplb-config: {window_size: …}"),
    "guided-decoding-backend": ("since 0.12", "write structured-outputs-config: {backend: …}"),
    "guided-decoding-disable-additional-properties": (
        "since 0.12",
        "write structured-outputs-config: {disable_additional_properties: true}",
    ),
    "guided-decoding-disable-any-whitespace": (
        "since 0.12",
        "write structured-outputs-config: {disable_any_whitespace: true}",
    ),
    "guided-decoding-disable-fallback": ("since 0.12", "leave it out: nothing falls back to another backend"),
    "long-lora-scaling-factors": ("by 0.28", "leave it out"),
    "lora-extra-vocab-size": ("since 0.12", "leave it out"),
    "max-context-len-to-capture": ("by 0.8.5", "write compilation-config: {max_cudagraph_capture_size: …}"),
    "max-long-partial-prefills": ("by 0.28", "leave it out"),
    "max-num-partial-prefills": ("by 0.28", "leave it out"),
    "max-prompt-adapter-token": ("since 0.10.2", "leave it out"),
    "max-prompt-adapters": ("since 0.10.2", "leave it out"),
    "max-seq-len-to-capture": ("since 0.11", "write compilation-config: {max_cudagraph_capture_size: …}"),
    "multi-step-stream-outputs": ("since 0.10.1", "leave it out"),
    "ngram-prompt-lookup-max": ("by 0.8.5", "write speculative-config: {method: ngram, prompt_lookup_max: …}"),
    "ngram-prompt-lookup-min": ("by 0.8.5", "write speculative-config: {method: ngram, prompt_lookup_min: …}"),
    "num-lookahead-slots": ("since 0.12", "write speculative-config: {num_speculative_tokens: …}"),
    "num-redundant-experts": ("since 0.12", "write eplb-config: {num_redundant_experts: …}"),
    "num-scheduler-steps": ("since 0.10.1", "leave it out"),
    "num-speculative-tokens": ("by 0.8.5", "write speculative-config: {num_speculative_tokens: …}"),
    "override-neuron-config": (
        "by 0.28",
        "write additional-config: {override_neuron_config: …}",
    ),
    "override-pooler-config": ("since 0.12", "write pooler-config"),
    "preemption-mode": ("since 0.11", "leave it out: only the old engine could swap"),
    "quantization-param-path": ("by 0.28", "leave it out: scales are read out of the checkpoint"),
    "rope-scaling": ("since 0.11.1", "write hf-overrides: {rope_parameters: …}"),
    "rope-theta": ("since 0.11.1", "write hf-overrides: {rope_parameters: …}"),
    "scheduler-delay-factor": ("since 0.11", "leave it out"),
    "spec-decoding-acceptance-method": ("by 0.8.5", "leave it out"),
    "speculative-disable-by-batch-size": (
        "by 0.8.5",
        "write speculative-config: {num_speculative_tokens_per_batch_size: …}",
    ),
    "speculative-draft-tensor-parallel-size": ("by 0.8.5", "write speculative-config: {draft_tensor_parallel_size: …}"),
    "speculative-max-model-len": ("by 0.8.5", "write speculative-config: {max_model_len: …}"),
    "speculative-model": ("by 0.8.5", "write speculative-config: {model: …, num_speculative_tokens: …}"),
    "swap-space": ("since 0.18", "leave it out; kv-offloading-size keeps KV cache in host memory"),
    "task": ("since 0.13", "write runner: pooling, and convert: embed or classify"),
    "tokenizer-pool-extra-config": ("by 0.28", "leave it out"),
    "tokenizer-pool-size": ("by 0.28", "leave it out"),
    "tokenizer-pool-type": ("by 0.28", "leave it out"),
    "typical-acceptance-sampler-posterior-alpha": ("by 0.8.5", "leave it out"),
    "typical-acceptance-sampler-posterior-threshold": ("by 0.8.5", "leave it out"),
    "use-v2-block-manager": ("since 0.10", "leave it out"),
    "worker-use-ray": ("by 0.9", "write distributed-executor-backend: ray"),
}

#: Flags that are in no catalogue, without their dashes. Published in the chart's schema, so that Helm alone says it.
FLAGS: Mapping[str, str] = {
    **{flag: f"gone {when}: {remedy}" for flag, (when, remedy) in GONE.items()},
    "enable-metrics": "no flag: /metrics is always there",
    **dict.fromkeys(
        ("temperature", "top-p", "top-k", "min-p", "repetition-penalty", "presence-penalty", "frequency-penalty"),
        "each request says it; a default: override-generation-config: {temperature: …}",
    ),
    **dict.fromkeys(
        ("max-tokens", "max-new-tokens", "max-output-tokens"),
        "write max-model-len; how long an answer may be is said by each request",
    ),
    "tool-call-parser-plugin": "write tool-parser-plugin",
    # meant something else
    "max-context-len": "write max-model-len",
    "max-length": "write max-model-len",
    "max-seq-len": "write max-model-len",
    "max-sequence-length": "write max-model-len",
    "context-length": "write max-model-len",
    "ctx-size": "write max-model-len",
    "num-ctx": "write max-model-len",
    "max-total-tokens": "write max-model-len",
    "max-input-length": "write max-model-len",
    "max-batch-size": "write max-num-seqs",
    "batch-size": "write max-num-seqs",
    "max-concurrency": "write max-num-seqs",
    "max-num-sequences": "write max-num-seqs",
    "max-running-requests": "write max-num-seqs",
    "max-batched-tokens": "write max-num-batched-tokens",
    "gpu-utilization": "write gpu-memory-utilization",
    "gpu-memory": "write gpu-memory-utilization, a fraction",
    "gpu-mem-utilization": "write gpu-memory-utilization",
    "gpu-memory-utilisation": "write gpu-memory-utilization",
    "gpu-memory-fraction": "write gpu-memory-utilization",
    "mem-fraction-static": "write gpu-memory-utilization",
    "kv-cache-type": "write kv-cache-dtype",
    "kv-dtype": "write kv-cache-dtype",
    "quantize": "write quantization",
    "data-type": "write dtype",
    "torch-dtype": "write dtype",
    "eager": "write enforce-eager: true",
    "prefix-caching": "write enable-prefix-caching: true",
    "chunked-prefill": "write enable-chunked-prefill: true",
    "enable-chunk-prefill": "write enable-chunked-prefill: true",
    "tool-parser": "write tool-call-parser",
    "enable-tool-choice": "write enable-auto-tool-choice: true",
    "enable-tool-calling": "write enable-auto-tool-choice: true and tool-call-parser",
    "enable-thinking": "write default-chat-template-kwargs: {enable_thinking: …}",
    "chat-template-kwargs": "write default-chat-template-kwargs",
    "guided-decoding": "write structured-outputs-config",
    "rope-parameters": "write hf-overrides: {rope_parameters: …}",
    "full-cuda-graph": "write compilation-config: {cudagraph_mode: FULL}",
    "draft-model": "write speculative-config: {model: …, num_speculative_tokens: …}",
    "cpu-offload": "write cpu-offload-gb",
    "kv-cache-size": "write kv-cache-memory-bytes",
    "cache-dir": "write persistence.mountPath",
    "n-gpu-layers": "leave it out: all layers are on the GPU; cpu-offload-gb moves weights off it",
    "auto-tool-choice": "write enable-auto-tool-choice: true",
    "lora": "write enable-lora: true and lora-modules",
    "lora-rank": "write max-lora-rank",
    "pipeline-parallel": "write parallelism.pipelineParallelSize",
    **dict.fromkeys(
        ("tensor-parallel", "tp-size", "num-shard", "num-gpus", "gpu-count", "gpus"),
        "write gpu.count, or parallelism.tensorParallelSize",
    ),
    "replicas": "write replicaCount",
    "model-path": "write model.id",
    "tokenizer-path": "write tokenizer",
    "model-name": "write model.servedModelName",
    "model-id": "write model.id",
}

#: Keys that maps of settings once had, by their class in vllm/config: what to write instead. What 0.33 says itself is
#: taken from it (config/pooler.py:132); the others are in no class of 0.32 or 0.33.
KEYS: Mapping[str, Mapping[str, str]] = {
    "PoolerConfig": {
        "normalize": "gone: write use_activation",
        "softmax": "gone: write use_activation",
        "activation": "gone: write use_activation",
    },
    "CompilationConfig": {
        "full_cuda_graph": "gone: write cudagraph_mode: FULL",
        "level": "gone: write mode",
        "use_cudagraph": "gone: write cudagraph_mode",
    },
    "StructuredOutputsConfig": {"disable_fallback": "gone: leave it out, nothing falls back to another backend"},
    "SpeculativeConfig": {"disable_by_batch_size": "gone: write num_speculative_tokens_per_batch_size"},
}

#: Flags that vLLM still takes but will not for long: since when, and what to write instead.
DEPRECATED: Mapping[str, tuple[str, str]] = {
    "dcp-kv-cache-interleave-size": ("0.18 or before", "write cp-kv-cache-interleave-size"),
    "disable-cascade-attn": ("0.31 or 0.32", "leave it out: there is no cascade attention any more"),
    "log-config-file": ("0.31 or 0.32", "write logging-config: {pylogging_config_file: …}"),
    "mamba-cache-mode": ("0.33", "leave it out: the cache follows enable-prefix-caching"),
}

#: Variables that vLLM no longer reads, or never did.
VARIABLES: Mapping[str, str] = {
    "VLLM_ATTENTION_BACKEND": "gone: write engine.args.attention-backend",
    "VLLM_USE_V1": "gone: there is only one engine",
    "VLLM_GPU_MEMORY_UTILIZATION": "write engine.args.gpu-memory-utilization",
    "VLLM_MAX_MODEL_LEN": "write engine.args.max-model-len",
    "VLLM_TENSOR_PARALLEL_SIZE": "write gpu.count, or parallelism.tensorParallelSize",
    "VLLM_MODEL": "write model.id",
    "VLLM_SHM_SIZE": "write shm.sizeLimit",
    "VLLM_LOG_LEVEL": "write VLLM_LOGGING_LEVEL",
    "VLLM_USE_TRITON_FLASH_ATTN": "gone: write engine.args.attention-backend",
    "VLLM_FLASH_ATTN_VERSION": "gone: write engine.args.attention-config: {flash_attn_version: …}",
    "VLLM_ALL2ALL_BACKEND": "gone: write engine.args.all2all-backend",
    "VLLM_TORCH_PROFILER_DIR": "gone: write engine.args.profiler-config: {profiler: torch, torch_profiler_dir: …}",
    "VLLM_NVFP4_GEMM_BACKEND": "gone: write engine.args.linear-backend",
    "VLLM_MM_INPUT_CACHE_GIB": "gone: write engine.args.mm-processor-cache-gb",
    "VLLM_MXFP4_USE_MARLIN": "gone: write engine.args.moe-backend: marlin",
    **dict.fromkeys(
        (
            "VLLM_FLASHINFER_MOE_BACKEND",
            "VLLM_USE_FLASHINFER_MOE_FP4",
            "VLLM_USE_FLASHINFER_MOE_FP8",
            "VLLM_USE_FLASHINFER_MOE_FP16",
            "VLLM_USE_FLASHINFER_MOE_MXFP4_BF16",
            "VLLM_USE_FLASHINFER_MOE_MXFP4_MXFP8",
            "VLLM_USE_FLASHINFER_MOE_MXFP4_MXFP8_CUTLASS",
        ),
        "gone: leave it out, or write engine.args.moe-backend: flashinfer_trtllm or flashinfer_cutlass",
    ),
    **dict.fromkeys(
        ("VLLM_DISABLE_FLASHINFER_PREFILL", "VLLM_USE_CUDNN_PREFILL", "VLLM_USE_TRTLLM_ATTENTION"),
        "gone: write engine.args.attention-config, or attention-backend",
    ),
    **dict.fromkeys(
        (
            "VLLM_ENABLE_FUSED_MOE_ACTIVATION_CHUNKING",
            "VLLM_ENGINE_ITERATION_TIMEOUT_S",
            "VLLM_FLASHINFER_FORCE_TENSOR_CORES",
            "VLLM_FUSED_MOE_CHUNK_SIZE",
            "VLLM_MOE_DP_CHUNK_SIZE",
            "VLLM_ROCM_CUSTOM_PAGED_ATTN",
            "VLLM_ROCM_USE_AITER_PAGED_ATTN",
            "VLLM_RPC_TIMEOUT",
            "VLLM_USE_NVFP4_CT_EMULATIONS",
            "VLLM_V1_USE_PREFILL_DECODE_ATTENTION",
        ),
        "gone: leave it out",
    ),
}

#: Variables of others that the engine does not read, or no longer. Sources: huggingface_hub 2.4, constants.py;
#: transformers 5, utils/hub.py.
OTHERS: Mapping[str, str] = {
    "HF_HUB_ENABLE_HF_TRANSFER": "gone: write HF_XET_HIGH_PERFORMANCE",
    "TRANSFORMERS_CACHE": "gone: the cache is under persistence.mountPath (HF_HOME)",
    "PYTORCH_TRANSFORMERS_CACHE": "gone: the cache is under persistence.mountPath (HF_HOME)",
}

#: Variables that do what they say, and more: what happens, and what to write instead.
RISKY: Mapping[str, tuple[str, str]] = {
    "VLLM_ALLOW_LONG_MAX_MODEL_LEN": (
        "a request longer than the model's own limit crashes the engine, or is answered with nonsense",
        "lower engine.args.max-model-len, or override the model's positions with hf-overrides",
    ),
}


def deprecation(flag: str, said: str) -> tuple[str, str]:
    """What to say of a deprecated flag: since when, and what to write instead. said: vLLM's own words, for one that is
    not known here."""
    if flag not in DEPRECATED:
        return said, ""
    since, remedy = DEPRECATED[flag]
    return f"deprecated since {since}", remedy
