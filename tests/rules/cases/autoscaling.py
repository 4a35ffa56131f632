"""Does the autoscaler do its work? kube-state-metrics' series of it, beside the engines'."""

from tests.rules.scenario import FULLNAME, NAMESPACE, Case, Firing, elsewhere, fires, replica, written

#: As KEDA names the HorizontalPodAutoscaler of a ScaledObject.
AUTOSCALER = f"keda-hpa-{FULLNAME}"
SERVING = "serving for 40m"
#: Neither does anything wrong by itself.
BUSY = {"running": "40", "steps": "+30/s", "stopped": "+2/s", "ttft": "+2/s"}


def autoscaler(
    name: str = AUTOSCALER,
    namespace: str = NAMESPACE,
    inactive: str = "0",
    unable: str = "0",
    desired: str = "2",
    most: str = "4",
    instance: str = "ksm-a:8080",
) -> dict[str, str]:
    """What kube-state-metrics says of an autoscaler: whether two of its conditions are false, and its numbers."""
    labels = {
        "namespace": namespace,
        "horizontalpodautoscaler": name,
        "job": "kube-state-metrics",
        "instance": instance,
    }
    condition = "kube_horizontalpodautoscaler_status_condition"
    opposite = {"0": "1", "1": "0"}
    return {
        written(condition, {**labels, "condition": "ScalingActive", "status": "false"}): inactive,
        written(condition, {**labels, "condition": "ScalingActive", "status": "true"}): opposite.get(inactive, "0"),
        written(condition, {**labels, "condition": "ScalingActive", "status": "unknown"}): "0",
        written(condition, {**labels, "condition": "AbleToScale", "status": "false"}): unable,
        written("kube_horizontalpodautoscaler_status_desired_replicas", labels): desired,
        written("kube_horizontalpodautoscaler_spec_max_replicas", labels): most,
    }


def of(alert: str, when: str, value: float | None = None) -> Firing:
    """These are about the autoscaler, which is none of the engines' series: there is no job."""
    return fires(alert, when, value, job="", horizontalpodautoscaler=AUTOSCALER)


BLIND = [
    Case(
        "the autoscaler gets no metrics",
        [replica("a", SERVING, **BUSY), replica("b", SERVING, **BUSY)],
        [of("VLLMAutoscalerBlind", "15m", value=1)],
        extra=autoscaler(inactive="0 for 5m, 1"),
    ),
    Case(
        "the autoscaler gets no metrics for ten minutes",
        [replica("a", SERVING, **BUSY)],
        silent=["VLLMAutoscalerBlind"],
        extra=autoscaler(inactive="0 for 5m, 1 for 10m, 0"),
    ),
    Case(
        "the autoscaler gets no metrics for half a minute more",
        [replica("a", SERVING, **BUSY)],
        [of("VLLMAutoscalerBlind", "15m to 15m30s")],
        extra=autoscaler(inactive="0 for 5m, 1 for 10m30s, 0"),
    ),
    Case(
        "the autoscaler gets no metrics, because a first start has none",
        [replica("a", "loading for 25m, serving for 5m", **BUSY)],
        silent=["VLLMAutoscalerBlind"],
        extra=autoscaler(inactive="1 for 25m, 0"),
    ),
    Case(
        "the autoscaler gets no metrics, with one replica serving and one loading",
        [replica("a", SERVING, **BUSY), replica("b", "loading for 25m, serving for 15m")],
        [of("VLLMAutoscalerBlind", "10m", value=1)],
        extra=autoscaler(inactive="1"),
    ),
    Case(
        "the autoscaler can't scale for another reason",
        [replica("a", SERVING, **BUSY)],
        silent=["VLLMAutoscalerBlind"],
        extra=autoscaler(unable="1"),
    ),
]

