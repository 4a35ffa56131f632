"""Access log, request ids and traces: what people run, and is accepted."""

from tests.render.acceptances.rows import VLLM, Row

OTEL = "https://opentelemetry.io/docs"
ENDPOINT = "--otlp-traces-endpoint="

ROWS: list[Row] = [
    (
        "traced by gRPC, as vLLM's example has it",
        f"{VLLM}/examples/online_serving/opentelemetry/",
        "{model: {id: facebook/opt-125m}, tracing: {endpoint: 'grpc://jaeger:4317', sampleRatio: 1}}",
        lambda v: f"{ENDPOINT}grpc://jaeger:4317" in v.args and v.env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == "grpc",
    ),
    (
        "traced by HTTP, as vLLM's example has it",
        f"{VLLM}/examples/online_serving/opentelemetry/",
        """
        model: {id: facebook/opt-125m}
        tracing: {endpoint: "http://jaeger:4318/v1/traces", protocol: http/protobuf}
        """,
        lambda v: f"{ENDPOINT}http://jaeger:4318/v1/traces" in v.args,
    ),
    (
        "traced by the agent of the node",
        f"{OTEL}/platforms/kubernetes/getting-started/",
        """
        model: {id: Qwen/Qwen3-8B}
        tracing: {endpoint: "http://$(HOST_IP):4318", protocol: http/protobuf}
        env: {HOST_IP: {valueFrom: {fieldRef: {fieldPath: status.hostIP}}}}
        """,
        lambda v: f"{ENDPOINT}http://$(HOST_IP):4318/v1/traces" in v.args,
    ),
    (
        "traced by a vendor, whose key is in a Secret",
        f"{OTEL}/specs/otel/protocol/exporter/",
        """
        model: {id: Qwen/Qwen3-8B}
        tracing:
          endpoint: https://api.example.com/otlp/v1/traces
          protocol: http/protobuf
          headersSecretRef: {name: vendor}
        env: {OTEL_SERVICE_NAME: chat, OTEL_RESOURCE_ATTRIBUTES: "service.version=2"}
        """,
        lambda v: (
            v.secret("OTEL_EXPORTER_OTLP_TRACES_HEADERS") == ("vendor", "headers")
            and v.env["OTEL_SERVICE_NAME"] == "chat"
            and v.env["OTEL_RESOURCE_ATTRIBUTES"] == "service.version=2"
        ),
    ),
    (
        "traced by gRPC with TLS",
        f"{OTEL}/specs/otel/protocol/exporter/",
        "{model: {id: a/b}, tracing: {endpoint: 'https://collector:4317'}, caBundle: {configMapName: ca}}",
        lambda v: v.env["OTEL_EXPORTER_OTLP_CERTIFICATE"] == "/etc/vllm/ca/ca-bundle.crt",
    ),
    (
        "traced by a sampler of one's own",
        f"{OTEL}/languages/sdk-configuration/general/",
        "{model: {id: a/b}, tracing: {endpoint: 'collector:4317'}, env: {OTEL_TRACES_SAMPLER: parentbased_always_off}}",
        lambda v: v.env["OTEL_TRACES_SAMPLER"] == "parentbased_always_off",
    ),
    (
        "a tenant in the headers, which is no secret",
        "https://grafana.com/docs/tempo/latest/operations/manage-advanced-systems/multitenancy/",
        """
        model: {id: a/b}
        tracing: {endpoint: "tempo:4317"}
        env: {OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-scope-orgid=team-a"}
        """,
        lambda v: v.env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] == "x-scope-orgid=team-a",
    ),
    (
        "statistics off in an image that may keep them by a plugin",
        f"{VLLM}/design/metrics/",
        """
        model: {id: a/b}
        image: {repository: org/vllm, tag: v0.33.0}
        tracing: {endpoint: "collector:4317"}
        engine: {args: {disable-log-stats: true}}
        """,
        lambda v: "--disable-log-stats" in v.args,
    ),
]
