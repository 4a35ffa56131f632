"""The endpoint in front of several replicas of a model, and its own end: a real Envoy runs what the chart renders."""

import json
import re
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.envoy import Proxy, files, free_ports, serving, several
from tests.stub_engines import Engine, engine
from vllm_chart.charts import ENDPOINT

VALUES: dict[str, Any] = {"models": {"llama3": {"service": "llama"}}, "clients": {"secretName": "keys"}}
KEYS = {"app": "key"}
REPLICAS = 4


@contextmanager
def endpoint(folder: Path, ports: list[int], threads: int = 1) -> Iterator[Proxy]:
    """Yield an endpoint in front of replicas of one model. threads: Envoy's worker threads."""
    folder.mkdir(exist_ok=True)
    rendered = several(files(VALUES), "llama.default.svc.cluster.local", ports)
    with serving(folder, rendered, KEYS, {}, threads) as proxy:
        yield proxy


@pytest.fixture
def replicas() -> Iterator[list[Engine]]:
    with ExitStack() as stack:
        yield [stack.enter_context(engine(f"replica-{number}")) for number in range(REPLICAS)]


def gauge(proxy: Proxy, name: str) -> int:
    """One of Envoy's, of the model's replicas; -1 before it is there."""
    found = re.search(
        rf'^envoy_cluster_{name}{{envoy_cluster_name="model-0",[^}}]*}} (\d+)$', proxy.metrics(), re.MULTILINE
    )
    return int(found[1]) if found else -1


def healthy(proxy: Proxy, count: int) -> None:
    """Wait until so many replicas are known to be healthy."""
    proxy.until(lambda: gauge(proxy, "membership_healthy") == count, f"{count} healthy replicas")


def chat(proxy: Proxy, prompt: str) -> str:
    """Which replica answers."""
    answer = proxy.ask("key", more={"messages": [{"role": "system", "content": prompt}, {"role": "user"}]})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


PROMPTS = [f"{number} is the number of this prompt. " * 40 for number in range(12)]


def test_equal_beginnings_meet_at_one_replica_from_every_endpoint(replicas: list[Engine], tmp_path: Path) -> None:
    ports = [one.port for one in replicas]
    with endpoint(tmp_path / "a", ports) as first, endpoint(tmp_path / "b", ports[::-1]) as second:
        for proxy in (first, second):
            healthy(proxy, REPLICAS)
        chosen = [{chat(proxy, prompt) for proxy in (first, second) for _ in range(3)} for prompt in PROMPTS]

    assert [len(names) for names in chosen] == [1] * len(PROMPTS)
    assert len(set().union(*chosen)) > 1


def test_one_prefix_does_not_fill_one_replica(replicas: list[Engine], tmp_path: Path) -> None:
    """Of 40 streams with one beginning, none has more than half again of the mean. They begin one after the other:
    Envoy counts a request once it has a connection."""
    with endpoint(tmp_path, [one.port for one in replicas]) as proxy, ThreadPoolExecutor(40) as pool:
        healthy(proxy, REPLICAS)
        for one in replicas:
            one.go_on.clear()
        streams = []
        for number in range(40):
            streams.append(pool.submit(proxy.ask, "key", more={"stream": True}))
            proxy.until(lambda: sum(len(one.seen) for one in replicas) > number, "a stream")  # noqa: B023
        counts = sorted(len(one.seen) for one in replicas)
        for one in replicas:
            one.go_on.set()
        assert all(b"[DONE]" in stream.result().content for stream in streams)

    assert counts[-1] <= 40 / REPLICAS * 1.5 + 1


def _burst(proxy: Proxy, prompt: str, count: int) -> list[socket.socket]:
    """Streams that all begin alike and are asked for at once, over connections that are there."""
    body = json.dumps({"model": "llama3", "stream": True, "prompt": prompt})
    lines = ("POST /v1/completions HTTP/1.1", "Host: a", "Authorization: Bearer key", "Content-Type: application/json")
    asked = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()
    streams = [socket.create_connection(("127.0.0.1", proxy.port), 30) for _ in range(count)]
    for stream in streams:
        stream.sendall(asked)
    return streams


@pytest.mark.parametrize(("threads", "bound"), [(1, 1.6), (2, 2.0)])  # two by default, each with turns of its own
def test_one_prefix_at_once_does_not_fill_one_replica(
    replicas: list[Engine], tmp_path: Path, threads: int, bound: float
) -> None:
    """Without turns Envoy has counted none of them when it chooses for the last: all 40 come to one, at every try. A
    machine that stands still for a while has some come together, so that the best of three counts, with two more than
    the bound."""
    most = []
    with endpoint(tmp_path, [one.port for one in replicas], threads) as proxy:
        healthy(proxy, REPLICAS)
        for prompt in PROMPTS[:3]:
            for one in replicas:
                one.seen.clear()
                one.go_on.clear()
            streams = _burst(proxy, prompt, 40)
            proxy.until(lambda: sum(len(one.seen) for one in replicas) == 40, "all streams")
            most.append(max(len(one.seen) for one in replicas))
            for one in replicas:
                one.go_on.set()
            for stream in streams:
                stream.close()
        waited = [seen.headers for one in replicas for seen in one.seen]

    assert min(most) <= 40 / REPLICAS * bound + 2, most
    assert not [headers for headers in waited if "x-envoy-fault-delay-request" in headers]


