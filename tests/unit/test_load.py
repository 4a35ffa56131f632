"""The asker of questions against servers that misbehave in every way: none of it goes uncounted, or by a wrong name."""

import dataclasses
import json
import math
import os
import re
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kubernetes.client import V1Pod

from tests.api_server import cluster_of
from vllm_chart.checks import podsecurity
from vllm_chart.cli.main import main
from vllm_chart.findings import Exit
from vllm_chart.load import asker, pod, report
from vllm_chart.load.asker import Asker, NoAnswerError, Options, Record
from vllm_chart.load.pod import LoadPod, Placement, manifest
from vllm_chart.rendered.manifests import Manifests, Object

TOKENS = 3


def chunk(text: str | None, finish_reason: str | None = None, tokens: int | None = None) -> str:
    """A chunk of a streamed completion as vLLM 0.32 writes it; the last one has the usage, and no choice."""
    choices = [] if text is None else [{"index": 0, "text": text, "finish_reason": finish_reason}]
    usage = {} if tokens is None else {"usage": {"completion_tokens": tokens}}
    return f"data: {json.dumps({'choices': choices, **usage})}\n\n"


STREAM = (chunk(" a"), chunk(" b"), chunk(" c", "length"), chunk(None, tokens=TOKENS), "data: [DONE]\n\n")
WHOLE = json.dumps({"choices": [{"text": "", "finish_reason": "length"}], "usage": {"completion_tokens": TOKENS}})
UNFINISHED = json.dumps({"choices": [{"text": "", "finish_reason": None}], "usage": {"completion_tokens": TOKENS}})
SHORT = WHOLE.replace(str(TOKENS), "2")
FULL = json.dumps({"error": {"message": "the queue is full", "code": 503}})


class Peer:
    """The server's end of a connection: what it has been asked, and what it does about that."""

    def __init__(self, connection: socket.socket, streamed: bool, asked_before: int, released: threading.Event) -> None:
        self.streamed = streamed
        self.asked_before = asked_before
        self.released = released
        self._connection = connection

    def send(self, text: str) -> None:
        self._connection.sendall(text.encode())

    def head(self, status: str = "200 OK", **headers: object) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        self.send("\r\n".join([*lines, "", ""]))

    def answer(self, body: str, status: str = "200 OK", **headers: object) -> None:
        self.head(status, Content_Length=len(body), **headers)
        self.send(body)

    def chunks(self, *chunks: str) -> None:
        """Send the head and pieces of a chunked body, but not its end."""
        self.head(Transfer_Encoding="chunked")
        for text in chunks:
            self.send(f"{len(text):x}\r\n{text}\r\n")

    def reset(self) -> None:
        """Close with a RST, as a process does that dies with data unread."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        os.close(self._connection.detach())  # at once, although there is a file that reads it


Behaviour = Callable[[Peer], None]


def well(peer: Peer) -> None:
    if peer.streamed:
        peer.chunks(*STREAM)
        peer.send("0\r\n\r\n")
    else:
        peer.answer(WHOLE)


def politely(peer: Peer) -> None:
    peer.answer(WHOLE, Connection="close")
    peer.close()


def cut_in_a_chunk(peer: Peer) -> None:
    peer.chunks(*STREAM[:2])
    peer.close()


def cut_between_events(peer: Peer) -> None:
    peer.chunks(*STREAM[:2])
    peer.send("0\r\n\r\n")


def cut_in_the_length(peer: Peer) -> None:
    peer.head(Content_Length=len(WHOLE))
    peer.send(WHOLE[:10])
    peer.close()


def reset_in_the_middle(peer: Peer) -> None:
    peer.chunks(*STREAM[:2])
    peer.released.wait()  # for the client to have read this: a reset takes with it what was not read
    peer.reset()


def stall(peer: Peer) -> None:
    peer.released.wait()


def well_when_released(peer: Peer) -> None:
    peer.released.wait()
    well(peer)


def stall_in_the_middle(peer: Peer) -> None:
    peer.chunks(*STREAM[:2])
    peer.released.wait()


def with_an_error_in_the_stream(peer: Peer) -> None:
    peer.chunks(STREAM[0], f"data: {json.dumps({'error': {'message': 'EngineCore died'}})}\n\n", STREAM[-1])
    peer.send("0\r\n\r\n")


def without_an_end(peer: Peer) -> None:
    peer.chunks(STREAM[0], STREAM[-1])
    peer.send("0\r\n\r\n")


class Server(socketserver.ThreadingTCPServer):
    """Does the same to every completion request, and answers what it serves."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 100

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = behaviour
        self.released = threading.Event()
        self.bodies: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.connections += 1
        asked = 0
        try:
            while head := self._head():
                if head.startswith("GET /v1/models "):
                    Peer(self.connection, False, 0, self.server.released).answer('{"data": [{"id": "tiny"}]}')
                    continue
                length = re.search(r"Content-Length: (\d+)", head)
                assert length
                body = json.loads(self.rfile.read(int(length[1])))
                self.server.heads.append(head)
                self.server.bodies.append(body)
                self.server.behaviour(Peer(self.connection, "stream" in body, asked, self.server.released))
                asked += 1
        except OSError:
            return  # it was closed, here or there

    def _head(self) -> str:
        lines = iter(self.rfile.readline, b"\r\n")
        return b"".join(iter(lambda: next(lines, b""), b"")).decode()


