"""Is it there? Starts, restarts, outages, rollouts, and none at all."""

from tests.rules.engine_page import Labels
from tests.rules.scenario import JOB, NAMESPACE, Case, Firing, Replica, elsewhere, fires, replica, two_ranks, written

SCOPE = {"namespace": NAMESPACE, "job": JOB}
THERE = ("VLLMDown", "VLLMAbsent", "VLLMReplicaDown", "VLLMStartTooLong")


def of(alert: str, when: str, pod: str = "a") -> Firing:
    """An alert about one replica as a target of Prometheus."""
    return fires(alert, when, pod=pod, instance=f"{pod}:8000")


def restarts(pod: str, container: str = "vllm", namespace: str = NAMESPACE, instance: str = "ksm-a:8080") -> str:
    """kube-state-metrics' counter, which some clusters have."""
    labels: Labels = {"namespace": namespace, "pod": pod, "container": container, "job": "kube-state-metrics"}
    return written("kube_pod_container_status_restarts_total", {**labels, "instance": instance})


def crashing(pod: str, times: int) -> Replica:
    """An engine with requests that crashes every ten minutes, and is back in a minute."""
    life = ", ".join(["serving for 9m, down for 1m"] * times)
    return replica(pod, f"{life}, serving for {80 - 10 * times}m", steps="+3/s")


CASES = [
    Case("a first start of 20 minutes", [replica("a", "loading for 20m, serving for 15m")], silent=THERE),
    Case(
        "a first start that takes all its time",
        [replica("a", "loading for 31m, serving for 5m")],
        silent=THERE,
    ),
    Case(
        "a first start that takes half a minute more",
        [replica("a", "loading for 31m30s, serving for 5m")],
        [of("VLLMStartTooLong", "31m to 31m30s")],
        silent=["VLLMDown", "VLLMReplicaDown"],
    ),
    Case(
        "a start that never ends",
        [replica("a", "loading for 60m")],
        [of("VLLMStartTooLong", "31m")],
        silent=["VLLMDown", "VLLMReplicaDown"],
        extra={written("ALERTS", {**SCOPE, "alertname": "VLLMStalled", "alertstate": "firing", "pod": "b"}): "1"},
    ),
    Case(
        "the only replica dies and is back after ten minutes",
        [replica("a", "serving for 10m, down for 10m, serving for 5m")],
        [fires("VLLMDown", "12m to 20m"), of("VLLMReplicaDown", "13m to 20m")],
    ),
    Case(
        "the only replica is away for two minutes",
        [replica("a", "serving for 10m, down for 2m, serving for 5m")],
        silent=["VLLMDown", "VLLMReplicaDown"],
    ),
    Case(
        "the only replica is away for half a minute more",
        [replica("a", "serving for 10m, down for 2m30s, serving for 5m")],
        [fires("VLLMDown", "12m to 12m30s")],
        silent=["VLLMReplicaDown"],
    ),
    Case(
        "the only replica dies for ever",
        [replica("a", "serving for 10m, down for 60m")],
        [fires("VLLMDown", "12m"), of("VLLMReplicaDown", "13m to 42m30s"), of("VLLMStartTooLong", "41m")],
    ),
    Case(
        "one of two is away for three minutes",
        [replica("a", "serving for 10m, down for 3m, serving for 5m"), replica("b", "serving for 20m")],
        silent=["VLLMDown", "VLLMReplicaDown"],
    ),
    Case(
        "one of two is away for half a minute more",
        [replica("a", "serving for 10m, down for 3m30s, serving for 5m"), replica("b", "serving for 20m")],
        [of("VLLMReplicaDown", "13m to 13m30s")],
        silent=["VLLMDown"],
    ),
    Case(
        "one served for half a minute and is down, another never served: that is told from the other",
        [replica("a", "loading for 5m, serving for 30s, down for 10m"), replica("b", "loading for 15m30s")],
        [fires("VLLMDown", "7m30s"), of("VLLMReplicaDown", "8m30s")],
        silent=["VLLMStartTooLong"],
    ),
    Case(
        "two die",
        [replica("a", "serving for 10m, down for 10m"), replica("b", "serving for 11m, down for 9m")],
        [fires("VLLMDown", "13m"), of("VLLMReplicaDown", "13m", "a"), of("VLLMReplicaDown", "14m", "b")],
    ),
    Case(
        "a third replica is added and loads",
        [
            replica("a", "serving for 30m"),
            replica("b", "serving for 30m"),
            replica("c", "gone for 5m, loading for 25m"),
        ],
        silent=THERE,
    ),
    Case(
        "scaled to zero",
        [replica("a", "serving for 10m, gone for 30m")],
        [fires("VLLMAbsent", "24m30s")],
        silent=["VLLMDown", "VLLMReplicaDown"],
    ),
    Case(
        "scaled to zero for a quarter of an hour",
        [replica("a", "serving for 10m, gone for 14m30s, loading for 2m, serving for 5m")],
        silent=["VLLMAbsent", "VLLMDown"],
    ),
    Case(
        "back from zero after more than half an hour: a first start",
        [replica("a", "serving for 10m"), replica("b", "gone for 42m, loading for 15m, serving for 5m")],
        [fires("VLLMAbsent", "24m30s to 42m")],
        silent=["VLLMDown", "VLLMReplicaDown"],
    ),
    Case(
        "back from zero within half an hour: it can't be told from a rollout that takes the old one away first",
        [replica("a", "serving for 10m"), replica("b", "gone for 34m, loading for 10m, serving for 5m")],
        [fires("VLLMAbsent", "24m30s to 34m"), fires("VLLMDown", "36m to 44m")],
        silent=["VLLMReplicaDown"],
    ),
    Case(
        "back from zero after half an hour to the scrape: not for longer than an instant is it an outage",
        [replica("a", "serving for 10m"), replica("b", "gone for 39m, loading for 10m, serving for 5m")],
        [fires("VLLMAbsent", "24m30s to 39m")],
        silent=["VLLMDown"],
    ),
    Case(
        "a rollout of the only replica without surge: an outage",
        [replica("a", "serving for 10m"), replica("b", "gone for 10m, loading for 5m, serving for 10m")],
        [fires("VLLMDown", "12m to 15m")],
        silent=["VLLMReplicaDown", "VLLMAbsent", "VLLMStartTooLong"],
    ),
    Case(
        "a rollout with surge",
        [
            replica("a", "serving for 18m, down for 1m"),
            replica("b", "gone for 10m, loading for 5m, serving for 10m"),
        ],
        silent=THERE,
    ),
    Case(
        "a rollout of two replicas, one after the other",
        [
            replica("a", "serving for 10m, down for 1m"),
            replica("b", "serving for 20m, down for 1m"),
            replica("c", "gone for 11m, loading for 8m, serving for 20m"),
            replica("d", "gone for 21m, loading for 8m, serving for 10m"),
        ],
        silent=THERE,
    ),
    Case(
        "others die, never start and crash",
        [
            replica("a", "serving for 80m"),
            *elsewhere(replica("b", "serving for 10m, down for 60m")),
            *elsewhere(replica("c", "loading for 70m")),
            *elsewhere(crashing("d", 4)),
        ],
        silent=[*THERE, "VLLMRestarting"],
    ),
    Case(
        "it dies while others serve",
        [replica("a", "serving for 10m, down for 10m"), *elsewhere(replica("b", "serving for 20m"))],
        [fires("VLLMDown", "12m"), of("VLLMReplicaDown", "13m")],
    ),
    Case(
        "it is gone while others are there",
        [replica("a", "serving for 10m, gone for 20m"), *elsewhere(replica("b", "serving for 30m"))],
        [fires("VLLMAbsent", "24m30s")],
    ),
    Case(
        "an outage elsewhere does not make a first start one",
        [
            replica("a", "loading for 20m, serving for 10m"),
            *elsewhere(replica("b", "serving for 10m, down for 20m")),
        ],
        silent=THERE,
    ),
]

