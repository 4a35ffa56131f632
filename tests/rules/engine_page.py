"""What an engine exports, as far as rules ask for it: names, labels and an idle engine's values.

tests/render/test_metrics_contract.py holds names and labels to pages of real engines; here is what values do.
"""

from collections.abc import Iterator, Mapping, Sequence

from tests.rules.timeline import Sample, samples

Labels = Mapping[str, str]
#: A signal's name and its timeline.
Page = Mapping[str, str]

MODEL = "llama-3"
COMPLETIONS = {"handler": "/v1/completions", "method": "POST"}

#: Signal: the metric, its labels, and an idle engine's value; "" where the series comes with the first event only.
SIGNALS: dict[str, tuple[str, Labels, str]] = {
    "running": ("vllm:num_requests_running", {}, "0"),
    "waiting": ("vllm:num_requests_waiting_by_reason", {"reason": "capacity"}, "0"),
    "deferred": ("vllm:num_requests_waiting_by_reason", {"reason": "deferred"}, "0"),
    "kv_use": ("vllm:kv_cache_usage_perc", {}, "0"),
    "steps": ("vllm:iteration_tokens_total_count", {}, "0"),
    "preemptions": ("vllm:num_preemptions_total", {}, "0"),
    "stopped": ("vllm:request_success_total", {"finished_reason": "stop"}, "0"),
    "cut": ("vllm:request_success_total", {"finished_reason": "length"}, "0"),
    "aborted": ("vllm:request_success_total", {"finished_reason": "abort"}, "0"),
    "errors": ("vllm:request_success_total", {"finished_reason": "error"}, "0"),
    "prompt_tokens": ("vllm:prompt_tokens_total", {}, "0"),
    "generation_tokens": ("vllm:generation_tokens_total", {}, "0"),
    "prefix_queries": ("vllm:prefix_cache_queries_total", {}, "0"),
    "prefix_hits": ("vllm:prefix_cache_hits_total", {}, "0"),
}
#: Of the API server: these have no rank.
SERVER_SIGNALS: dict[str, tuple[str, Labels, str]] = {
    "rejected": ("vllm:admission_rejections_total", {"model_name": MODEL, "reason": "max_num_queued_reqs"}, "0"),
    "rejected_tokens": (
        "vllm:admission_rejections_total",
        {"model_name": MODEL, "reason": "max_num_queued_tokens"},
        "0",
    ),
    "http_2xx": ("http_requests_total", {**COMPLETIONS, "status": "2xx"}, ""),
    "http_4xx": ("http_requests_total", {**COMPLETIONS, "status": "4xx"}, ""),
    "http_5xx": ("http_requests_total", {**COMPLETIONS, "status": "5xx"}, ""),
    "models_5xx": ("http_requests_total", {"handler": "/v1/models", "method": "GET", "status": "5xx"}, ""),
    "tokenize_5xx": ("http_requests_total", {"handler": "/tokenize", "method": "POST", "status": "5xx"}, ""),
    "health_2xx": ("http_requests_total", {"handler": "/health", "method": "GET", "status": "2xx"}, "+0.2/s"),
    "health_5xx": ("http_requests_total", {"handler": "/health", "method": "GET", "status": "5xx"}, ""),
}
#: Histogram: the boundary below that of the SLO, the SLO's, and the one above.
HISTOGRAMS = {
    "ttft": ("vllm:time_to_first_token_seconds", ("1.0", "2.5", "5.0")),
    "itl": ("vllm:inter_token_latency_seconds", ("0.075", "0.1", "0.15")),
}


def page(signals: Page, rank: int, serving: Sequence[bool], step: int) -> Iterator[tuple[str, Labels, list[Sample]]]:
    """Metric, labels and samples of each series of one engine. Raises ValueError: a signal that there is not."""
    known = {*SIGNALS, *SERVER_SIGNALS, *HISTOGRAMS, *(f"{name}_slow" for name in HISTOGRAMS)}
    if unknown := set(signals) - known:
        raise ValueError(f"no such signal: {', '.join(sorted(unknown))}")
    engine = {"engine": str(rank), "model_name": MODEL}
    for name, (metric, labels, idle) in SIGNALS.items():
        yield metric, {**engine, **labels}, samples(signals.get(name, idle), serving, step)
    reasons = [samples(signals.get(name, "0"), serving, step) for name in ("waiting", "deferred")]
    yield "vllm:num_requests_waiting", engine, [_sum(pair) for pair in zip(*reasons, strict=True)]
    for name, (metric, bounds) in HISTOGRAMS.items():
        for series, labels, values in _histogram(name, bounds, signals, serving, step):
            yield f"{metric}_{series}", {**engine, **labels}, values
    for name, (metric, labels, idle) in SERVER_SIGNALS.items():
        timeline = signals.get(name, idle)
        if timeline and (rank == 0 or name in signals):
            yield metric, labels, samples(timeline, serving, step)


def _sum(pair: Sequence[Sample]) -> Sample:
    return None if None in pair else sum(value or 0 for value in pair)


def _histogram(
    name: str, bounds: Sequence[str], signals: Page, serving: Sequence[bool], step: int
) -> Iterator[tuple[str, Labels, list[Sample]]]:
    """Half of what meets the SLO is below the next lower boundary; what misses it is below the next higher one."""
    total = samples(signals.get(name, "0"), serving, step)
    slow = samples(signals.get(f"{name}_slow", "0"), serving, step)
    met = [None if a is None or b is None else round(a - b, 6) for a, b in zip(total, slow, strict=True)]
    half = [None if value is None else round(value / 2, 6) for value in met]
    for bound, values in zip((*bounds, "+Inf"), (half, met, total, total), strict=True):
        yield "bucket", {"le": bound}, values
    yield "count", {}, total