Serve = Callable[[Behaviour], Server]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asker, "_PAUSE_AFTER_FAILURE_SECONDS", 0.0)


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = []

    def start(behaviour: Behaviour) -> Server:
        server = Server(behaviour)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return server

    yield start
    for server in servers:
        server.released.set()
        server.shutdown()
        server.server_close()


def ask(server: Server, **options: Any) -> list[Record]:
    """Ask once, unless told otherwise, on a fresh connection."""
    once: dict[str, Any] = {"requests": 1, "clients": 1, "fresh": 0.0, "streaming": 0.0, "timeout_seconds": 5.0}
    asked = once | {"max_tokens": TOKENS} | options
    return list(Asker(Options(server.url, **asked)).records())


def test_whole_answers_are_all_right(serve: Serve) -> None:
    records = ask(serve(well), requests=20, clients=4, streaming=0.5, fresh=0.5)
    assert {record.kind for record in records} == {asker.OK}, records
    assert sorted(record.number for record in records) == list(range(20))
    assert {(record.streamed, record.reused) for record in records} == {(s, r) for s in (0, 1) for r in (0, 1)}
    assert all((record.first_token_seconds is not None) == record.streamed for record in records)


def test_it_asks_for_the_first_model_and_for_exactly_so_many_tokens(serve: Serve) -> None:
    server = serve(well)
    list(Asker(Options(server.url, requests=1, streaming=1.0, max_tokens=TOKENS), "secret").records())
    (body,) = server.bodies
    assert (body["model"], body["max_tokens"], body["ignore_eos"]) == ("tiny", TOKENS, True)
    assert "Authorization: Bearer secret" in server.heads[0]


@pytest.mark.parametrize(
    ("behaviour", "streaming", "kind", "detail"),
    [
        (cut_in_a_chunk, 1, asker.TRUNCATED, "within a chunk"),
        (cut_between_events, 1, asker.TRUNCATED, r"before \[DONE\]"),
        (cut_in_the_length, 0, asker.TRUNCATED, "bytes before its end"),
        (lambda peer: peer.reset(), 0, asker.RESET, "after asking"),
        (lambda peer: peer.close(), 1, asker.RESET, "after asking"),
        (stall, 0, asker.TIMEOUT, "no answer in 0.3 s"),
        (stall_in_the_middle, 1, asker.TIMEOUT, "no whole answer in 0.3 s, [1-9]"),
        (with_an_error_in_the_stream, 1, asker.WRONG, "EngineCore died"),
        (without_an_end, 1, asker.TRUNCATED, "None of 3 tokens"),
        (lambda peer: peer.answer(UNFINISHED), 0, asker.TRUNCATED, "finish_reason None"),
        (lambda peer: peer.answer(SHORT), 0, asker.TRUNCATED, "2 of 3 tokens, finish_reason length"),
        (lambda peer: peer.answer("<html>"), 0, asker.WRONG, "not a completion"),
        (lambda peer: peer.send("nonsense\r\n\r\n"), 0, asker.WRONG, "not HTTP"),
        (lambda peer: peer.answer(FULL, "503 Unavailable"), 0, "http-503", "the queue is full"),
        (lambda peer: peer.answer("Internal Server Error", "500 Oh"), 1, "http-500", "Internal Server Error"),
    ],
)
def test_every_failure_is_counted_by_its_kind(
    serve: Serve, behaviour: Behaviour, streaming: float, kind: str, detail: str
) -> None:
    (record,) = ask(serve(behaviour), streaming=streaming, timeout_seconds=0.3)
    assert record.kind == kind, record
    assert re.search(detail, record.detail)


