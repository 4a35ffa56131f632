"""What `plan` makes of the ranks of adapters on the Hub."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, get_args

import pytest

from tests.programs import program
from vllm_chart import facts, helm
from vllm_chart.sizing import ranks
from vllm_chart.values.vllm.lora import MaxRank

#: adapter_config.json by repository and revision.
CONFIGS: dict[str, Any] = {
    "acme/small/resolve/v1": {"r": 8},
    "acme/large/resolve/v1": {"r": 8, "rank_pattern": {"q_proj": 40}},
    "acme/huge/resolve/v1": {"r": 1024},
    "acme/odd/resolve/v1": {"r": "8"},
    "acme/list/resolve/v1": [],
}


@contextmanager
def hub() -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a Hub, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.path)
            config = CONFIGS.get(self.path.removeprefix("/").removesuffix("/adapter_config.json"))
            self.send_response(200 if config is not None else 404)
            self.end_headers()
            self.wfile.write(json.dumps(config).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def values(endpoint: str, *names: str, **lora: Any) -> dict[str, Any]:
    adapters = [{"name": name, "source": f"acme/{name}", "revision": "v1"} for name in names]
    mount = {"volumes": [{"name": "a", "emptyDir": {}}], "volumeMounts": [{"name": "a", "mountPath": "/a"}]}
    listed = [*adapters, *lora.pop("more", [])]
    given = {"model": {"id": "org/name"}, "hub": {"endpoint": endpoint}, "lora": {"adapters": listed, **lora}}
    return helm.merged_values(values={**given, **mount})


@pytest.mark.parametrize(
    ("names", "lora", "severity", "said"),
    [
        (["small", "large"], {}, "error", "the rank of large is 40, and there is room for 16: write 64"),
        (["small", "large"], {"maxRank": 64}, None, ""),
        (["huge"], {}, "error", "the rank of huge is 1024, and vLLM serves none above 512: leave it out"),
        (["small"], {}, "info", "no adapter's rank is above 8 (small), and each has memory for 16: write 8"),
        (["small"], {"maxRank": 8}, None, ""),
        (["small", "odd"], {}, None, ""),
        (["list", "unknown"], {}, None, ""),
        (["small"], {"more": [{"name": "in-volume", "source": "/a/b"}]}, None, ""),
        ([], {"reload": True, "maxLoras": 1}, None, ""),
    ],
)
def test_what_is_said_of_ranks(names: list[str], lora: dict[str, Any], severity: str | None, said: str) -> None:
    with hub() as (url, _):
        found = list(ranks.check(values(url, *names, **lora), offline=False))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert said in "".join(f"{finding.message}: {finding.remedy}" for finding in found)


def test_offline_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with hub() as (url, asked):
        assert list(ranks.check(values(url, "large"), offline=True)) == []
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        assert list(ranks.check(values(url, "large"), offline=False)) == []
    assert not asked


def test_a_hub_that_is_away_is_no_failure() -> None:
    assert list(ranks.check(values("http://127.0.0.1:9", "large"), offline=False)) == []


def test_the_steps_are_the_same_everywhere() -> None:
    assert get_args(MaxRank) == ("", *facts.LORA_RANKS)
    assert facts.LORA_RANKS == program("adapters").RANKS
    assert facts.LORA_RANK in facts.LORA_RANKS
