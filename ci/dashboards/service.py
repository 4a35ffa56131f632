"""The dashboard of a service: a release as its clients and its owner feel it, all replicas together."""

from ci.dashboards import parts, queries
from ci.dashboards.parts import Board, Query, Row, graph, heat, states, value
from ci.dashboards.queries import SERVICE

TTFT, ITL = "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds"
E2E = "vllm:e2e_request_latency_seconds"
QUANTILES = (0.5, 0.95, 0.99)
UP = {"0": ("loading or down", "orange"), "1": ("ready", "green")}

PROMPT = queries.rate(SERVICE, "vllm:prompt_tokens_total")
ANSWER = queries.rate(SERVICE, "vllm:generation_tokens_total")
TOKENS = f"({PROMPT} + {ANSWER})"
#: What all pods cost in a second, for a million of what is done in it.
MILLION = f"$price * $gpus * {queries.PODS} / 3600 * 1e6"


def latency(title: str, metric: str, description: str, slo: str = "") -> parts.Panel:
    """Three quantiles of a histogram of seconds, and the objective where there is one."""
    lines = [Query(queries.quantile(share, SERVICE, metric), f"p{share * 100:g}") for share in QUANTILES]
    return graph(title, "s", description, *lines, *([Query(f"vector({slo})", "SLO")] if slo else []))


def buckets(title: str, metric: str) -> parts.Panel:
    description = "How many requests per second fell into each bucket: two bands are two kinds of requests."
    return heat(title, "s", description, Query(queries.rate(SERVICE, f"{metric}_bucket", "le"), "{{le}}"))


def latency_budget(title: str, metric: str, bound: str, objective: str) -> parts.Panel:
    return value(
        title,
        "percentunit",
        "What is left of the share that may be slower than the SLO, over the time range shown; below 0 the objective "
        "is missed. Empty where the SLO is no bucket's bound, as vLLM writes it: 1.0, 2.5.",
        Query(
            queries.budget_left(
                queries.slower(metric, bound), queries.rate(SERVICE, f"{metric}_count", over=queries.RANGE), objective
            ),
            "left",
        ),
        good_from=0,
        decimals=1,
    )


NOW = Row(
    "Now",
    [
        value(
            "Replicas",
            "none",
            "Pods that answer, and pods that there are: a loading vLLM refuses connections.",
            Query(queries.READY, "ready"),
            Query(queries.PODS, "all"),
        ),
        value(
            "Requests finished",
            "reqps",
            "Per second, whatever they ended with.",
            Query(queries.rate(SERVICE, "vllm:request_success_total"), "finished"),
            decimals=2,
        ),
        value(
            "TTFT p95",
            "s",
            "Time to first token that 95 % of the requests stay below, at this moment. Empty without traffic.",
            Query(f"{queries.quantile(0.95, SERVICE, TTFT)} >= 0", "p95"),
        ),
        value(
            "Error budget left",
            "percentunit",
            "What is left of the share of answers that may be 5xx, over the time range shown; below 0 the objective is "
            "missed.",
            Query(
                queries.budget_left(
                    queries.failed(SERVICE, over=queries.RANGE),
                    queries.served(SERVICE, over=queries.RANGE),
                    "$error_objective",
                ),
                "left",
            ),
            good_from=0,
            decimals=1,
        ),
        latency_budget("TTFT budget left", TTFT, "$ttft_slo", "$ttft_objective"),
        latency_budget("ITL budget left", ITL, "$itl_slo", "$itl_objective"),
    ],
)

