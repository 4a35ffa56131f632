"""The download Job's program, with the real huggingface_hub, against a small Hub: what is fetched, how it goes on, what
it waits for, what it says of what is wrong, and what the engines' init container makes of it."""

import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.download_job import MODEL, SHARD, WHOLE, Job
from tests.hub_server import Hub, Knobs, Repository
from tests.programs import PROGRAMS, program


def test_everything_is_fetched_once_and_the_marker_says_what(hub: Hub, job: Job) -> None:
    done = job.run()
    commit = hub.repositories["org/name"].branches["main"]

    assert done.returncode == 0, done.stdout + done.stderr
    assert {path: file["size"] for path, file in job.marker["files"].items()} == WHOLE
    assert job.marker["commit"] == commit
    assert f"org/name at its default branch: commit {commit}, 4 files" in done.stdout
    for path in WHOLE:
        assert (job.snapshot(commit) / path).read_bytes() == MODEL[path]
        assert hub.sent(path) == len(MODEL[path])
    assert not hub.requests("original")


def test_an_engine_finds_it_offline(job: Job) -> None:
    job.run()
    program = (
        "from huggingface_hub import HfApi, snapshot_download;"
        # as vLLM does: transformers_utils/repo_utils.py:286 of 0.33
        "print(snapshot_download('org/name', local_files_only=True, ignore_patterns='*'))"
    )
    environment = job.command()["env"] | {"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9"}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(job.snapshot(job.marker["commit"]))


def test_a_second_run_asks_the_hub_for_nothing(hub: Hub, job: Job) -> None:
    job.run()
    hub.asked.clear()
    again = job.run()
    assert again.returncode == 0
    assert "is there already" in again.stdout
    assert not hub.asked


def test_a_branch_that_moves_stays_where_it_was_resolved(hub: Hub, job: Job) -> None:
    job.run(revision="main")
    first = job.marker["commit"]
    hub.repositories["org/name"].commit(MODEL | {"config.json": b"{}"})
    job.run(revision="main")
    assert job.marker["commit"] == first


