"""`vllm-chart top`: what a release does now, out of pages of real engines and pods as an API server has them."""

import gzip
import itertools
import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.api_server import cluster_of
from tests.commands import program, run
from vllm_chart.cli.output import Progress
from vllm_chart.findings import UnavailableError
from vllm_chart.live import top
from vllm_chart.live.top import pods, readings, table, ways
from vllm_chart.observe import page

Json = dict[str, Any]

PAGES = sorted((Path(__file__).parent / "data" / "metrics").glob("[0-9]*/*.txt.gz"))
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
BEGAN = "2026-11-28T08:00:00Z"


def captured(name: str = "0.32.0/one") -> str:
    return gzip.decompress((PAGES[0].parents[1] / f"{name}.txt.gz").read_bytes()).decode()


def pod(name: str = "llm-a", **status: Any) -> Json:
    """A pod that serves; status: what is otherwise of its engine's container, or of the pod."""
    container: Json = {"name": "vllm", "started": True, "restartCount": 0, "state": {"running": {"startedAt": BEGAN}}}
    container |= {key: status.pop(key) for key in ("started", "restartCount", "state") if key in status}
    ready = container["started"] and "running" in container["state"]
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    deleted = {"deletionTimestamp": BEGAN} if status.pop("deleted", False) else {}
    labels = {"app.kubernetes.io/instance": "llm"}
    engine: Json = {"name": "vllm", "args": ["org/name"], "ports": [{"name": "http", "containerPort": 8000}]}
    engine |= status.pop("engine", {})
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": BEGAN, "labels": labels, **deleted},
        "spec": {"containers": [engine]},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": [container], **status},
    }


def metrics(name: str = "llm-a", port: int = 8000) -> str:
    return f"{PODS}/{name}:{port}/proxy/metrics"


def engine(ttft: Mapping[str, float] | None = None, **values: float) -> bytes:
    """A page with these values: running, waiting, kv, prompt, generation, queries, hits."""
    names = {
        "running": "vllm:num_requests_running",
        "waiting": "vllm:num_requests_waiting",
        "kv": "vllm:kv_cache_usage_perc",
        "prompt": "vllm:prompt_tokens_total",
        "generation": "vllm:generation_tokens_total",
        "queries": "vllm:prefix_cache_queries_total",
        "hits": "vllm:prefix_cache_hits_total",
    }
    values = {"running": 0, **values}
    lines = [f'{names[key]}{{engine="0",model_name="m"}} {value}' for key, value in values.items()]
    bucket = "vllm:time_to_first_token_seconds_bucket"
    lines += [f'{bucket}{{engine="0",le="{bound}",model_name="m"}} {count}' for bound, count in (ttft or {}).items()]
    return "\n".join(lines).encode()


def reading(at: float, **values: float) -> readings.Reading:
    return readings.read(engine(None, **values).decode(), at)


# -- readings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}-{path.name.removesuffix('.txt.gz')}")
def test_every_page_of_a_real_engine_says_all_that_is_shown(path: Path) -> None:
    text = gzip.decompress(path.read_bytes()).decode()
    read = readings.read(text, 0.0)
    whole = page.read(text)

    assert read.running == whole.total("vllm:num_requests_running")
    assert read.waiting == whole.total("vllm:num_requests_waiting")
    assert read.kv_use is not None
    assert 0 <= read.kv_use <= 1
    assert read.counts[readings.PROMPTS] == whole.total("vllm:prompt_tokens_total")
    assert read.counts[readings.GENERATED] == whole.total("vllm:generation_tokens_total")
    assert readings.hits(read.counts) is not None
    assert readings.requests(read.counts) == whole.total("vllm:time_to_first_token_seconds_count")
    assert readings.requests(read.counts) > 0
    assert 0 < (readings.quantile(0.5, read.counts) or 0) <= (readings.quantile(0.95, read.counts) or 0)


def test_ranks_are_added_up_and_their_caches_are_not() -> None:
    text = captured("0.32.0/ranks")
    ranks = {sample.labels["engine"] for sample in page.read(text).of("vllm:num_requests_running")}
    uses = [sample.value for sample in page.read(text).of("vllm:kv_cache_usage_perc")]

    assert len(ranks) > 1
    assert readings.read(text, 0.0).kv_use == pytest.approx(sum(uses) / len(uses))


