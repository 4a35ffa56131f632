"""How pages of metrics are taken: what they are asked for, and what of them is kept."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ci import metrics
from ci.metrics import adapter, load
from ci.metrics.situations import ADAPTER, API_KEY, MODEL, SITUATIONS, Situation
from ci.shell import HarnessError
from tests.promql import series
from tests.promql.series import scrapes
from vllm_chart.observe import page

BUSY = next(scrape.text for scrape in scrapes() if scrape.situation == "adapters")


@pytest.mark.parametrize("words", [["0.33.0", "nowhere"], ["0.33.0", "one", "two"]])
def test_a_situation_that_is_none(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["metrics", *words])
    with pytest.raises(HarnessError, match="name some of one, servers, ranks, adapters, key"):
        metrics.main()


def test_the_situations_are_those_that_the_tests_know() -> None:
    assert {situation.name for situation in SITUATIONS} == series.SITUATIONS


def test_when_a_series_began_is_left_out() -> None:
    text = (
        '# HELP a_created A.\n# TYPE a_created gauge\na_created{x="1"} 1.7e9\nb_created 1\na_total 1\nx_created_y 2\n'
    )
    assert metrics._tidy(text) == "a_total 1\nx_created_y 2\n"


def test_a_page_says_how_it_came_about_and_is_still_one() -> None:
    head = metrics._head("0.33.0", SITUATIONS[1], "By hand.")
    assert head.startswith("# vLLM 0.33.0, two API servers, under load.\n# By hand.\n# vllm serve MODEL --served")
    assert "--api-server-count 2" in head
    assert [sample.name for sample in page.read(head + "up 1\n").samples] == ["up"]


def test_the_adapter_has_the_models_shapes(tmp_path: Path) -> None:
    config = {
        "hidden_size": 8,
        "head_dim": 4,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "num_hidden_layers": 2,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    adapter.write(tmp_path, tmp_path / "out")
    data = (tmp_path / "out" / "adapter_model.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + size])
    assert len(head) == 2 * 2 * 2
    prefix = "base_model.model.model.layers.1.self_attn"
    assert head[f"{prefix}.v_proj.lora_B.weight"]["shape"] == [4, adapter.RANK]
    assert head[f"{prefix}.q_proj.lora_A.weight"]["shape"] == [adapter.RANK, 8]
    assert len(data) == 8 + size + max(tensor["data_offsets"][1] for tensor in head.values())
    assert json.loads((tmp_path / "out" / "adapter_config.json").read_text())["r"] == adapter.RANK


class Server(BaseHTTPRequestHandler):
    """Answers as an engine that is busy, and notes what it is asked."""

    asked: list[tuple[str, dict[str, Any], str]]
    text: str

    def do_GET(self) -> None:
        self.answer(self.text)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body, self.headers.get("Authorization", "")))
        self.answer("{}")

    def answer(self, text: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Server]]]:
    handler = type("Engine", (Server,), {"asked": [], "text": BUSY})
    monkeypatch.setattr(load, "CLIENTS", 4)
    monkeypatch.setattr(load, "LOAD_SECONDS", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_everything_is_asked_for(engine: tuple[str, type[Server]], situation: Situation) -> None:
    url, server = engine
    assert load.page_under_load(url, situation) == BUSY
    assert {path for path, _, _ in server.asked} >= {"/v1/completions", "/v1/chat/completions", "/v1/nothing"}
    models = {body["model"] for _, body, _ in server.asked}
    assert models == {MODEL, "nobody", *([ADAPTER] if situation.adapter else [])}
    assert {key for _, _, key in server.asked} == ({"", f"Bearer {API_KEY}"} if situation.key else {""})


def test_a_page_that_lacks_something_is_not_taken(engine: tuple[str, type[Server]]) -> None:
    url, server = engine
    server.text = "\n".join(line for line in BUSY.splitlines() if "5xx" not in line and "preemptions" not in line)
    with pytest.raises(HarnessError, match="it does not show that one was preempted, an answer was 5xx"):
        load.page_under_load(url, SITUATIONS[0])