RESTARTS = [
    Case(
        "an engine with requests crashes twice",
        [crashing("a", 2)],
        [fires("VLLMRestarting", "20m to 68m30s", pod="a")],
        silent=["VLLMDown", "VLLMReplicaDown"],
    ),
    Case("an engine crashes once", [crashing("a", 1)], silent=["VLLMRestarting", "VLLMDown"]),
    Case(
        "two engines crash once each",
        [crashing("a", 1), crashing("b", 1)],
        silent=["VLLMRestarting"],
    ),
    Case(
        "one of two crashes twice",
        [crashing("a", 2), replica("b", "serving for 80m")],
        [fires("VLLMRestarting", "20m to 68m30s", pod="a")],
    ),
    Case(
        "a pod of two ranks crashes once",
        [two_ranks("a", "serving for 9m, down for 1m, serving for 70m", {"steps": "+3/s"}, {"steps": "+3/s"})],
        silent=["VLLMRestarting"],
    ),
    Case(
        "a pod of two ranks crashes twice, and one rank has all requests",
        [Replica("a", crashing("a", 2).life, [{"steps": "+3/s"}, {}])],
        [fires("VLLMRestarting", "20m to 68m30s", value=2, pod="a")],
    ),
    Case(
        "two of kube-state-metrics count one crash, of a pod that is scraped at two ports",
        [replica("a", "serving for 80m")],
        silent=["VLLMRestarting"],
        extra={
            restarts("a"): "7 for 30m, 8",
            restarts("a", instance="ksm-b:8080"): "7 for 30m, 8",
            written("up", {**SCOPE, "pod": "a", "instance": "a:8001"}): "1",
        },
    ),
    Case(
        "an engine without requests crashes, and kube-state-metrics counts it",
        [replica("a", "serving for 90m"), replica("b", "serving for 90m")],
        [fires("VLLMRestarting", "20m to 69m30s", pod="a")],
        extra={restarts("a"): "0 for 10m, 1 for 10m, 2", restarts("b"): "4"},
    ),
    Case(
        "kube-state-metrics counts one crash of each container, many of a sidecar, and many of others",
        [replica("a", "serving for 90m"), *elsewhere(replica("z", "serving for 90m"))],
        silent=["VLLMRestarting"],
        extra={
            restarts("a"): "7 for 30m, 8",
            restarts("a", "proxy"): "+1/m",
            restarts("z"): "+1/m",
            restarts("a", namespace="staging"): "+1/m",
        },
    ),
]

CASES += RESTARTS