def test_a_reset_in_the_middle_of_an_answer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(reset_in_the_middle)
    read = asker._Body.add

    def add(body: asker._Body, block: bytes) -> None:
        read(body, block)
        if body.events == 2:
            server.released.set()

    monkeypatch.setattr(asker._Body, "add", add)
    (record,) = ask(server, streaming=1.0)
    assert record.kind == asker.RESET_MID_ANSWER, record


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    options = Options(f"http://127.0.0.1:{port}", model="tiny", requests=2, clients=2)
    assert [record.kind for record in Asker(options).records()] == [asker.REFUSED] * 2
    with pytest.raises(NoAnswerError, match="refused"):
        list(Asker(dataclasses.replace(options, model="")).records())


def test_no_such_name() -> None:
    options = Options("http://vllm-chart.invalid", model="tiny", requests=1, clients=1)
    assert [record.kind for record in Asker(options).records()] == [asker.UNREACHABLE]


def reset_the_second_time(peer: Peer) -> None:
    well(peer) if not peer.asked_before else peer.reset()


def test_a_reset_of_a_kept_alive_connection_is_counted_by_itself(serve: Serve) -> None:
    first, second = ask(serve(reset_the_second_time), requests=2)
    assert (first.kind, second.kind, second.reused) == (asker.OK, asker.RESET_IDLE, True)
    done = report.Report(Options(""), [first, second])
    assert done.failed == 0
    assert [(finding.check, finding.severity) for finding in done.findings] == [("load-reset-idle", "warning")]


def test_a_late_reset_of_a_kept_alive_connection_is_a_lost_answer(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asker, "_IDLE_RESET_SECONDS", 0.0)
    assert [record.kind for record in ask(serve(reset_the_second_time), requests=2)] == [asker.OK, asker.RESET]


def test_a_connection_that_the_server_closed_is_not_used_again(serve: Serve) -> None:
    def close_after(peer: Peer) -> None:
        well(peer)
        peer.close()

    server = serve(close_after)
    records = ask(server, requests=3, think_seconds=0.05)
    assert {record.kind for record in records} == {asker.OK}, records
    assert server.connections == 4  # the model's name was asked for, too


def test_long_prompts_are_as_long_as_was_asked_for_and_each_is_new(serve: Serve) -> None:
    server = serve(well)
    ask(server, requests=3, prompt_words=5000)
    prompts = [str(body["prompt"]).split() for body in server.bodies]
    assert all(5000 < len(prompt) < 5100 for prompt in prompts)
    assert len({" ".join(prompt[:20]) for prompt in prompts}) == 3


def test_answers_are_given_as_many_tokens_as_take_so_long() -> None:
    length = asker._Length(Options("", max_tokens=50, answer_seconds=10))
    assert length.next() == 50
    length.learn(50, 0.5)
    assert length.next() == 1000
    for _ in range(50):
        length.learn(1000, 20)
    assert 500 <= length.next() <= 510
    for _ in range(100):
        length.learn(1000, 0.01)
    assert length.next() == 64 * 50  # a context is not endless


