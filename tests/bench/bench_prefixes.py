"""Prefix hits through the endpoint and past it, with Envoy itself on this machine.

python -m tests.bench.bench_prefixes [--short]

Four engines that remember the last beginnings of prompts, as many as a small KV cache has room for, and compute one
prefill at a time, of which a known beginning saves the most. They are asked at random, as through a Service by clients
with a connection for each request, and then through two replicas of the endpoint in turn. The program that asks is that
of tests/e2e/test_prefixes.py, which does the same with real engines.
"""

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.endpoints import in_front, say
from tests.stub_engines import USAGE, Engine, Handler

PROGRAM = Path(__file__).parents[1] / "e2e" / "programs" / "ask_prefixes.py"
REPLICAS, PREFIXES, LETTERS, ROOM, WORKERS = 4, 16, 800, 6, 16
#: Of a prefill whose beginning is not known, and of one whose beginning is.
MISS_SECONDS, HIT_SECONDS = 0.06, 0.024


class Caching(Engine):
    """An engine with a prefix cache. hits: requests whose beginning it knew."""

    def __init__(self, name: str) -> None:
        super().__init__(name, handler=_Handler)
        self.hits = 0
        self._known: OrderedDict[str, None] = OrderedDict()
        self._look, self._compute = threading.Lock(), threading.Lock()

    def prefill(self, beginning: str) -> None:
        """Takes as long as it takes."""
        with self._compute:
            with self._look:
                known = beginning in self._known
                self.hits += known
                self._known[beginning] = None
                self._known.move_to_end(beginning)
                while len(self._known) > ROOM:
                    self._known.popitem(last=False)
            time.sleep(HIT_SECONDS if known else MISS_SECONDS)


class _Handler(Handler):
    server: Caching

    def answer(self, asked: dict[str, Any]) -> None:
        self.server.prefill(str(asked["prompt"])[:LETTERS])
        self._answer(200, {"choices": [{"text": "a"}], "usage": USAGE})


def ask(urls: list[str], salt: str, count: int) -> None:
    asked = {
        "urls": urls,
        "key": "key",
        "model": "llama3",
        "salt": salt,
        "part": 0,
        "count": count,
        "order": "shuffled",
    }
    asked |= {"prefixes": PREFIXES, "letters": LETTERS, "workers": WORKERS, "tokens": 4}
    done = subprocess.run([sys.executable, PROGRAM, json.dumps(asked)], capture_output=True, text=True, check=True)
    statuses = {answer["status"] for answer in json.loads(done.stdout)}
    if statuses != {200}:
        sys.exit(f"answered {statuses}")


def measured(what: str, engines: list[Caching], urls: list[str], count: int) -> float:
    """The share of requests whose beginning was known."""
    for one in engines:
        one.hits = 0
        one.seen.clear()
    begun = time.perf_counter()
    ask(urls, what, count)
    took = time.perf_counter() - begun
    requests = [len(one.seen) for one in engines]
    share = sum(one.hits for one in engines) / count
    say(f"{what}: hits, busiest of the mean", f"{share:.3f}, {max(requests) / count * REPLICAS:.2f} ({took:.1f} s)")
    return share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--short", action="store_true", help="small numbers: whether it runs at all")
    count = 64 if parser.parse_args().short else 320
    with ExitStack() as stack:
        engines = [Caching(f"replica-{number}") for number in range(REPLICAS)]
        for one in engines:
            threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            stack.callback(one.server_close)
            stack.callback(one.shutdown)
        proxies = [stack.enter_context(in_front([*engines])) for _ in range(2)]
        chooser = random.Random(7)
        anywhere = [f"http://127.0.0.1:{chooser.choice(engines).port}" for _ in range(count)]
        service = measured("a replica at random", engines, anywhere, count)
        through = measured("two replicas of the endpoint", engines, [proxy.url for proxy in proxies], count)
    say("hits through the endpoint, of those at random", f"{through / max(service, 1 / count):.2f}")


if __name__ == "__main__":
    main()
