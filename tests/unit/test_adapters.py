"""What looks at adapters before the engine starts: the program itself, on adapters that are right and broken."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import adapters
from tests.programs import PROGRAMS, program
from vllm_chart.live import engine_log

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def module() -> ModuleType:
    return program("adapters")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model in a directory, of whose weights nothing is looked at."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "hidden_size": 256}))
    return folder


def at(path: Path, name: str = "sql") -> dict[str, str]:
    return {"name": name, "source": str(path), "revision": "", "path": str(path)}


def run(
    listed: list[dict[str, str]], model: object = "org/model", folder: object = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """The program as the init container runs it."""
    words = ["--max-rank=16", f"--model={model}", "--served=chat", f"--adapters={json.dumps(listed)}"]
    words += [f"--folder={folder}"] if folder else []
    return subprocess.run(
        [sys.executable, "-B", str(PROGRAMS / "adapters.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | env,
    )


@pytest.mark.parametrize("kind", [kind for kind, (_, said) in adapters.BROKEN.items() if said])
def test_a_broken_adapter_ends_the_start_by_name(kind: str, tmp_path: Path, model: Path) -> None:
    make, said = adapters.BROKEN[kind]
    outcome = run([at(adapters.make(tmp_path / "good"), "good"), at(make(tmp_path / "sql"))], model)
    (line,) = [line for line in outcome.stdout.splitlines() if "sql" in line]
    assert outcome.returncode == 1
    assert line.startswith("lora.adapters: sql: cannot be served: ")
    assert said in line
    assert not outcome.stderr
    assert "good: ready at" in outcome.stdout.replace("lora.adapters: ", "") or "good: it was trained" in outcome.stdout


def test_all_that_is_broken_is_said_at_once(tmp_path: Path, model: Path) -> None:
    listed = [at(make(tmp_path / kind), kind) for kind, (make, _) in adapters.BROKEN.items()]
    told = run(listed, model).stdout
    assert all(said in told for _, said in adapters.BROKEN.values())


def test_a_right_one_lets_the_engine_start(tmp_path: Path, model: Path) -> None:
    outcome = run([at(adapters.make(tmp_path / "sql", base="acme/chat"))], model)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout == f"lora.adapters: sql: ready at {tmp_path / 'sql'}\n"


def test_another_base_is_said_and_lets_the_engine_start(tmp_path: Path) -> None:
    """A copy, a quantized one and a path have other names: unsloth/llama-3.1-8b-bnb-4bit is no mistake."""
    outcome = run([at(adapters.make(tmp_path / "sql", base="unsloth/other-bnb-4bit"))])
    assert outcome.returncode == 0
    assert "it was trained on unsloth/other-bnb-4bit, and this is org/model" in outcome.stdout


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"peft_type": "IA3"}, "it is a IA3 adapter, and vLLM serves LoRA alone"),
        ({"r": 0}, "has a rank (r) of 0"),
        ({"r": None}, "has no r:"),
        ({"rank_pattern": {"q_proj": 64}}, "write lora.maxRank: 64"),
        ({"rank_pattern": {"q_proj": 1000}}, "vLLM serves none above 512"),
        ({"bias": "all"}, "a bias (bias)"),
        ({"modules_to_save": ["lm_head"]}, "whole modules (modules_to_save)"),
        ({"init_lora_weights": "pissa"}, "changed weights of the base model (init_lora_weights: pissa)"),
        ({"use_qalora": True, "layer_replication": [[0, 2]]}, "(layer_replication) and QALoRA"),
    ],
)
def test_what_vllm_refuses_is_refused(config: dict[str, Any], said: str, tmp_path: Path, module: ModuleType) -> None:
    with pytest.raises(module.BrokenError) as broken:
        module.look_at(at(adapters.make(tmp_path / "sql", **config)), 16, ["org/model"])
    assert said in str(broken.value)


@pytest.mark.parametrize(
    "config",
    [
        {"r": 16, "rank_pattern": {"q_proj": 8}},
        {"modules_to_save": ["score"]},
        {"init_lora_weights": "gaussian"},
        {"init_lora_weights": False},
        {"use_rslora": True, "lora_dropout": 0.1},
    ],
)
def test_what_vllm_takes_is_taken(config: dict[str, Any], tmp_path: Path, module: ModuleType) -> None:
    assert module.look_at(at(adapters.make(tmp_path / "sql", **config)), 16, ["org/model"]) == ""


@pytest.mark.parametrize(
    "config",
    [
        {"rank_pattern": [8]},
        {"modules_to_save": []},
        {"init_lora_weights": None, "base_model_name_or_path": None, "target_modules": "all-linear"},
        {"base_model_name_or_path": 7, "bias": "none", "lora_bias": None},
    ],
)
def test_odd_configs_are_no_traceback(config: dict[str, Any], tmp_path: Path) -> None:
    assert not run([at(adapters.make(tmp_path / "sql", **config))]).stderr


@pytest.mark.parametrize(
    ("config", "refused"),
    [
        ({"model_type": "llama", "hidden_size": 512}, True),
        ({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "hidden_size": 512}}, True),
        ({"model_type": "llama", "hidden_size": 256}, False),
        # Its attention reads the hidden state twice over (model_executor/models/zamba2.py).
        ({"model_type": "zamba2", "hidden_size": 128}, False),
        ({"model_type": "llama"}, False),
        ({"model_type": "llava", "text_config": None, "hidden_size": 512}, False),
        ({}, False),
    ],
)
def test_another_width_is_refused_where_it_is_known(
    config: dict[str, Any], refused: bool, model: Path, tmp_path: Path
) -> None:
    (model / "config.json").write_text(json.dumps(config))
    told = run([at(adapters.make(tmp_path / "sql"))], model)
    assert (told.returncode, told.stderr) == (int(refused), "")
    assert ("another width (256, and this one has 512)" in told.stdout) == refused


def test_the_width_of_a_model_that_is_mounted_is_known(model: Path, tmp_path: Path) -> None:
    """A model that is an image: its id is a name, and where it is stands beside that."""
    (model / "config.json").write_text(json.dumps({"model_type": "llama", "hidden_size": 512}))
    listed = [at(adapters.make(tmp_path / "sql"))]
    assert run(listed, "qwen3-8b").returncode == 0
    told = run(listed, "qwen3-8b", folder=model)
    assert "another width (256, and this one has 512)" in told.stdout


def test_a_tower_of_another_width_is_no_mistake(model: Path, tmp_path: Path) -> None:
    shapes = {**adapters.SHAPES, "vision.q_proj": (1152, 1152)}
    assert run([at(adapters.make(tmp_path / "sql", shapes=shapes))], model).returncode == 0


def test_weights_of_a_rank_that_the_config_does_not_say(tmp_path: Path, module: ModuleType) -> None:
    with pytest.raises(module.BrokenError, match="its rank is 64"):
        module.look_at(at(adapters.make(tmp_path / "sql", rank=64, r=8)), 16, ["org/model"])


def test_pickled_weights_are_left_to_vllm(tmp_path: Path, module: ModuleType) -> None:
    folder = adapters.make(tmp_path / "sql")
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    assert module.look_at(at(folder), 16, ["org/model"]) == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not whole (0 bytes)"),
        (b"\0" * 100, "is not whole (100 bytes)"),
        (b"\xff" * 100, "is not whole (100 bytes)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n", "is not whole"),
        (adapters.safetensors({}), "has no weights of LoRA"),
        (adapters.safetensors({"model.embed_tokens.weight": ((1,), b"abcd")}), "has no weights of LoRA"),
        (b"\x02\0\0\0\0\0\0\0[]", "is no safetensors file"),
        (b"\x0b\0\0\0\0\0\0\0" + b'{"a": true}', "is no safetensors file"),
        (adapters.safetensors({"a.lora_A.weight": ((1,), b"abcd")}) + b"more", "is not whole"),
    ],
)
def test_any_file_in_the_place_of_weights_is_told(
    content: bytes, said: str, tmp_path: Path, module: ModuleType
) -> None:
    folder = adapters.make(tmp_path / "sql")
    (folder / "adapter_model.safetensors").write_bytes(content)
    with pytest.raises(module.BrokenError) as broken:
        module.look_at(at(folder), 16, ["org/model"])
    assert said in str(broken.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    told = run([at(tmp_path / "nowhere")])
    assert told.returncode == 1
    assert f"there is no directory {tmp_path / 'nowhere'}: correct source, or mount the volume" in told.stdout


# --- The Hub --------------------------------------------------------------------------------------------------------


class Hub:
    """A Hub of one repository: what huggingface_hub asks of it, and how often."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.missing = ""
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

            def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_GET(self) -> None:
                hub.asked.append(f"{self.command} {self.path}")
                parts = self.path.partition("?")[0].strip("/").split("/")
                repository = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
                revision = parts[-1] if parts[0] == "api" and "revision" in parts else COMMIT
                name = parts[-1]
                if repository != "acme/sql":
                    self.answer(404, X_Error_Code="RepoNotFound")
                elif revision not in (COMMIT, "main"):
                    self.answer(404, X_Error_Code="RevisionNotFound")
                elif parts[0] == "api":
                    files = [{"rfilename": path.name} for path in hub.folder.iterdir()]
                    self.answer(200, json.dumps({"id": repository, "sha": COMMIT, "siblings": files}).encode())
                elif name == hub.missing:
                    self.answer(500)
                else:
                    content = (hub.folder / name).read_bytes()
                    etag = f'"{hashlib.sha256(content).hexdigest()}"'
                    self.answer(200, content, ETag=etag, X_Repo_Commit=COMMIT)

            do_HEAD = do_GET  # noqa: N815 - as the standard library calls it

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = adapters.make(tmp_path / "repository")
    (folder / "tokenizer.json").write_text("{}")
    hub = Hub(folder)
    threading.Thread(target=hub.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield hub
    hub.close()


def fetch(hub: Hub, path: Path, *, source: str = "acme/sql", revision: str = COMMIT, **env: str) -> Any:
    adapter = {"name": "sql", "source": source, "revision": revision, "path": str(path)}
    home = {"HF_HOME": str(path.parent / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    return run([adapter], **home, **env)


def test_an_adapter_of_the_hub_is_fetched_once(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "cache" / COMMIT
    told = fetch(hub, path)
    assert (told.returncode, told.stdout) == (0, f"lora.adapters: sql: ready at {path}\n")
    assert (path / "adapter_model.safetensors").read_bytes() == (hub.folder / "adapter_model.safetensors").read_bytes()
    assert not (path / "tokenizer.json").exists()

    hub.asked.clear()
    assert fetch(hub, path).returncode == 0
    assert not hub.asked, "a commit that is there whole is not asked for again"


def test_a_branch_is_asked_for_again(hub: Hub, tmp_path: Path) -> None:
    for _ in range(2):
        hub.asked.clear()
        assert fetch(hub, tmp_path / "cache" / "main", revision="main").returncode == 0
        assert hub.asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"source": "acme/other"}, "the Hub has no acme/other, or not for this token"),
        ({"revision": "v2"}, "acme/sql has no revision v2"),
        ({"HF_HUB_OFFLINE": "1"}, "acme/sql is not in the cache, and hub.offline forbids the Hub"),
    ],
)
def test_what_the_hub_does_not_have(asked: dict[str, str], said: str, hub: Hub, tmp_path: Path) -> None:
    told = fetch(hub, tmp_path / "cache" / "a", **asked)
    assert told.returncode == 1
    assert said in told.stdout