def test_an_answer_is_whole_that_has_the_tokens_that_it_was_given(serve: Serve) -> None:
    def as_asked(peer: Peer) -> None:
        peer.answer(WHOLE.replace(str(TOKENS), str(server.bodies[-1]["max_tokens"])))

    server = serve(as_asked)
    assert {record.kind for record in ask(server, requests=3, answer_seconds=10)} == {asker.OK}
    assert server.bodies[0]["max_tokens"] == TOKENS < server.bodies[1]["max_tokens"]


def test_a_server_that_asks_to_close_is_heeded(serve: Serve) -> None:
    records = ask(serve(politely), requests=3)
    assert [(record.kind, record.reused, record.asked_to_close) for record in records] == [("ok", False, True)] * 3


def test_an_open_loop_does_not_wait_for_answers(serve: Serve) -> None:
    server = serve(well_when_released)
    client = Asker(Options(server.url, rate=100, requests=5, max_tokens=TOKENS, fresh=1.0))
    records = client.records()
    ended: list[Record] = []
    reader = threading.Thread(target=lambda: ended.extend(records))
    reader.start()
    wait_until(lambda: len(server.bodies) == 5)
    assert ended == []
    server.released.set()
    reader.join()
    assert [record.kind for record in ended] == [asker.OK] * 5


def test_a_stop_waits_for_what_is_under_way(serve: Serve) -> None:
    server = serve(well_when_released)
    command = [sys.executable, "-I", asker.__file__]
    options = {"url": server.url, "clients": 3, "max_tokens": TOKENS}
    with subprocess.Popen([*command, json.dumps(options)], stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: len(server.bodies) == 3)
        process.send_signal(signal.SIGTERM)
        # The handler runs between two of the main thread's waits; nothing is asked after it.
        server.released.set()
        assert process.stdout
        *records, last = [json.loads(line) for line in process.stdout]
    assert len(records) == len(server.bodies)
    assert {line["record"]["kind"] for line in records} == {asker.OK}
    assert last == {"asked": len(records)}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("it did not come about in 10 s")


@pytest.mark.parametrize(("failed", "requests"), [(0, 1), (0, 100), (1, 100), (10, 110), (99, 100), (3, 10_000)])
def test_at_the_bound_so_few_failures_come_up_once_in_twenty_times(failed: int, requests: int) -> None:
    rate = Fraction(report.upper_bound(failed, requests)).limit_denominator(10**6)
    terms = (math.comb(requests, n) * rate**n * (1 - rate) ** (requests - n) for n in range(failed + 1))
    assert float(sum(terms)) == pytest.approx(0.05, rel=0.01)


def test_the_bound_of_no_failures_is_the_rule_of_three() -> None:
    assert report.upper_bound(0, 1000) == pytest.approx(3 / 1000, rel=0.01)
    assert report.upper_bound(5, 5) == 1.0


def test_percentiles_are_times_that_were_measured() -> None:
    assert report.percentiles([float(n) for n in range(1, 201)]) == {50: 100, 90: 180, 99: 198, 100: 200}
    assert report.percentiles([7.0]) == {50: 7, 90: 7, 99: 7, 100: 7}


# -- the command


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["load", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_command_counts_and_ends_well(serve: Serve) -> None:
    result = run(serve(well).url, "--requests", "10", f"--max-tokens={TOKENS}", "--output", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == Exit.OK
    assert (document["ok"], document["requests"], document["failed"]) == (True, 10, 0)
    assert document["failure_rate_upper_bound"] == pytest.approx(0.2589, rel=1e-3)
    assert set(document["latencies"]) == {"first_token", "total"}


def test_the_command_names_what_was_lost_and_the_remedy(serve: Serve) -> None:
    result = run(serve(cut_in_a_chunk).url, "--requests=2", "--clients=1", "--streaming=1")
    assert result.exit_code == Exit.REFUSED
    assert "failed: 2 of 2; with 95 % confidence, at most 100.00%" in result.stdout
    assert re.search(r"2 answers that ended too early.*\[load-truncated\]\n.*shutdown.drainSeconds", result.stdout)


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ([], "either a URL or a --release"),
        (["localhost:8000"], "write http://localhost:8000"),
        (["http://x", "--clients=2", "--rate=1"], "--clients or --rate"),
        (["http://x", "--duration=2", "--requests=1"], "--duration or --requests"),
        (["http://x", "--think=2", "--rate=1"], "--think"),
        (["http://x", "--rate=100"], "lower --rate or --timeout"),
        (["http://x", "--streaming=2"], "0<=x<=1"),
    ],
)
def test_a_wrong_call(arguments: list[str], remedy: str) -> None:
    result = run(*arguments)
    assert result.exit_code == Exit.USAGE
    assert remedy in result.stderr


