"""The programs of the parts, under the references of their official images."""

from pathlib import Path

from ci import versions
from ci.images.programs import Program

_VERSION = "github.com/prometheus/common/version.Version"
_OPERATOR = "github.com/prometheus-operator/prometheus-operator"
_KEDA = "github.com/kedacore/keda/v2"
_HTTP_ADD_ON = "github.com/kedacore/http-add-on"
_DISTRIBUTION = "github.com/distribution/distribution/v3"
_GATEWAY = "github.com/envoyproxy/gateway"
_MAINS = Path(__file__).parents[2] / "images"
_COLLECTOR = "go.opentelemetry.io/collector"

PROMETHEUS = Program(
    "prometheus",
    f"quay.io/prometheus/prometheus:v{versions.PROMETHEUS}",
    ("github.com/prometheus/prometheus/cmd/prometheus",),
    versions.PROMETHEUS_MODULE,
    "/bin/prometheus",
    tags=versions.PROMETHEUS_TAGS,
    stamp=f"{_VERSION}={versions.PROMETHEUS}",
)
PROMETHEUS_OPERATOR = Program(
    "prometheus-operator",
    f"quay.io/prometheus-operator/prometheus-operator:v{versions.PROMETHEUS_OPERATOR}",
    (f"{_OPERATOR}/cmd/operator",),
    versions.PROMETHEUS_OPERATOR,
    "/bin/operator",
    stamp=f"{_VERSION}={versions.PROMETHEUS_OPERATOR}",
)
# It runs beside Prometheus and has it read what the operator wrote.
CONFIG_RELOADER = Program(
    "prometheus-config-reloader",
    f"quay.io/prometheus-operator/prometheus-config-reloader:v{versions.PROMETHEUS_OPERATOR}",
    (f"{_OPERATOR}/cmd/prometheus-config-reloader",),
    versions.PROMETHEUS_OPERATOR,
    "/bin/prometheus-config-reloader",
    stamp=f"{_VERSION}={versions.PROMETHEUS_OPERATOR}",
)
# It can't be built with fewer parts: one package compiles all its scalers (pkg/scaling/scalers_builder.go has 80 of
# them in one switch), and none of them has a build tag. So it is built for the sessions that ask for it, and kept.
KEDA = Program(
    "keda",
    f"ghcr.io/kedacore/keda:{versions.KEDA}",
    (f"{_KEDA}/cmd/operator",),
    versions.KEDA,
    "/keda",
    stamp=f"{_KEDA}/version.Version={versions.KEDA}",
)
KEDA_METRICS = Program(
    "keda-metrics-apiserver",
    f"ghcr.io/kedacore/keda-metrics-apiserver:{versions.KEDA}",
    (f"{_KEDA}/cmd/adapter",),
    versions.KEDA,
    "/keda-adapter",
    stamp=f"{_KEDA}/version.Version={versions.KEDA}",
)
HTTP_INTERCEPTOR = Program(
    "http-interceptor",
    f"ghcr.io/kedacore/http-add-on-interceptor:{versions.HTTP_ADD_ON}",
    (f"{_HTTP_ADD_ON}/interceptor",),
    versions.HTTP_ADD_ON,
    "/interceptor",
    stamp=f"{_HTTP_ADD_ON}/pkg/build.version={versions.HTTP_ADD_ON}",
)
HTTP_SCALER = Program(
    "http-scaler",
    f"ghcr.io/kedacore/http-add-on-scaler:{versions.HTTP_ADD_ON}",
    (f"{_HTTP_ADD_ON}/scaler",),
    versions.HTTP_ADD_ON,
    "/scaler",
    stamp=f"{_HTTP_ADD_ON}/pkg/build.version={versions.HTTP_ADD_ON}",
)
METRICS_SERVER = Program(
    "metrics-server",
    f"registry.k8s.io/metrics-server/metrics-server:v{versions.METRICS_SERVER}",
    ("sigs.k8s.io/metrics-server/cmd/metrics-server",),
    versions.METRICS_SERVER,
    "/metrics-server",
)
PROMETHEUS_ADAPTER = Program(
    "prometheus-adapter",
    f"registry.k8s.io/prometheus-adapter/prometheus-adapter:v{versions.PROMETHEUS_ADAPTER}",
    ("sigs.k8s.io/prometheus-adapter/cmd/adapter",),
    versions.PROMETHEUS_ADAPTER,
    "/adapter",
)
# It calls iptables and ipset.
KUBE_ROUTER = Program(
    "kube-router",
    f"cloudnativelabs/kube-router:v{versions.KUBE_ROUTER}",
    ("github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",),
    versions.KUBE_ROUTER,
    "/usr/local/bin/kube-router",
    debian=("ipset", "iptables"),
)
REGISTRY = Program(
    "registry",
    f"registry:{versions.REGISTRY}",
    (
        f"{_DISTRIBUTION}/registry",
        f"{_DISTRIBUTION}/registry/storage/driver/filesystem",
    ),
    versions.REGISTRY,
    "/bin/registry",
    program=_MAINS / "registry.go",
)
# Its distributions are in no module: this one is made of the modules that a test needs.
COLLECTOR = Program(
    "opentelemetry-collector",
    f"otel/opentelemetry-collector:{versions.OTEL_COLLECTOR}",
    (
        f"{_COLLECTOR}/otelcol",
        f"{_COLLECTOR}/receiver/otlpreceiver",
        f"{_COLLECTOR}/exporter/debugexporter",
    ),
    versions.OTEL_COLLECTOR,
    "/otelcol",
    stamp=f"main.version={versions.OTEL_COLLECTOR}",
    program=_MAINS / "otelcol.go",
)
# It also runs beside each Envoy that it starts, and has it drain.
ENVOY_GATEWAY = Program(
    "envoy-gateway",
    f"envoyproxy/gateway:v{versions.ENVOY_GATEWAY}",
    (f"{_GATEWAY}/cmd/envoy-gateway",),
    versions.ENVOY_GATEWAY,
    "/usr/local/bin/envoy-gateway",
    stamp=f"{_GATEWAY}/internal/cmd/version.envoyGatewayVersion=v{versions.ENVOY_GATEWAY}",
)
# The live tests start it themselves, with keys and a certificate of their own.
VERSITYGW = Program(
    "versitygw",
    f"versity/versitygw:v{versions.VERSITYGW}",
    ("github.com/versity/versitygw/cmd/versitygw",),
    versions.VERSITYGW,
    "/usr/local/bin/versitygw",
)