AT_MAX = [
    Case(
        "two of kube-state-metrics say that the autoscaler gets no metrics and that all replicas are not enough",
        [replica("a", SERVING, deferred="1", **BUSY)],
        [of("VLLMAutoscalerBlind", "10m", value=1), of("VLLMAutoscalerAtMax", "15m", value=4)],
        extra={
            **autoscaler(inactive="1", desired="4"),
            **autoscaler(inactive="1", desired="4", instance="ksm-b:8080"),
        },
    ),
    Case(
        "two of kube-state-metrics say that another replica is asked for",
        [replica("a", SERVING, deferred="1", **BUSY)],
        silent=["VLLMAutoscalerAtMax"],
        extra={**autoscaler(desired="3"), **autoscaler(desired="3", instance="ksm-b:8080")},
    ),
    Case(
        "all replicas that there may be are not enough",
        [replica("a", SERVING, waiting="0 for 5m, 1", **BUSY), replica("b", SERVING, **BUSY)],
        [of("VLLMAutoscalerAtMax", "20m", value=4), fires("VLLMQueueing", "14m30s")],
        extra=autoscaler(desired="4"),
    ),
    Case(
        "all replicas that there may be are not enough for a quarter of an hour",
        [replica("a", SERVING, waiting="0 for 5m, 1 for 15m, 0", **BUSY)],
        [fires("VLLMQueueing", "14m30s to 20m")],
        silent=["VLLMAutoscalerAtMax"],
        extra=autoscaler(desired="4"),
    ),
    Case(
        "all replicas that there may be are not enough for half a minute more",
        [replica("a", SERVING, deferred="0 for 5m, 1 for 15m30s, 0", **BUSY)],
        [of("VLLMAutoscalerAtMax", "20m to 20m30s")],
        extra=autoscaler(desired="4"),
    ),
    Case(
        "all replicas that there may be are enough",
        [replica("a", SERVING, **BUSY)],
        silent=["VLLMAutoscalerAtMax"],
        extra=autoscaler(desired="4"),
    ),
    Case(
        "requests wait, and another replica is asked for",
        [replica("a", SERVING, waiting="1", **BUSY)],
        [fires("VLLMQueueing", "5m")],
        silent=["VLLMAutoscalerAtMax"],
        extra=autoscaler(desired="3"),
    ),
    Case(
        "more are asked for than there may be any more",
        [replica("a", SERVING, waiting="1", **BUSY)],
        [of("VLLMAutoscalerAtMax", "15m", value=5), fires("VLLMQueueing", "5m")],
        extra=autoscaler(desired="5"),
    ),
]

NEIGHBOURS = [
    Case(
        "autoscalers of others are blind and at their maximum, of a namespace with the same names too",
        [replica("a", SERVING, waiting="1", **BUSY), *elsewhere(replica("b", SERVING, waiting="1", **BUSY))],
        [fires("VLLMQueueing", "5m")],
        silent=["VLLMAutoscalerBlind", "VLLMAutoscalerAtMax"],
        extra={
            **autoscaler(),
            **autoscaler("keda-hpa-other-vllm", inactive="1", desired="4"),
            **autoscaler(namespace="staging", inactive="1", desired="4"),
        },
    ),
    Case(
        "it is blind and at its maximum beside autoscalers that do well",
        [replica("a", SERVING, waiting="1", **BUSY), *elsewhere(replica("b", SERVING, **BUSY))],
        [
            of("VLLMAutoscalerBlind", "10m", value=1),
            of("VLLMAutoscalerAtMax", "15m", value=4),
            fires("VLLMQueueing", "5m"),
        ],
        extra={
            **autoscaler(inactive="1", desired="4"),
            **autoscaler("keda-hpa-other-vllm", most="9"),
            **autoscaler(namespace="staging", most="9"),
        },
    ),
    Case(
        "others serve and have requests that wait, and this autoscaler has nothing to go by yet",
        [
            replica("a", "loading for 25m, serving for 15m"),
            *elsewhere(replica("b", SERVING, waiting="9", **BUSY)),
        ],
        silent=["VLLMAutoscalerBlind", "VLLMAutoscalerAtMax"],
        extra=autoscaler(inactive="1 for 25m, 0", desired="4"),
    ),
]

CASES = [*BLIND, *AT_MAX, *NEIGHBOURS]
