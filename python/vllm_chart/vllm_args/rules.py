"""What vLLM checks after it has parsed its arguments and before it loads a model: bounds of numbers, and rules across
arguments that need neither the model nor a GPU.

Each rule names where vLLM has it, in 0.32 and 0.33 (`serve` is vllm/entrypoints/cli/serve.py and the `cli_args.py`
beside it, `EngineArgs` is vllm/engine/arg_utils.py, a class of configuration is in vllm/config). What vLLM itself says
to hundreds of argument lists is recorded, and a test holds these rules against it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vllm_chart.vllm_args.catalogue import Argument, Catalogue

Json = Any
Broken = tuple[str, str, str]
"""The argument at fault by its name in vLLM's configuration, what is wrong, what to write instead."""


def broken(values: Mapping[str, Json], known: Catalogue) -> Iterator[Broken]:
    """The rules that arguments break. values: as `argv.parse` returns them."""
    for argument in known.arguments:
        value = values.get(argument.dest)
        if isinstance(value, int | float) and (wrong := _out_of(_bounds(argument, values), value)):
            yield argument.dest, *wrong
    given = {**{argument.dest: argument.default for argument in known.arguments}, **values}
    for name, needed in {**NEEDS, **NEEDS_TO_START}.items():
        if given.get(name) and not given.get(needed):
            yield name, f"needs {_flag(needed)}", f"write {_flag(needed)} too, or leave it out"
    for name, most in AT_MOST.items():
        value, limit = given.get(name), given.get(most)
        if value and limit and value > limit > 0:
            yield (
                name,
                f"{value} is more than the {limit} of {_flag(most)}",
                f"write {limit} or less, or a larger {_flag(most)}",
            )
    for rule in RULES:
        if found := rule(given):
            yield found


#: Arguments that vLLM takes only with another one. The chart's own rules read this table too. Source: serve,
#: validate_parsed_serve_args; ParallelConfig.__post_init__ and its validator.
NEEDS: Mapping[str, str] = {
    "enable_auto_tool_choice": "tool_call_parser",
    "enable_log_outputs": "enable_log_requests",
    "enable_eplb": "enable_expert_parallel",
    "enable_elastic_ep": "enable_eplb",
    "numa_bind_nodes": "numa_bind",
    "numa_bind_cpus": "numa_bind",
}

#: The same of what vLLM says only once the model is loaded. Source: `init_static_loras` in
#: vllm/entrypoints/openai/models/serving.py, whose adapters meet "LoRA is not enabled" in
#: vllm/v1/worker/lora_model_runner_mixin.py.
NEEDS_TO_START: Mapping[str, str] = {"lora_modules": "enable_lora"}

#: Numbers that may not be more than another one. The chart's own rules read this table too. Source:
#: SchedulerConfig.verify_max_model_len.
AT_MOST: Mapping[str, str] = {
    "max_num_seqs": "max_num_batched_tokens",
    "max_num_active_seqs": "max_num_seqs",
    "long_prefill_token_threshold": "max_model_len",
}


def _bounds(argument: Argument, values: Mapping[str, Json]) -> Mapping[str, float]:
    """The bounds of the object that vLLM makes: LoRA's only where it is switched on."""
    return {} if argument.group == "LoRAConfig" and not values.get("enable_lora") else argument.bounds


def _out_of(bounds: Mapping[str, float], value: float) -> tuple[str, str] | None:
    low, above = bounds.get("minimum"), bounds.get("exclusiveMinimum")
    high, below = bounds.get("maximum"), bounds.get("exclusiveMaximum")
    if high == 1 and 1 < value <= 100:
        return f"{value:g} is more than 1", f"it is a fraction: write {value / 100:g}"
    if low is not None and not value >= low:
        return f"{value:g} is less than {low:g}", f"write {low:g} or more"
    if above is not None and not value > above:
        return f"{value:g} is not more than {above:g}", f"write more than {above:g}"
    if high is not None and not value <= high:
        return f"{value:g} is more than {high:g}", f"write {high:g} or less"
    if below is not None and not value < below:
        return f"{value:g} is not less than {below:g}", f"write less than {below:g}"
    return None


