"""Logs and traces: what the engine writes of each request, and where to."""

from typing import Annotated, Literal

from pydantic import Field

from vllm_chart.values.base import Annotations, Block, DataKey, Pattern, SecretKeyRef, SecretName


class AccessLog(Block):
    """The log's line for each HTTP request: method, path and status, and nothing of what was asked."""

    remedies = {
        "enabled": "write engine.args.disable-uvicorn-access-log: true for no such line at all",
        "exclude": "write accessLog.excludePaths",
        "paths": "write accessLog.excludePaths",
    }

    exclude_paths: list[Annotated[str, Pattern(r"^/[^,\s]*$", "write a path: /health")]] = Field(
        ["/health", "/metrics"],
        description="Paths that leave no line, each as a client asks for it, without its query: with probes every few "
        "seconds and a scrape every ten, nearly all lines are theirs. `[]`: every request leaves one. vLLM has it "
        "since 0.16: an older or unknown engine is not told. engine.args.disable-access-log-for-endpoints wins.",
    )


class TraceHeaders(SecretKeyRef):
    name: SecretName = Field("", description="Secret with the headers. Empty: none are sent.")
    key: DataKey = Field("headers", description="Key in that Secret: `authorization=Bearer%20…,x-tenant=a`.")


class Tracing(Block):
    """A trace of each request, sent by OTLP: one span with its times in the queue, prefill and decode, its token counts
    and its id, under the parent that a client's `traceparent` header names. No prompt and no answer is in it."""

    remedies = {
        "enabled": "write tracing.endpoint, which turns them on",
        "otlpEndpoint": "write tracing.endpoint",
        "url": "write tracing.endpoint",
        "headers": "put them in a Secret and write tracing.headersSecretRef: {name, key}",
        "sampleRate": "write tracing.sampleRatio",
        "samplingRate": "write tracing.sampleRatio",
        "samplingRatio": "write tracing.sampleRatio",
        "sampler": "write tracing.sampleRatio, or env.OTEL_TRACES_SAMPLER",
        "serviceName": "write env.OTEL_SERVICE_NAME",
    }

    endpoint: Annotated[
        str, Pattern(r"^([A-Za-z]+://\S+|[^\s/]+:[0-9]+)?$", "write a URL: http://collector.monitoring:4317")
    ] = Field(
        "",
        description="The collector's address; empty: no traces. For gRPC `http://collector.monitoring:4317`, and https "
        "for TLS. For http/protobuf `http://collector.monitoring:4318`, to which `/v1/traces` is added unless the URL "
        "has a path of its own. A collector on the pod's node: `http://$(HOST_IP):4317`, with `env: {HOST_IP: "
        "{valueFrom: {fieldRef: {fieldPath: status.hostIP}}}}`.",
    )
    protocol: Literal["grpc", "http/protobuf"] = Field(
        "grpc",
        description="How it is sent. vLLM reads it from OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, and no other variable.",
    )
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1,
        description="Share of the requests without a parent that are traced. A request whose `traceparent` says "
        "sampled is always traced, and one that says not is never: the caller decides.",
    )
    headers_secret_ref: TraceHeaders = Field(
        TraceHeaders(), description="Headers for the collector, a key for example."
    )
    resource_attributes: Annotations = Field(
        {},
        description="More attributes of every span: `deployment.environment.name: production`. The service's name (as "
        "that of the Service), its namespace, the pod's and node's names are there already; env.OTEL_SERVICE_NAME and "
        "env.OTEL_RESOURCE_ATTRIBUTES win.",
    )
