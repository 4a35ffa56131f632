"""Limits over all replicas of the endpoint: Envoy, its rate-limit service and Redis or Valkey, all real.

`nox -s limits`, beside the other sessions: it builds the service, and needs redis-server or valkey-server on PATH.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from ci import tools
from tests.envoy import Proxy, endpoint, free_ports
from tests.stub_engines import USAGE, Engine, engine
from vllm_chart import helm
from vllm_chart.charts import ENDPOINT

ODD = 'a"b%c$(D) ü'
KEYS = {"app": "key-app", "batch": "key-batch", "free": "key-free", ODD: "key-odd", "other": "key-other"}
VALUES: dict[str, Any] = {
    "models": {"llama3": {"service": "llama"}},
    "clients": {"secretName": "keys"},
    "limits": {
        "default": {"requestsPerMinute": 6},
        "byClient": {
            "batch": {"tokensPerMinute": 3 * USAGE["total_tokens"]},
            "free": {},
            ODD: {"requestsPerMinute": 2},
        },
        "rateLimitService": {"service": "ratelimit"},
    },
}


class Service:
    """The service as it runs: its process can be stopped."""

    def __init__(self, folder: Path, port: int, store: int) -> None:
        [document] = [
            one["data"]["limits.yaml"]
            for one in helm.render(chart=ENDPOINT.folder, values=VALUES).all("ConfigMap")
            if "limits.yaml" in one["data"]
        ]
        (folder / "limits" / "config").mkdir(parents=True)
        (folder / "limits" / "config" / "limits.yaml").write_text(document)
        http, debug = free_ports(2)
        settings = {"USE_STATSD": "false", "LOG_LEVEL": "warn", "HOST": "127.0.0.1", "GRPC_HOST": "127.0.0.1"}
        settings |= {"PORT": str(http), "GRPC_PORT": str(port), "DEBUG_HOST": "127.0.0.1", "DEBUG_PORT": str(debug)}
        settings |= {"REDIS_SOCKET_TYPE": "tcp", "REDIS_URL": f"127.0.0.1:{store}", "RUNTIME_WATCH_ROOT": "false"}
        settings |= {"RUNTIME_ROOT": str(folder), "RUNTIME_SUBDIRECTORY": "limits", "RUNTIME_IGNOREDOTFILES": "true"}
        self.health = f"http://127.0.0.1:{http}/healthcheck"
        with (folder / "service.log").open("w") as log:
            self.process = subprocess.Popen(
                [tools.rate_limit_service()], env=os.environ | settings, stdout=log, stderr=log
            )

    def healthy(self) -> bool:
        try:
            return requests.get(self.health, timeout=2).ok
        except requests.ConnectionError:
            return False


@pytest.fixture(scope="module")
def store() -> Iterator[int]:
    """The port of an empty Redis or Valkey."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if not program:
        pytest.skip("needs redis-server or valkey-server on PATH")
    [port] = free_ports(1)
    process = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
    )
    yield port
    process.terminate()
    process.wait(30)


@pytest.fixture
def parts(store: int, tmp_path: Path) -> Iterator[tuple[list[Proxy], Service, Engine]]:
    """Two replicas of the endpoint, the service that both ask, and the engine behind them."""
    [port] = free_ports(1)
    (tmp_path / "service").mkdir()
    service = Service(tmp_path / "service", port, store)
    with ExitStack() as stack:
        stack.callback(service.process.wait, 30)
        stack.callback(service.process.terminate)
        llama = stack.enter_context(engine("llama3"))
        hosts = {
            "llama.default.svc.cluster.local": ("127.0.0.1", llama.port),
            "ratelimit.default.svc.cluster.local": ("127.0.0.1", port),
        }
        proxies = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            proxies.append(stack.enter_context(endpoint(tmp_path / name, VALUES, KEYS, hosts)))
            proxies[-1].until(service.healthy, "the service")
            proxies[-1].until(lambda: proxies[-1].ask("key-free").ok, "a healthy engine")
        llama.seen.clear()
        # Its minutes are those of the clock: a test that runs into the next one would begin to count anew.
        time.sleep(max(0, 61 - time.time() % 60) if time.time() % 60 > 40 else 0)
        yield proxies, service, llama


def statuses(proxies: list[Proxy], key: str, count: int) -> list[int]:
    """Of so many requests, by turns to each replica, in order."""
    return [proxies[number % len(proxies)].ask(key).status_code for number in range(count)]


def test_requests_are_counted_over_all_replicas(parts: tuple[list[Proxy], Service, Engine]) -> None:
    proxies, _, llama = parts

    assert statuses(proxies, "key-app", 9) == [200] * 6 + [429] * 3
    assert statuses(proxies, "key-odd", 3) == [200] * 2 + [429]
    assert statuses(proxies, "key-free", 9) == [200] * 9
    assert len(llama.seen) == 6 + 2 + 9


def test_a_client_that_used_up_its_tokens_waits_for_the_next_minute(
    parts: tuple[list[Proxy], Service, Engine],
) -> None:
    """What ends is counted, JSON or stream; the request after that which went over the limit is refused."""
    proxies, _, llama = parts
    streamed = [proxies[0].ask("key-batch", more={"stream": number % 2 == 0}) for number in range(4)]
    assert [answer.status_code for answer in streamed] == [200] * 4

    def refused() -> bool:  # the answer is there before it is counted
        return proxies[1].ask("key-batch").status_code == 429

    proxies[1].until(refused, "a refusal")
    answer = proxies[0].ask("key-batch")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    seen = len(llama.seen)
    assert 4 <= seen <= 6
    assert proxies[0].ask("key-other").ok
    proxies[0].until(lambda: time.time() % 60 < 5, "the next minute")
    assert proxies[0].ask("key-batch").ok


def test_without_the_service_each_replica_counts(parts: tuple[list[Proxy], Service, Engine]) -> None:
    proxies, service, _ = parts
    service.process.terminate()
    service.process.wait(30)

    with ThreadPoolExecutor(4) as pool:
        asked = sorted(answer.status_code for answer in pool.map(lambda _: proxies[0].ask("key-other"), range(8)))
    assert asked == [200] * 6 + [429] * 2
    assert proxies[0].ask("key-batch").ok
