"""What the cluster is given on demand to watch, scale, trace and reach engines, and to have images of its own.

Each part is a file of manifests beside this one, with images as `${name}`, and the custom resources that its own module
defines. What was installed is written down in the cluster, so that a second time only waits until all of it works.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from string import Template
from typing import Literal

import yaml

from ci import engine as engines
from ci import go, images, versions
from ci.images.derived import STREAMING, Derived
from ci.images.programs import Program
from ci.kind.loading import load
from ci.kind.nodes import answers, kubectl, list_nodes, reach_registry
from ci.kind.parts import programs
from ci.shell import HarnessError, step, wait_until

READY_SECONDS = 300
HERE = Path(__file__).parent
#: What users give prometheus-adapter.
ADAPTER_RULES = HERE.parents[2] / "docs" / "prometheus-adapter.yaml"
#: And one of their own, of what waits outside the engines' pods.
QUEUE_RULE = {
    "seriesQuery": 'queued_requests{namespace!=""}',
    "resources": {"overrides": {"namespace": {"resource": "namespace"}}},
    "metricsQuery": "sum(queued_requests{<<.LabelMatchers>>})",
}
EXTERNAL_METRICS = "external.metrics.k8s.io", "v1beta1"
ROLLOUT = "rollout status "
RECORD = ("configmap", "vllm-chart-parts", "--namespace=kube-system")


@dataclasses.dataclass(frozen=True)
class Definitions:
    """Custom resources of a module: its version, and the folder in it that has these files (without `.yaml`)."""

    module: str
    version: str
    folder: str
    names: tuple[str, ...]

    def files(self) -> list[Path]:
        """The files. Raises HarnessError."""
        return [go.source(self.module, self.version) / self.folder / f"{name}.yaml" for name in self.names]


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of the cluster.

    Args:
        name: of its file of manifests.
        programs: that its pods run.
        waits: options of `kubectl` that end when it works.
        answers: a path of the API server that answers when it works.
        definitions: its custom resources.
        nodes: where its pods may be.
        then: what else it takes once it is installed; it may have been done.
    """

    name: str
    programs: tuple[Program, ...]
    waits: tuple[str, ...]
    answers: str
    definitions: tuple[Definitions, ...] = ()
    nodes: Literal["all", "cpu"] = "cpu"
    then: Callable[[], None] = lambda: None

    def manifests(self) -> str:
        """Its objects, as YAML."""
        names = {program.name: program.reference for program in self.programs}
        text = (HERE / f"{self.name}.yaml").read_text()
        facts = {"prometheus-version": versions.PROMETHEUS, "envoy": versions.ENVOY_IMAGE}
        facts["adapter-rules"] = _adapter_rules()
        return _Template(text).substitute(names | facts)

    def custom_resources(self) -> list[Path]:
        """The files of its custom resources. Raises HarnessError."""
        return [file for found in self.definitions for file in found.files()]

    def fingerprint(self) -> str:
        """A short name for all that is installed."""
        facts = (self.manifests(), *map(str, self.definitions), *(program.fingerprint() for program in self.programs))
        return hashlib.sha256(" ".join(facts).encode()).hexdigest()[:12]


class _Template(Template):
    """Names of images have dashes in them: `${keda-operator}`."""

    braceidpattern = r"[a-z][a-z_-]*"


def _adapter_rules() -> str:
    """prometheus-adapter's own configuration, of what its chart has as `rules.external`."""
    rules = yaml.safe_load(ADAPTER_RULES.read_text())["rules"]["external"]
    return json.dumps({"externalRules": [*rules, QUEUE_RULE]})


def _serve_external_metrics(namespace: str, service: str, **more: bool) -> None:
    """Have the cluster ask this Service for external metrics: it asks one, which is the one that was wanted last."""
    group, version = EXTERNAL_METRICS
    name = f"{version}.{group}"
    asked = "--output=jsonpath={.spec.service.namespace}/{.spec.service.name}"
    if kubectl("get", "apiservice", name, "--ignore-not-found", asked).strip() != f"{namespace}/{service}":
        kubectl("delete", "apiservice", name, "--ignore-not-found")  # whole: the other's certificate is in it
        spec = {"service": {"namespace": namespace, "name": service}, "group": group, "version": version}
        priorities = {"groupPriorityMinimum": 100, "versionPriority": 100}
        item = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}}
        _apply("--filename=-", stdin=json.dumps({**item, "spec": {**spec, **priorities, **more}}))
    wait_until("external metrics are served", lambda: answers(f"/apis/{group}/{version}"), READY_SECONDS)