def test_a_cache_by_its_old_name() -> None:
    text = 'vllm:num_requests_running 1\nvllm:gpu_cache_usage_perc{model_name="m"} 0.25'
    assert readings.read(text, 0.0).kv_use == 0.25


@pytest.mark.parametrize("text", ["", "python_info 1", "<html>no</html>"])
def test_what_is_no_engines_page_is_said_so(text: str) -> None:
    with pytest.raises(page.PageError, match="statistics are off"):
        readings.read(text, 0.0)


def test_rates_are_of_the_last_seconds_and_shares_of_the_last_minute() -> None:
    window = readings.Window()
    window.add(reading(0, prompt=0, generation=0, queries=0, hits=0))
    assert (window.rate(readings.PROMPTS), window.counted()) == (None, {})
    for second in range(2, 102, 2):  # twice as fast after 60 s, and nothing is found any more
        fast = max(0, second - 60)
        window.add(reading(second, prompt=10 * second + 10 * fast, queries=second, hits=min(second, 60)))
    assert window.rate(readings.PROMPTS) == 20
    assert readings.hits(window.counted()) == pytest.approx(20 / 60)
    window.add(reading(200, prompt=0))  # a long silence, and it began anew
    assert window.rate(readings.PROMPTS) == 0
    assert readings.hits(window.counted()) is None


def test_an_interval_longer_than_that_is_taken_whole() -> None:
    window = readings.Window()
    for at in (0, 30, 60):
        window.add(reading(at, generation=at * 5))
    assert window.rate(readings.GENERATED) == 5


def test_a_counter_that_went_down_counts_from_zero() -> None:
    window = readings.Window()
    window.add(reading(0, generation=1000, queries=50, hits=10))
    window.add(reading(2, generation=20, queries=60, hits=5))
    assert window.rate(readings.GENERATED) == 10
    assert window.counted()["vllm:prefix_cache_queries_total"] == 60


@pytest.mark.parametrize(
    ("counts", "share", "seconds"),
    # As PromQL's histogram_quantile says of the same buckets: at 1 s, at 3 s, and all.
    [
        ((50, 100, 100), 0.0, 0.0),
        ((50, 100, 100), 0.25, 0.5),
        ((50, 100, 100), 0.5, 1.0),
        ((50, 100, 100), 0.75, 2.0),
        ((50, 100, 100), 1.0, 3.0),
        ((0, 100, 100), 0.5, 2.0),
        ((50, 60, 110), 0.95, 3.0),  # beyond the last boundary
    ],
)
def test_a_quantile_is_prometheus_own(counts: tuple[float, float, float], share: float, seconds: float) -> None:
    buckets = dict(zip(("1.0", "3.0", "+Inf"), counts, strict=True)) | {"vllm:prompt_tokens_total": 5.0}
    assert readings.quantile(share, buckets) == pytest.approx(seconds)


def test_no_request_has_no_quantile() -> None:
    assert readings.quantile(0.5, {}) is None
    assert readings.quantile(0.5, {"1.0": 0.0, "+Inf": 0.0}) is None


# -- pods ---------------------------------------------------------------------------------------------------

WAITING: Json = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "started": False}
NO_NODE = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]


