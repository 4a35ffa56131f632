"""Where a config comes from: a path, a Hub, its cache, the package's facts; and what is said where there is none."""

import json
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from vllm_chart.findings import UnavailableError
from vllm_chart.sizing import sources
from vllm_chart.sizing.sources import UnknownModelError, UnreadableConfigError

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64}


class Hub(BaseHTTPRequestHandler):
    """A Hub with one open and one gated model, and one that it stumbles over."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        _, organisation, _name, _, revision, file = self.path.split("/")
        status = {"open": 200, "gated": 401, "broken": 500}.get(organisation, 404)
        if organisation == "gated" and self.headers["Authorization"] == "Bearer good":
            status = 200
        if file == "model.safetensors.index.json" and revision == "main":
            body: dict[str, Any] = {"metadata": {"total_size": 1234}}
        elif file == "config.json":
            body = CONFIG
        else:
            status, body = 404, {}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    Hub.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_hub_is_asked_once(hub: str) -> None:
    first = sources.find("open/model", endpoint=hub)
    again = sources.find("open/model", endpoint=hub)

    assert first.config == again.config == CONFIG
    assert first.weight_bytes == again.weight_bytes == 1234
    assert Hub.asked == [
        "/open/model/resolve/main/config.json",
        "/open/model/resolve/main/model.safetensors.index.json",
    ]


def test_revisions_are_kept_apart(hub: str) -> None:
    assert sources.find("open/model", endpoint=hub).weight_bytes == 1234
    assert sources.find("open/model", revision="abc", endpoint=hub).weight_bytes is None


def test_a_gated_model_wants_a_token(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match=r"gated or private: set HF_TOKEN"):
        sources.find("gated/model", endpoint=hub)
    monkeypatch.setenv("HF_TOKEN", "bad")
    with pytest.raises(UnavailableError, match="accept its terms") as caught:
        sources.find("gated/model", endpoint=hub)
    assert "bad" not in str(caught.value)
    monkeypatch.setenv("HF_TOKEN", "good")
    assert sources.find("gated/model", endpoint=hub).config == CONFIG


def test_a_misspelt_model_is_told_from_a_silent_hub(hub: str) -> None:
    with pytest.raises(UnknownModelError, match="spelt right"):
        sources.find("nobody/model", endpoint=hub)
    with pytest.raises(UnavailableError, match="answers 500"):
        sources.find("broken/model", endpoint=hub)
    with pytest.raises(UnavailableError, match="does not answer"):
        sources.find("open/model", endpoint="http://127.0.0.1:1")


def test_known_models_need_no_hub(hub: str) -> None:
    for options in ({"offline": True}, {"endpoint": "http://127.0.0.1:1"}):
        found = sources.find("meta-llama/Llama-3.1-8B", **options)
        assert found.config["num_hidden_layers"] == 32
        assert found.confidence == "config"
    assert Hub.asked == []


def test_offline_says_what_is_missing(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UnavailableError, match=f"not among the {len(sources.shipped())} models"):
        sources.find("nobody/model", endpoint=hub)
    assert Hub.asked == []


def test_a_directory_tells_its_weights(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    header = json.dumps({"__metadata__": {}, "a": {"data_offsets": [0, 10]}, "b": {"data_offsets": [10, 30]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(30))

    found = sources.find("/models/x", path=tmp_path)
    assert (found.config, found.weight_bytes) == (CONFIG, 30)
    assert sources.find(str(tmp_path)).weight_bytes == 30


def test_modelopts_own_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "hf_quant_config.json").write_text(json.dumps({"quantization": {"quant_algo": "NVFP4"}}))
    assert sources.local(tmp_path).config["quantization_config"] == {"quant_method": "modelopt", "quant_algo": "NVFP4"}


@pytest.mark.parametrize(("text", "said"), [("{", "is not JSON"), ("[]", "is not a JSON object")])
def test_a_broken_config_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UnreadableConfigError, match=said):
        sources.local(tmp_path)
    with pytest.raises(UnreadableConfigError, match="No such file"):
        sources.local(tmp_path / "nothing")


def test_a_path_in_the_pod_asks_for_a_config() -> None:
    with pytest.raises(UnavailableError, match="--config"):
        sources.find("/models/in-the-pod")
