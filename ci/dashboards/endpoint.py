"""The dashboard of an endpoint: what its clients ask for and get, by client, model and replica of Envoy.

Envoy's names: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/upstream/cluster_manager/cluster_stats and
…/http/http_conn_man/stats. `envoy_llm_*` are the chart's own counters (templates/envoy/_logs.tpl). `model` is a key of
the values' models; a request that came to none of them, unknown or refused before, has an empty one.
"""

from ci.dashboards import parts, queries
from ci.dashboards.parts import Board, Query, Row, graph, value
from ci.dashboards.queries import RANGE, SERVICE

REQUESTS = "envoy_llm_requests"
FAILED, NO_KEY, LIMITED, UNAVAILABLE = 'code=~"5.."', 'code="401"', 'code="429"', 'code="503"'
CLUSTER = "envoy_cluster"
#: Of a cluster that is a model, not Envoy's own admin interface or keys' server.
OF_MODELS = 'model!=""'
#: Of the port for clients, not of that for Prometheus.
API = 'envoy_http_conn_manager_prefix="api"'
#: Every endpoint has it, an idle one too, and no other Envoy: a sidecar of a mesh is in the same namespace.
ALWAYS_THERE = 'envoy_http_downstream_cx_active{envoy_http_conn_manager_prefix="operations"}'
DOCUMENT = "envoy_extension_config_discovery_http_filter_api_keys"
#: Beyond this many days there is no certificate: Envoy writes 4294967295 then.
A_CENTURY = 36500


def requests(*labels: str, where: str = "", over: str = queries.INTERVAL) -> str:
    """Requests per second that have ended."""
    return queries.rate(SERVICE, REQUESTS, *labels, where=where, over=over)


def ended(code: str, *labels: str, over: str = queries.INTERVAL) -> str:
    """Requests per second that ended with such a code: zero, and no gap, until the first one."""
    return queries.or_zero(requests(*labels, where=code, over=over), requests(*labels, over=over))


def of_models(metric: str) -> str:
    """Something that Envoy counts per second for each model."""
    return queries.rate(SERVICE, f"{CLUSTER}_{metric}", "model", where=OF_MODELS)


def over_range(metric: str, label: str, *where: str) -> str:
    """How often something happened in the time that is shown, by a label."""
    return f"sum by ({label}) (increase({queries.select(SERVICE, metric, *where)}[{RANGE}]))"


def latency(title: str, share: float, metric: str, description: str) -> parts.Panel:
    selector = queries.select(SERVICE, f"{CLUSTER}_{metric}_bucket", OF_MODELS)
    seconds = f"histogram_quantile({share:g}, sum by (model, le) (rate({selector}[{queries.INTERVAL}]))) / 1000"
    return graph(title, "s", description, Query(seconds, "{{model}}"))


def by_replica(title: str, unit: str, description: str, metric: str, *where: str) -> parts.Panel:
    summed = f"sum by (pod) ({queries.select(SERVICE, metric, *where)})"
    return graph(title, unit, description, Query(summed, "{{pod}}"), width=6)


NOW = Row(
    "Now",
    [
        value(
            "Replicas",
            "none",
            "Pods of the endpoint that answer, and pods that there are.",
            Query(queries.READY, "ready"),
            Query(queries.PODS, "all"),
        ),
        value(
            "Requests",
            "reqps",
            "Per second that have ended, whatever with.",
            Query(requests(), "ended"),
            decimals=2,
        ),
        value(
            "Open requests",
            "none",
            "Requests that are being answered, streams among them.",
            Query(f"sum({queries.select(SERVICE, 'envoy_http_downstream_rq_active', API)})", "open"),
        ),
        value(
            "Answered 5xx",
            "percentunit",
            "Share of the requests of the time range shown, by engines or by the endpoint itself.",
            Query(queries.share(ended(FAILED, over=RANGE), requests(over=RANGE)), "5xx"),
            decimals=2,
        ),
        value(
            "Models without a replica",
            "none",
            "Models of which no replica of the endpoint knows a healthy engine: what is asked of them fails.",
            Query(
                f"count(max by (model) ({queries.select(SERVICE, f'{CLUSTER}_membership_healthy', OF_MODELS)}) == 0)"
                " or vector(0)",
                "down",
            ),
        ),
        value(
            "Certificate",
            "d",
            "Until the first of its certificates expires, engines' authorities too. Empty without any.",
            Query(
                f"min({queries.select(SERVICE, 'envoy_server_days_until_first_cert_expiring')}) < {A_CENTURY}",
                "left",
            ),
        ),
    ],
)

