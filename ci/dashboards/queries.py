"""The PromQL of the panels: text, with Grafana's variables in it.

Everything is asked of one release: `job` is `<namespace>/<fullname>`, whoever scrapes it. A release has several pods, a
pod several engines (data-parallel ranks), so every expression sums up or says by which labels it doesn't. Latencies are
quantiles or means of the interval that a point stands for, never of the pod's whole life.
"""

SERVICE = 'namespace="$namespace",job="$namespace/$release"'
REPLICA = f'{SERVICE},pod=~"$pod"'

#: What counts for the error budget, as in the chart's rules: requests for an answer.
API = 'handler=~"/v1/.*",method="POST"'
INTERVAL, RANGE = "$__rate_interval", "$__range"


def select(scope: str, metric: str, *where: str) -> str:
    """A selector: the series of a metric in the scope that match what is asked for beside it."""
    return f"{metric}{{{','.join([scope, *where])}}}"


def by(*labels: str) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def total(scope: str, metric: str, *labels: str) -> str:
    """The sum of a gauge, by labels."""
    return f"sum{by(*labels)} ({select(scope, metric)})"


def rate(scope: str, metric: str, *labels: str, where: str = "", over: str = INTERVAL) -> str:
    """How much a counter grows per second, by labels."""
    selector = select(scope, metric, *filter(None, [where]))
    return f"sum{by(*labels)} (rate({selector}[{over}]))"


def quantile(share: float, scope: str, metric: str, *labels: str) -> str:
    """The value that this share of a histogram's observations is below; not a number where there were none."""
    return f"histogram_quantile({share:g}, {rate(scope, f'{metric}_bucket', *labels, 'le')})"


def mean(scope: str, metric: str, *labels: str) -> str:
    """The mean of a histogram's observations; nothing where there were none."""
    return share(rate(scope, f"{metric}_sum", *labels), rate(scope, f"{metric}_count", *labels))


def share(part: str, whole: str) -> str:
    """A part of a whole; nothing where there is no whole."""
    return f"({part}) / ({whole} > 0)"


def or_zero(part: str, whole: str) -> str:
    """A part that is zero, and no gap, as long as its series are not there: vLLM exports the status 5xx, and Envoy each
    code, from the first one on."""
    return f"({part} or 0 * {whole})"


def served(scope: str, *labels: str, where: str = "", over: str = INTERVAL) -> str:
    """Answers per second of vLLM's API."""
    return rate(scope, "http_requests_total", *labels, where=",".join(filter(None, [API, where])), over=over)


def failed(scope: str, *labels: str, over: str = INTERVAL) -> str:
    """Answers per second that are the server's failure."""
    return or_zero(served(scope, *labels, where='status="5xx"', over=over), served(scope, *labels, over=over))


#: Pods that answer a scrape. A loading vLLM refuses connections, so it is scraped as down.
READY = f"sum(max by (pod) ({select(SERVICE, 'up')}))"
#: Pods that there are, loading ones too.
PODS = f"count(count by (pod) ({select(SERVICE, 'up')}))"
IN_FLIGHT = f"({total(SERVICE, 'vllm:num_requests_running')} + {total(SERVICE, 'vllm:num_requests_waiting')})"
#: Of the fullest engine of each pod, as the autoscaler's second trigger has it: one full engine makes a full pod.
KV_PER_POD = f"avg(max by (pod) ({select(SERVICE, 'vllm:kv_cache_usage_perc')}))"
#: How many pods there shall be: of an autoscaler, else of the Deployment. Only kube-state-metrics knows.
DESIRED = (
    'max(kube_horizontalpodautoscaler_status_desired_replicas{namespace="$namespace",'
    'horizontalpodautoscaler=~"(keda-hpa-)?$release"})'
    ' or max(kube_deployment_spec_replicas{namespace="$namespace",deployment="$release"})'
)


def budget_left(bad: str, whole: str, objective: str) -> str:
    """How much of an error budget is left over a range: 1 is all of it, below 0 the objective is missed."""
    return f"1 - {share(bad, whole)} / (1 - {objective})"


def slower(metric: str, bound: str) -> str:
    """Observations per second over the range that took longer than a bound, which has to be that of a bucket.

    It is written as vLLM writes it, "1.0". A pattern that took "1" as well would take 160.0 for 1.0, whose point is any
    character, and Grafana cannot escape it.
    """
    within = rate(SERVICE, f"{metric}_bucket", where=f'le="{bound}"', over=RANGE)
    return f"{rate(SERVICE, f'{metric}_count', over=RANGE)} - {within}"


def of_pods(metric: str, *where: str) -> str:
    """A metric of cAdvisor's or the kubelet's about the engine's container, for the pods of the release alone."""
    inner = ",".join(['namespace="$namespace"', 'container="vllm"', *where])
    return f"max by (namespace, pod) ({metric}{{{inner}}}) and on (namespace, pod) {select(REPLICA, 'up')}"


def cpu_of_pods(container: str) -> str:
    """Cores that a container of the release's pods uses; only cAdvisor knows."""
    used = f'rate(container_cpu_usage_seconds_total{{namespace="$namespace",container="{container}"}}[{INTERVAL}])'
    return f"sum by (namespace, pod) ({used}) and on (namespace, pod) {select(SERVICE, 'up')}"


def not_ready_seconds(scope: str) -> str:
    """For how many seconds of the range each pod was there and didn't answer, counted every 15 s."""
    return f"15 * sum_over_time((1 - max by (pod) ({select(scope, 'up')}))[{RANGE}:15s])"