def test_no_client_has_a_request_wait(replicas: list[Engine], tmp_path: Path) -> None:
    with endpoint(tmp_path, [replicas[0].port]) as proxy:
        healthy(proxy, 1)
        asked = {"x-envoy-fault-delay-request": "20000", "x-envoy-fault-delay-request-percentage": "100"}
        begun = time.monotonic()
        assert proxy.ask("key", headers=asked).ok
        assert time.monotonic() - begun < 15


def end(replica: Engine) -> None:
    """As an engine ends that drains: whoever has connected is answered."""
    replica.shutdown()
    while select.select([replica], [], [], 0)[0]:
        replica.handle_request()
    replica.server_close()


def test_a_replica_that_is_gone_loses_nothing(replicas: list[Engine], tmp_path: Path) -> None:
    """Neither a request, nor is one asked twice: what began is what was asked for."""
    with engine("gone") as last, ExitStack() as stack:
        proxy = stack.enter_context(endpoint(tmp_path, [*(one.port for one in replicas), last.port]))
        healthy(proxy, REPLICAS + 1)
        stop = threading.Timer(0.2, end, (last,))
        stop.start()
        with ThreadPoolExecutor(8) as pool:
            answers = [*pool.map(lambda number: proxy.ask("key", more={"n": number}), range(400))]
        stop.join()

    assert {answer.status_code for answer in answers} == {200}
    assert sum(len(one.seen) for one in [*replicas, last]) == 400


def test_a_refusal_is_asked_for_elsewhere(replicas: list[Engine], tmp_path: Path) -> None:
    """vLLM answers 503 before it begins; what has begun, 500, is not asked for again."""
    with endpoint(tmp_path, [one.port for one in replicas[:2]]) as proxy:
        healthy(proxy, 2)
        first = next(one for one in replicas if one.name == chat(proxy, "a"))
        first.status = 503
        assert chat(proxy, "a") != first.name


def test_what_all_refuse_is_asked_three_times(replicas: list[Engine], tmp_path: Path) -> None:
    """Of three replicas, and the last one's answer is the client's."""
    with endpoint(tmp_path, [one.port for one in replicas]) as proxy:
        healthy(proxy, REPLICAS)
        for one in replicas:
            one.status = 503
        answer = proxy.ask("key")

    assert answer.status_code == 503
    assert sorted(len(one.seen) for one in replicas) == [0, 1, 1, 1]


@pytest.mark.parametrize("fault", ["dead", "refusing"])
def test_an_idle_replica_that_takes_nothing_does_not_draw_what_busy_ones_would_answer(
    replicas: list[Engine], tmp_path: Path, fault: str
) -> None:
    """It has the least to do, so that the bound of the load sends it every request, and each that is asked again."""
    with endpoint(tmp_path, [one.port for one in replicas[:2]]) as proxy, ExitStack() as stack:
        healthy(proxy, 2)
        chosen = chat(proxy, "a")
        idle, busy = sorted(replicas[:2], key=lambda one: one.name != chosen)
        for one in (idle, busy):
            one.late = True
            one.go_on.clear()
        for number in range(20):  # one after the other, as the bound is of what has come before
            stack.callback(_burst(proxy, f"{number}", 1)[0].close)
            proxy.until(lambda count=number + 2: len(idle.seen) + len(busy.seen) == count, "the stream")
        idle.go_on.set()
        proxy.until(lambda: gauge(proxy, "upstream_rq_active") == len(busy.seen), "the end of what the idle one had")
        if fault == "dead":
            idle.die()
        else:
            idle.status = 503

        def ask() -> socket.socket:
            return stack.enter_context(_burst(proxy, "a", 1)[0])

        before: list[socket.socket] = []

        def is_out() -> bool:
            before.append(ask())
            return gauge(proxy, "outlier_detection_ejections_active") == 1

        proxy.until(is_out, "word of it")
        after = [ask() for _ in range(10)]
        busy.go_on.set()
        # All attempts of a request may have been refused before Envoy's threads heard that the replica is out. Of one
        # that is dead they hear at the first connection that fails.
        answers = {stream.recv(12) for stream in (*(before if fault == "dead" else ()), *after)}

    assert answers == {b"HTTP/1.1 200"}