def test_no_service() -> None:
    result = run("http://127.0.0.1:9")
    assert result.exit_code == Exit.ENVIRONMENT
    assert "vllm-chart smoke" in result.stderr


@pytest.mark.parametrize("key", ["sesame\n", "sesame ", "sésame", "ses\name"])
@pytest.mark.parametrize("model", ["", "tiny"])
def test_a_key_that_no_header_can_carry(serve: Serve, model: str, key: str) -> None:
    """Out of a Secret that was made of a file, say."""
    server = serve(well)
    with pytest.raises(NoAnswerError, match="no header can carry it"):
        list(Asker(Options(server.url, model=model, requests=1), key).records())
    assert server.connections == 0


def test_a_line_s_end_behind_a_key_of_the_environment_is_left_out(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(asker.API_KEY_VARIABLE, "sesame\n")
    server = serve(well)
    result = run(server.url, "--requests", "1", "--max-tokens", str(TOKENS))
    assert result.exit_code == Exit.OK, result.output
    assert "Authorization: Bearer sesame\r\n" in server.heads[0]


def test_ctrl_c_shows_what_there_is(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Asker.records

    def interrupted(client: Asker) -> Iterator[Record]:
        yield from list(records(client))
        raise KeyboardInterrupt

    monkeypatch.setattr(Asker, "records", interrupted)
    result = run(serve(well).url, "--requests=3", f"--max-tokens={TOKENS}")
    assert "3 requests" in result.stdout
    assert "interrupted" in result.stdout


# -- the pod


NAMESPACE = "/api/v1/namespaces/models"
OPENSHIFT = {"metadata": {"name": "models", "annotations": {"openshift.io/sa.scc.uid-range": "1000680000/10000"}}}


@pytest.mark.parametrize(
    ("namespace", "user"), [({"metadata": {"name": "models"}}, 1000), (403, 1000), (OPENSHIFT, 1000680000)]
)
def test_the_pod_runs_as_a_user_that_the_namespace_lets_in(namespace: Any, user: int, tmp_path: Path) -> None:
    made: list[Any] = []

    def create(body: Any, _: str) -> Any:
        made.append(body)
        return {**body, "metadata": {"name": "load-x"}}

    with (
        cluster_of({NAMESPACE: namespace, f"POST {NAMESPACE}/pods": create}, tmp_path) as cluster,
        LoadPod(cluster, Placement("models"), Options("http://llm")) as asking,
    ):
        assert asking.name == "load-x"
    assert made[0]["spec"]["securityContext"]["runAsUser"] == user


def test_a_slow_start_is_no_part_of_the_time_that_a_pod_may_live() -> None:
    options = Options("http://llm", duration_seconds=60, timeout_seconds=10)
    assert manifest(Placement("models"), options)["spec"]["activeDeadlineSeconds"] >= 60 + 10 + pod._START_SECONDS


def test_the_pod_is_taken_anywhere_and_carries_the_source_as_it_is() -> None:
    placement = Placement("models", away_from={"app": "llm"}, key_secret={"name": "key", "key": "api-key"})
    pod = manifest(placement, Options("http://llm-vllm.models.svc:80"))
    as_rendered = Manifests([Object({"apiVersion": "v1", "kind": "Pod", **pod})])
    assert podsecurity.check(as_rendered, "restricted") == []
    (container,) = pod["spec"]["containers"]
    assert "$(" not in "".join(container["command"])  # Kubernetes would put a variable there
    assert len(container["command"][2]) < 128 * 1024  # Linux takes no longer argument
    assert V1Pod.model_validate(pod).spec is not None
