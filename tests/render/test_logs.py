"""What the engine tells of its requests: its access log, request ids and traces; and what is said of texts in logs."""

from typing import Any

import pytest

from tests.render.verdicts import Row, hold
from tests.render.view import View
from vllm_chart.helm import render

QUIET = "--disable-access-log-for-endpoints="


def view(**values: Any) -> View:
    return View(render(values={"model": {"id": "org/name"}} | values))


def quiet(**values: Any) -> list[str]:
    return [word.removeprefix(QUIET) for word in view(**values).args if word.startswith(QUIET)]


def test_probes_and_scrapes_leave_no_line() -> None:
    assert quiet() == ["/health,/metrics"]
    assert quiet(accessLog={"excludePaths": ["/ping"]}) == ["/ping"]
    assert quiet(accessLog={"excludePaths": []}) == []


def test_a_flag_of_the_users_own_wins() -> None:
    assert quiet(engine={"args": {"disable-access-log-for-endpoints": "/load"}}) == ["/load"]
    assert quiet(engine={"args": {"disable-access-log-for-endpoints": ""}}) == []
    assert quiet(engine={"args": {"disable-access-log-for-endpoints": None}}) == ["/health,/metrics"]
    assert quiet(engine={"extraArgs": [f"{QUIET}/a"]}) == ["/a"]
    assert view(engine={"extraArgs": ["--disable_access_log_for_endpoints", "/a"]}).args[-2:] == [
        "--disable_access_log_for_endpoints",
        "/a",
    ]
    assert quiet(engine={"extraArgs": ["--disable_access_log_for_endpoints", "/a"]}) == []


@pytest.mark.parametrize(
    ("image", "command", "told"),
    [
        ({"tag": "v0.15.1"}, [], False),
        ({"tag": "v0.16.0"}, [], True),
        ({"tag": "v0.33.0"}, [], True),
        ({"repository": "org/vllm", "tag": "2026-05"}, [], True),
        ({"repository": "registry.redhat.io/rhaiis/vllm-cuda-rhel9", "tag": "3.2.1"}, [], False),
        ({"repository": "rocm/vllm", "tag": "rocm7.2_vllm_0.20.0_20260601"}, ["vllm", "serve"], True),
        ({"repository": "org/sim", "tag": "v1"}, ["/app/simulator"], False),
        ({}, ["python3", "-m", "vllm.entrypoints.openai.api_server"], True),
        ({}, ["bash", "-c", 'pip install x && exec vllm serve "$0" "$@"'], True),
    ],
)
def test_an_engine_that_may_lack_the_flag_is_not_told(image: dict[str, str], command: list[str], told: bool) -> None:
    assert bool(quiet(image=image, command=command)) == told


def test_request_ids_by_choice() -> None:
    assert "--enable-request-id-headers" not in view().args
    assert "--enable-request-id-headers" in view(requestIds=True).args


def test_no_traces_and_no_variables_of_them_by_default() -> None:
    assert not [word for word in view().args if "otlp" in word or "detailed" in word]
    assert not [name for name in view().env if name.startswith("OTEL")]


def test_traces_carry_the_names_of_the_metrics() -> None:
    traced = view(tracing={"endpoint": "http://collector:4317"})
    assert traced.args[-1] == "--otlp-traces-endpoint=http://collector:4317"
    assert not [word for word in traced.args if "detailed" in word]
    env = traced.env
    assert env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == "grpc"
    assert (env["OTEL_TRACES_SAMPLER"], env["OTEL_TRACES_SAMPLER_ARG"]) == ("parentbased_traceidratio", "0.1")
    assert env["OTEL_SERVICE_NAME"] == traced.deployment["metadata"]["name"]
    attributes = dict(pair.split("=") for pair in env["OTEL_RESOURCE_ATTRIBUTES"].split(","))
    assert attributes["service.namespace"] == attributes["k8s.namespace.name"] == "default"
    for attribute, path in (
        ("k8s.pod.name", "metadata.name"),
        ("service.instance.id", "metadata.name"),
        ("k8s.pod.uid", "metadata.uid"),
        ("k8s.node.name", "spec.nodeName"),
    ):
        variable = attributes[attribute].removeprefix("$(").removesuffix(")")
        assert env[variable] == {"fieldRef": {"fieldPath": path}}
        # Kubernetes expands only what it has seen.
        assert list(env).index(variable) < list(env).index("OTEL_RESOURCE_ATTRIBUTES")


