"""The dashboard of the replicas: which pod, and which engine in it, is unlike the others."""

from ci.dashboards import parts, queries
from ci.dashboards.parts import Board, Query, Row, graph, states, value
from ci.dashboards.queries import REPLICA
from ci.dashboards.service import E2E, ITL, TTFT, UP

EACH = ("pod", "engine")
NAME = "{{pod}} {{engine}}"
QUEUE = "vllm:request_queue_time_seconds"
STEPS = "vllm:iteration_tokens_total"


def latency(title: str, metric: str, description: str, slo: str = "") -> parts.Panel:
    lines = [Query(queries.quantile(0.95, REPLICA, metric, *EACH), NAME)]
    return graph(title, "s", description, *lines, *([Query(f"vector({slo})", "SLO")] if slo else []), width=6)


def per_second(title: str, unit: str, metric: str, description: str, width: int = 8) -> parts.Panel:
    return graph(title, unit, description, Query(queries.rate(REPLICA, metric, *EACH), NAME), width=width)


PODS = Row(
    "Pods",
    [
        states(
            "Ready",
            "When each pod was there, and when it answered: a loading vLLM refuses connections.",
            Query(f"max by (pod) ({queries.select(REPLICA, 'up')})", "{{pod}}"),
            UP,
        ),
        value(
            "Started",
            "dateTimeAsIso",
            "When the API server began; of the container, by cAdvisor, with several API servers, which export no time.",
            Query(
                f"1000 * (max by (namespace, pod) ({queries.select(REPLICA, 'process_start_time_seconds')})"
                f" or {queries.of_pods('container_start_time_seconds')})",
                "{{pod}}",
            ),
            width=6,
        ),
        value(
            "Restarts",
            "none",
            "Of each pod's engine over the time range shown: how often its step counter began anew. One that went "
            "before its first step isn't counted.",
            Query(
                f"max by (pod) (resets({queries.select(REPLICA, f'{STEPS}_count')}[{queries.RANGE}]))",
                "{{pod}}",
            ),
            width=4,
            decimals=0,
        ),
        graph(
            "Resident memory",
            "bytes",
            "Of the API server's process, which vLLM exports with one API server only; and of the whole container, "
            "which cAdvisor knows.",
            Query(f"max by (pod) ({queries.select(REPLICA, 'process_resident_memory_bytes')})", "{{pod}} API server"),
            Query(queries.of_pods("container_memory_working_set_bytes"), "{{pod}} container"),
            width=6,
        ),
    ],
)

DEMAND = Row(
    "Demand",
    [
        graph(
            "Running",
            "short",
            "Requests in the batch of each engine. Replicas that differ for long are not balanced.",
            Query(queries.total(REPLICA, "vllm:num_requests_running", *EACH), NAME),
            width=12,
        ),
        graph(
            "Waiting",
            "short",
            "Requests that wait in each engine, for room or for what they need.",
            Query(queries.total(REPLICA, "vllm:num_requests_waiting", *EACH), NAME),
            width=12,
        ),
    ],
)

LATENCY = Row(
    "Latency, p95",
    [
        latency("Time to first token", TTFT, "From a request's arrival to its first token.", "$ttft_slo"),
        latency("Inter-token latency", ITL, "Between two tokens of an answer.", "$itl_slo"),
        latency("Whole request", E2E, "From arrival to the last token."),
        latency("Queue", QUEUE, "Waiting, as told at the end of each request: later than the gauge above."),
    ],
)

TOKEN = Row(
    "Tokens",
    [
        per_second("Prompt tokens", "short", "vllm:prompt_tokens_total", "Per second and engine."),
        per_second("Answer tokens", "short", "vllm:generation_tokens_total", "Per second and engine."),
        graph(
            "Prefix cache hits",
            "percentunit",
            "Share of the tokens looked up that were there. Each engine has a cache of its own: a prefix hits more "
            "often where it goes to the same one.",
            Query(
                queries.share(
                    queries.rate(REPLICA, "vllm:prefix_cache_hits_total", *EACH),
                    queries.rate(REPLICA, "vllm:prefix_cache_queries_total", *EACH),
                ),
                NAME,
            ),
            most=1,
        ),
    ],
)

SATURATION = Row(
    "Saturation",
    [
        graph(
            "KV cache in use",
            "percentunit",
            "Of each engine; ranks have caches of their own.",
            Query(f"max{queries.by(*EACH)} ({queries.select(REPLICA, 'vllm:kv_cache_usage_perc')})", NAME),
            width=6,
            most=1,
        ),
        per_second("Preemptions", "ops", "vllm:num_preemptions_total", "Per second and engine.", 6),
        graph(
            "Tokens per engine step",
            "short",
            "Mean size of a batch. With several API servers, of each server's share of it.",
            Query(queries.mean(REPLICA, STEPS, *EACH), NAME),
            width=6,
        ),
        per_second(
            "Engine steps", "ops", f"{STEPS}_count", "Per second. None while requests run: the engine is stuck.", 6
        ),
    ],
)

OUTCOMES = Row(
    "Outcomes",
    [
        graph(
            "Broken off",
            "reqps",
            "Requests per second that the engine (error) or the client (abort) broke off.",
            Query(
                queries.rate(
                    REPLICA,
                    "vllm:request_success_total",
                    *EACH,
                    "finished_reason",
                    where='finished_reason=~"error|abort"',
                ),
                f"{NAME} {{{{finished_reason}}}}",
            ),
        ),
        graph(
            "HTTP 5xx",
            "reqps",
            "Answers per second that are the server's failure, rejections included.",
            Query(queries.failed(REPLICA, "pod"), "{{pod}}"),
        ),
        graph(
            "Rejected by a queue limit",
            "reqps",
            "Requests per second, by limit.",
            Query(
                queries.rate(REPLICA, "vllm:admission_rejections_total", "pod", "reason"),
                "{{pod}} {{reason}}",
            ),
        ),
    ],
)

BOARD = Board(
    "replica",
    "vLLM replicas",
    "The pods of a release of the vLLM chart, and the engines in them, side by side.",
    [PODS, DEMAND, LATENCY, TOKEN, SATURATION, OUTCOMES],
    [
        parts.datasource(),
        parts.namespace(),
        parts.release(),
        parts.pod(),
        parts.number("ttft_slo", "TTFT SLO, s", "2.5"),
        parts.number("itl_slo", "ITL SLO, s", "0.1"),
    ],
)
