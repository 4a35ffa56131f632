"""vLLM's config classes, read back from their JSON schemas: what `--compilation-config` and others take.

vLLM validates such an argument with pydantic, whose rules are laxer than the JSON schema that it writes: the text "8"
is a number to it. So the schema becomes a validator of pydantic's again. What vLLM checks in code of its own stands in
`RULES`.
"""

import argparse
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema

from vllm_chart.vllm_args.catalogue import ANY_CASE, Catalogue, load

Json = Any


def validate_json(name: str, text: str, catalogue: Catalogue) -> Json:
    """The value of a config class that JSON text stands for.

    Raises argparse.ArgumentTypeError with what vLLM would refuse.
    """
    try:
        value = _validator(name, catalogue.version).validate_json(text)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(_message(error)) from error
    return value


def refusal(name: str, value: Json, catalogue: Catalogue) -> str:
    """What is wrong with plain data for a config class, or ""."""
    try:
        _validator(name, catalogue.version).validate_python(value)
    except ValidationError as error:
        return _message(error)
    return ""


def _message(error: ValidationError) -> str:
    """What is wrong and where; a union says so once for each of its members."""
    told: dict[str, None] = {}
    for problem in error.errors(include_url=False):
        # pydantic names the member of a union in the path too, by what validates it.
        where = ".".join(str(step) for step in problem["loc"] if isinstance(step, int) or re.fullmatch(r"\w+", step))
        message = problem["msg"].removeprefix("Value error, ")
        told[f"{where}: {message}" if where else message] = None
    return "; ".join(told)


@functools.cache
def _validator(name: str, version: str) -> SchemaValidator:
    definitions = [_core(schema, key) | {"ref": key} for key, schema in load(version).classes.items()]
    return SchemaValidator(core_schema.definitions_schema(core_schema.definition_reference_schema(name), definitions))