DEMAND = Row(
    "Demand",
    [
        graph(
            "Requests in flight",
            "short",
            "Running and waiting, which is what the autoscaler goes by. capacity: for room in the batch or in the KV "
            "cache; deferred: for an adapter or a KV transfer. target: what the ready replicas are meant to hold.",
            Query(queries.total(SERVICE, "vllm:num_requests_running"), "running"),
            Query(
                queries.total(SERVICE, "vllm:num_requests_waiting_by_reason", "reason"),
                "waiting: {{reason}}",
            ),
            Query(f"$target * {queries.READY}", "target"),
            width=12,
            stacked=True,
        ),
        graph(
            "Replicas over time",
            "short",
            "Pods that answer, pods that there are, and pods that there shall be. The last is known to "
            "kube-state-metrics alone.",
            Query(queries.READY, "ready"),
            Query(queries.PODS, "all"),
            Query(queries.DESIRED, "desired"),
            width=12,
            steps=True,
        ),
    ],
)

LATENCY = Row(
    "Latency",
    [
        latency(
            "Time to first token", TTFT, "From a request's arrival to its first token: queue and prefill.", "$ttft_slo"
        ),
        latency("Inter-token latency", ITL, "Between two tokens of an answer: what a reader feels.", "$itl_slo"),
        latency("Whole request", E2E, "From arrival to the last token. It goes with the answers' length."),
        buckets("Time to first token, spread", TTFT),
        buckets("Inter-token latency, spread", ITL),
        graph(
            "Where the time goes",
            "s",
            "Mean seconds of the requests that finished: in the queue, over the prompt, over the answer. A queue that "
            "grows now is seen here only when its requests end.",
            *(
                Query(queries.mean(SERVICE, f"vllm:request_{phase}_time_seconds"), phase)
                for phase in ("queue", "prefill", "decode")
            ),
            stacked=True,
        ),
    ],
)

