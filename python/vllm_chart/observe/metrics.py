"""The metrics of vLLM that this project reads: their types, labels and what they do not say.

What asks an engine directly takes names from here (`top`, the programs in the pod). Rules, dashboards and scalers are
written in PromQL, and are held to the same pages of real engines as this table (tests/render/test_metrics_contract.py).
Sources are files and lines of vLLM 0.33.0; 0.32.0 has the same metrics.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Types, as a page declares them.
COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"
#: Labels of nearly all of them: the first served name, and the data-parallel rank.
EACH = ("engine", "model_name")


@dataclass(frozen=True)
class Metric:
    """A metric by the name that its samples have (a histogram's: without _bucket, _sum and _count).

    `values` has what a label can say, where vLLM makes a series for each value from the start. `only` says in which
    situation a page has it at all: "" in every one.
    """

    name: str
    type: str
    labels: tuple[str, ...]
    source: str
    about: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: str = ""

    @property
    def samples(self) -> tuple[str, ...]:
        """The names of its samples."""
        parts = ("_bucket", "_sum", "_count") if self.type == HISTOGRAM else ("",)
        return tuple(self.name + part for part in parts)


_LOGGERS = "vllm/v1/metrics/loggers.py"
_HTTP = "prometheus-fastapi-instrumentator, vllm/entrypoints/serve/instrumentator/metrics.py:64"
#: What an API server of its own process says of itself: with several, no page has it.
ONE_SERVER = "one API server"
ADAPTERS = "adapters"

# Demand

RUNNING = Metric("vllm:num_requests_running", GAUGE, EACH, f"{_LOGGERS}:528", "requests in the batch")
WAITING = Metric("vllm:num_requests_waiting", GAUGE, EACH, f"{_LOGGERS}:538", "requests in the queue, for any reason")
WAITING_BY_REASON = Metric(
    "vllm:num_requests_waiting_by_reason",
    GAUGE,
    (*EACH, "reason"),
    f"{_LOGGERS}:548",
    "capacity: no room in the batch or the cache; deferred: for an adapter or a KV transfer",
    {"reason": ("capacity", "deferred")},
)
REJECTIONS = Metric(
    "vllm:admission_rejections_total",
    COUNTER,
    ("model_name", "reason"),  # of an API server, so of no rank
    f"{_LOGGERS}:848",
    "requests turned away at max-num-queued-reqs or -tokens: with 503, or in a stream that began with 200",
    {"reason": ("max_num_queued_reqs", "max_num_queued_tokens")},
)

# Capacity

KV_USE = Metric("vllm:kv_cache_usage_perc", GAUGE, EACH, f"{_LOGGERS}:620", "share of the KV cache in use, 0 to 1")
PREEMPTIONS = Metric("vllm:num_preemptions_total", COUNTER, EACH, f"{_LOGGERS}:739", "requests thrown out of the batch")
PREFIX_QUERIES = Metric("vllm:prefix_cache_queries_total", COUNTER, EACH, f"{_LOGGERS}:662", "prompt tokens looked up")
PREFIX_HITS = Metric("vllm:prefix_cache_hits_total", COUNTER, EACH, f"{_LOGGERS}:673", "prompt tokens found")
STEP_TOKENS = Metric(
    "vllm:iteration_tokens_total", HISTOGRAM, EACH, f"{_LOGGERS}:888", "tokens of a step; its count is the steps"
)

# Work

PROMPT_TOKENS = Metric(
    "vllm:prompt_tokens_total", COUNTER, EACH, f"{_LOGGERS}:748", "prompt tokens, cached or computed"
)
GENERATION_TOKENS = Metric("vllm:generation_tokens_total", COUNTER, EACH, f"{_LOGGERS}:799", "tokens generated")
FINISHED = Metric(
    "vllm:request_success_total",
    COUNTER,
    (*EACH, "finished_reason"),
    f"{_LOGGERS}:809",
    # vllm/v1/engine/output_processor.py:599-661 drops such a request before anything is counted.
    "requests that ended; abort is the engine's own doing (a pause): a client that hangs up is counted nowhere, so it "
    "is what has a first token (time_to_first_token_seconds_count) and no end",
    {"finished_reason": ("abort", "error", "length", "repetition", "stop")},
)

# Latency

TIME_TO_FIRST_TOKEN = Metric(
    "vllm:time_to_first_token_seconds", HISTOGRAM, EACH, f"{_LOGGERS}:931", "seconds, queue included; one for a request"
)
INTER_TOKEN_LATENCY = Metric(
    "vllm:inter_token_latency_seconds", HISTOGRAM, EACH, f"{_LOGGERS}:941", "seconds between two tokens of a request"
)
REQUEST_LATENCY = Metric(
    "vllm:e2e_request_latency_seconds", HISTOGRAM, EACH, f"{_LOGGERS}:961", "seconds of a request that ended"
)
QUEUE_TIME = Metric(
    "vllm:request_queue_time_seconds", HISTOGRAM, EACH, f"{_LOGGERS}:971", "seconds, said only when the request ends"
)

# Answers and the process

HTTP_REQUESTS = Metric(
    "http_requests_total",
    COUNTER,
    ("handler", "method", "status"),
    _HTTP,
    "answers by class of status (2xx); a class has no series before its first answer, and a stream that breaks is 2xx",
)
RESIDENT_MEMORY = Metric(
    "process_resident_memory_bytes", GAUGE, (), "prometheus-client", "of the API server alone", only=ONE_SERVER
)
PROCESS_START = Metric(
    "process_start_time_seconds", GAUGE, (), "prometheus-client", "of the API server, Unix time", only=ONE_SERVER
)
ADAPTERS_IN_USE = Metric(
    "vllm:lora_requests_info",
    GAUGE,
    ("max_lora", "running_lora_adapters", "waiting_lora_adapters"),
    f"{_LOGGERS}:1104",
    "a series for each set of adapters that was in use, its value when that was last so: not how many",
    only=ADAPTERS,
)

#: What the KV cache's use was called by vLLM before 0.11: no page of a supported release has it.
KV_USE_FORMERLY = "vllm:gpu_cache_usage_perc"

METRICS: Mapping[str, Metric] = {value.name: value for value in globals().values() if isinstance(value, Metric)}
