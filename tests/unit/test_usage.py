"""`vllm-chart usage`: what it asks Prometheus, and the table that it makes of the answers."""

import json
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import Result

from tests.api_server import cluster_of
from tests.commands import run
from tests.envoy import endpoint
from tests.promql import contract
from tests.promql.series import OTHERS, TARGET, Series
from tests.stub_engines import engine
from tests.unit.test_commands_page import documented
from vllm_chart.endpoint import usage
from vllm_chart.findings import Exit, UnavailableError
from vllm_chart.observe import page

JOB = "models/llm-endpoint"
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
Samples = Sequence[tuple[Mapping[str, str], float]]


# What is asked


def test_the_expressions_ask_for_what_a_real_endpoint_tells(tmp_path: Path) -> None:
    values = {"models": {"llama3": {"service": "llama"}}, "clients": {"secretName": "keys"}}
    with engine("llama3") as served:
        hosts = {"llama.default.svc.cluster.local": ("127.0.0.1", served.port)}
        with endpoint(tmp_path, values, {"app": "sk-app"}, hosts) as proxy:
            proxy.until(lambda: proxy.ask("sk-app").ok, "an answer")
            told = page.read(proxy.metrics())
    names = (usage.REQUESTS, usage.INPUT, usage.OUTPUT, usage.UPTIME)
    world = dict(OTHERS)
    for name in names:
        [sample, *_] = told.of(name)
        world[name] = Series(told.types[name], frozenset({*TARGET, *sample.labels}))

    for counter in names[:3]:
        text = usage.expression(counter, JOB, "1d")
        contract.check(text, world)
        assert contract.labels_of(contract.parse(text), world) == frozenset({"client", "model"})
    contract.check(usage.expression(usage.REQUESTS, JOB, "90m", f'code!~"{usage.FINE}"'), world)
    contract.check(usage.targets(JOB, "1h"), world)


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("6h", 21600), ("1d", 86400), ("2w", 1209600)])
def test_a_duration(text: str, seconds: int) -> None:
    assert usage.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "1.5h", "1h30m", "-1h", "1 h", "1y", "1h]"])
def test_what_is_no_duration_is_a_wrong_call(text: str) -> None:
    result = run("usage", "--since", text)

    assert result.exit_code == Exit.USAGE
    assert "write 30m, 6h, 1d or 2w" in result.stderr


# What is made of it

APP, BATCH = {"client": "app", "model": "llama3"}, {"client": "batch", "model": "qwen3"}


def answers(
    requests: Samples = (),
    errors: Samples = (),
    inputs: Samples = (),
    outputs: Samples = (),
    up: Samples = (),
    seen: Samples = (),
) -> Callable[[str], Samples]:
    """Stands for Prometheus: what it gives for each of the questions."""

    def answer(query: str) -> Samples:
        if query.startswith("max_over_time(up"):
            return up
        if query.startswith(f"last_over_time({usage.UPTIME}"):
            return seen
        if "code!~" in query:
            return errors
        return {usage.REQUESTS: requests, usage.INPUT: inputs, usage.OUTPUT: outputs}[_counter(query)]

    return answer


def _counter(query: str) -> str:
    return query.partition("last_over_time(")[2].partition("{")[0]


SEEN: Samples = [({"pod": "a"}, 5.0)]
FULL = answers(
    requests=[(APP, 1234.0), (BATCH, 10.2), ({"model": ""}, 3.0), ({"client": "gone"}, 0.0)],
    errors=[(APP, 4.0), ({"model": ""}, 3.0)],
    inputs=[(APP, 1_000_000.0), (BATCH, 7.0)],
    outputs=[(APP, 200_000.0), (BATCH, 9.0)],
    seen=SEEN,
)


def test_the_table_is_by_client_and_model() -> None:
    found = usage.read(FULL, JOB, "1h", "Prometheus a/b", AT)
    lines = [line.split() for line in usage.to_human(found).split("\n")[2:]]

    assert lines[0] == ["CLIENT", "MODEL", "REQUESTS", "ERRORS", "INPUT", "TOKENS", "OUTPUT", "TOKENS"]
    assert lines[1:] == [
        ["(no", "key)", "(none)", "3", "3", "0", "0"],
        ["app", "llama3", "1,234", "4", "1,000,000", "200,000"],
        ["batch", "qwen3", "10", "0", "7", "9"],
        ["all", "1,247", "7", "1,000,007", "200,009"],
    ]
    assert found.findings == []


def test_the_document() -> None:
    document = json.loads(usage.to_json(usage.read(FULL, JOB, "1h", "Prometheus a/b", AT)))

    assert list(document) == documented("`usage`")
    assert document["usage"][1] == {
        "client": "app",
        "model": "llama3",
        "requests": 1234,
        "errors": 4,
        "inputTokens": 1_000_000,
        "outputTokens": 200_000,
    }
    assert document["total"]["requests"] == 1247


def messages(answer: Callable[[str], Samples]) -> list[tuple[str, str]]:
    return [(one.severity, one.message) for one in usage.read(answer, JOB, "1h", "it", AT).findings]


def test_why_there_is_nothing_is_told() -> None:
    assert messages(answers(up=[({}, 1.0)], seen=SEEN)) == [("info", "nobody asked anything in the last 1h")]
    with pytest.raises(UnavailableError, match='no target with job="models/llm-endpoint": switch serviceMonitor'):
        usage.read(answers(), JOB, "1h", "it", AT)
    with pytest.raises(UnavailableError, match="can't scrape the endpoint"):
        usage.read(answers(up=[({}, 0.0)]), JOB, "1h", "it", AT)


