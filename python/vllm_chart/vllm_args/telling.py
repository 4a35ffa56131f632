"""Warnings about what the engine tells of its requests: texts in its log, and traces that go nowhere."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.vllm_args.container import Told, of_release

TEXTS_IN_LOGS = "texts-in-logs"
TRACES = "traces"

CHECKS = (
    Check(
        TEXTS_IN_LOGS,
        "The engine's log holds no prompt and no answer.",
        "Logs are read, copied and kept by more people, and for longer, than those who wrote the prompts expect.",
        "Engine",
    ),
    Check(
        TRACES,
        "Variables and addresses for traces are those that vLLM reads.",
        "vLLM reads few of OpenTelemetry's variables; the others change nothing, and no trace arrives.",
        "Engine",
    ),
)


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """Warnings about a rendered release; none where the arguments cannot be read, which another check tells of.

    values: the merged values of the chart. app_version: the version that an empty image.tag stands for.
    """
    engine = of_release(manifests, values, app_version)
    if engine is None:
        return []
    _, container, told = engine
    variables = {variable["name"] for variable in container.get("env") or ()}
    tracing = str((values.get("tracing") or {}).get("endpoint") or "")
    where = "tracing.endpoint" if tracing else "engine.args.otlp-traces-endpoint"
    # An agent around vLLM has variables of its own.
    alone = "opentelemetry" not in " ".join(map(str, container.get("command") or ()))
    return [*_texts(told), *(_unread(told, variables, where) if alone else ()), *_ports(told, where)]


# Logs


def _texts(told: Told) -> Iterator[Finding]:
    """vllm/entrypoints/serve/utils/request_logger.py of 0.32 and 0.33: without --enable-log-requests there is no logger
    of requests. With it, their parameters are logged at INFO, prompts and bodies at DEBUG (bodies at
    VLLM_REQUEST_BODY_LOG_LEVEL, 0.33), and answers at INFO with --enable-log-outputs. Older ones log prompts at INFO.
    """
    given, env = told.arguments, told.environment
    if env.get("VLLM_DEBUG_LOG_API_SERVER_RESPONSE", "").lower() == "true":  # entrypoints/serve/middleware/register.py
        message = "the text of every answer is in the log"
        where = "env.VLLM_DEBUG_LOG_API_SERVER_RESPONSE"
        yield Finding(TEXTS_IN_LOGS, where, message, "leave it out in production", "warning")
    if not given.get("enable_log_requests"):
        return
    level = _level(given, env)
    if level in ("CRITICAL", "ERROR", "WARNING"):
        return
    where = "engine.args.enable-log-requests"
    if told.stands_in:
        yield Finding(TEXTS_IN_LOGS, where, "prompts may be in the log", "leave it out in production", "warning")
    elif level in ("DEBUG", "NOTSET"):
        message = f"prompts and whole requests are in the log, whose level is {level}"
        yield Finding(TEXTS_IN_LOGS, where, message, "leave it out, or write env.VLLM_LOGGING_LEVEL: INFO", "warning")
    elif env.get("VLLM_REQUEST_BODY_LOG_LEVEL", "DEBUG").upper() not in ("DEBUG", "NOTSET"):
        where = "env.VLLM_REQUEST_BODY_LOG_LEVEL"
        message = f"whole requests are in the log, whose level is {level}"
        yield Finding(TEXTS_IN_LOGS, where, message, "write DEBUG, or leave it out", "warning")
    else:
        message = "the parameters of every request are in the log (stop texts and schemas among them), no prompts"
        yield Finding(TEXTS_IN_LOGS, where, message, severity="info")
    if given.get("enable_log_outputs"):
        where = "engine.args.enable-log-outputs"
        message = "the text of every answer is in the log"
        yield Finding(TEXTS_IN_LOGS, where, message, "leave it out in production", "warning")


def _level(given: Mapping[str, Any], env: Mapping[str, str]) -> str:
    config = given.get("logging_config")
    said = config.get("log_level") if isinstance(config, Mapping) else None
    return str(given.get("log_level") or said or env.get("VLLM_LOGGING_LEVEL") or "INFO").upper()


# Traces

#: Variables of OpenTelemetry's that do not reach vLLM's exporter of traces (vllm/tracing/otel.py, `get_span_exporter`:
#: the endpoint is handed over, the protocol read from the variable for traces alone), and what to write instead.
UNREAD: Mapping[str, str] = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "tracing.protocol",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "tracing.endpoint",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "tracing.endpoint",
}


def _unread(told: Told, variables: set[str], where: str) -> Iterator[Finding]:
    endpoint = told.arguments.get("otlp_traces_endpoint")
    protocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" in variables
    for name, key in UNREAD.items():
        if name in variables and not (protocol if key == "tracing.protocol" else endpoint):
            message = "vLLM makes no traces by it"
            yield Finding(TRACES, f"env.{name}", message, f"write {key}", "warning")
    certificate = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"
    if endpoint and certificate in variables and _protocol(told) == "grpc":
        # trace_exporter/__init__.py of opentelemetry-exporter-otlp-proto-grpc: `not insecure`, and vLLM says insecure.
        message = f"vLLM's gRPC exporter reads no certificate there, for {where}"
        yield Finding(TRACES, f"env.{certificate}", message, "write env.OTEL_EXPORTER_OTLP_CERTIFICATE", "warning")


def _ports(told: Told, where: str) -> Iterator[Finding]:
    """Ports of https://opentelemetry.io/docs/specs/otlp/: 4317 for gRPC, 4318 for HTTP. A collector may have others."""
    endpoint = str(told.arguments.get("otlp_traces_endpoint") or "")
    port, protocol = re.search(r":(431[78])(/|$)", endpoint), _protocol(told)
    if port and (port[1] == "4318") != (protocol == "http/protobuf") and protocol in ("grpc", "http/protobuf"):
        other = "http/protobuf" if port[1] == "4318" else "grpc"
        message = f"collectors speak {other} at port {port[1]}, and vLLM will speak {protocol} to it"
        said = "tracing.protocol" if where.startswith("tracing") else "env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
        yield Finding(TRACES, where, message, f"write {said}: {other}, or the other port", "warning")


def _protocol(told: Told) -> str:
    return told.environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")