DEMAND = Row(
    "Demand",
    [
        graph(
            "Requests by client",
            "reqps",
            "Per second. Without a name: those without a key that the endpoint knows.",
            Query(requests("client"), "{{client}}"),
            stacked=True,
        ),
        graph(
            "Requests by model",
            "reqps",
            "Per second. Without a name: those that were refused, or asked for a model that there is not.",
            Query(requests("model"), "{{model}}"),
            stacked=True,
        ),
        graph(
            "Requests by code",
            "reqps",
            "Per second. 0: the client went away before an answer began.",
            Query(requests("code"), "{{code}}"),
            stacked=True,
        ),
    ],
)

REFUSALS = Row(
    "Errors and refusals",
    [
        graph(
            "5xx by model",
            "percentunit",
            "Share of a model's requests, answered so by its engines or by the endpoint itself.",
            Query(queries.share(ended(FAILED, "model"), requests("model")), "{{model}}"),
            width=6,
        ),
        graph(
            "503 by model",
            "reqps",
            "Per second: no replica is healthy, or the engine turned the request away.",
            Query(ended(UNAVAILABLE, "model"), "{{model}}"),
            width=6,
        ),
        graph(
            "429 by client",
            "reqps",
            "Per second: over the client's limit.",
            Query(ended(LIMITED, "client"), "{{client}}"),
            width=6,
        ),
        graph(
            "401",
            "reqps",
            "Per second: without a key that the endpoint knows. Who asks is in the access log (address).",
            Query(ended(NO_KEY), "refused"),
            width=6,
        ),
    ],
)

LATENCY = Row(
    "Latency",
    [
        latency(
            "Whole answers, p50",
            0.5,
            "upstream_rq_time",
            "From a request's last byte to its answer's last: queue, prefill, and every token of a stream.",
        ),
        latency(
            "Whole answers, p99",
            0.99,
            "upstream_rq_time",
            "The same: it goes with the answers' length. Time to first token is on the engines' dashboards.",
        ),
        latency(
            "Connecting, p99",
            0.99,
            "upstream_cx_connect_ms",
            "To an engine. What is refused or lost here is asked of another replica.",
        ),
    ],
)

TOKENS = Row(
    "Tokens",
    [
        graph(
            "Input tokens by client",
            "short",
            "Per second, as the engines count them; what `vllm-chart usage` adds up.",
            Query(queries.rate(SERVICE, "envoy_llm_input_tokens", "client"), "{{client}}"),
            stacked=True,
        ),
        graph(
            "Output tokens by client",
            "short",
            "Per second, counted when an answer ends.",
            Query(queries.rate(SERVICE, "envoy_llm_output_tokens", "client"), "{{client}}"),
            stacked=True,
        ),
        graph(
            "Output tokens by model",
            "short",
            "Per second, counted when an answer ends.",
            Query(queries.rate(SERVICE, "envoy_llm_output_tokens", "model"), "{{model}}"),
            stacked=True,
        ),
    ],
)