MONITORING = Part(
    "monitoring",
    (programs.PROMETHEUS, programs.PROMETHEUS_OPERATOR, programs.CONFIG_RELOADER),
    (
        "rollout status deployment/prometheus-operator --namespace=monitoring",
        "wait --for=condition=Available prometheus/main --namespace=monitoring",
    ),
    "/api/v1/namespaces/monitoring/services/prometheus:http/proxy/-/ready",
    (
        Definitions(
            "github.com/prometheus-operator/prometheus-operator",
            versions.PROMETHEUS_OPERATOR,
            "example/prometheus-operator-crd",
            (
                "monitoring.coreos.com_podmonitors",
                "monitoring.coreos.com_probes",
                "monitoring.coreos.com_prometheuses",
                "monitoring.coreos.com_prometheusrules",
                "monitoring.coreos.com_scrapeconfigs",
                "monitoring.coreos.com_servicemonitors",
            ),
        ),
    ),
)
KEDA = Part(
    "keda",
    (programs.KEDA, programs.KEDA_METRICS),
    (
        "rollout status deployment/keda-operator --namespace=keda",
        "rollout status deployment/keda-metrics-apiserver --namespace=keda",
    ),
    "/apis/external.metrics.k8s.io/v1beta1",
    (
        Definitions(
            "github.com/kedacore/keda/v2",
            versions.KEDA,
            "config/crd/bases",
            (
                "eventing.keda.sh_cloudeventsources",
                "eventing.keda.sh_clustercloudeventsources",
                "keda.sh_clustertriggerauthentications",
                "keda.sh_scaledjobs",
                "keda.sh_scaledobjects",
                "keda.sh_triggerauthentications",
            ),
        ),
    ),
    then=partial(_serve_external_metrics, "keda", "keda-metrics-apiserver"),
)
# In KEDA's place, for HorizontalPodAutoscalers. It makes its certificate itself.
PROMETHEUS_ADAPTER = Part(
    "prometheus-adapter",
    (programs.PROMETHEUS_ADAPTER,),
    ("rollout status deployment/prometheus-adapter --namespace=monitoring",),
    "/api/v1/namespaces/monitoring/services/https:prometheus-adapter:https/proxy/readyz",
    then=partial(_serve_external_metrics, "monitoring", "prometheus-adapter", insecureSkipTLSVerify=True),
)
HTTP_ADD_ON = Part(
    "http-add-on",
    (programs.HTTP_INTERCEPTOR, programs.HTTP_SCALER),
    (
        "rollout status deployment/keda-add-ons-http-interceptor --namespace=keda",
        "rollout status deployment/keda-add-ons-http-scaler --namespace=keda",
    ),
    "/api/v1/namespaces/keda/services/keda-add-ons-http-interceptor-admin:admin/proxy/readyz",
    (
        Definitions(
            "github.com/kedacore/http-add-on",
            versions.HTTP_ADD_ON,
            "config/crd/bases",
            ("http.keda.sh_httpscaledobjects", "http.keda.sh_interceptorroutes"),
        ),
    ),
)
METRICS_SERVER = Part(
    "metrics-server",
    (programs.METRICS_SERVER,),
    ("rollout status deployment/metrics-server --namespace=kube-system",),
    "/apis/metrics.k8s.io/v1beta1/nodes",
)
TRACING = Part(
    "tracing",
    (programs.COLLECTOR,),
    ("rollout status deployment/collector --namespace=tracing",),
    "/api/v1/namespaces/tracing/services/collector:metrics/proxy/metrics",
)
_ENVOY_GATEWAY_KINDS = (
    *("backends", "backendtrafficpolicies", "clienttrafficpolicies", "envoyextensionpolicies"),
    *("envoypatchpolicies", "envoyproxies", "httproutefilters", "securitypolicies"),
)
_GATEWAY_API_KINDS = (
    *("backendtlspolicies", "gatewayclasses", "gateways", "grpcroutes", "httproutes"),
    *("listenersets", "referencegrants", "tcproutes", "tlsroutes", "udproutes"),
)
GATEWAY = Part(
    "gateway",
    (programs.ENVOY_GATEWAY,),
    (
        "rollout status deployment/envoy-gateway --namespace=envoy-gateway-system",
        "wait --for=condition=Accepted gatewayclass/envoy",
    ),
    "/api/v1/namespaces/envoy-gateway-system/services/envoy-gateway:health/proxy/readyz",
    (
        Definitions(
            "sigs.k8s.io/gateway-api",
            versions.GATEWAY_API,
            "config/crd/standard",
            tuple(f"gateway.networking.k8s.io_{kind}" for kind in _GATEWAY_API_KINDS),
        ),
        # No gateway here takes a pool: it is for the API server to say whether it would.
        Definitions(
            "sigs.k8s.io/gateway-api-inference-extension",
            versions.INFERENCE_EXTENSION,
            "config/crd/bases",
            ("inference.networking.k8s.io_inferencepools",),
        ),
        Definitions(
            "github.com/envoyproxy/gateway",
            versions.ENVOY_GATEWAY,
            "charts/gateway-helm/charts/crds/crds/generated",
            tuple(f"gateway.envoyproxy.io_{kind}" for kind in _ENVOY_GATEWAY_KINDS),
        ),
    ),
)
# Beside the network that the nodes have: its firewall alone, which enforces NetworkPolicies.
NETWORK = Part(
    "network",
    (programs.KUBE_ROUTER,),
    ("rollout status daemonset/kube-router --namespace=kube-system",),
    "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-router",
    nodes="all",
)