def test_what_the_table_lacks_is_told() -> None:
    late = messages(answers(requests=[(APP, 1.0)], inputs=[(APP, 1.0)], up=[({}, 1.0)]))
    silent = usage.read(answers(requests=[(APP, 9.0)], errors=[(APP, 1.0)], seen=SEEN), JOB, "1h", "it", AT).findings

    assert late == [("warning", "it began to scrape the endpoint after 1h ago: what was before is not counted")]
    assert [one.where for one in silent] == ["models.llama3"]
    assert "enable-force-include-usage" in silent[0].remedy
    assert messages(answers(requests=[(APP, 9.0)], errors=[(APP, 9.0)], seen=SEEN)) == []


# How Prometheus is reached


def prometheus(given: Callable[[str], Samples] = FULL) -> Callable[[Any, str], Any]:
    """Prometheus' HTTP API, as an API server hands questions on."""

    def answer(_body: Any, query: str) -> Any:
        [text] = urllib.parse.parse_qs(query)["query"]
        result = [{"metric": labels, "value": [0, str(value)]} for labels, value in given(text)]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    return answer


PROMETHEUSES = "/apis/monitoring.coreos.com/v1/prometheuses"
DEPLOYMENTS = "/apis/apps/v1/namespaces/models/deployments"
POD: Any = {
    "containers": [{"name": "envoy"}],
    "volumes": [{"name": "clients", "secret": {"secretName": "llm-clients"}}],
}
DEPLOYMENT: Any = {
    "metadata": {
        "name": "llm-endpoint",
        "namespace": "models",
        "labels": {"app.kubernetes.io/instance": "llm-endpoint"},
    },
    "spec": {"template": {"spec": POD}},
}


def operated(name: str, **spec: Any) -> Any:
    return {"metadata": {"name": name, "namespace": "monitoring"}, "spec": spec}


def path(name: str) -> str:
    return f"/api/v1/namespaces/monitoring/pods/prometheus-{name}-0:9090/proxy/api/v1/query"


def call(folder: Path, objects: dict[str, Any], *arguments: str) -> Result:
    with cluster_of({DEPLOYMENTS: [DEPLOYMENT]} | objects, folder):
        return run("usage", "--namespace=models", f"--kubeconfig={folder / 'kubeconfig'}", *arguments)


def test_that_of_the_operator_which_scrapes_the_endpoint_is_asked(tmp_path: Path) -> None:
    scrapes = answers(requests=[(APP, 5.0)], inputs=[(APP, 5.0)], up=[({}, 1.0)], seen=SEEN)
    objects = {
        PROMETHEUSES: [operated("other"), operated("main")],
        path("other"): prometheus(answers()),
        path("main"): prometheus(scrapes),
    }
    result = call(tmp_path, objects, "--output=json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["prometheus"] == "Prometheus monitoring/main"


def test_a_service_of_the_cluster_is_asked_through_the_api_server(tmp_path: Path) -> None:
    service = "/api/v1/namespaces/monitoring/services/http:prometheus:9090/proxy/prom/api/v1/query"
    result = call(tmp_path, {service: prometheus()}, "--prometheus=http://prometheus.monitoring.svc:9090/prom/")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "1,234" in result.stdout


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ({}, "none of prometheus-operator"),
        ({PROMETHEUSES: 403}, "may not be listed"),
        ({PROMETHEUSES: [operated("main", shards=2)]}, "spreads its targets over shards"),
        ({PROMETHEUSES: [operated("main")], path("main"): 403}, "not yours to do"),
        ({PROMETHEUSES: [operated("main")], path("main"): b"<html>"}, "is no Prometheus"),
        (
            {
                PROMETHEUSES: [operated("closed"), operated("main")],
                path("closed"): 403,
                path("main"): prometheus(answers()),
            },
            "Prometheus monitoring/main has no target",
        ),
        ({DEPLOYMENTS: []}, "no release 'llm-endpoint'"),
    ],
)
def test_who_can_ask_none_is_told_what_to_do(tmp_path: Path, objects: dict[str, Any], said: str) -> None:
    result = call(tmp_path, objects)

    assert result.exit_code == Exit.ENVIRONMENT
    assert said in result.stderr


@contextmanager
def somewhere(token: str) -> Iterator[str]:
    """A Prometheus outside of any cluster, which wants a token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers.get("Authorization") == f"Bearer {token}"
            self.send_response(200 if right else 401)
            self.end_headers()
            self.wfile.write(json.dumps(prometheus()(None, urllib.parse.urlsplit(self.path).query)).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_one_elsewhere_is_asked_with_its_token_and_without_a_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with somewhere("sesame") as url:
        without = run("usage", f"--prometheus={url}", f"--job={JOB}")
        monkeypatch.setenv("PROMETHEUS_TOKEN", "sesame")
        with_it = run("usage", f"--prometheus={url}", f"--job={JOB}")
    gone = run("usage", f"--prometheus={url}", f"--job={JOB}")

    assert (without.exit_code, with_it.exit_code, gone.exit_code) == (Exit.ENVIRONMENT, Exit.OK, Exit.ENVIRONMENT)
    assert "write its token in PROMETHEUS_TOKEN" in without.stderr
    assert "1,234" in with_it.stdout
    assert "does not answer" in gone.stderr