def _flag(name: str) -> str:
    return name.replace("_", "-")


# Other rules across arguments. Each takes all values, defaults included.

Rule = Callable[[Mapping[str, Json]], Broken | None]


def _keep_alive(given: Mapping[str, Json]) -> Broken | None:
    """Source: serve, validate_parsed_serve_args."""
    if (given.get("sse_keep_alive_interval") or 0) < 0:
        return "sse_keep_alive_interval", "below 0", "write seconds, or 0 for none"
    return None


def _per_request_metrics(given: Mapping[str, Json]) -> Broken | None:
    """Source: serve, validate_parsed_serve_args."""
    if given.get("enable_per_request_metrics") and given.get("disable_log_stats"):
        return "enable_per_request_metrics", "not with disable-log-stats", "leave one of them out"
    return None


def _detailed_traces(given: Mapping[str, Json]) -> Broken | None:
    """Source: ObservabilityConfig._validate_tracing_config."""
    if given.get("collect_detailed_traces") and not given.get("otlp_traces_endpoint"):
        return "collect_detailed_traces", "there is no endpoint for traces", "write tracing.endpoint, or leave it out"
    return None


def _balancing(given: Mapping[str, Json]) -> Broken | None:
    """Source: serve, ServeSubcommand.cmd."""
    hybrid, ports = given.get("data_parallel_hybrid_lb"), given.get("data_parallel_multi_port_external_lb")
    external = given.get("data_parallel_external_lb") or given.get("data_parallel_rank") is not None
    if not (hybrid or ports):
        hybrid = given.get("data_parallel_start_rank") is not None
    if [bool(hybrid), bool(ports), bool(external)].count(True) > 1:
        return "data_parallel_hybrid_lb", "more than one way of balancing data-parallel ranks", "keep one of them"
    return None


def _whole_prompts(given: Mapping[str, Json]) -> Broken | None:
    """Source: SchedulerConfig.verify_max_model_len."""
    tokens, length = given.get("max_num_batched_tokens"), given.get("max_model_len")
    if given.get("enable_chunked_prefill") is False and tokens and length and 0 < tokens < length:
        return (
            "max_num_batched_tokens",
            f"without chunked prefill a prompt of {length} tokens has to fit into one step of {tokens}",
            f"write {length} or more, or leave enable-chunked-prefill out",
        )
    return None


def _adapters(given: Mapping[str, Json]) -> Broken | None:
    """Source: LoRAConfig, which EngineArgs makes with max_cpu_loras only where that is positive."""
    on_cpu, at_once = given.get("max_cpu_loras"), given.get("max_loras") or 1
    if given.get("enable_lora") and on_cpu and 0 < on_cpu < at_once:
        return "max_cpu_loras", f"{on_cpu} for max-loras: {at_once}", f"write {at_once} or more, or leave it out"
    return None


def _speculating_adapters(given: Mapping[str, Json]) -> Broken | None:
    """Source: EngineArgs.create_engine_config."""
    speculative = given.get("speculative_config")
    drafted = speculative.get("num_speculative_tokens") if isinstance(speculative, Mapping) else None
    tokens, sequences = given.get("max_num_batched_tokens"), given.get("max_num_seqs")
    if given.get("enable_lora") and isinstance(drafted, int) and tokens and sequences:
        needed = sequences * (drafted + 1)
        if tokens < needed:
            return (
                "max_num_batched_tokens",
                f"with adapters, {drafted} drafted tokens of each of {sequences} sequences do not fit into {tokens}",
                f"write {needed} or more",
            )
    return None


def _model_length(given: Mapping[str, Json]) -> Broken | None:
    """Source: ModelConfig.validate_model_config_after."""
    if given.get("max_model_len") == 0:
        return "max_model_len", "no token fits", "write a number of tokens, auto, or leave it out"
    return None