def test_a_share_is_written_as_opentelemetry_reads_it() -> None:
    for ratio, text in ((0.5, "0.5"), (1, "1"), (0, "0"), (1e-06, "1e-06")):
        env = view(tracing={"endpoint": "c:4317", "sampleRatio": ratio}).env
        assert float(env["OTEL_TRACES_SAMPLER_ARG"]) == float(text)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", "a%20b"),
        ("a,b=c", "a%2Cb%3Dc"),
        ("a+b", "a%2Bb"),
        ("$(HOME)", "%24%28HOME%29"),
        (1, "1"),
        (True, "true"),
    ],
)
def test_attributes_reach_the_collector_as_they_were_written(value: Any, written: str) -> None:
    env = view(tracing={"endpoint": "c:4317", "resourceAttributes": {"x": value, "gone": None}}).env
    assert f",x={written}" in env["OTEL_RESOURCE_ATTRIBUTES"]
    assert "gone" not in env["OTEL_RESOURCE_ATTRIBUTES"]


@pytest.mark.parametrize(
    ("endpoint", "sent"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("https://c", "https://c/v1/traces"),
        ("http://c:4318/", "http://c:4318/"),
        ("http://c:4318/own", "http://c:4318/own"),
    ],
)
def test_http_has_the_path_of_the_protocol_unless_the_user_has_one(endpoint: str, sent: str) -> None:
    assert view(tracing={"endpoint": endpoint, "protocol": "http/protobuf"}).args[-1].endswith(f"={sent}")


def test_the_companys_authorities_are_trusted_by_the_exporter() -> None:
    tracing, bundle = {"endpoint": "https://c:4317"}, {"configMapName": "ca"}
    assert view(tracing=tracing, caBundle=bundle).env["OTEL_EXPORTER_OTLP_CERTIFICATE"]
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" not in view(tracing=tracing).env
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" not in view(tracing={"endpoint": "c:4317"}, caBundle=bundle).env


LOGGED = "engine: {args: {enable-log-requests: true%s}}"
TRACED = "tracing: {endpoint: 'http://c:%s', protocol: %s}"

ROWS: list[Row] = [
    ("parameters only", LOGGED % "", ""),
    ("prompts by a variable", f"{{{LOGGED % ''}, env: {{VLLM_LOGGING_LEVEL: debug}}}}", "warning: prompts and whole"),
    ("prompts by a flag", LOGGED % ", log-level: DEBUG", "warning: prompts and whole requests are in the log"),
    ("prompts by a setting", LOGGED % ", logging-config: {log_level: DEBUG}", "warning: prompts and whole requests"),
    ("bodies", f"{{{LOGGED % ''}, env: {{VLLM_REQUEST_BODY_LOG_LEVEL: INFO}}}}", "warning: whole requests are in"),
    ("nothing at all", f"{{{LOGGED % ''}, env: {{VLLM_LOGGING_LEVEL: WARNING}}}}", ""),
    ("answers", LOGGED % ", enable-log-outputs: true", "warning: the text of every answer is in the log"),
    (
        "answers of the server",
        "env: {VLLM_DEBUG_LOG_API_SERVER_RESPONSE: true}",
        "warning: the text of every answer is in the log",
    ),
    ("level alone", "env: {VLLM_LOGGING_LEVEL: DEBUG}", ""),
    (
        "an engine that nobody knows",
        f"{{image: {{repository: org/vllm, tag: v1}}, {LOGGED % ''}}}",
        "warning: prompts may be in the log",
    ),
    ("gRPC at its port", TRACED % (4317, "grpc"), ""),
    ("HTTP at its port", TRACED % (4318, "http/protobuf"), ""),
    ("gRPC at HTTP's", TRACED % (4318, "grpc"), "warning: collectors speak http/protobuf at port 4318"),
    ("HTTP at gRPC's", TRACED % (4317, "http/protobuf"), "warning: collectors speak grpc at port 4317"),
    (
        "the flag, and HTTP's port",
        "engine: {args: {otlp-traces-endpoint: 'http://c:4318'}}",
        "warning: collectors speak http/protobuf at port 4318",
    ),
    (
        "the general protocol",
        "{engine: {args: {otlp-traces-endpoint: 'http://c:4000'}}, env: {OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf}}",
        "warning: vLLM makes no traces by it",
    ),
    (
        "an endpoint by a variable alone",
        "env: {OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317'}",
        "warning: vLLM makes no traces by it",
    ),
    (
        "an agent around vLLM",
        "{command: [opentelemetry-instrument, vllm, serve], env: {OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317'}}",
        "",
    ),
    (
        "a certificate that is not read",
        "{tracing: {endpoint: 'https://c:4317'}, env: {OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: /certs/ca.crt}}",
        "warning: vLLM's gRPC exporter reads no certificate there",
    ),
    (
        "a certificate that is",
        "{tracing: {endpoint: 'https://c:4317'}, env: {OTEL_EXPORTER_OTLP_CERTIFICATE: /certs/ca.crt}}",
        "",
    ),
    (
        "detailed traces of nothing",
        "engine: {args: {collect-detailed-traces: [all]}}",
        "error: there is no endpoint for traces",
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_is_said_of_logs_and_traces(text: str, expected: str) -> None:
    hold(text, expected)
