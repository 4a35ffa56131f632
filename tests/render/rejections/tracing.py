"""Access log, request ids and traces: what is refused."""

from tests.render.rejections.rows import UNKNOWN, Row

COLLECTOR = "endpoint: 'http://collector:4317'"
LISTENER = "endpoint: 'http://collector:4318', protocol: http/protobuf"

ROWS: list[Row] = [
    ("access log", "accessLog: {excludePath: [/a]}", "accessLog.excludePath", UNKNOWN),
    ("access log switched", "accessLog: {enabled: false}", "accessLog.enabled", "disable-uvicorn-access-log: true"),
    ("access log of a word", "accessLog: {excludePaths: [health]}", "accessLog.excludePaths[0]", "write a path"),
    ("access log's paths as one", "accessLog: {excludePaths: ['/a,/b']}", "accessLog.excludePaths[0]", "write a path"),
    ("access log's paths as a text", "accessLog: {excludePaths: /a}", "accessLog.excludePaths", "want array"),
    ("request ids in words", "requestIds: always", "requestIds", "want boolean"),
    (
        "request ids twice",
        "{requestIds: true, engine: {args: {enable-request-id-headers: true}}}",
        "requestIds",
        "write one of them",
    ),
    ("tracing", "tracing: {endpoints: a}", "tracing.endpoints", UNKNOWN),
    ("tracing switched", "tracing: {enabled: true}", "tracing.enabled", "write tracing.endpoint"),
    ("tracing's headers", "tracing: {headers: {a: b}}", "tracing.headers", "write tracing.headersSecretRef"),
    ("tracing's share under another name", "tracing: {samplingRate: 1}", "tracing.samplingRate", "tracing.sampleRatio"),
    ("tracing's share in percent", "tracing: {sampleRatio: 10}", "tracing.sampleRatio", "maximum: got 10, want 1"),
    ("tracing's protocol", "tracing: {protocol: http}", "tracing.protocol", "'http/protobuf'"),
    ("traces as JSON, which vLLM does not send", "tracing: {protocol: http/json}", "tracing.protocol", "'grpc'"),
    ("collector without a port", "tracing: {endpoint: collector}", "tracing.endpoint", "write a URL"),
    (
        "gRPC to the path of HTTP",
        "tracing: {endpoint: 'http://collector:4318/v1/traces'}",
        "tracing.endpoint",
        "tracing.protocol: http/protobuf",
    ),
    (
        "HTTP without a scheme",
        "tracing: {endpoint: 'collector:4318', protocol: http/protobuf}",
        "tracing.endpoint",
        "write http://collector:4318",
    ),
    (
        "HTTP by another scheme",
        "tracing: {endpoint: 'grpc://collector:4318', protocol: http/protobuf}",
        "tracing.endpoint",
        "write http://collector:4318",
    ),
    (
        "password in the collector's address",
        "tracing: {endpoint: 'https://me:secret@collector:4318', protocol: http/protobuf}",
        "tracing.endpoint",
        "write the address alone, and tracing.headersSecretRef",
    ),
    (
        "endpoint twice",
        f"{{tracing: {{{COLLECTOR}}}, engine: {{args: {{otlp-traces-endpoint: 'http://other:4317'}}}}}}",
        "tracing.endpoint",
        "write one of them",
    ),
    (
        "endpoint twice, in words",
        f"{{tracing: {{{COLLECTOR}}}, engine: {{extraArgs: [--otlp_traces_endpoint=grpc://other:4317]}}}}",
        "tracing.endpoint",
        "write one of them",
    ),
    (
        "protocol twice",
        f"{{tracing: {{{LISTENER}}}, env: {{OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: grpc}}}}",
        "env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "tracing.protocol says it",
    ),
    (
        "share twice",
        f"{{tracing: {{{COLLECTOR}}}, env: {{OTEL_TRACES_SAMPLER_ARG: 1}}}}",
        "env.OTEL_TRACES_SAMPLER_ARG",
        "tracing.sampleRatio says it",
    ),
    (
        "traces of no statistics",
        f"{{tracing: {{{COLLECTOR}}}, engine: {{args: {{disable-log-stats: true}}}}}}",
        "engine.args.disable-log-stats",
        "leave it out",
    ),
    (
        "traces of no statistics, by the flag",
        "engine: {args: {disable-log-stats: true, otlp-traces-endpoint: 'grpc://collector:4317'}}",
        "engine.args.disable-log-stats",
        "leave it out",
    ),
    (
        "traces of no statistics, in words",
        f"{{tracing: {{{COLLECTOR}}}, engine: {{extraArgs: [--disable-log-stats]}}}}",
        "engine.args.disable-log-stats",
        "leave it out",
    ),
    (
        "a collector's key in the values",
        "env: {OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-tenant=a,authorization=Bearer%20abc'}",
        "env.OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "write tracing.headersSecretRef",
    ),
    (
        "a collector's key in the values, as Kubernetes writes it",
        "env: {OTEL_EXPORTER_OTLP_HEADERS: {value: 'api-key=abc'}}",
        "env.OTEL_EXPORTER_OTLP_HEADERS",
        "write tracing.headersSecretRef",
    ),
    (
        "traces without arguments",
        f"{{tracing: {{{COLLECTOR}}}, engine: {{passArguments: false}}, command: [/run.sh]}}",
        "tracing.endpoint",
        "say it in your own script",
    ),
    (
        "request ids without arguments",
        "{requestIds: true, engine: {passArguments: false}, command: [/run.sh]}",
        "requestIds",
        "say it in your own script",
    ),
]