ENGINES = Row(
    "Engines",
    [
        graph(
            "Healthy replicas by model",
            "short",
            "As the replica of the endpoint sees it that sees the fewest, beside those that DNS knows.",
            *(
                Query(
                    f"min by (model) ({queries.select(SERVICE, f'{CLUSTER}_membership_{count}', OF_MODELS)})",
                    f"{{{{model}}}} {name}",
                )
                for count, name in (("healthy", "healthy"), ("total", "all"))
            ),
            width=6,
            steps=True,
        ),
        graph(
            "Open requests by model",
            "short",
            "Requests that are at an engine, over all replicas of the endpoint.",
            Query(
                f"sum by (model) ({queries.select(SERVICE, f'{CLUSTER}_upstream_rq_active', OF_MODELS)})", "{{model}}"
            ),
            width=6,
            stacked=True,
        ),
        graph(
            "Retries by model",
            "ops",
            "Per second: a request that reached no engine, or was turned away by one, was sent to another.",
            Query(of_models("upstream_rq_retry"), "{{model}}"),
            width=6,
        ),
        graph(
            "Turned away by Envoy's limits",
            "ops",
            "Per second: a circuit breaker let no request, or no retry, through.",
            Query(
                " + ".join(of_models(f"upstream_rq_{kind}_overflow") for kind in ("active", "pending", "retry")),
                "{{model}}",
            ),
            width=6,
        ),
    ],
)

REPLICAS = Row(
    "Replicas of the endpoint",
    [
        by_replica(
            "Open requests by replica",
            "short",
            "Streams among them. Connections are spread when they begin, so that replicas may differ.",
            "envoy_http_downstream_rq_active",
            API,
        ),
        by_replica(
            "Connections by replica",
            "short",
            "Of clients, idle ones too.",
            "envoy_http_downstream_cx_active",
            API,
        ),
        graph(
            "Processor by replica",
            "short",
            "Cores in use, as cAdvisor has it; an HPA goes by their share of the pod's request.",
            Query(queries.cpu_of_pods("envoy"), "{{pod}}"),
            width=6,
        ),
        by_replica(
            "Memory by replica",
            "bytes",
            "Envoy's heap, which holds the bodies of open requests until their answers begin; without its program.",
            "envoy_server_memory_physical_size",
        ),
    ],
)

CONFIGURATION = Row(
    "Configuration",
    [
        value(
            "Clients' document refused",
            "none",
            "By each replica, over the time range shown: it goes by the one before.",
            Query(over_range(f"{DOCUMENT}_config_fail", "pod"), "{{pod}}"),
            width=6,
            decimals=0,
        ),
        value(
            "Clients' document taken",
            "dateTimeAsIso",
            "When each replica took one last. They differ by a minute or two at most, or by the replicas' ages.",
            Query(f"max by (pod) ({queries.select(SERVICE, f'{DOCUMENT}_update_time')} > 0)", "{{pod}}"),
            width=6,
        ),
        value(
            "Certificate refused",
            "none",
            "Over the time range shown, engines' authorities too. The one before counts. Empty without TLS.",
            Query(
                " + ".join(
                    over_range(f"envoy_sds_{kind}", "pod") for kind in ("key_rotation_failed", "update_rejected")
                ),
                "{{pod}}",
            ),
            width=6,
            decimals=0,
        ),
        value(
            "DNS failures",
            "none",
            "Over the time range shown, by model: the name of its Service was not answered.",
            Query(over_range(f"{CLUSTER}_update_failure", "model", OF_MODELS), "{{model}}"),
            width=6,
            decimals=0,
        ),
    ],
)

BOARD = Board(
    "endpoint",
    "vLLM endpoint",
    "A release of the chart vllm-endpoint: who asks for what, what comes of it, its engines and its replicas.",
    [NOW, DEMAND, REFUSALS, LATENCY, TOKENS, ENGINES, REPLICAS, CONFIGURATION],
    [parts.datasource(), parts.namespace(ALWAYS_THERE), parts.release(ALWAYS_THERE)],
    tag="vllm-endpoint",
    chart="vllm-endpoint",
    with_variables=False,
)
