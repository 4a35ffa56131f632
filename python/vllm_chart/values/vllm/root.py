"""The values of the chart: the single source of `values.yaml`, `values.schema.json` and the README's table."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.facts import VOLUMES
from vllm_chart.values.base import (
    Annotations,
    Count,
    Kubernetes,
    Labels,
    Manifest,
    Name,
    Port,
    Reference,
    Seconds,
    Section,
)
from vllm_chart.values.monitoring import ScrapeAnnotations
from vllm_chart.values.vllm.autoscaling import Autoscaling
from vllm_chart.values.vllm.dashboards import Dashboards
from vllm_chart.values.vllm.download import Download
from vllm_chart.values.vllm.engine import Engine, Gpu, Parallelism
from vllm_chart.values.vllm.gateway import ControllerIngress, HttpRoute, InferencePool
from vllm_chart.values.vllm.image import Global, Image
from vllm_chart.values.vllm.lifecycle import Hang, PodDisruptionBudget, Shutdown, Startup, Traffic
from vllm_chart.values.vllm.logs import AccessLog, Tracing
from vllm_chart.values.vllm.lora import Lora
from vllm_chart.values.vllm.model import Hub, Model
from vllm_chart.values.vllm.monitoring import Monitor
from vllm_chart.values.vllm.network import NetworkPolicy
from vllm_chart.values.vllm.object_storage import ObjectStorage
from vllm_chart.values.vllm.pod import CaBundle, Env, Proxy, ServiceAccount, Test
from vllm_chart.values.vllm.remedies import OF_ROOT
from vllm_chart.values.vllm.rules import PrometheusRule, Slo
from vllm_chart.values.vllm.service import Auth, EngineTLS, Service
from vllm_chart.values.vllm.storage import Persistence, Shm

Object = dict[str, Any]


class TheModel(Section):
    heading = "The model and its engine"

    model: Model = Field(Model(), description=Model.__doc__)
    hub: Hub = Field(Hub(), description=Hub.__doc__)
    object_storage: ObjectStorage = Field(ObjectStorage(), description=ObjectStorage.__doc__)
    engine: Engine = Field(Engine(), description=Engine.__doc__)
    gpu: Gpu = Field(Gpu(), description=Gpu.__doc__)
    parallelism: Parallelism = Field(Parallelism(), description=Parallelism.__doc__)
    lora: Lora = Field(Lora(), description=Lora.__doc__)
    replica_count: Count | None = Field(
        1,
        description="Pods, each with the whole model and its own GPUs. `null` leaves them to an autoscaler that is not "
        "the chart's (`autoscaling`), which an upgrade would otherwise set back.",
    )


class LifeCycle(Section):
    heading = "Life cycle"

    startup: Startup = Field(Startup(), description=Startup.__doc__)
    shutdown: Shutdown = Field(Shutdown(), description=Shutdown.__doc__)
    hang: Hang = Field(Hang(), description=Hang.__doc__)
    traffic: Traffic = Field(Traffic(), description=Traffic.__doc__)
    startup_probe: Annotated[Object, Kubernetes("core.v1.Probe")] = Field(
        {"timeoutSeconds": 5, "terminationGracePeriodSeconds": 30},
        description="Probes take Kubernetes' fields; the handler is `GET /health` unless you write another one. vLLM "
        "refuses connections until the model is ready, so no delay is needed. This probe asks every 2 s, which finds a "
        "ready model at once, and its failureThreshold follows from startup.budgetSeconds (beside one of your own, "
        "periodSeconds is Kubernetes' 10); a loading vLLM ignores SIGTERM, hence the short grace period.",
    )
    readiness_probe: Annotated[Object, Kubernetes("core.v1.Probe")] = Field(
        {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        description="Takes a pod out of the Service while it does not answer.",
    )
    liveness_probe: Annotated[Object, Kubernetes("core.v1.Probe")] = Field(
        {"periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 6, "terminationGracePeriodSeconds": 30},
        description="Restarts a dead engine. Patient, because a busy engine answers late.",
    )
    strategy: Annotated[Object, Kubernetes("apps.v1.DeploymentStrategy")] = Field(
        {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        description="How a change rolls out. The default needs no spare GPU: a pod goes before its successor comes, "
        "which costs a replica's capacity (with one replica: an outage as long as a start). `maxSurge: 1, "
        "maxUnavailable: 0` keeps capacity and needs a pod's GPUs to spare, or the rollout waits for ever. "
        "`type: Recreate` stops all first.",
    )
    pod_disruption_budget: PodDisruptionBudget = Field(PodDisruptionBudget(), description=PodDisruptionBudget.__doc__)
    min_ready_seconds: Seconds = Field(0, description="How long a new pod must be ready before the rollout goes on.")
    revision_history_limit: Count = Field(10, description="ReplicaSets kept for a rollback.")


class Scaling(Section):
    heading = "Autoscaling"

    autoscaling: Autoscaling = Field(Autoscaling(), description=Autoscaling.__doc__)


class Resources(Section):
    heading = "Resources and storage"

    resources: Annotated[Object, Kubernetes("core.v1.ResourceRequirements")] = Field(
        {},
        description="CPU, memory, ephemeral-storage, hugepages, rdma. GPUs go in `gpu.count`. A memory limit has to "
        "hold /dev/shm as well.",
    )
    shm: Shm = Field(Shm(), description=Shm.__doc__)
    persistence: Persistence = Field(Persistence(), description=Persistence.__doc__)
    download: Download = Field(Download(), description=Download.__doc__)
    volumes: list[Annotated[Object, Kubernetes("core.v1.Volume")]] = Field(
        [],
        description=f"More volumes of the pod. The names {', '.join(f'`{name}`' for name in VOLUMES)} are the chart's.",
    )
    volume_mounts: list[Annotated[Object, Kubernetes("core.v1.VolumeMount")]] = Field(
        [], description="More mounts of the engine's container."
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
    tls: EngineTLS = Field(EngineTLS(), description=EngineTLS.__doc__)
    container_port: Port = Field(8000, description="Port of the engine in its pod (`--port`).")
    auth: Auth = Field(Auth(), description=Auth.__doc__)
    network_policy: NetworkPolicy = Field(NetworkPolicy(), description=NetworkPolicy.__doc__)
    proxy: Proxy = Field(Proxy(), description=Proxy.__doc__)
    ca_bundle: CaBundle = Field(CaBundle(), description=CaBundle.__doc__)


class FromOutside(Section):
    heading = "From outside"

    ingress: ControllerIngress = Field(ControllerIngress(), description=ControllerIngress.__doc__)
    http_route: HttpRoute = Field(HttpRoute(), description=HttpRoute.__doc__)
    inference_pool: InferencePool = Field(InferencePool(), description=InferencePool.__doc__)


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
    slo: Slo = Field(Slo(), description=Slo.__doc__)
    dashboards: Dashboards = Field(Dashboards(), description=Dashboards.__doc__)


class Logs(Section):
    heading = "Logs and traces"

    access_log: AccessLog = Field(AccessLog(), description=AccessLog.__doc__)
    request_ids: bool = Field(
        False,
        description="Answer with the `X-Request-Id` that the request came with, or else with a random one "
        "(`--enable-request-id-headers`). Only the client's own is also the engine's, in its logs, answers and traces: "
        "let clients or the gateway set it. vLLM's documentation warns of its cost at many requests per second.",
    )
    tracing: Tracing = Field(Tracing(), description=Tracing.__doc__)


class Names(Section):
    heading = "Names, labels and annotations"

    name_override: Name = Field(
        "",
        description="Instead of the chart's name. Fixed on a live release: it is in the selector, and Kubernetes "
        "refuses another one.",
    )
    fullname_override: Name = Field(
        "",
        description="Instead of release and chart name: the name of the objects. Fixed on a live release: another one "
        "replaces all of them, the Service that clients know included.",
    )
    namespace_override: Name = Field(
        "",
        description="Instead of the release's namespace, for umbrella charts. Fixed on a live release: another one "
        "leaves Secrets behind, and claims where there are some.",
    )
    common_labels: Labels = Field({}, description="Labels of every object.")
    common_annotations: Annotations = Field({}, description="Annotations of every object.")
    deployment_annotations: Annotations = Field({}, description="Annotations of the Deployment.")
    pod_labels: Labels = Field({}, description="Labels of the pods.")
    pod_annotations: Annotations = Field(
        {},
        description='Annotations of the pods: `cluster-autoscaler.kubernetes.io/safe-to-evict: "false"`, for example.',
    )


class Scheduling(Section):
    heading = "Where pods run"

    node_selector: Labels = Field({}, description="Labels of the nodes that may run a pod: the GPU pool.")
    tolerations: list[Annotated[Object, Kubernetes("core.v1.Toleration")]] = Field(
        [],
        description="Taints that a pod tolerates: the GPU pool's. The operators Gt and Lt need Kubernetes 1.35, and "
        "its feature gate TaintTolerationComparisonOperators.",
    )
    affinity: Annotated[Object, Kubernetes("core.v1.Affinity")] = Field({}, description="Kubernetes' affinity.")
    topology_spread_constraints: list[Annotated[Object, Kubernetes("core.v1.TopologySpreadConstraint")]] = Field(
        [], description="Empty: replicas prefer different nodes. A labelSelector left out is filled in."
    )
    priority_class_name: Reference = Field("", description="PriorityClass of the pods.")
    runtime_class_name: Reference = Field("", description="RuntimeClass of the pods: `nvidia` on some clusters.")
    scheduler_name: Reference = Field("", description="Scheduler, if not the default one.")


class MoreOfThePod(Section):
    heading = "More of the pod"

    env: Env = Field(
        {},
        description="Environment of the engine, a map so that it merges across files. `NAME: text` is taken literally; "
        '`NAME: {valueFrom: …}` and `NAME: {value: "$(OTHER)"}` are Kubernetes\' own.',
    )
    env_from: list[Annotated[Object, Kubernetes("core.v1.EnvFromSource")]] = Field(
        [], description="Environment out of ConfigMaps and Secrets."
    )
    command: list[str] = Field(
        [],
        description="Instead of the image's entrypoint, `vllm serve`. The arguments stay the chart's, unless "
        "engine.passArguments is false.",
    )
    init_containers: list[Annotated[Object, Kubernetes("core.v1.Container")]] = Field(
        [],
        description="Init containers, and sidecars with `restartPolicy: Always`. One without a securityContext of its "
        "own gets the engine's.",
    )
    extra_containers: list[Annotated[Object, Kubernetes("core.v1.Container")]] = Field(
        [], description="Containers beside the engine's. One without a securityContext of its own gets the engine's."
    )
    host_aliases: list[Annotated[Object, Kubernetes("core.v1.HostAlias")]] = Field(
        [], description="Entries of /etc/hosts."
    )
    dns_policy: Literal["", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] = Field(
        "", description="DNS policy of the pods."
    )
    dns_config: Annotated[Object, Kubernetes("core.v1.PodDNSConfig")] = Field(
        {}, description="DNS settings of the pods."
    )
    host_network: bool = Field(False, description="Use the node's network (some RDMA set-ups need it).")
    host_ipc: bool = Field(False, description="Use the node's IPC namespace.", alias="hostIPC")
    resource_claims: list[Annotated[Object, Kubernetes("core.v1.PodResourceClaim")]] = Field(
        [], description="Dynamic resource allocation: claims of the pod, used in `resources.claims`; set gpu.count: 0."
    )


class Security(Section):
    heading = "Security"

    pod_security_context: Annotated[Object, Kubernetes("core.v1.PodSecurityContext")] = Field(
        {
            "runAsNonRoot": True,
            "runAsUser": 2000,
            "runAsGroup": 0,
            "fsGroup": 0,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        description="Fits the `restricted` Pod Security Standard. 2000 is the image's own `vllm` user; its files are "
        "group 0's.",
    )
    security_context: Annotated[Object, Kubernetes("core.v1.SecurityContext")] = Field(
        {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        description="Of the engine's container. The root file system is read-only on the CPU engine unless "
        "readOnlyRootFilesystem is set here; on GPUs some container hooks need to write it (kserve/kserve#5711).",
    )
    service_account: ServiceAccount = Field(ServiceAccount(), description=ServiceAccount.__doc__)


class Rest(Section):
    heading = "Everything else"

    test: Test = Field(Test(), description=Test.__doc__)
    extra_objects: list[Annotated[Object, Manifest()]] = Field(
        [], description="More manifests to install with the release, as written."
    )
    globals_: Global = Field(Global(), description=Global.__doc__, alias="global")


class Values(
    TheModel,
    LifeCycle,
    Scaling,
    Resources,
    Images,
    Network,
    FromOutside,
    Monitoring,
    Logs,
    Names,
    Scheduling,
    MoreOfThePod,
    Security,
    Rest,
):
    """Every key of the chart. A model that fits one GPU needs `model.id` and nothing else."""

    remedies = OF_ROOT
