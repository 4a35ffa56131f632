"""The values of the chart: the single source of `values.yaml`, `values.schema.json` and the README's table."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.values.base import (
    Annotations,
    Count,
    Kubernetes,
    Labels,
    Manifest,
    Pattern,
    Port,
    Reference,
    Seconds,
    Section,
)
from vllm_chart.values.endpoint.autoscaling import Autoscaling
from vllm_chart.values.endpoint.limits import Limits
from vllm_chart.values.endpoint.models import Clients, Models
from vllm_chart.values.endpoint.monitoring import Dashboards, Monitor, PrometheusRule
from vllm_chart.values.endpoint.network import NetworkPolicy
from vllm_chart.values.endpoint.traffic import TLS, PrefixAffinity, Service, Shutdown, Timeouts
from vllm_chart.values.monitoring import ScrapeAnnotations
from vllm_chart.values.paths import PATHS, Path
from vllm_chart.values.vllm import image, lifecycle, pod, root

Object = dict[str, Any]


class Image(image.Image):
    """Envoy's image. It has to have bash, as Envoy's own has: the preStop hook is a script."""

    remedies = image.Image.remedies | {
        "variant": "write image.tag; the distroless one has no bash for the preStop hook"
    }

    repository: Annotated[str, *image.Image.model_fields["repository"].metadata] = Field(
        "envoyproxy/envoy", description="Repository of the image."
    )
    tag: Annotated[str, *image.Image.model_fields["tag"].metadata] = Field(
        "",
        description="Empty: the chart's appVersion, as `v1.40.0`. Another version may know other settings: the "
        "configuration is proved with that one.",
    )
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        "IfNotPresent", description="Always asks the registry at each start."
    )


class ServiceAccount(pod.ServiceAccount):
    """The pods' identity. Envoy never talks to the Kubernetes API."""

    automount: bool = Field(False, description="Mount its token. Envoy needs none.")
    annotations: Annotations = Field({}, description="Annotations of the ServiceAccount.")


class PodDisruptionBudget(lifecycle.PodDisruptionBudget):
    """What a node drain may take away."""


class TheModels(Section):
    heading = "Models and clients"

    models: Models = Field(
        {},
        description="The models, by the names that clients write in a request's `model`: `llama3: {service: "
        "llm-vllm-pods}`, which `service.pods.enabled` adds to the release llm of charts/vllm. Each has a `service`, "
        "and may have a `namespace`, a `port`, `aliases`, `adapters`, an `apiKeySecretRef` and `tls`.",
    )
    clients: Clients = Field(Clients(), description=Clients.__doc__)
    cluster_domain: Annotated[str, Pattern(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "write a domain: cluster.local")] = (
        Field("cluster.local", description="The domain of the cluster's Services.")
    )


class Requests(Section):
    heading = "Requests"

    paths: list[Path] = Field(
        [*PATHS],
        description="What reaches an engine: POST on exactly these paths, with a JSON body that names its model. "
        "Everything else is answered by the endpoint itself.",
    )
    max_body_bytes: Annotated[int, Field(ge=1024, le=1073741824)] = Field(
        33554432,
        description="The largest request; a larger one is answered 413. Answers that are no streams have to fit in it "
        "too (they are read for their token counts), or become a 500.",
    )
    limits: Limits = Field(Limits(), description=Limits.__doc__)
    timeouts: Timeouts = Field(Timeouts(), description=Timeouts.__doc__)
    prefix_affinity: PrefixAffinity = Field(PrefixAffinity(), description=PrefixAffinity.__doc__)


