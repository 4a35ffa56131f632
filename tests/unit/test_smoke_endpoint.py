"""Smoke of an endpoint: a real Envoy with what the chart renders, in front of engines."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.api_server import cluster_of
from tests.commands import run
from tests.envoy import Proxy, endpoint
from tests.stub_engines import Engine, engine
from vllm_chart.findings import UnavailableError
from vllm_chart.live import smoke
from vllm_chart.live.smoke import endpoint as of_endpoint
from vllm_chart.live.smoke import reach

KEY = "sk-nobody-sees-this"
VALUES: dict[str, Any] = {
    "models": {"llama3": {"service": "llama"}, "qwen3": {"service": "qwen", "aliases": ["q"]}},
    "clients": {"secretName": "llm-clients"},
    "paths": ["/v1/chat/completions"],
}


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(engine(name)) for name in ("llama", "qwen")}


@pytest.fixture(scope="module")
def proxy(engines: dict[str, Engine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    hosts = {f"{name}.default.svc.cluster.local": ("127.0.0.1", one.port) for name, one in engines.items()}
    with endpoint(tmp_path_factory.mktemp("endpoint"), VALUES, {"app": KEY}, hosts) as running:
        running.until(lambda: running.ask(KEY).ok and running.ask(KEY, "qwen3").ok, "a healthy engine")
        yield running


def results(report: smoke.SmokeReport) -> list[tuple[str, str]]:
    return [(result.check, result.status) for result in report.results]


def asked(proxy: Proxy, monkeypatch: pytest.MonkeyPatch, key: str = KEY, model: str = "") -> smoke.SmokeReport:
    monkeypatch.setenv("VLLM_API_KEY", key)
    return smoke.run(smoke.Endpoint(proxy.url), model=model, timeout_seconds=20)


def test_each_model_is_asked_and_nothing_else_is_open(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    report = asked(proxy, monkeypatch)

    assert results(report) == [
        *(("refusal", "passed"), ("closed", "passed"), ("models", "passed")),
        *(("model", "passed"), ("model", "passed"), ("model", "passed")),
        ("streaming", "passed"),
    ]
    assert [result.detail.partition(":")[0] for result in report.results if result.check == "model"] == [
        *("llama3", "qwen3", "q")
    ]
    assert report.findings == []
    assert KEY not in smoke.to_json(report)


def test_one_model_may_be_named(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert results(asked(proxy, monkeypatch, model="q")).count(("model", "passed")) == 1


def test_a_model_that_fails_is_named(proxy: Proxy, engines: dict[str, Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    engines["qwen"].status = 500
    try:
        report = asked(proxy, monkeypatch)
    finally:
        engines["qwen"].status = 200

    assert results(report).count(("model", "failed")) == 2
    assert results(report).count(("model", "passed")) == 1
    assert [finding.check for finding in report.findings] == ["smoke-model", "smoke-model"]


def test_a_wrong_key_says_where_clients_are(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    report = asked(proxy, monkeypatch, key="sk-other")

    assert results(report) == [("refusal", "passed"), ("closed", "passed"), ("models", "failed")]
    assert "vllm-chart clients add" in report.findings[0].remedy


def test_who_lets_everybody_in_is_found_out(engines: dict[str, Engine]) -> None:
    """Another's proxy in front of it, which shows a key for everybody."""
    url = f"http://127.0.0.1:{engines['llama'].port}"
    checks = of_endpoint.EndpointChecks(url, requests.Session(), 10, lambda _: None)

    assert results(checks.report(""))[:2] == [("refusal", "failed"), ("closed", "failed")]


def test_an_engine_is_no_endpoint(engines: dict[str, Engine]) -> None:
    url = f"http://127.0.0.1:{engines['llama'].port}"

    assert not of_endpoint.is_one(url, requests.Session(), 10)
    assert not of_endpoint.is_one("http://127.0.0.1:1", requests.Session(), 1)


# The key of a client


def test_a_key_is_read_from_the_secret_that_is_named(tmp_path: Path) -> None:
    secret = {"metadata": {"name": "app"}, "data": {"api-key": base64.b64encode(f"{KEY}\n".encode()).decode()}}
    with cluster_of({"/api/v1/namespaces/models/secrets/app": secret}, tmp_path) as cluster:
        release = reach.Release("llm-endpoint", "models", key_secret=("app", "api-key"))
        assert reach._key(cluster, release, []) == KEY
        for missing in (("app", "other"), ("another", "api-key")):
            with pytest.raises(UnavailableError, match=f"no Secret {missing[0]} with a key {missing[1]}"):
                reach._key(cluster, reach.Release("llm-endpoint", "models", key_secret=missing), [])


def test_an_endpoint_with_a_certificate_is_asked_by_https() -> None:
    assert reach.serves_tls([{"name": "envoy", "volumeMounts": [{"name": "tls"}]}])
    assert not reach.serves_tls([{"name": "envoy", "volumeMounts": [{"name": "config"}]}])


@pytest.mark.parametrize("command", ["smoke", "load"])
def test_a_secret_is_of_a_release(command: str) -> None:
    result = run(command, "http://localhost:1", "--key-secret=app")

    assert result.exit_code == 2
    assert "write the key in VLLM_API_KEY" in result.output
    assert "is not NAME or NAME/KEY" in run(command, "--release=a", "--key-secret=a/b/c").output
