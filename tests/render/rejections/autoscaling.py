"""Autoscaling: what is refused, and keys of other charts."""

from tests.render.rejections.rows import MISSING, UNKNOWN, Row

PROMETHEUS = "prometheus: {address: 'http://prometheus:9090'}"


def on(more: str, prometheus: str = PROMETHEUS) -> str:
    """Autoscaling by KEDA, with more keys."""
    more = more if "maxReplicas" in more else f"maxReplicas: 2, {more}"
    return f"autoscaling: {{enabled: true, {prometheus}, {more}}}"


def auth(text: str) -> str:
    """Autoscaling with this authentication."""
    return on("maxReplicas: 2", f"prometheus: {{address: 'http://prometheus:9090', auth: {text}}}")


ADDON = "wakeUp: {httpAddon: {enabled: true, hosts: [llm.example.com]}}"
SCALER = (
    "{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: mine}, spec: {scaleTargetRef: {name: %s}}}"
)

ROWS: list[Row] = [
    # Bounds.
    (
        "autoscaling without a bound",
        f"autoscaling: {{enabled: true, {PROMETHEUS}}}",
        "autoscaling.maxReplicas",
        "write how many",
    ),
    (
        "autoscaling, more than the most",
        on("minReplicas: 5, maxReplicas: 3"),
        "autoscaling.minReplicas",
        "at most that",
    ),
    ("autoscaling to nothing at most", on("maxReplicas: 0"), "autoscaling.maxReplicas", "minimum: got 0, want 1"),
    ("autoscaling, bound as a word", on("maxReplicas: many"), "autoscaling.maxReplicas", "write a whole number"),
    ("autoscaling for no request", on("requestsPerReplica: 0"), "autoscaling.requestsPerReplica", "minimum: got 0"),
    ("autoscaling, cache in percent", on("kvCacheUsage: 80"), "autoscaling.kvCacheUsage", "maximum: got 80, want 1"),
    ("autoscaling, share as a word", on("kvCacheUsage: 80%"), "autoscaling.kvCacheUsage", "0 to 1"),
    ("autoscaling of another kind", on("kind: VPA"), "autoscaling.kind", "must be one of 'KEDA', 'HPA'"),
    (
        "autoscaling, a policy for an hour",
        on("scaleDown: {policies: [{type: Pods, value: 1, periodSeconds: 3600}]}"),
        "autoscaling.scaleDown.policies[0].periodSeconds",
        "maximum: got 3,600",
    ),
    (
        "autoscaling without policies",
        on("maxReplicas: 2, scaleDown: {policies: []}"),
        "autoscaling.scaleDown.policies",
        "leave it out",
    ),
    (
        "autoscaling, a misspelt window",
        on("scaleUp: {stabilisationWindowSeconds: 60}"),
        "autoscaling.scaleUp.stabilisationWindowSeconds",
        UNKNOWN,
    ),
    ("a start longer than Kubernetes counts", "startup: {typicalSeconds: 3600}", "startup.typicalSeconds", "maximum"),
    # Who counts.
    ("autoscaling and replicas", f"{{replicaCount: 3, {on('maxReplicas: 4')}}}", "replicaCount", "minReplicas: 3"),
    ("autoscaling and many replicas", f"{{replicaCount: 12, {on('maxReplicas: 40')}}}", "replicaCount", "leave it out"),
    ("autoscaling and no replicas", f"{{replicaCount: 0, {on('maxReplicas: 4')}}}", "replicaCount", "leave it out"),
    (
        "autoscaling twice",
        f"{{{on('maxReplicas: 4')}, extraObjects: [{SCALER % 'llm-vllm'}]}}",
        "extraObjects",
        "keep one of them",
    ),
    (
        "the chart's own name for another scaler",
        f"{{{on('maxReplicas: 4')}, extraObjects: [{SCALER.replace('mine', 'llm-vllm') % 'other'}]}}",
        "extraObjects",
        "use another name",
    ),
    (
        "autoscaling on one volume",
        f"{{persistence: {{enabled: true}}, {on('maxReplicas: 3')}}}",
        "persistence.accessModes",
        "3 replicas cannot share",
    ),
    (
        "a budget that blocks the fewest",
        f"{{podDisruptionBudget: {{minAvailable: 2}}, {on('minReplicas: 2, maxReplicas: 8')}}}",
        "podDisruptionBudget.minAvailable",
        "2 of 2 replicas",
    ),
    # Zero.
    ("zero without a way back", on("minReplicas: 0, maxReplicas: 2"), "autoscaling.minReplicas", "wakeUp.httpAddon"),
    (
        "zero by HPA without a way back",
        "autoscaling: {enabled: true, kind: HPA, minReplicas: 0, maxReplicas: 2}",
        "autoscaling.minReplicas",
        "write 1, or wakeUp.metrics",
    ),
    (
        "zero, and a start that is cut off",
        on(f"minReplicas: 0, maxReplicas: 2, cooldownSeconds: 300, {ADDON}"),
        "autoscaling.cooldownSeconds",
        "write 1800 or more",
    ),
    (
        "zero, woken by its own processor",
        on("minReplicas: 0, maxReplicas: 2, wakeUp: {triggers: [{type: cpu, metadata: {value: '80'}}]}"),
        "autoscaling.wakeUp.triggers",
        "outside them",
    ),
    (
        "zero, woken by its own metrics",
        on(
            "minReplicas: 0, maxReplicas: 2, wakeUp: {triggers: [{type: prometheus, metadata: {query: "
            "'sum(vllm:num_requests_waiting{job=\"default/llm-vllm\"})'}}]}"
        ),
        "autoscaling.wakeUp.triggers",
        "what stands in front of it",
    ),
    (
        "a trigger of no type",
        on("maxReplicas: 2, wakeUp: {triggers: [{metadata: {value: '80'}}]}"),
        "autoscaling.wakeUp.triggers",
        "write type and metadata",
    ),
    (
        "the add-on without a host",
        on("minReplicas: 0, maxReplicas: 2, wakeUp: {httpAddon: {enabled: true}}"),
        "autoscaling.wakeUp.httpAddon.hosts",
        "write the names",
    ),
    (
        "the add-on's host with a scheme",
        on("wakeUp: {httpAddon: {hosts: ['https://llm.example.com']}}"),
        "autoscaling.wakeUp.httpAddon.hosts[0]",
        "write a host name",
    ),
    (
        "the add-on for an HPA",
        f"autoscaling: {{enabled: true, kind: HPA, maxReplicas: 2, {ADDON}}}",
        "autoscaling.wakeUp",
        "write kind: KEDA",
    ),
    (
        "an HPA's metrics for KEDA",
        on("maxReplicas: 2, wakeUp: {metrics: [{type: External}]}"),
        "autoscaling.wakeUp.metrics",
        "kind: HPA",
    ),
    # Prometheus.
    (
        "KEDA without Prometheus",
        "autoscaling: {enabled: true, maxReplicas: 2}",
        "autoscaling.prometheus.address",
        "write",
    ),
    (
        "Prometheus for an HPA",
        f"autoscaling: {{enabled: true, kind: HPA, maxReplicas: 2, {PROMETHEUS}}}",
        "autoscaling.prometheus",
        "leave it out",
    ),
    (
        "Prometheus without a scheme",
        "autoscaling: {prometheus: {address: 'prometheus:9090'}}",
        "autoscaling.prometheus.address",
        "write a URL",
    ),
    (
        "a password in the values",
        "autoscaling: {prometheus: {auth: {password: secret}}}",
        "autoscaling.prometheus.auth.password",
        "put it in a Secret",
    ),
    (
        "a CA that KEDA would not look at",
        auth("{secretTargetRef: [{parameter: ca, name: prometheus, key: ca.crt}]}"),
        "autoscaling.prometheus.auth.modes",
        "not even ca",
    ),
    ("a mode without a secret", auth("{modes: [bearer]}"), "autoscaling.prometheus.auth", "write secretTargetRef"),
    (
        "a user without a name",
        auth("{modes: [basic], secretTargetRef: [{parameter: password, name: prometheus, key: password}]}"),
        "autoscaling.prometheus.auth.secretTargetRef",
        "add {parameter: username",
    ),
    (
        "a CA in the place of a certificate",
        auth("{modes: [tls], secretTargetRef: [{parameter: ca, name: prometheus, key: ca.crt}]}"),
        "autoscaling.prometheus.auth.secretTargetRef",
        "add {parameter: cert",
    ),
    (
        "two ways to authenticate",
        auth(
            "{modes: [bearer], secretTargetRef: [{parameter: bearerToken, name: a, key: b}], "
            "triggerAuthenticationRef: {name: shared}}"
        ),
        "autoscaling.prometheus.auth",
        "keep one",
    ),
    (
        "a query of one's own",
        on("maxReplicas: 2", "prometheus: {address: 'http://a', parameters: {ignoreNullValues: true}}"),
        "autoscaling.prometheus.parameters.ignoreNullValues",
        "leave it out",
    ),
    ("autoscaling's share gone", "autoscaling: {kvCacheUsage: null}", "autoscaling.kvCacheUsage", MISSING),
    # Keys of other charts.
    (
        "helm create's processor",
        "autoscaling: {enabled: false, minReplicas: 1, maxReplicas: 100, targetCPUUtilizationPercentage: 80}",
        "autoscaling.targetCPUUtilizationPercentage",
        "busy at any load",
    ),
    (
        "production-stack's autoscaler",
        "servingEngineSpec: {modelSpec: [{keda: {enabled: true}}]}",
        "servingEngineSpec",
        "write model, engine and gpu",
    ),
    (
        "KEDA's at the root",
        "keda: {enabled: true, minReplicaCount: 1}",
        "keda",
        "autoscaling: {enabled: true, kind: KEDA}",
    ),
    ("an HPA at the root", "hpa: {enabled: true}", "hpa", "autoscaling: {enabled: true, kind: HPA}"),
    (
        "KEDA's bounds",
        "autoscaling: {maxReplicaCount: 4}",
        "autoscaling.maxReplicaCount",
        "write autoscaling.maxReplicas",
    ),
    ("KEDA's cooldown", "autoscaling: {cooldownPeriod: 360}", "autoscaling.cooldownPeriod", "cooldownSeconds"),
    ("KEDA's interval", "autoscaling: {pollingInterval: 15}", "autoscaling.pollingInterval", "leave it out"),
    ("triggers of one's own", "autoscaling: {triggers: [{type: cpu}]}", "autoscaling.triggers", "wakeUp.triggers"),
    ("KServe's metrics", "autoscaling: {metrics: [{type: Resource}]}", "autoscaling.metrics", "extraObjects"),
    ("an HPA's behavior", "autoscaling: {behavior: {scaleDown: {}}}", "autoscaling.behavior", "autoscaling.scaleDown"),
    ("LLMKube's target", "autoscaling: {target: 2}", "autoscaling.target", "write autoscaling.requestsPerReplica"),
]