@pytest.mark.parametrize(
    ("item", "phase", "answers"),
    [
        (pod(), "serving", True),
        (pod(started=False), "loading", False),
        (pod(deleted=True), "draining", True),
        (pod(conditions=[{"type": "Ready", "status": "False"}]), "not ready", True),
        (pod(**WAITING), "CrashLoopBackOff", False),
        (pod(state={"terminated": {"reason": "OOMKilled"}}), "OOMKilled", False),
        (pod(state={}, phase="Pending", conditions=NO_NODE), "no node", False),
        (pod(state={}, phase="Pending"), "Pending", False),
        (pod(state={}, phase="Failed", reason="Evicted"), "Evicted", False),
        (
            pod(state={}, phase="Pending", initContainerStatuses=[{"name": "get", "state": {"running": {"a": 1}}}]),
            "init: get",
            False,
        ),
        (
            pod(
                state={"waiting": {"reason": "PodInitializing"}},
                initContainerStatuses=[{"name": "get", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
            ),
            "init: ImagePullBackOff",
            False,
        ),
        (
            pod(initContainerStatuses=[{"name": "side", "started": True, "state": {"running": {"a": 1}}}]),
            "serving",
            True,
        ),
    ],
)
def test_where_a_pod_is_in_its_life(item: Json, phase: str, answers: bool) -> None:
    [replica] = pods.replicas([item])
    assert (replica.phase, replica.answers) == (phase, answers)


def test_only_pods_with_the_engine_are_replicas() -> None:
    test = {"metadata": {"name": "llm-test"}, "spec": {"containers": [{"name": "test"}]}}
    assert [replica.name for replica in pods.replicas([pod("b"), test, pod("a")])] == ["a", "b"]


# -- looks --------------------------------------------------------------------------------------------------


def looking(objects: Json, tmp_path: Path, asked: list[str] | None = None) -> Any:
    class Looking:
        def __enter__(self) -> Callable[[], top.Look]:
            self.cluster = cluster_of(objects, tmp_path, asked)
            self.watcher = top.Watcher(self.cluster.__enter__(), "llm", "default", timeout_seconds=2)
            return self.watcher.look

        def __exit__(self, *exception: object) -> None:
            self.watcher.__exit__(*exception)
            self.cluster.__exit__(None, None, None)

    return Looking()


def test_a_look_shows_what_engines_counted_since_the_last(tmp_path: Path) -> None:
    objects: Json = {PODS: [pod("llm-a"), pod("llm-b", restartCount=2)]}
    slow = {"1.0": 0, "2.5": 0, "+Inf": 0}
    for name in ("llm-a", "llm-b"):
        objects[metrics(name)] = engine(slow, running=1, kv=0.5, prompt=100, generation=100, queries=10, hits=0)
    with looking(objects, tmp_path) as look:
        first = look()
        fast = {"1.0": 8, "2.5": 10, "+Inf": 10}
        objects[metrics("llm-a")] = engine(
            fast, running=3, waiting=2, kv=1, prompt=900, generation=500, queries=30, hits=5
        )
        second = look()
    assert [row.tokens_in for row in first.rows] == [None, None]
    document = json.loads(top.to_json(second))
    one, other = document["replicas"]
    assert (one["running"], one["waiting"], one["kvCacheUsage"], one["prefixHits"]) == (3, 2, 1, 0.25)
    assert one["ttftSeconds"] == {"p50": 0.625, "p95": 2.125}
    assert one["tokensPerSecond"]["in"] == pytest.approx(2 * one["tokensPerSecond"]["out"])
    assert (other["firstTokens"], other["ttftSeconds"], other["prefixHits"]) == (0, {"p50": None, "p95": None}, None)
    total = document["total"]
    assert (total["pods"], total["ready"], total["running"], total["restarts"]) == (2, 2, 4, 2)
    assert total["kvCacheUsage"] == 0.75
    assert total["ttftSeconds"] == one["ttftSeconds"]
    assert document["ok"] is True


def test_pods_come_and_go(tmp_path: Path) -> None:
    objects: Json = {
        PODS: [pod("llm-a")],
        metrics("llm-a"): engine(generation=5),
        metrics("llm-b"): engine(generation=9),
    }
    with looking(objects, tmp_path) as look:
        look()
        objects[PODS] = [pod("llm-b")]
        assert [(row.replica.name, row.tokens_out) for row in look().rows] == [("llm-b", None)]
        objects[PODS] = []
        assert "there are no pods" in top.to_human(look())


def test_a_release_that_is_not_there_is_said_so_and_one_without_pods_is_shown(tmp_path: Path) -> None:
    objects: Json = {PODS: [], DEPLOYMENTS: []}
    with looking(objects, tmp_path) as look:
        with pytest.raises(UnavailableError, match="no release 'llm'"):
            look()
        labels = {"app.kubernetes.io/instance": "llm"}
        objects[DEPLOYMENTS] = [{"metadata": {"name": "llm-vllm", "labels": labels}, "spec": {"replicas": 0}}]
        assert look().rows == []


def test_a_loading_pod_shows_its_stage_and_its_log_is_not_read_at_every_look(tmp_path: Path) -> None:
    log = f"{BEGAN[:-1]}.5Z INFO Starting to load model org/name\n{BEGAN[:-1]}.9Z INFO Loading weights took 3 seconds"
    asked: list[str] = []
    objects: Json = {PODS: [pod(started=False)], f"{PODS}/llm-a/log": log.encode()}
    with looking(objects, tmp_path, asked) as look:
        for _ in range(3):
            [row] = look().rows
    assert (row.replica.phase, row.stage) == ("loading", "warm up")
    assert row.stage_seconds is not None
    assert re.search(r"loading: warm up, \d+ s", top.to_human(top.Look("llm", "default", datetime.now(UTC), [row])))
    assert sum("/log" in path for path in asked) == 1
    assert not [path for path in asked if "proxy" in path]


def test_a_log_that_may_not_be_read_hides_the_stage_alone(tmp_path: Path) -> None:
    with looking({PODS: [pod(started=False)], f"{PODS}/llm-a/log": 403}, tmp_path) as look:
        [row] = look().rows
    assert (row.replica.phase, row.stage, row.error) == ("loading", "", "")


def test_an_engine_that_does_not_answer_is_told_of_and_the_others_are_shown(tmp_path: Path) -> None:
    objects: Json = {PODS: [pod("llm-a"), pod("llm-b")], metrics("llm-a"): 503, metrics("llm-b"): engine(running=7)}
    with looking(objects, tmp_path) as look:
        shown = look()
    silent, other = shown.rows
    assert "refused: " in silent.error
    assert other.reading is not None
    text = top.to_human(shown)
    assert re.search(r"llm-a +no answer +- ", text)
    assert f"llm-a: refused: {metrics('llm-a')}" in text
    assert json.loads(top.to_json(shown))["ok"] is False


def test_a_draining_pod_that_is_gone_already_is_no_error(tmp_path: Path) -> None:
    with looking({PODS: [pod(deleted=True)], metrics(): 404}, tmp_path) as look:
        [row] = look().rows
    assert (row.replica.phase, row.error) == ("draining", "")


def test_an_api_server_that_fails_for_a_while_leaves_the_last_look(tmp_path: Path) -> None:
    objects: Json = {PODS: [pod()], metrics(): engine(running=4)}
    with looking(objects, tmp_path) as look:
        look()
        objects[PODS] = 500
        failed = look()
        assert "the API server refused (500)" in failed.error
        assert failed.rows[0].reading is not None
        assert "the API server refused (500)" in top.to_human(failed)
        objects[PODS] = [pod()]
        assert look().error == ""


def test_at_first_an_api_server_that_refuses_ends_it(tmp_path: Path) -> None:
    with looking({PODS: 403}, tmp_path) as look, pytest.raises(UnavailableError, match="refused \\(403\\)"):
        look()


@pytest.mark.parametrize(
    ("engine_has", "path"),
    [
        ({"ports": [{"name": "metrics", "containerPort": 9}, {"name": "http", "containerPort": 8001}]}, "llm-a:8001"),
        ({"args": ["m", "--ssl-certfile=/c"]}, "https:llm-a:8000"),
        ({"ports": []}, "llm-a:8000"),
    ],
)
def test_an_engine_is_asked_at_its_own_port_and_by_its_own_scheme(engine_has: Json, path: str, tmp_path: Path) -> None:
    objects: Json = {PODS: [pod(engine=engine_has)], f"{PODS}/{path}/proxy/metrics": engine(running=3)}
    with looking(objects, tmp_path) as look:
        [row] = look().rows
    assert row.reading is not None, row.error


KUBECTL = """\
#!/usr/bin/env python3
# Stands for `kubectl port-forward pod/NAME :PORT`, and for the engine behind it, which wants the key.
import http.server, os, sys
PAGE = {page!r}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        right = self.headers.get("Authorization") == "Bearer sesame"
        self.send_response(200 if right else 401)
        self.end_headers()
        self.wfile.write(PAGE if right else b"{{}}")
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(f"Forwarding from 127.0.0.1:{{server.server_port}} -> 8000", flush=True)
open({calls!r}, "a").write(" ".join(sys.argv[1:]) + "\\n")
if "ANSWERS" in os.environ:
    server.handle_request()
    server.server_close()
    open({calls!r}, "a").write("ended\\n")
else:
    server.serve_forever()
"""


def a_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: bytes) -> Path:
    """A kubectl on PATH. Returns the file with its calls."""
    calls, program_ = tmp_path / "calls", tmp_path / "bin" / "kubectl"
    program_.parent.mkdir()
    program_.write_text(KUBECTL.format(page=served, calls=str(calls)))
    program_.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program_.parent}{os.pathsep}{os.environ['PATH']}")
    return calls