def test_half_of_an_adapter_is_not_taken_for_whole(hub: Hub, tmp_path: Path) -> None:
    """A directory with some of the files, and a Hub that does not answer: huggingface_hub's own snapshot_download
    returns such a directory with a warning."""
    path = tmp_path / "cache" / COMMIT
    path.mkdir(parents=True)
    (path / "adapter_config.json").write_bytes((hub.folder / "adapter_config.json").read_bytes())
    hub.server.server_close()  # refuses connections from here on
    told = fetch(hub, path, HF_HUB_ETAG_TIMEOUT="1")
    assert told.returncode == 1
    assert "acme/sql could not be fetched" in told.stdout
    assert not (path / ".fetched").exists()


def test_what_was_fetched_whole_goes_on_without_the_hub(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "main"
    assert fetch(hub, path, revision="main").returncode == 0
    hub.server.server_close()
    told = fetch(hub, path, revision="main", HF_HUB_ETAG_TIMEOUT="1")
    assert told.returncode == 0, told.stdout
    assert f"going on with commit {COMMIT}, which is here" in told.stdout
    assert engine_log.explain(told.stdout) is None


def test_half_of_another_commit_is_not_taken_for_the_one_before(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "main"
    assert fetch(hub, path, revision="main").returncode == 0
    (path / ".fetched").write_text("f" * 40)  # the branch was there then
    hub.missing = "adapter_model.safetensors"
    told = fetch(hub, path, revision="main")
    assert told.returncode == 1
    assert "acme/sql could not be fetched" in told.stdout
    assert not (path / ".fetched").exists()


def test_a_repository_without_an_adapter(hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "adapter_config.json").unlink()
    told = fetch(hub, tmp_path / "cache" / COMMIT)
    assert "acme/sql has no adapter_config.json: it is no adapter, or a folder of it is" in told.stdout


# --- diagnose -------------------------------------------------------------------------------------------------------


def test_diagnose_says_what_the_program_said(tmp_path: Path, hub: Hub) -> None:
    """Its own words are known by a pattern, so that a change of them shows here."""
    make, said = adapters.BROKEN["rank"]
    listed = [at(adapters.make(tmp_path / "good"), "good"), at(make(tmp_path / "sql"))]
    found = engine_log.explain(run(listed).stdout)
    assert found
    assert (found.check, found.line) == ("adapter", f"lora.adapters: sql: cannot be served: {said}")

    hub.server.server_close()
    found = engine_log.explain(fetch(hub, tmp_path / "cache" / COMMIT, HF_HUB_ETAG_TIMEOUT="1").stdout)
    assert found
    assert found.check == "hub"
    assert "hub.endpoint" in found.remedy

    assert engine_log.explain(run(listed[:1]).stdout) is None
