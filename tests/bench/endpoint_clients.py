"""What a client of the endpoint notices of another one, and how much later its streams begin."""

import http.client
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.bench.endpoints import NUMBERS, VALUES, asking, connect, in_front, rest, say
from tests.envoy import PATIENCE_SECONDS
from tests.stub_engines import engine

#: Connections of a client that is refused, each of which asks so often, and of the one beside it.
FLOODING, FLOOD_PAUSE_SECONDS, ASKING = 4, 0.02, 4


def flood(count: int) -> dict[str, float]:
    """A client that is over its limit asks without end, by turns, while another one goes on: what the other notices."""
    limited = VALUES | {"limits": {"byClient": {"flood": {"requestsPerMinute": 1}}}}
    taken: dict[bool, list[float]] = {False: [], True: []}
    refused, seconds = 0, 0.0
    with engine("llama3") as one, in_front([one], values=limited, flood="key-flood") as proxy:
        for turn in range(10):
            over = threading.Event()
            with ThreadPoolExecutor(FLOODING + ASKING) as pool:
                floods = [pool.submit(refusals, proxy.port, over) for _ in range(FLOODING * (turn % 2))]
                begun = time.perf_counter()
                asked = [pool.submit(streamed, proxy.port, count // 10 // ASKING) for _ in range(ASKING)]
                for each in asked:
                    taken[bool(floods)] += each.result()
                seconds += (time.perf_counter() - begun) * bool(floods)
                over.set()
                refused += sum(each.result() for each in floods)
    alone, beside = (statistics.quantiles(taken[flooded], n=100)[98] for flooded in (False, True))
    say("an answer of 0.3 s, p99", f"{alone:.0f} ms; {beside:.0f} ms beside {refused / seconds:.0f} refusals a second")
    say("  of it without them", f"{beside / alone:.3f}")
    return {"p99 of an answer beside a flood, of it without": beside / alone}


def refusals(port: int, over: threading.Event) -> int:
    """How many requests a client was refused until then; one is answered, the first."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer key-flood"}
    statuses: Counter[int] = Counter()
    while not over.wait(FLOOD_PAUSE_SECONDS):
        connection.request("POST", "/v1/completions", '{"model": "llama3"}', headers)
        answer = connection.getresponse()
        answer.read()
        statuses[answer.status] += 1
    connection.close()
    if statuses.keys() - {200, 429}:
        sys.exit(f"a flood was answered {statuses}")
    return statuses[429]


def streamed(port: int, count: int) -> list[float]:
    """Milliseconds of so many streams of 0.3 s, one after the other."""
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        stream = connect(port)
        stream.sendall(asking(f"{next(NUMBERS)} is the number of this prompt", words=10, pause=0.03))
        if b"[DONE]" not in rest(stream):
            sys.exit("a stream did not end")
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def first_chunk(count: int) -> dict[str, float]:
    """How much later the first chunk of a stream comes, direct and through the endpoint by turns."""
    taken: dict[str, list[float]] = {"direct": [], "endpoint": []}
    with engine("llama3") as one, in_front([one]) as proxy:
        for _ in range(count):
            for name, port in (("direct", one.port), ("endpoint", proxy.port)):
                stream = connect(port)
                begun = time.perf_counter()
                stream.sendall(asking(f"{next(NUMBERS)} is the number of this prompt", pause=0.02))
                text = b""
                while b"data: " not in text:
                    text += stream.recv(65536)
                taken[name].append((time.perf_counter() - begun) * 1000)
                rest(stream, text)
    direct, through = (statistics.quantiles(all_, n=100) for all_ in taken.values())
    later = [through[at] - direct[at] for at in (49, 98)]
    say("a stream's first chunk comes later by", f"p50 {later[0]:.2f} ms, p99 {later[1]:.2f} ms")
    return {"ms that a first chunk comes later, p50": later[0], "ms that a first chunk comes later, p99": later[1]}