@pytest.mark.parametrize("breaks", ["close", "reset"])
def test_what_an_engine_had_when_it_died_is_not_asked_again(
    replicas: list[Engine], tmp_path: Path, breaks: str
) -> None:
    """It may have begun to generate: nothing is generated twice."""
    with endpoint(tmp_path, [one.port for one in replicas]) as proxy:
        healthy(proxy, REPLICAS)
        for one in replicas:
            one.breaks = breaks
        answers = [proxy.ask("key", more={"n": number}) for number in range(8)]

    assert {answer.status_code for answer in answers} == {503}
    assert sum(len(one.seen) for one in replicas) == len(answers)


def test_a_stream_that_its_engine_cut_is_told_to_the_client(replicas: list[Engine], tmp_path: Path) -> None:
    """Soon, as a cut one, and asked for once: a second answer behind half of the first would be none."""
    with endpoint(tmp_path, [one.port for one in replicas]) as proxy:
        healthy(proxy, REPLICAS)
        for one in replicas:
            one.breaks = "cut"
        begun = time.monotonic()
        stream = proxy.ask("key", more={"stream": True}, stream=True)
        parts: list[bytes] = []
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            parts.extend(stream.iter_content(None))
        took = time.monotonic() - begun

    assert stream.status_code == 200
    assert b"content" in b"".join(parts)
    assert b"[DONE]" not in b"".join(parts)
    assert sum(len(one.seen) for one in replicas) == 1
    assert took < 25


def test_without_a_replica_that_can_be_reached_the_answer_is_at_once(replicas: list[Engine], tmp_path: Path) -> None:
    [port] = free_ports(1)
    with endpoint(tmp_path, [port]) as proxy:
        answers = [proxy.ask("key") for _ in range(5)]
        with engine("back", port=port):
            healthy(proxy, 1)
            assert proxy.ask("key").ok

    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["error"]["type"] == "server_error"
    # The best of them: this machine may be busy with other work.
    assert min(answer.elapsed.total_seconds() for answer in answers) <= 0.1


def test_a_replica_that_no_check_calls_healthy_is_asked_where_there_is_no_other(
    replicas: list[Engine], tmp_path: Path
) -> None:
    """In a rollout: the last old one drains, and answers; of the new one, which is ready, no check is over yet."""
    first, second = replicas[:2]
    with endpoint(tmp_path, [first.port, second.port]) as proxy:
        healthy(proxy, 2)
        first.health = 503
        healthy(proxy, 1)
        assert {chat(proxy, prompt) for prompt in PROMPTS} == {second.name}
        second.health = 503
        healthy(proxy, 0)
        assert {chat(proxy, prompt) for prompt in PROMPTS} <= {first.name, second.name}


def test_a_client_that_reads_slowly_gets_the_end_of_its_last_answer(replicas: list[Engine], tmp_path: Path) -> None:
    """Of a connection that ends with it: Envoy would wait a second for what it could not write yet."""
    words = 1_000_000
    body = json.dumps({"model": "llama3", "prompt": "a", "words": words})
    lines = ("POST /v1/completions HTTP/1.1", "Host: a", "Authorization: Bearer key", "Content-Type: application/json")
    asked = "\r\n".join([*lines, "Connection: close", f"Content-Length: {len(body)}", "", body]).encode()
    with endpoint(tmp_path, [replicas[0].port]) as proxy, socket.socket() as client:
        healthy(proxy, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(30)
        client.connect(("127.0.0.1", proxy.port))
        client.sendall(asked)
        proxy.until(lambda: bool(replicas[0].seen), "the request")
        time.sleep(4)
        answer = b"".join(iter(lambda: client.recv(1 << 20), b""))

    assert answer.count(replicas[0].name.encode()) == words


def test_a_pod_that_ends_lets_its_streams_end(replicas: list[Engine], tmp_path: Path) -> None:
    with endpoint(tmp_path, [replicas[0].port]) as proxy:
        healthy(proxy, 1)
        replicas[0].go_on.clear()
        stream = proxy.ask("key", more={"stream": True}, stream=True)
        lines = stream.iter_lines()
        next(lines)
        script = str(ENDPOINT.folder / "files" / "drain.sh")
        hook = subprocess.Popen(["bash", script, str(proxy.admin_port), "2", "60"])
        closing = {"connection": "close"}
        proxy.until(lambda: closing.items() <= _small(requests.get(f"{proxy.url}/")).items(), "a word to move on")
        with pytest.raises(subprocess.TimeoutExpired):
            hook.wait(4)
        replicas[0].go_on.set()
        rest = [*lines]
        begun = time.monotonic()
        assert hook.wait(30) == 0

    assert b"data: [DONE]" in rest
    assert time.monotonic() - begun < 30


def _small(answer: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def test_a_pod_that_has_nothing_to_do_ends_at_once(replicas: list[Engine], tmp_path: Path) -> None:
    with endpoint(tmp_path, [replicas[0].port]) as proxy:
        script = str(ENDPOINT.folder / "files" / "drain.sh")
        assert subprocess.run(["bash", script, str(proxy.admin_port), "0", "600"], timeout=60).returncode == 0