TOKEN = Row(
    "Tokens",
    [
        graph(
            "Tokens",
            "short",
            "Per second: prompts read, and answers written.",
            Query(PROMPT, "prompt"),
            Query(ANSWER, "answer"),
        ),
        graph(
            "Prompt tokens by source",
            "short",
            "Per second: computed, found in the prefix cache, or fetched from another engine.",
            Query(queries.rate(SERVICE, "vllm:prompt_tokens_by_source_total", "source"), "{{source}}"),
            stacked=True,
        ),
        graph(
            "Prefix cache hits",
            "percentunit",
            "Share of the tokens looked up that were there: a property of the prompts more than of the engine.",
            *(
                Query(
                    queries.share(
                        queries.rate(SERVICE, f"vllm:{kind}prefix_cache_hits_total"),
                        queries.rate(SERVICE, f"vllm:{kind}prefix_cache_queries_total"),
                    ),
                    name,
                )
                for kind, name in (("", "local"), ("external_", "external"))
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
            "Mean over the engines, and the fullest one. Full is no fault as long as nothing waits or is preempted.",
            Query(f"avg({queries.select(SERVICE, 'vllm:kv_cache_usage_perc')})", "mean"),
            Query(f"max({queries.select(SERVICE, 'vllm:kv_cache_usage_perc')})", "fullest"),
            most=1,
        ),
        graph(
            "Preemptions",
            "ops",
            "Per second: requests thrown out of a full KV cache, whose work is done again.",
            Query(queries.rate(SERVICE, "vllm:num_preemptions_total"), "preempted"),
        ),
        graph(
            "Tokens per engine step",
            "short",
            "Mean size of a batch, prompts and answers. With several API servers, of each server's share of it.",
            Query(queries.mean(SERVICE, "vllm:iteration_tokens_total"), "mean"),
        ),
    ],
)

OUTCOMES = Row(
    "Outcomes",
    [
        graph(
            "Requests by end",
            "reqps",
            "stop and length are answers; abort: the client went away; error: the engine failed after the status line "
            "was sent, so that HTTP says 200.",
            Query(queries.rate(SERVICE, "vllm:request_success_total", "finished_reason"), "{{finished_reason}}"),
            width=6,
            stacked=True,
        ),
        graph(
            "HTTP answers",
            "reqps",
            "By route and class of status. Requests that a queue limit rejects are 5xx.",
            Query(queries.rate(SERVICE, "http_requests_total", "handler", "status"), "{{handler}} {{status}}"),
            width=6,
            stacked=True,
        ),
        graph(
            "Failed",
            "percentunit",
            "Share of the answers that are 5xx, and of the finished requests that the engine or the client broke off. "
            "SLO: what the error budget allows.",
            Query(queries.share(queries.failed(SERVICE), queries.served(SERVICE)), "5xx"),
            *(
                Query(
                    queries.share(
                        queries.rate(SERVICE, "vllm:request_success_total", where=f'finished_reason="{reason}"'),
                        queries.rate(SERVICE, "vllm:request_success_total"),
                    ),
                    reason,
                )
                for reason in ("error", "abort")
            ),
            Query("1 - vector($error_objective)", "SLO"),
            width=6,
        ),
        graph(
            "Rejected by a queue limit",
            "reqps",
            "By limit. Without --max-num-queued-reqs and its like nothing is ever rejected.",
            Query(queries.rate(SERVICE, "vllm:admission_rejections_total", "reason"), "{{reason}}"),
            width=6,
        ),
    ],
)

AUTOSCALING = Row(
    "Autoscaling",
    [
        graph(
            "Signal / target",
            "percentunit",
            "Demand per ready replica, and KV use, each over its target. The larger counts: above 1 pods are added.",
            Query(f"{queries.IN_FLIGHT} / ($target * {queries.READY} > 0)", "requests"),
            Query(f"{queries.KV_PER_POD} / (vector($kv_target) > 0)", "KV cache"),
            Query("vector(1)", "target"),
        ),
        states(
            "Starts",
            "When each pod was there, and when it answered: the orange part before the green is its time to ready.",
            Query(f"max by (pod) ({queries.select(SERVICE, 'up')})", "{{pod}}"),
            UP,
        ),
        value(
            "Time not ready",
            "s",
            "Of each pod, over the time range shown. Of one that started in it: its time to ready, from when "
            "Prometheus found it.",
            Query(queries.not_ready_seconds(SERVICE), "{{pod}}"),
            width=8,
        ),
    ],
)

COST = Row(
    "Cost",
    [
        graph(
            "Cost per million tokens",
            "none",
            "The price of all pods' GPUs, loading ones too, over the tokens of the moment. With a price of 1: in hours "
            "of a GPU. Empty without traffic, when it is without bound.",
            Query(f"{MILLION} / ({ANSWER} > 0)", "answer"),
            Query(f"{MILLION} / ({TOKENS} > 0)", "prompt and answer"),
            width=12,
        ),
        graph(
            "Tokens per second and GPU",
            "short",
            "How much each GPU yields, those of loading pods included.",
            Query(f"{TOKENS} / ($gpus * {queries.PODS})", "prompt and answer"),
            width=12,
        ),
    ],
)

BOARD = Board(
    "service",
    "vLLM service",
    "A release of the vLLM chart as a whole: demand, latency, tokens, saturation, outcomes, autoscaling, cost.",
    [NOW, DEMAND, LATENCY, TOKEN, SATURATION, OUTCOMES, AUTOSCALING, COST],
    [
        parts.datasource(),
        parts.namespace(),
        parts.release(),
        parts.number("ttft_slo", "TTFT SLO, s", "2.5"),
        parts.number("itl_slo", "ITL SLO, s", "0.1"),
        parts.number("target", "Requests per replica", "32"),
        parts.number("price", "Price of a GPU-hour", "1"),
        parts.number("gpus", "GPUs of a pod", "1", hidden=True),
        parts.number("kv_target", "KV use aimed at", "0.8", hidden=True),
        parts.number("error_objective", "Objective: not 5xx", "0.999", hidden=True),
        parts.number("ttft_objective", "Objective: TTFT", "0.95", hidden=True),
        parts.number("itl_objective", "Objective: ITL", "0.99", hidden=True),
    ],
)
