"""Network: mistakes that somebody made."""

from tests.cluster_objects import snapshot
from tests.render.mistakes.catches import (
    Checked,
    Diagnosed,
    Explained,
    Mended,
    Preflighted,
    Refused,
)
from tests.render.mistakes.rows import METRICS, UNLABELLED, Mistake, cluster, crash, mistake, picked_by

SCALED = "autoscaling: {enabled: true, maxReplicas: 2, prometheus: {address: 'http://prometheus:9090'}}"


def scaler(query: str, target: str = "llm-vllm") -> str:
    """A ScaledObject of the user's own."""
    return (
        "{replicaCount: null, extraObjects: [{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: a}, "
        f"spec: {{scaleTargetRef: {{name: {target}}}, triggers: [{{type: prometheus, metadata: {{serverAddress: "
        f"'http://prometheus:9090', query: '{query}', threshold: '5'}}}}]}}}}]}}"
    )


ROWS: list[Mistake] = [
    mistake(
        "dp-rpc-port-equals-http-port",
        "an internal port that is the HTTP port as well",
        "vllm-project/vllm#20119",
        Refused(
            "engine: {args: {data-parallel-rpc-port: 8000}}", "engine.args.data-parallel-rpc-port", "write another one"
        ),
    ),
    mistake(
        "client-points-to-missing-service",
        "a client that asks a Service which is not there",
        "ogx-ai/ogx-demos#49",
        Explained("charts/vllm/templates/NOTES.txt", "In the cluster:"),
    ),
    mistake(
        "airgap-model-id-instead-of-path",
        "a Hub id in a network without the Hub, where the weights lie in a volume",
        "vllm-project/vllm#1986",
        Refused(
            "{model: {id: meta-llama/Llama-2-13b-chat-hf}, hub: {offline: true}}",
            "hub.offline",
            "write the path of a mounted model",
        ),
        Diagnosed(
            crash("OSError: We couldn't connect to 'https://huggingface.co' to load the files"), "vllm", "hub.offline"
        ),
    ),
    mistake(
        "custom-port-not-followed-everywhere",
        "the engine's port changed by a flag, which Service and probes do not follow",
        "volcano-sh/kthena#1434",
        Refused('engine: {extraArgs: [--port, "9000"]}', "engine.extraArgs", "write containerPort"),
        Mended(
            "Service and probes go by the name of containerPort",
            lambda v: (
                v.service["ports"][0]["targetPort"] == v.engine["livenessProbe"]["httpGet"]["port"] == "http"
                and v.engine["ports"][0]["containerPort"] == 9000
            ),
            "containerPort: 9000",
        ),
    ),
    mistake(
        "cached-model-without-offline-mode",
        "a cached model of which every start asks the Hub, until the Hub asks for patience",
        "vllm-project/vllm#24541",
        Diagnosed(
            crash(
                "huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url:"
                " https://huggingface.co/api/models/Qwen/Qwen3-8B"
            ),
            "vllm",
            "hub.offline: true",
        ),
    ),
    mistake(
        "networkpolicy-for-metrics-blocks-inference",
        "one policy for the metrics, which closes the pods to everybody else",
        "opendatahub-io/kserve#1904",
        Mended(
            "who may scrape is let in beside all others, in one policy",
            lambda v: (
                not {"from"} & v.manifests.one("NetworkPolicy")["spec"]["ingress"][0].keys()
                and v.manifests.one("NetworkPolicy")["spec"]["ingress"][0]["ports"][0]["port"] == 8000
            ),
            "networkPolicy: {ingress: {metricsFrom: [{namespaceSelector: {}}]}}",
        ),
    ),
    mistake(
        "podmonitor-only-own-namespace",
        "a monitor that looks for pods in its own namespace only",
        "llm-d/llm-d-async#359",
        Mended(
            "a monitor in another namespace names that of the pods",
            lambda v: v.manifests.one("PodMonitor")["spec"]["namespaceSelector"] == {"matchNames": ["default"]},
            "podMonitor: {enabled: true, namespace: monitoring}",
        ),
    ),
    mistake(
        "monitor-without-release-label",
        "a monitor without the label by which Prometheus chooses",
        "vllm-project/production-stack#606",
        Preflighted(
            "serviceMonitor: {enabled: true}",
            cluster(pickers=picked_by({"release": "kube-prometheus-stack"})),
            "ServiceMonitor",
            "write serviceMonitor.labels: {release: kube-prometheus-stack}",
        ),
        Diagnosed(
            snapshot(monitors=[UNLABELLED], pickers=picked_by({"release": "kube-prometheus-stack"})),
            "ServiceMonitor",
            "write serviceMonitor.labels: {release: kube-prometheus-stack}",
        ),
    ),
    mistake(
        "percentages-summed-over-pods",
        "percentages of several pods added up",
        "GoogleCloudPlatform/monitoring-dashboard-samples#1188",
        METRICS,
    ),
    mistake(
        "scaler-query-empty-at-zero",
        "a scaler that waits for a metric of pods that are not there",
        "llm-d/llm-d#1981",
        Refused(
            "autoscaling: {enabled: true, minReplicas: 0, maxReplicas: 2, prometheus: {address: 'http://prometheus'}}",
            "autoscaling.minReplicas",
            "at 0 replicas the engine's metrics are gone",
        ),
    ),
    mistake(
        "target-above-what-one-pod-can-show",
        "a scaler's target that one pod's metric can never reach",
        "defilantech/LLMKube#482",
        Mended(
            "what waits is counted too, which has no bound",
            lambda v: "vllm:num_requests_waiting" in str(v.manifests.one("ScaledObject")["spec"]["triggers"][0]),
            SCALED,
        ),
    ),
    mistake(
        "scaler-query-of-several-pods",
        "a KEDA query that has an answer for each pod, which KEDA refuses at two",
        "https://github.com/vllm-project/production-stack/blob/main/tutorials/20-keda-autoscaling.md",
        Checked(scaler("vllm:num_requests_waiting"), "ScaledObject/a", "write query: sum(vllm:num_requests_waiting)"),
    ),
    mistake(
        "scaler-of-nothing",
        "an autoscaler whose target is no workload of the release",
        "kedacore/keda#2632",
        Checked(
            scaler("sum(vllm:num_requests_waiting)", "llm"), "ScaledObject/a", "Deployment/llm is not in the release"
        ),
    ),
    mistake(
        "scaled-down-when-prometheus-is-lost",
        "a KEDA trigger that takes no answer for 0, so that a lost Prometheus scales to the least at the peak",
        "kedacore/keda#3065",
        Checked(scaler("sum(vllm:num_requests_waiting)"), "ScaledObject/a", "ignoreNullValues"),
        Mended(
            "no answer is an error",
            lambda v: "'ignoreNullValues': 'false'" in str(v.manifests.one("ScaledObject")),
            SCALED,
        ),
    ),
    mistake(
        "replicas-beside-an-autoscaler",
        "replicas that every upgrade sets back",
        "helm/helm#12650",
        Refused(f"{{replicaCount: 3, {SCALED}}}", "replicaCount", "autoscaling.minReplicas: 3"),
        Mended("they are left out", lambda v: "replicas" not in v.deployment["spec"], SCALED),
    ),
    mistake(
        "killed-while-it-loads-by-a-cooldown",
        "a cooldown shorter than a start, which ends a loading pod for ever",
        "superlinked/sie#293",
        Refused(
            "autoscaling: {enabled: true, minReplicas: 0, maxReplicas: 2, cooldownSeconds: 300, "
            "wakeUp: {triggers: [{type: cron, metadata: {}}]}, prometheus: {address: 'http://prometheus:9090'}}",
            "autoscaling.cooldownSeconds",
            "again and again",
        ),
    ),
]
