"""Where a config comes from: a path, a Hub, its cache, the package's facts; and what is said where there is none."""

import json
import os
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from vllm_chart.cli.main import main
from vllm_chart.findings import Exit, UnavailableError
from vllm_chart.sizing import hub as hubs
from vllm_chart.sizing import sources
from vllm_chart.sizing.sources import UnknownModelError, UnreadableConfigError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64}


class Hub(BaseHTTPRequestHandler):
    """A Hub with one open and one gated model, and one that it stumbles over."""

    asked: ClassVar[list[str]] = []
    tokens: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.tokens.extend(self.headers.get_all("Authorization") or [])
        _, organisation, _name, _, revision, file = self.path.split("/")
        status = {"open": 200, "gated": 401, "broken": 500}.get(organisation, 404)
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
    Hub.tokens.clear()
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
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


# The token, and the cache


@pytest.mark.parametrize(
    ("own", "endpoint", "goes"),
    [
        ("", "https://huggingface.co", True),
        ("", "https://HuggingFace.co:443/", True),
        ("", "http://huggingface.co", False),
        ("", "https://mirror.example.com", False),
        ("https://mirror.example.com", "https://mirror.example.com", True),
        ("https://mirror.example.com", "https://huggingface.co", True),
        ("https://mirror.example.com", "https://mirror.example.com:8443", False),
        ("https://mirror.example.com", "http://mirror.example.com", False),
        ("http://mirror.example.com", "http://mirror.example.com", False),
        ("", "https://huggingface.co@other.example.com", False),
        ("", "https://other.example.com\\@huggingface.co", False),
        ("", "https://huggingface.co.example.com", False),
    ],
)
def test_the_token_goes_to_the_hub_and_to_the_callers_own_endpoint(
    monkeypatch: pytest.MonkeyPatch, own: str, endpoint: str, goes: bool
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("HF_ENDPOINT", own)
    assert hubs.token_for(endpoint) == ("secret" if goes else "")


def test_values_that_name_a_hub_do_not_get_the_token(
    hub: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("default login someone password secret\n")
    found = CliRunner().invoke(main, ["plan", "--set", f"hub.endpoint={hub}", "--set", "model.id=gated/model"])
    assert Hub.asked == ["/gated/model/resolve/main/config.json"]
    assert Hub.tokens == []
    assert f"HF_TOKEN is kept from {hub}, which is not your own" in found.output


def test_the_token_is_sent_where_it_may_go(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setattr(hubs, "token_for", lambda endpoint: "secret" if endpoint == hub else "")
    with pytest.raises(UnavailableError, match="accept its terms") as caught:
        sources.find("gated/model", endpoint=hub)
    assert Hub.tokens == ["Bearer secret"]
    assert "secret" not in str(caught.value)


def poisoned(folder: Path, endpoint: str) -> Path:
    """A cache that holds, for a model that is known, what another Hub said of it."""
    config = {**sources.shipped()["meta-llama/Llama-3.1-8B"].config, "max_position_embeddings": 512}
    kept = hubs.cached("meta-llama/Llama-3.1-8B", "main", endpoint)
    assert kept is not None
    assert folder in kept.parents
    kept.mkdir(parents=True)
    (kept / "config.json").write_text(json.dumps(config))
    return kept


def check(*sets: str) -> Any:
    arguments = ["check", "--kube-versions", "1.37", "--set", "model.id=meta-llama/Llama-3.1-8B"]
    return CliRunner().invoke(main, [*arguments, "--set", "engine.args.max-model-len=8192", *sets])


def test_a_verdict_does_not_depend_on_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    poisoned(tmp_path, hubs.HUB)
    assert "512" not in check().output


def test_one_hubs_answer_is_not_anothers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    poisoned(tmp_path, "https://other.example.com")
    assert sources.find("meta-llama/Llama-3.1-8B", offline=True).config["max_position_embeddings"] == 131072


def test_a_branch_is_asked_for_again_after_a_day_and_a_commit_never(
    hub: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for revision in ("main", COMMIT):
        sources.find("open/model", revision=revision, endpoint=hub)
        kept = hubs.cached("open/model", revision, hub)
        assert kept is not None
        old = time.time() - 2 * hubs.FRESH_SECONDS
        os.utime(kept / "config.json", (old, old))
    Hub.asked.clear()
    sources.find("open/model", revision=COMMIT, endpoint=hub)
    assert Hub.asked == []
    sources.find("open/model", endpoint=hub)
    assert Hub.asked[0] == "/open/model/resolve/main/config.json"


def test_an_older_answer_is_better_than_none(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = hubs.cached("broken/model", "main", hub)
    assert kept is not None
    hubs.keep({"config.json": b'{"model_type": "llama"}'}, kept)
    os.utime(kept / "config.json", (0, 0))
    found = sources.find("broken/model", endpoint=hub)
    assert "of 1970-01-0" in found.origin


def test_a_broken_answer_in_the_cache_is_asked_for_again(hub: str) -> None:
    kept = hubs.cached("open/model", "main", hub)
    assert kept is not None
    hubs.keep({"config.json": b"{"}, kept)
    assert sources.find("open/model", endpoint=hub).config["model_type"] == "llama"


def homeless() -> Path:
    """As `Path.home` of a UID that no file of users has, and no HOME: OpenShift, and some CI."""
    raise RuntimeError("Could not determine home directory.")


def test_without_a_home_directory_nothing_is_kept(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert sources.find("open/model", endpoint=hub).weight_bytes == 1234
    found = check()
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception


def test_a_cache_that_can_not_be_written_is_none(
    hub: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert sources.find("open/model", endpoint=hub).weight_bytes == 1234
    assert sources.find(f"open/{'model' * 60}", endpoint=hub).weight_bytes == 1234


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model.safetensors", b"abc", "holds no tensors"),
        ("model.safetensors", struct.pack("<Q", 2) + b"[]", "header of .*model.safetensors is not a JSON object"),
        ("model.safetensors", struct.pack("<Q", 8) + b'{"a": 1}', "a tensor without its place"),
        ("model.safetensors", struct.pack("<Q", 4) + b"\xff\xff\xff\xff", "header of .*model.safetensors is not JSON"),
        ("model.safetensors.index.json", b"{", "model.safetensors.index.json is not JSON"),
        ("model.safetensors.index.json", b"[]", "model.safetensors.index.json is not a JSON object"),
        ("model.safetensors.index.json", b'{"metadata": {"total_size": "x"}}', "total_size is no number of bytes"),
        ("model.safetensors.index.json", b'{"metadata": {"total_size": 1e400}}', "total_size is no number of bytes"),
        ("hf_quant_config.json", b"{", "hf_quant_config.json is not JSON"),
        ("hf_quant_config.json", b"{}", "hf_quant_config.json says nothing under quantization"),
        ("config.json", b"\xff\xfe", "config.json is not JSON"),
        ("config.json", b"[" * 100_000, "config.json is nested too deeply"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, file: str, content: bytes, said: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UnreadableConfigError, match=said):
        sources.local(tmp_path)
    found = CliRunner().invoke(main, ["plan", "--set", "model.id=org/name", "--config", str(tmp_path)])
    assert found.exit_code == Exit.USAGE
    assert file in found.output