def _external_ranks(given: Mapping[str, Json]) -> Broken | None:
    """Source: ParallelConfig._validate_parallel_config."""
    for name in ("data_parallel_external_lb", "data_parallel_rank"):
        if given.get(name) is not None and given[name] is not False and (given.get("data_parallel_size") or 1) <= 1:
            return name, "there is only one data-parallel rank", "write parallelism.dataParallelSize, or leave it out"
    return None


def _nodes(given: Mapping[str, Json]) -> Broken | None:
    """Source: EngineArgs.create_engine_config."""
    sizes = ("data_parallel_size", "pipeline_parallel_size", "tensor_parallel_size", "prefill_context_parallel_size")
    world, nodes = math.prod(given.get(name) or 1 for name in sizes), given.get("nnodes") or 1
    if nodes > 1 and world > 0 and world % nodes:
        return (
            "nnodes",
            f"{world} workers cannot be shared out evenly among {nodes} nodes",
            f"write a divisor of {world}",
        )
    return None


def _context_ranks(given: Mapping[str, Json]) -> Broken | None:
    """Source: ParallelConfig._validate_parallel_config."""
    tensor, context = given.get("tensor_parallel_size") or 1, given.get("decode_context_parallel_size") or 1
    if given.get("prefill_context_parallel_size", 1) == 1 and context > 0 and tensor % context:
        return (
            "decode_context_parallel_size",
            f"{tensor} tensor-parallel ranks are no multiple of {context}",
            (f"write a divisor of {tensor}"),
        )
    return None


def _nsight(given: Mapping[str, Json]) -> Broken | None:
    """Source: ParallelConfig.__post_init__."""
    if given.get("ray_workers_use_nsight") and given.get("distributed_executor_backend") != "ray":
        return "ray_workers_use_nsight", "only with Ray", "write distributed-executor-backend: ray, or leave it out"
    return None


def _offloading(given: Mapping[str, Json]) -> Broken | None:
    """Source: OffloadConfig.validate_offload_config."""
    group, chosen = given.get("offload_group_size") or 0, given.get("offload_num_in_group") or 0
    if group <= 0 and given.get("offload_backend") != "prefetch":
        return None
    if chosen > group:
        remedy = f"write offload-group-size: {chosen} or more, or fewer layers of each group"
        return "offload_num_in_group", f"{chosen} of the {group} layers of a group (offload-group-size)", remedy
    if given.get("offload_prefetch_step") == 0:
        return "offload_prefetch_step", "no layer is fetched before its turn", "write 1 or more, or leave it out"
    return None


def _twice(flag: str, config: str, key: str) -> Rule:
    def rule(given: Mapping[str, Json]) -> Broken | None:
        inside = given.get(config)
        if given.get(flag) is not None and isinstance(inside, Mapping) and inside.get(key) is not None:
            return flag, f"is in {config.replace('_', '-')} as well, as {key}", "write it once"
        return None

    return rule


#: Source of the last ones: EngineArgs.create_engine_config and create_speculative_config.
RULES: tuple[Rule, ...] = (
    _keep_alive,
    _per_request_metrics,
    _detailed_traces,
    _balancing,
    _whole_prompts,
    _adapters,
    _speculating_adapters,
    _model_length,
    _external_ranks,
    _nodes,
    _context_ranks,
    _nsight,
    _offloading,
    _twice("attention_backend", "attention_config", "backend"),
    _twice("enable_flashinfer_autotune", "kernel_config", "enable_flashinfer_autotune"),
    _twice("cudagraph_capture_sizes", "compilation_config", "cudagraph_capture_sizes"),
    _twice("max_cudagraph_capture_size", "compilation_config", "max_cudagraph_capture_size"),
    _twice("spec_method", "speculative_config", "method"),
    _twice("spec_model", "speculative_config", "model"),
    _twice("spec_tokens", "speculative_config", "num_speculative_tokens"),
)
