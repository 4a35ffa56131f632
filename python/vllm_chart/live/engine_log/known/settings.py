"""Settings of the engine that the model, the adapters or one another rule out."""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = [
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
        "write lora.maxRank, or else engine.args.max-lora-rank: the largest `r` in the adapters' adapter_config.json",
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
        r".*(?<!cache)(?<!PCP) does not support LoRA(?: yet)?\.?$",
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
    # vllm/envs.py:437, :492, :541, platforms/interface.py:1466 of 0.33
    KnownError(
        "engine-arguments",
        r"VLLM_PORT '.*' (?:appears to be a URI|must be a valid integer).*",
        "leave enableServiceLinks false, or VLLM_PORT out of env: a Service that is named vllm sets it in every pod",
    ),
    KnownError(
        "engine-arguments",
        r"Invalid value '.*' (?:for|in) (VLLM_\w+)\..*",
        "correct {1} in env, or leave it out",
    ),
    KnownError(
        "engine-arguments",
        r"Unknown vLLM environment variable detected: (VLLM_\w+).*",
        "leave {1} out of env: this vLLM has no such variable; or leave engine.args.fail-on-environ-validation out",
    ),
    # vllm/platforms/cuda.py:439, :444, :473, rocm.py:825, :876, xpu.py:165, interface.py:511 of 0.33
    KnownError(
        "engine-arguments",
        r".*(?:Selected backend .* is not valid for|Invalid attention backend for|XFORMERS' has been removed"
        r"|Backend .* is not supported for vit attention).*",
        "leave engine.args.attention-backend (and mm-encoder-attn-backend) out: vLLM chooses one that fits",
    ),
    KnownError(
        "engine-arguments",
        r".*No valid (?:attention|MLA prefill|CPU MLA prefill) backend found.*",
        "leave engine.args.kv-cache-dtype, block-size and dtype out, which no backend takes here together; or choose "
        "newer GPUs with nodeSelector",
    ),
    # vllm/config/vllm.py:3328, :3335 of 0.33
    KnownError(
        "engine-arguments",
        r".*Model Runner V2 does not yet support: .*",
        "write env.VLLM_USE_V2_MODEL_RUNNER: 0, or leave out of engine.args what it names",
    ),
    KnownError(
        "engine-arguments",
        r".*Model Runner V1 does not support: .*",
        "leave VLLM_USE_V2_MODEL_RUNNER out of env, or out of engine.args what it names",
    ),
    # vllm/config/model.py:668 of 0.33
    KnownError(
        "engine-arguments",
        r".*(?:Sleep mode|cumem allocator) is not supported on current platform.*",
        "leave engine.args.enable-sleep-mode out",
    ),
    # vllm/v1/engine/core_client.py:765, :1980, core.py:1422, coordinator.py:64 of 0.33
    KnownError(
        "startup",
        r".*Timed out waiting for (?:new )?engine core processes to start.*",
        "leave VLLM_ENGINE_READY_TIMEOUT_S out of env: the chart sets it above any startup.budgetSeconds",
    ),
    KnownError(
        "startup",
        r".*(?:Did not receive response from front-end process within|DP Coordinator process failed to report).*",
        "raise resources.limits.cpu, or leave it out: the engine's processes start at the same time, and one of them "
        "had too little of it to answer",
    ),
]
