"""What to write instead: flags and variables that vLLM once had, and those that people take it to have.

Advice is only for what a version does not have.
"""

from collections.abc import Mapping

#: Flags that are in no catalogue, without their dashes. Published in the chart's schema, so that Helm alone says it.
FLAGS: Mapping[str, str] = {
    # gone
    "enable-reasoning": "gone: reasoning-parser alone switches it on",
    "guided-decoding-backend": "gone: write structured-outputs-config: {backend: …}",
    "num-lookahead-slots": "gone: write speculative-config: {num_speculative_tokens: …}",
    "num-scheduler-steps": "gone with the V0 engine: leave it out",
    "multi-step-stream-outputs": "gone with the V0 engine: leave it out",
    "scheduler-delay-factor": "gone with the V0 engine: leave it out",
    "preemption-mode": "gone with the V0 engine, which alone could swap: leave it out",
    "swap-space": "gone with the V0 engine, which alone could swap: write kv-offloading-size",
    "use-v2-block-manager": "gone: leave it out",
    "worker-use-ray": "gone: write distributed-executor-backend: ray",
    "engine-use-ray": "gone: write distributed-executor-backend: ray",
    "speculative-model": "gone: write speculative-config: {model: …, num_speculative_tokens: …}",
    "num-speculative-tokens": "gone: write speculative-config: {model: …, num_speculative_tokens: …}",
    "speculative-draft-tensor-parallel-size": "gone: write speculative-config: {draft_tensor_parallel_size: …}",
    "ngram-prompt-lookup-max": "gone: write speculative-config: {method: ngram, prompt_lookup_max: …}",
    "rope-scaling": "gone: write hf-overrides: {rope_parameters: …}",
    "rope-theta": "gone: write hf-overrides: {rope_parameters: …}",
    "max-seq-len-to-capture": "gone: write compilation-config: {max_cudagraph_capture_size: …}",
    "cuda-graph-sizes": "gone: write compilation-config: {cudagraph_capture_sizes: […]}",
    "task": "gone: write runner: pooling, and convert: embed or classify",
    "override-pooler-config": "gone: write pooler-config",
    "enable-prompt-adapter": "gone: leave it out",
    "lora-extra-vocab-size": "gone: leave it out",
    "disable-frontend-multiprocessing": "gone: leave it out",
    "enable-metrics": "no flag: /metrics is always there",
    # meant something else
    "max-context-len": "write max-model-len",
    "max-length": "write max-model-len",
    "max-seq-len": "write max-model-len",
    "max-sequence-length": "write max-model-len",
    "context-length": "write max-model-len",
    "ctx-size": "write max-model-len",
    "max-tokens": "write max-model-len; how long an answer may be is said by each request",
    "max-batch-size": "write max-num-seqs",
    "batch-size": "write max-num-seqs",
    "max-concurrency": "write max-num-seqs",
    "max-batched-tokens": "write max-num-batched-tokens",
    "gpu-utilization": "write gpu-memory-utilization",
    "gpu-memory": "write gpu-memory-utilization, a fraction",
    "gpu-mem-utilization": "write gpu-memory-utilization",
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
    "auto-tool-choice": "write enable-auto-tool-choice: true",
    "lora": "write enable-lora: true and lora-modules",
    "lora-rank": "write max-lora-rank",
    "pipeline-parallel": "write parallelism.pipelineParallelSize",
    "tensor-parallel": "write gpu.count, or parallelism.tensorParallelSize",
    "model-name": "write model.servedModelName",
    "model-id": "write model.id",
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
}

#: Variables that do what they say, and more: what happens, and what to write instead.
RISKY: Mapping[str, tuple[str, str]] = {
    "VLLM_ALLOW_LONG_MAX_MODEL_LEN": (
        "a request longer than the model's own limit crashes the engine, or is answered with nonsense",
        "lower engine.args.max-model-len, or override the model's positions with hf-overrides",
    ),
}