def _have_nodes_pull() -> None:
    """The registry has the same name for nodes as for pods, though nodes do not ask the cluster's DNS."""
    found = kubectl("get", "service", "registry", "--namespace=registry", "--output=jsonpath={.spec.clusterIP}")
    reach_registry(engines.ensure(), list_nodes(), REGISTRY_HOST, f"{found}:5000")


#: The registry's, in references of images.
REGISTRY_HOST = "registry.registry.svc:5000"
REGISTRY = Part(
    "registry",
    (programs.REGISTRY,),
    ("rollout status deployment/registry --namespace=registry",),
    "/api/v1/namespaces/registry/services/registry:http/proxy/v2/",
    then=_have_nodes_pull,
)

#: What `up --NAME` installs.
SETS: dict[str, tuple[Part, ...]] = {
    "monitoring": (MONITORING,),
    "autoscaling": (MONITORING, KEDA, METRICS_SERVER),
    "autoscaling-zero": (MONITORING, KEDA, HTTP_ADD_ON),
    "autoscaling-hpa": (MONITORING, PROMETHEUS_ADAPTER),
    "tracing": (TRACING,),
    "network": (NETWORK,),
    "gateway": (GATEWAY,),
    "registry": (REGISTRY,),
    "object-storage": (),
}
#: The images that `up --NAME` has on the nodes of this kind, for pods that tests start themselves.
IMAGES: dict[str, tuple[tuple[Program | Derived, Literal["cpu", "gpu"]], ...]] = {
    "object-storage": ((programs.VERSITYGW, "cpu"), (STREAMING, "gpu")),
}


def ensure(names: Iterable[str]) -> None:
    """Have the parts of these sets in the cluster, at work, and their images on its nodes. Raises HarnessError."""
    names = tuple(names)
    wanted = dict.fromkeys(part for name in names for part in SETS[name])
    if {KEDA, PROMETHEUS_ADAPTER} <= wanted.keys():
        raise HarnessError(
            "a cluster asks either KEDA or prometheus-adapter for external metrics: ask for one after the other"
        )
    for image, nodes in dict.fromkeys(pair for name in names for pair in IMAGES.get(name, ())):
        images.ensure([image])
        load([image.reference], nodes)
    for part in wanted:
        images.ensure(part.programs)
        load([program.reference for program in part.programs], part.nodes)
        with step(f"Have {part.name} at work", remedy="`kubectl get pods --all-namespaces` shows what is not."):
            if installed().get(part.name) != part.fingerprint():
                _install(part)
            _wait(part)
            part.then()


def installed() -> dict[str, str]:
    """The parts that were installed, and the fingerprint of each. Raises HarnessError."""
    found = kubectl("get", *RECORD, "--ignore-not-found", "--output=json")
    data: dict[str, str] = json.loads(found).get("data", {}) if found else {}
    return data


def health() -> dict[str, bool]:
    """The parts that were installed, and whether each works. Raises HarnessError."""
    known = {part.name: part for parts in SETS.values() for part in parts}
    return {name: name in known and answers(known[name].answers) for name in sorted(installed())}


def _install(part: Part) -> None:
    definitions = part.custom_resources()
    if definitions:
        files = [f"--filename={file}" for file in definitions]
        _apply(*files)
        kubectl("wait", "--for=condition=Established", *files, f"--timeout={READY_SECONDS}s")
    _apply("--filename=-", stdin=part.manifests())
    if part.name in installed():  # what runs may be of an earlier build that had the same name
        for wait in part.waits:
            if wait.startswith(ROLLOUT):
                kubectl("rollout", "restart", *wait.removeprefix(ROLLOUT).split())
    record = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": RECORD[1], "namespace": "kube-system"},
        "data": {**installed(), part.name: part.fingerprint()},
    }
    _apply("--filename=-", stdin=json.dumps(record))


def _apply(*options: str, stdin: str | None = None) -> None:
    # On the server's side, because some of the custom resources are larger than an annotation can be.
    kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=vllm-chart", *options, stdin=stdin)


def _wait(part: Part) -> None:
    for wait in part.waits:
        try:
            kubectl(*wait.split(), f"--timeout={READY_SECONDS}s")
        except HarnessError as error:
            raise HarnessError(f"{error}\n{_evidence(part)}") from error
    wait_until(f"{part.name} answers", lambda: answers(part.answers), READY_SECONDS)


def _evidence(part: Part) -> str:
    """What a person would look at next: the pods of the part's namespace, what happened, and what they say."""
    option = next(word for word in part.waits[0].split() if word.startswith("--namespace="))
    questions: list[tuple[str, ...]] = [("get", "pods", "--output=wide"), ("get", "events", "--sort-by=.lastTimestamp")]
    pods = kubectl("get", "pods", option, "--output=name").split()
    questions += [("logs", pod, "--all-containers", "--tail=15") for pod in pods]
    return "\n".join(_answer(*question, option) for question in questions)


def _answer(*question: str) -> str:
    try:
        said = kubectl(*question)
    except HarnessError as error:  # of a container that never ran
        said = str(error)
    return f"$ kubectl {' '.join(question)}\n{said}"
