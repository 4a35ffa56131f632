"""The bench of starts: the model that it grows, the Hub that engines ask themselves, and the table."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import EntryNotFoundError

from tests import grown_model, hub_server
from tests.bench import bench_start
from tests.bench.bench_start import METHODS, Sent, Start
from tests.e2e import profiles
from tests.e2e.stores import StorePod
from tests.render.view import View
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import render

HIDDEN, LAYERS = 128, 3
VOCABULARY = 502


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    config = {"model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 64, "head_dim": 32}
    (tiny / "config.json").write_text(json.dumps(config))
    (tiny / "tokenizer.json").write_text("{}")
    (tiny / grown_model.WEIGHTS).write_bytes(b"weights of the tiny one")
    for name in ("one", "two"):
        grown_model.grow(tiny, tmp_path / name, HIDDEN, LAYERS)
    return tmp_path / "one"


def test_a_grown_model_has_its_size_and_the_same_bytes_wherever_it_is_made(grown: Path) -> None:
    weights = (grown / grown_model.WEIGHTS).read_bytes()
    assert weights == (grown.with_name("two") / grown_model.WEIGHTS).read_bytes()
    length = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + length])
    ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    assert 8 + length + max(ends) == len(weights)
    layer = 2 * HIDDEN + (4 + 3 * 4) * HIDDEN**2
    assert max(ends) == 2 * (VOCABULARY * HIDDEN + LAYERS * layer + HIDDEN)
    config = json.loads((grown / "config.json").read_text())
    assert config["num_attention_heads"] * config["head_dim"] == config["hidden_size"] == HIDDEN
    assert (grown / "tokenizer.json").exists()


def test_its_weights_are_small_numbers(grown: Path) -> None:
    weights = (grown / grown_model.WEIGHTS).read_bytes()
    begin = 8 + int.from_bytes(weights[:8], "little")
    high = weights[begin + 1 : begin + 2 * VOCABULARY * HIDDEN : 2]
    assert set(high) == {0x3C, 0xBC}, "bfloat16 from 2^-7 to 2^-5"


@pytest.fixture
def api(grown: Path) -> Iterator[HfApi]:
    server = hub_server.Server(hub_server.of_folder(grown, "acme/grown", 0))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield HfApi(endpoint=server.url, token=False)
    server.shutdown()


def test_an_engine_may_ask_the_hub_for_what_a_model_lacks(api: HfApi) -> None:
    """transformers lists a folder of chat templates, and goes on where that alone is not there."""
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree("acme/grown", path_in_repo="additional_chat_templates"))
    assert {"config.json", "tokenizer.json", grown_model.WEIGHTS} == set(api.list_repo_files("acme/grown"))


def start(seconds: float, size: int, requests: int) -> Start:
    return Start(seconds, Sent(size, requests), "missed", "import 20 s")


def test_the_table_has_the_medians_of_each_method() -> None:
    mib = 1 << 20
    pairs = [
        (start(80.0, 257 * mib, 30), start(40.0, 0, 9)),
        (start(90.0, 257 * mib, 30), start(45.0, 0, 9)),
        (start(300.0, 257 * mib, 31), start(46.0, 0, 9)),
    ]
    *_, row = bench_start.table({"claim": pairs}).splitlines()
    assert row == "| `persistence` | 90 s | 257 MiB, 30 requests | 45 s | 0 MiB, 9 requests | 0.50 |"
    assert bench_start.told(pairs[0][0]) == ("80.0 s, 257.0 MiB in 30 requests, compile cache: missed (import 20 s)")


@pytest.mark.parametrize("name", METHODS)
def test_each_method_is_a_release_that_the_chart_takes(name: str) -> None:
    method = METHODS[name]
    model = {
        "hub": bench_start.hub_values("http://hub.bench.svc:8080"),
        "registry": bench_start.image_values(f"registry.registry.svc:5000/{name}@sha256:{'0' * 64}"),
        "store": StorePod(cast(Cluster, None), "bench").values(bench_start.SERVED),
    }[method.source]
    values = {**bench_start.COMMON, **model, **method.values}
    pod = View(render(values_files=(profiles.ARTICLE, profiles.ON_KIND), values=values))
    assert "--no-enforce-eager" in pod.args
    served = pod.args[pod.args.index("--served-model-name") + 1 :]
    assert served[0] == bench_start.SERVED
    assert served[1].startswith("--"), "what asks knows it by one name"