class LifeCycle(Section):
    heading = "Life cycle"

    replica_count: Count | None = Field(
        2, description="Pods of the endpoint. `null` leaves them to an autoscaler that is not the chart's."
    )
    autoscaling: Autoscaling = Field(Autoscaling(), description=Autoscaling.__doc__)
    shutdown: Shutdown = Field(Shutdown(), description=Shutdown.__doc__)
    readiness_probe: Annotated[Object, Kubernetes("core.v1.Probe")] = Field(
        {"periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 3},
        description="Asks `GET /ready` on metricsPort unless you write another handler: ready as soon as the "
        "clients' keys are known.",
    )
    liveness_probe: Annotated[Object, Kubernetes("core.v1.Probe")] = Field(
        {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        description="Asks `GET /live` on metricsPort, which answers without keys too.",
    )
    strategy: Annotated[Object, Kubernetes("apps.v1.DeploymentStrategy")] = Field(
        {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        description="How a change rolls out: a new pod is ready before an old one goes.",
    )
    pod_disruption_budget: PodDisruptionBudget = Field(PodDisruptionBudget(), description=PodDisruptionBudget.__doc__)
    min_ready_seconds: Seconds = Field(0, description="How long a new pod must be ready before the rollout goes on.")
    revision_history_limit: Count = Field(10, description="ReplicaSets kept for a rollback.")


class Resources(Section):
    heading = "Resources"

    concurrency: Annotated[int, Field(ge=1, le=128)] = Field(
        2, description="Worker threads of Envoy (`--concurrency`); its own default is one for each of the node's cores."
    )
    resources: Annotated[Object, Kubernetes("core.v1.ResourceRequirements")] = Field(
        {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        description="An idle Envoy has 70 MiB. A request's body is held until its answer begins: bodies of "
        "maxBodyBytes, times those at a time, have to fit in the memory's limit.",
    )


class Images(Section):
    heading = "Image"

    image: Image = Field(Image(), description=Image.__doc__)
    image_pull_secrets: list[Annotated[Object, Kubernetes("core.v1.LocalObjectReference")]] = Field(
        [], description="Pull secrets: `[{name: registry-key}]`."
    )


class Network(Section):
    heading = "Network"

    service: Service = Field(Service(), description=Service.__doc__)
    tls: TLS = Field(TLS(), description=TLS.__doc__)
    container_port: Annotated[Port, Field(ge=1024)] = Field(8080, description="Port of the API in its pod.")
    metrics_port: Annotated[Port, Field(ge=1024)] = Field(
        9090, description="Port of the pod for `/metrics` and the probes. No request for a model is answered there."
    )
    admin_port: Annotated[Port, Field(ge=1024)] = Field(
        9901, description="Port of Envoy's admin interface, on the pod's loopback alone."
    )
    network_policy: NetworkPolicy = Field(NetworkPolicy(), description=NetworkPolicy.__doc__)


class Monitoring(Section):
    heading = "Monitoring"

    service_monitor: Monitor = Field(
        Monitor(),
        description="ServiceMonitor of prometheus-operator: its Prometheus scrapes the pods behind the Service.",
    )
    pod_monitor: Monitor = Field(
        Monitor(), description="PodMonitor, for who has no use for Services. One of the two, with the same keys."
    )
    scrape_annotations: ScrapeAnnotations = Field(ScrapeAnnotations(), description=ScrapeAnnotations.__doc__)
    prometheus_rule: PrometheusRule = Field(PrometheusRule(), description=PrometheusRule.__doc__)
    dashboards: Dashboards = Field(Dashboards(), description=Dashboards.__doc__)


class Scheduling(Section):
    heading = "Where pods run"

    node_selector: Labels = Field({}, description="Labels of the nodes that may run a pod.")
    tolerations: list[Annotated[Object, Kubernetes("core.v1.Toleration")]] = Field(
        [],
        description="Taints that a pod tolerates. The operators Gt and Lt need Kubernetes 1.35, and its feature gate "
        "TaintTolerationComparisonOperators.",
    )
    affinity: Annotated[Object, Kubernetes("core.v1.Affinity")] = Field({}, description="Kubernetes' affinity.")
    topology_spread_constraints: list[Annotated[Object, Kubernetes("core.v1.TopologySpreadConstraint")]] = Field(
        [], description="Empty: replicas prefer different nodes. A labelSelector left out is filled in."
    )
    priority_class_name: Reference = Field("", description="PriorityClass of the pods.")


class Security(Section):
    heading = "Security"

    pod_security_context: Annotated[Object, Kubernetes("core.v1.PodSecurityContext")] = Field(
        {
            "runAsNonRoot": True,
            "runAsUser": 101,
            "runAsGroup": 101,
            "fsGroup": 101,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        description="Fits the `restricted` Pod Security Standard. 101 is the image's `envoy` user; any other will do.",
    )
    security_context: Annotated[Object, Kubernetes("core.v1.SecurityContext")] = Field(
        {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        description="Of Envoy's container.",
    )
    service_account: ServiceAccount = Field(ServiceAccount(), description=ServiceAccount.__doc__)


class Rest(Section):
    heading = "Everything else"

    extra_objects: list[Annotated[Object, Manifest()]] = Field(
        [], description="More manifests to install with the release, as written."
    )
    globals_: image.Global = Field(image.Global(), description=image.Global.__doc__, alias="global")


class Values(
    TheModels,
    Requests,
    LifeCycle,
    Resources,
    Images,
    Network,
    Monitoring,
    root.Names,
    Scheduling,
    Security,
    Rest,
):
    """Every key of the chart. It needs `models` and `clients.secretName`."""

    remedies = {
        "replicas": "write replicaCount",
        "namespace": "write namespaceOverride, or give --namespace to helm",
        "serviceAccountName": "write serviceAccount.name",
        "model": "write models: {NAME: {service: …}}",
        "auth": "write clients.secretName",
        **dict.fromkeys(
            ("monitoring", "metrics", "prometheus", "servicemonitor", "serviceMonitors"),
            "write serviceMonitor: {enabled: true}, or podMonitor",
        ),
        **dict.fromkeys(("dashboard", "grafana", "grafanaDashboard", "grafanaDashboards"), "write dashboards"),
        "apiKeys": "put the keys in a Secret and name it in clients.secretName",
    }