@pytest.mark.parametrize("refusal", [401, 403])
def test_where_the_way_through_the_api_server_is_refused_a_port_forward_is_taken_with_the_key(
    refusal: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = a_kubectl(tmp_path, monkeypatch, engine(running=5))
    key = {"env": [{"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "one"}}}]}
    secret = {"data": {"one": "c2VzYW1l"}}  # sesame
    objects: Json = {
        PODS: [pod(engine=key)],
        metrics(): refusal,
        "/api/v1/namespaces/default/secrets/keys": secret,
    }
    asked: list[str] = []
    with looking(objects, tmp_path, asked) as look:
        for _ in range(3):
            [row] = look().rows
            assert row.error == ""
            assert row.reading is not None
            assert row.reading.running == 5
    assert calls.read_text().count("\n") == 1  # one for all looks
    assert "pod/llm-a :8000" in calls.read_text()
    assert sum("proxy" in path for path in asked) == 1


def test_a_key_that_no_header_can_carry_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_kubectl(tmp_path, monkeypatch, engine(running=5))
    key = {"env": [{"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "one"}}}]}
    secret = {"data": {"one": "c2VzYW1lCg=="}}  # sesame, and a line's end
    objects: Json = {PODS: [pod(engine=key)], metrics(): 403, "/api/v1/namespaces/default/secrets/keys": secret}
    with looking(objects, tmp_path) as look:
        assert look().rows[0].error == "/metrics is answered 401: write its key in VLLM_API_KEY"
        monkeypatch.setenv("VLLM_API_KEY", "sesame\n")
    with looking(objects, tmp_path) as look:
        assert look().rows[0].error == ""


def test_a_key_that_nobody_knows_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_kubectl(tmp_path, monkeypatch, engine(running=5))
    with looking({PODS: [pod()], metrics(): 401}, tmp_path) as look:
        [row] = look().rows
    assert row.error == "/metrics is answered 401: write its key in VLLM_API_KEY"


def test_no_way_at_all_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with looking({PODS: [pod()], metrics(): 403}, tmp_path) as look:
        [row] = look().rows
    assert row.error == f"refused: {metrics()}; kubectl is not on PATH: install it"


def test_port_forwards_end_with_their_pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(ways, "_Forward", lambda cluster, namespace, replica, path: Forward(replica.name, closed))
    objects: Json = {PODS: [pod("llm-a"), pod("llm-b")], metrics("llm-a"): 403, metrics("llm-b"): 403}
    with looking(objects, tmp_path) as look:
        look()
        objects[PODS] = [pod("llm-b")]
        look()
        assert closed == ["llm-a"]
    assert closed == ["llm-a", "llm-b"]


def test_a_port_forward_that_ended_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As kubectl does when the connection to the pod is lost."""
    calls = a_kubectl(tmp_path, monkeypatch, engine(running=5))
    monkeypatch.setenv("VLLM_API_KEY", "sesame")
    monkeypatch.setenv("ANSWERS", "1")
    with looking({PODS: [pod()], metrics(): 403}, tmp_path) as look:
        for looks in (1, 2, 3):
            [row] = look().rows
            assert row.error == ""
            while len(calls.read_text().splitlines()) < 2 * looks:  # until it has ended
                time.sleep(0.01)


class Forward:
    """Stands for a port-forward."""

    def __init__(self, name: str, closed: list[str]) -> None:
        self.name, self.closed = name, closed

    def page(self, timeout_seconds: float) -> str:
        return engine(running=1).decode()

    def close(self) -> None:
        self.closed.append(self.name)


# -- the table ----------------------------------------------------------------------------------------------


def row(name: str, **values: Any) -> top.Row:
    [replica] = pods.replicas([pod(name)])
    return top.Row(replica, reading=reading(0, running=12, waiting=3, kv=0.456), **values)


COUNTED = {"0.5": 50.0, "2.5": 100.0, "+Inf": 100.0, "vllm:prefix_cache_queries_total": 8.0}
LOOK = top.Look(
    "llm",
    "models",
    datetime(2026, 11, 28, tzinfo=UTC),
    [
        row("llm-vllm-6f7c9d8b5-abcde", tokens_in=12_345.6, tokens_out=0.4, counted=COUNTED),
        row("llm-vllm-6f7c9d8b5-fghij"),
    ],
)


def test_the_table_as_a_person_reads_it() -> None:
    head, titles, one, other, total = top.to_human(LOOK).split("\n")
    assert re.fullmatch(r"llm in models: 2 of 2 ready, \d\d:\d\d:\d\d", head)
    assert titles.split() == [
        "POD",
        "PHASE",
        "RUN",
        "WAIT",
        "KV",
        "HITS",
        "TTFT",
        "P50",
        "TTFT",
        "P95",
        "IN/S",
        "OUT/S",
        "RESTARTS",
    ]
    expected = "llm-vllm-6f7c9d8b5-abcde serving 12 3 46% 0% 500 ms 2.3 s 12.3k 0.4 0"
    assert one.split() == expected.split()
    assert other.split() == ["llm-vllm-6f7c9d8b5-fghij", "serving", "12", "3", "46%", "-", "-", "-", "-", "-", "0"]
    assert total.split() == ["all", "24", "6", "46%", "0%", "500", "ms", "2.3", "s", "12.3k", "0.4", "0"]


@pytest.mark.parametrize("width", range(1, 140))
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    lines = top.to_human(LOOK, width).split("\n")
    assert max(map(len, lines)) <= width


def test_columns_go_where_the_terminal_is_narrow_and_the_ends_of_names_stay() -> None:
    wide, narrow = (top.to_human(LOOK, width).split("\n") for width in (200, 60))
    assert wide == top.to_human(LOOK).split("\n")
    assert "RUN" in narrow[1]
    assert "RESTARTS" not in narrow[1]
    assert "…" in narrow[2].split()[0]
    assert narrow[2].split()[0].endswith("abcde")


def test_rows_go_where_the_terminal_is_low() -> None:
    many = top.Look("llm", "models", LOOK.at, [row(f"llm-{number:02}") for number in range(30)])
    text = top.to_human(many, 120, 12)
    assert len(text.split("\n")) <= 12
    assert "… and 22 more" in text
    assert "all" in text
    assert " 360 " in text  # all of them, shown or not


def test_a_document_has_no_number_that_json_lacks() -> None:
    rows = [top.Row(row("a").replica, tokens_in=float("nan"), tokens_out=float("inf"))]
    document = json.loads(top.to_json(top.Look("llm", "models", LOOK.at, rows)))
    assert document["replicas"][0]["tokensPerSecond"] == {"in": None, "out": None}


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.04, "0.0"), (9.94, "9.9"), (9999, "9999"), (10_000, "10.0k"), (2.5e6, "2.5M")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert table._count(value) == text


# -- the command --------------------------------------------------------------------------------------------


def test_once_is_one_table_or_one_document(tmp_path: Path) -> None:
    objects: Json = {PODS: [pod()], metrics(): engine(running=2)}
    with cluster_of(objects, tmp_path):
        call = ("top", "--release=llm", f"--kubeconfig={tmp_path / 'kubeconfig'}", "--once", "--interval=0.5")
        human, machine = run(*call), run(*call, "--output=json")
    assert (human.exit_code, machine.exit_code) == (0, 0)
    assert "1 of 1 ready" in human.stdout
    assert "\x1b" not in human.stdout
    assert json.loads(machine.stdout)["replicas"][0]["running"] == 2


def test_once_says_on_request_that_it_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "FIRST_SECONDS", 0.01)
    with cluster_of({PODS: [pod()], metrics(): engine(running=2)}, tmp_path):
        call = ("top", "--release=llm", f"--kubeconfig={tmp_path / 'kubeconfig'}", "--once", "--interval=0.5")
        quiet, told = run(*call), run(*call, "--progress", "--output=json")
    assert quiet.stderr == ""
    assert "two looks, 0.5 s apart" in told.stderr
    assert json.loads(told.stdout)["replicas"][0]["running"] == 2


def test_what_is_wrong_has_the_exit_codes_of_all_commands(tmp_path: Path) -> None:
    with cluster_of({PODS: [], DEPLOYMENTS: []}, tmp_path):
        call = ("top", "--release=llm", f"--kubeconfig={tmp_path / 'kubeconfig'}", "--once")
        missing = run(*call, "--output=json")
    assert missing.exit_code == 3
    assert "no release 'llm'" in json.loads(missing.stdout)["error"]["message"]
    assert run("top", "--release=llm", "--interval=0").exit_code == 2


def live(tmp_path: Path, *more: str, **options: Any) -> "subprocess.Popen[str]":
    kubeconfig = f"--kubeconfig={tmp_path / 'kubeconfig'}"
    return program("top", "--release=llm", kubeconfig, "--interval=0.5", *more, **options)


def test_documents_go_on_line_by_line_until_ctrl_c(tmp_path: Path) -> None:
    with cluster_of({PODS: [pod()], metrics(): captured().encode()}, tmp_path):
        process = live(tmp_path, "--output=json")
        assert process.stdout is not None
        lines = [*itertools.islice(process.stdout, 3)]
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=30)
    assert [json.loads(line)["ok"] for line in [*lines, *rest.splitlines()]] == [True] * (3 + len(rest.splitlines()))
    assert (process.returncode, said) == (0, "")


def test_a_look_costs_less_than_a_hundredth_of_a_core(tmp_path: Path) -> None:
    """20 ms of each 2 s. Measured in a process of its own, of user and system time."""
    names = ("llm-a", "llm-b", "llm-c")
    with cluster_of({PODS: [*map(pod, names)]} | {metrics(name): captured().encode() for name in names}, tmp_path):
        process = live(tmp_path, "--output=json")
        assert process.stdout is not None
        for _ in range(4):  # its start, and threads
            process.stdout.readline()
        before, looks = cpu_seconds(process.pid), 12
        for _ in range(looks):
            assert json.loads(process.stdout.readline())["total"]["pods"] == 3
        spent = (cpu_seconds(process.pid) - before) / looks
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert spent < 0.02


def cpu_seconds(pid: int) -> float:
    """User and system time of a process: proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_reader_that_has_gone_ends_it_without_a_word(tmp_path: Path) -> None:
    with cluster_of({PODS: [pod()], metrics(): engine(running=1)}, tmp_path):
        process = live(tmp_path)
        assert process.stdout is not None
        assert process.stderr is not None
        assert "1 of 1 ready" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
        process.stderr.close()


def test_a_terminal_is_drawn_on_in_place_and_given_back(tmp_path: Path) -> None:
    ours, its = pty.openpty()
    with cluster_of({PODS: [pod()], metrics(): engine(running=1)}, tmp_path):
        process = live(tmp_path, stdout=its, stderr=its, text=False)
        os.close(its)
        drawn = b""
        until = time.monotonic() + 30
        while drawn.count(b"\x1b[H") < 2 and time.monotonic() < until:
            drawn += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        while chunk := _read(ours):
            drawn += chunk
        assert process.wait(30) == 0
    os.close(ours)
    assert drawn.startswith(b"\x1b[?1049h\x1b[?25l\x1b[H")
    screen, _, after = drawn.partition(b"\x1b[?25h\x1b[?1049l")
    assert screen.count(b"\x1b[H") >= 2
    assert b"1 of 1 ready" in after
    assert b"\x1b" not in after


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody writes any more
        return b""