def _core(schema: Mapping[str, Json], name: str) -> Any:
    """A JSON schema of pydantic's as the core schema that it came from. name: of the class, or empty."""
    if "$ref" in schema:
        return core_schema.definition_reference_schema(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return core_schema.union_schema([_core(option, "") for option in schema["anyOf"]])
    if "const" in schema:
        return core_schema.literal_schema([schema["const"]])
    if "enum" in schema:
        return _names(schema["enum"], schema.get(ANY_CASE, False))
    bounds = {
        "minimum": "ge",
        "maximum": "le",
        "exclusiveMinimum": "gt",
        "exclusiveMaximum": "lt",
    }
    limits = {bounds[key]: value for key, value in schema.items() if key in bounds}
    match schema.get("type"):
        case "integer":
            return core_schema.int_schema(**limits)
        case "number":
            return core_schema.float_schema(**limits)
        case "boolean":
            return core_schema.bool_schema()
        case "null":
            return core_schema.none_schema()
        case "string":
            return core_schema.str_schema()
        case "array":
            return _array(schema)
        case "object":
            return _object(schema, name)
        case _:
            return core_schema.any_schema()


def _names(values: list[Json], any_case: bool | Literal["dashes"]) -> CoreSchema:
    """One of several values; names in any case, or also with dashes for underscores."""
    literal = core_schema.literal_schema(values)
    if not any_case:
        return literal

    def plain(text: str) -> str:
        return text.lower().replace("-", "_") if any_case == "dashes" else text.lower()

    spelt = {plain(value): value for value in values if isinstance(value, str)}

    def respell(value: Json) -> Json:
        return spelt.get(plain(value), value) if isinstance(value, str) else value

    return core_schema.no_info_before_validator_function(respell, literal)


def _array(schema: Mapping[str, Json]) -> CoreSchema:
    lengths = {"minItems": "min_length", "maxItems": "max_length"}
    limits = {lengths[key]: value for key, value in schema.items() if key in lengths}
    if "prefixItems" in schema:
        return core_schema.tuple_schema([_core(item, "") for item in schema["prefixItems"]])
    items = _core(schema.get("items", {}), "")
    make: Any = core_schema.set_schema if schema.get("uniqueItems") else core_schema.list_schema
    array: CoreSchema = make(items, **limits)
    return array


def _object(schema: Mapping[str, Json], name: str) -> CoreSchema:
    if "properties" not in schema:
        values = schema.get("additionalProperties", True)
        return core_schema.dict_schema(
            core_schema.str_schema(),
            core_schema.any_schema() if values is True else _core(values, ""),
            min_length=schema.get("minProperties"),
        )
    required = schema.get("required", [])
    fields = {
        key: core_schema.typed_dict_field(_core(field, ""), required=key in required)
        for key, field in schema["properties"].items()
    }
    closed = schema.get("additionalProperties") is False
    record = core_schema.typed_dict_schema(fields, extra_behavior="forbid" if closed else "ignore")
    if rule := RULES.get(name):
        return core_schema.no_info_after_validator_function(_ruled(rule), record)
    return record


# What vLLM checks in code


Rule = Callable[[Mapping[str, Json]], str | None]


def _ruled(rule: Rule) -> Callable[[Json], Json]:
    def check(value: Json) -> Json:
        if broken := rule(value):
            raise ValueError(broken)
        return value

    return check


def _connector(kind: str) -> Rule:
    def rule(value: Mapping[str, Json]) -> str | None:
        if value.get(f"{kind}_connector") is not None and value.get(f"{kind}_role") is None:
            return f"{kind}_role has to be set with {kind}_connector"
        return None

    return rule


def _compilation(value: Mapping[str, Json]) -> str | None:
    operations = value.get("custom_ops", [])
    for operation in operations:
        if operation not in ("all", "none") and (len(operation) < 2 or operation[0] not in "+-"):
            return f"custom_ops: {operation} is not 'all', 'none', '+op' or '-op'"
    if {"all", "none"} <= set(operations) or any(operations.count(mode) > 1 for mode in ("all", "none")):
        return "custom_ops: only one of 'all' and 'none'"
    if both := {op[1:] for op in operations if op[0] == "+"} & {op[1:] for op in operations if op[0] == "-"}:
        return f"custom_ops: {', '.join(sorted(both))} cannot be both enabled and disabled"
    if any("." not in name for name in value.get("inductor_passes", {}).values()):
        return "inductor_passes: write qualified names of functions"
    if value.get("mode") in ("VLLM_COMPILE", 3) and value.get("backend", "") not in ("", "eager", "inductor"):
        return "backend: only eager and inductor compile piecewise"
    if any(size <= 0 for size in value.get("decoder_replay_cudagraph_capture_sizes", [])):
        return "decoder_replay_cudagraph_capture_sizes: all have to be positive"
    if any(budget <= 0 for budget in value.get("encoder_cudagraph_token_budgets", [])):
        return "encoder_cudagraph_token_budgets: all have to be positive"
    if value.get("cudagraph_mm_encoder"):
        for key in ("encoder_cudagraph_max_vision_items_per_batch", "encoder_cudagraph_max_frames_per_batch"):
            if (value.get(key) or 0) < 0:
                return f"{key}: not below 0"
    return None


def _pooler(value: Mapping[str, Json]) -> str | None:
    if value.get("logit_sigma") == 0:
        return "logit_sigma: 0 would be divided by"
    for key in ("seq_pooling_type", "tok_pooling_type"):
        if value.get("pooling_type") is not None and value.get(key) is not None:
            return f"pooling_type and {key}: only one"
    return None


def _eplb(value: Mapping[str, Json]) -> str | None:
    if value.get("use_async", True) and value.get("communicator") in ("torch_nccl", "pynccl"):
        return f"communicator: {value['communicator']} is not for use_async"
    return None


def _engram(value: Mapping[str, Json]) -> str | None:
    on_cpu = value.get("cpu_offload", True)
    if value.get("dp_shared_memory") and not on_cpu:
        return "dp_shared_memory: only with cpu_offload"
    if value.get("use_thp") and (not on_cpu or value.get("dp_shared_memory")):
        return "use_thp: only with cpu_offload and without dp_shared_memory"
    return None


def _structured_outputs(value: Mapping[str, Json]) -> str | None:
    backend = value.get("backend", "auto")
    if value.get("disable_any_whitespace") and backend not in ("xgrammar", "guidance"):
        return "disable_any_whitespace: only with the backends xgrammar and guidance"
    if value.get("disable_additional_properties") and backend != "guidance":
        return "disable_additional_properties: only with the backend guidance"
    return None


def _profiler(value: Mapping[str, Json]) -> str | None:
    profiler = value.get("profiler")
    activities = value.get("torch_profiler_activities")
    if activities is not None and (profiler != "torch" or len(activities) != len(set(activities))):
        return "torch_profiler_activities: only with the profiler torch, and each once"
    for kind in ("torch", "proton"):
        if (profiler == kind) != bool(value.get(f"{kind}_profiler_dir")):
            return f"{kind}_profiler_dir: it goes with the profiler {kind}, and that with it"
    plain = {"proton_context": "shadow", "proton_data": "tree", "proton_graph_attribution": False}
    proton = [key for key in value if key.startswith("proton_") and key != "proton_profiler_dir"]
    if profiler != "proton" and (other := [key for key in proton if value[key] != plain.get(key)]):
        return f"{', '.join(other)}: only with the profiler proton"
    if profiler == "proton":
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", value["proton_profiler_dir"]):
            return "proton_profiler_dir: a local directory"
        tree = value.get("proton_data", "tree") == "tree"
        if value.get("proton_graph_attribution") and not tree:
            return "proton_graph_attribution: only with proton_data tree"
        flushing = (value.get("proton_mode") or "").partition(":")[0].lower() == "periodic_flushing"
        if value.get("proton_graph_attribution") and flushing:
            return "proton_graph_attribution: not with periodic_flushing"
        output = value.get("proton_output_format")
        if output and tree != (output != "chrome_trace"):
            return f"proton_output_format: {output} is for other proton_data"
    if value.get("capture_torch_profiler") and profiler != "torch":
        return "capture_torch_profiler: only with the profiler torch"
    return None


def _encoder_cache(value: Mapping[str, Json]) -> str | None:
    if value.get("encoder_cache_manager_cls") is None and value.get("manager_config"):
        return "manager_config: only with encoder_cache_manager_cls"
    return None


def _quantization(value: Mapping[str, Json]) -> str | None:
    if value.get("targets") is not None and not (value.get("linear") is None and value.get("moe") is None):
        return "targets: not with linear or moe"
    return None


def _attention(value: Mapping[str, Json]) -> str | None:
    allowed = ("auto", "bf16", "fp8", "fp8_e4m3")
    if value.get("minimax_m3_indexer_cp") and value.get("indexer_kv_dtype", "auto") not in allowed:
        return f"indexer_kv_dtype: {value['indexer_kv_dtype']} is not for minimax_m3_indexer_cp"
    return None


#: Source: `__post_init__` and the model validators of these classes in vllm/config of vLLM 0.32 and 0.33.
RULES: dict[str, Rule] = {
    "AttentionConfig": _attention,
    "CompilationConfig": _compilation,
    "ECTransferConfig": _connector("ec"),
    "EPLBConfig": _eplb,
    "EncoderCacheManagerConfig": _encoder_cache,
    "EngramConfig": _engram,
    "KVTransferConfig": _connector("kv"),
    "PoolerConfig": _pooler,
    "ProfilerConfig": _profiler,
    "QuantizationConfigArgs": _quantization,
    "StructuredOutputsConfig": _structured_outputs,
}