def test_a_killed_job_goes_on_within_the_file(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(rate=8 << 20)
    process = subprocess.Popen(**job.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wanted = len(SHARD)  # half of both shards
    while sum(path.stat().st_size for path in job.volume.rglob("*.partial")) < wanted:
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not job.has_marker
    hub.knobs = Knobs()
    hub.asked.clear()

    done = job.run()
    assert done.returncode == 0, done.stdout
    assert job.has_marker
    ranged = [each for each in hub.asked if each.ranged and each.status == 206]
    assert {each.path.rpartition("/")[2] for each in ranged} == {path for path in WHOLE if path.startswith("model-")}
    assert sum(each.sent for each in ranged) < 2 * len(SHARD) - wanted // 2


def test_it_ends_at_once_when_it_is_told_to(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(rate=1 << 20)
    process = subprocess.Popen(**job.command(), stdout=subprocess.PIPE, text=True)
    while not list(job.volume.rglob("*.partial")):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=10)
    assert process.returncode == 143
    assert "the next attempt goes on from here" in said


def test_a_connection_that_breaks_costs_no_byte_twice(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(cut=5 << 20)
    done = job.run()
    assert done.returncode == 0, done.stdout
    path = "model-00001-of-00002.safetensors"
    pieces = [each for each in hub.asked if each.path.endswith(path) and each.sent]
    assert len(pieces) == 2
    assert hub.sent(path) < len(MODEL[path]) + (6 << 20)


@pytest.mark.parametrize(
    ("only", "headers"),
    [
        ("^/api/models/org/name$", {"Retry-After": "1"}),
        ("/tree/", {"RateLimit": '"api";r=0;t=1', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}),
        ("/resolve/", {"Retry-After": "1"}),
        ("/resolve/", {"RateLimit": '"resolvers";r=0;t=1'}),
    ],
    ids=["the commit", "the files", "a file", "a file, as the Hub says it"],
)
def test_a_busy_hub_is_waited_for(hub: Hub, job: Job, only: str, headers: dict[str, str]) -> None:
    hub.knobs = Knobs(refuse=3, headers=headers, only=only)
    done = job.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "429" in done.stdout + done.stderr
    assert hub.knobs.refuse == 0


def test_a_hub_that_stays_busy_is_given_up_when_the_time_is_over(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(refuse=1000, headers={"Retry-After": "100"})
    done = job.run(seconds=1)
    assert done.returncode == 1
    assert "429" in done.stdout
    assert not job.has_marker


def test_a_hub_that_is_away_is_asked_again(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(refuse=2, status=503, only="^/api/models/org/name$")
    done = job.run()
    assert done.returncode == 0, done.stdout
    assert "503" in done.stdout + done.stderr


@pytest.mark.parametrize("path", ["model-00002-of-00002.safetensors", "config.json"])
def test_a_flipped_bit_is_named_and_no_engine_starts(hub: Hub, job: Job, path: str) -> None:
    hub.knobs = Knobs(flip=path)
    done = job.run()
    assert done.returncode == 1
    assert f"{path}: its sha256 is" in done.stdout or f"{path}: its git-sha1 is" in done.stdout
    assert not job.has_marker

    hub.knobs = Knobs()
    hub.asked.clear()
    assert job.run().returncode == 0
    assert hub.sent(path) == len(MODEL[path])
    assert sum(each.sent for each in hub.asked if "safetensors" in each.path) in (0, len(MODEL[path])), "one file alone"


def test_without_comparing_a_flipped_bit_is_not_seen(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(flip="config.json")
    assert job.run(verify=False).returncode == 0
    assert job.marker["compared"] is False


def test_what_rots_on_the_volume_is_found_by_the_next_job(hub: Hub, job: Job) -> None:
    job.run()
    file = job.snapshot(job.marker["commit"]) / "model-00001-of-00002.safetensors"
    with file.open("r+b") as stream:
        stream.write(b"x")
    done = job.run()
    assert done.returncode == 1
    assert "model-00001-of-00002.safetensors: its sha256 is" in done.stdout
    assert not job.has_marker, "or an engine would start on it"
    assert job.run().returncode == 0
    assert job.has_marker


def test_what_is_gone_is_fetched_again(hub: Hub, job: Job) -> None:
    job.run()
    (job.snapshot(job.marker["commit"]) / "config.json").unlink()
    done = job.run()
    assert done.returncode == 0
    assert "config.json is not as it was" in done.stdout
    assert job.has_marker


@pytest.mark.parametrize("path", ["config.json", "model-00001-of-00002.safetensors"])
def test_what_is_cut_off_is_fetched_anew_without_comparing(job: Job, path: str) -> None:
    job.run(verify=False)
    file = job.snapshot(job.marker["commit"]) / path
    with file.open("r+b") as stream:
        stream.truncate(5)
    done = job.run(verify=False)
    assert done.returncode == 0, done.stdout
    assert file.read_bytes() == MODEL[path]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "org/other"}, "the Hub has no such repository, or not for this token: see hub.tokenSecretRef"),
        ({"revision": "v9"}, "the Hub has no such revision: see lora.adapters[0].revision"),
        ({"name": "a/b/c"}, "no name of a repository: write organisation/name"),
    ],
    ids=["unknown model", "unknown revision", "no name"],
)
def test_what_no_other_attempt_changes_is_told_at_once(job: Job, options: dict[str, str], said: str) -> None:
    done = job.run(**options)
    assert done.returncode == 3, done.stdout
    assert said in done.stdout


def test_a_gated_model_names_the_token(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(refuse=1000, status=403, headers={"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"})
    done = job.run()
    assert done.returncode == 3
    assert "accept its terms at the Hub, with the account of hub.tokenSecretRef, which is empty" in done.stdout


@pytest.mark.parametrize(
    ("status", "said", "only"),
    [
        (401, "Invalid credentials in Authorization header", "^/api/models/org/name$"),
        (401, "Invalid credentials in Authorization header", "/tree/"),
        (401, "Invalid credentials in Authorization header", "/resolve/.*safetensors"),
        (403, "Your token lacks the permission", "/tree/"),
        (403, "Your token lacks the permission", "/resolve/.*safetensors"),
    ],
    ids=["the commit", "the files", "a file", "it may not read this", "it may not read files"],
)
def test_a_token_that_is_refused_is_told_at_once(hub: Hub, job: Job, status: int, said: str, only: str) -> None:
    hub.knobs = Knobs(refuse=1000, status=status, headers={"X-Error-Message": said}, only=only)
    command = job.command()
    command["env"]["HF_TOKEN"] = "hf_old"
    program = command["args"][2].replace('HUB_HOST = "huggingface.co"', 'HUB_HOST = "127.0.0.1"')
    command["args"][2] = program if status == 403 else command["args"][2]
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stdout
    assert f"the Hub answers {status}: " in done.stdout
    assert said in done.stdout
    assert done.stdout.rstrip().endswith(": see hub.tokenSecretRef")


def test_a_mirror_that_refuses_for_a_while_is_asked_by_the_next_attempt(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(refuse=1000, status=403, only="^/api/models/org/name$")
    assert job.run().returncode == 1
    hub.knobs = Knobs()
    assert job.run().returncode == 0


HUB = "https://huggingface.co"


@pytest.mark.parametrize(
    ("endpoint", "url", "status", "final"),
    [
        (HUB, f"{HUB}/api/models/org/name", 403, True),
        (HUB, "https://HuggingFace.co:443/org/name", 403, True),
        (HUB, "https://cdn-lfs.huggingface.co/x", 403, False),
        (HUB, "https://huggingface.company/x", 401, False),
        ("https://hf.co", "https://hf.company/x", 401, False),
        ("https://hf.co", "https://hf.co/x", 401, True),
        ("https://hub.example.com/hf", "https://hub.example.com/hf/api/models/org/name", 403, False),
        (HUB, f"{HUB}/x", 404, False),
    ],
)
def test_whose_refusal_is_final(
    endpoint: str, url: str, status: int, final: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = program("download")
    monkeypatch.setattr(download.constants, "ENDPOINT", endpoint)
    error = SimpleNamespace(response=SimpleNamespace(status_code=status, url=url))
    assert download.refused(error) == (status if final else None)


def test_an_address_that_has_run_out_is_none_of_the_tokens(hub: Hub, job: Job) -> None:
    hub.knobs = Knobs(refuse=1000, status=403, only="/cdn/")
    done = job.run()
    assert done.returncode == 1, done.stdout
    assert "hub.tokenSecretRef" not in done.stdout


def test_an_exclusion_of_all_is_told(job: Job) -> None:
    repository = {"name": "org/name", "revision": "", "exclude": ["*"], "marker": "0123456789abcdef"}
    done = job.run(repositories=[repository])
    assert done.returncode == 3
    assert "download.exclude leaves nothing of org/name, which has 5 files" in done.stdout


def test_an_adapter_is_where_its_check_looks_for_it(hub: Hub, job: Job) -> None:
    repository = Repository()
    commit = repository.commit({"adapter_config.json": b"{}", "adapter_model.safetensors": b"x", "optimizer.bin": b"y"})
    hub.repositories["acme/sql"] = repository
    adapters, place = program("adapters"), job.volume / "adapters/acme--sql/v1"
    repository.branches["v1"] = commit
    told = {"name": "acme/sql", "revision": "v1", "exclude": [], "marker": "a" * 16, "adapter": str(place)}
    told["exclude"] = ["*.safetensors"]  # of the model's weights, which have another format beside
    done = job.run(repositories=[told])
    assert done.returncode == 0, done.stdout
    assert not hub.requests("optimizer")
    assert {path.name for path in place.iterdir()} == {adapters.CONFIG, adapters.WEIGHTS, adapters.FETCHED}
    assert (place / adapters.WEIGHTS).read_bytes() == b"x"
    assert (place / adapters.FETCHED).read_text() == commit


def test_a_repository_without_an_adapter_is_told(job: Job) -> None:
    told = {"name": "org/name", "revision": "", "exclude": [], "marker": "a" * 16, "adapter": str(job.volume / "a")}
    done = job.run(repositories=[told])
    assert done.returncode == 3
    assert "org/name has no adapter_config.json: it is no adapter: correct lora.adapters" in done.stdout


# What an engine's pod does meanwhile


def waiter(job: Job, seconds: int) -> dict[str, Any]:
    marker = f"{job.volume}/.fetched/0123456789abcdef"
    options = ["--marker", marker, "org/name at main", "--job=app=x", f"--seconds={seconds}"]
    return {"args": [sys.executable, "-u", str(PROGRAMS / "wait_for_download.py"), *options], "text": True}


def test_an_engine_waits_for_the_marker(job: Job) -> None:
    process = subprocess.Popen(**waiter(job, 60), stdout=subprocess.PIPE)
    assert process.stdout
    assert "waiting for the Job" in process.stdout.readline()
    assert process.poll() is None
    job.run(revision="main")
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"org/name at main: commit {job.marker['commit']}" in said


def test_an_engine_that_waited_too_long_says_what_to_do(job: Job) -> None:
    done = subprocess.run(**waiter(job, 0), capture_output=True)
    assert done.returncode == 1
    assert "gave up after 0 s: org/name at main: not there yet" in done.stdout
    assert "kubectl logs --selector app=x" in done.stdout
    assert "download.budgetSeconds" in done.stdout


def test_an_engine_does_not_start_on_what_is_cut_off(job: Job) -> None:
    job.run()
    shard = job.snapshot(job.marker["commit"]) / "model-00001-of-00002.safetensors"
    with shard.open("r+b") as stream:
        stream.truncate(5)
    done = subprocess.run(**waiter(job, 0), capture_output=True)
    assert done.returncode == 1
    assert "fetched before, but model-00001-of-00002.safetensors has 5 bytes instead of" in done.stdout


def test_an_engine_starts_on_the_markers_commit_whatever_the_branch_is_now(job: Job) -> None:
    job.run(revision="main")
    reference = job.volume / "huggingface/hub/models--org--name/refs/main"
    reference.write_text("0" * 40)
    assert subprocess.run(**waiter(job, 0), capture_output=True).returncode == 0
    assert reference.read_text() == job.marker["commit"]
