"""The program of a bench's pod: which loads it tries, how it calls vLLM's tool, and what it makes of the answers."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import bench_tool
from vllm_chart.bench import driver

Json = dict[str, Any]

SLO = {"errors": 0.999, "ttft": [2.5, 0.95], "itl": [0.1, 0.99]}
PLAN: Json = {
    "url": "http://llm-vllm.models.svc:80",
    "model": "llama",
    "tokenizer": "/models/llama",
    "revision": "",
    "flags": [],
    "steps": [],
    "most": 1024,
    "input_tokens": 1024,
    "output_tokens": 256,
    "spread": 0.5,
    "step_seconds": 60,
    "requests": 0,
    "seed": 7,
    "slo": SLO,
}


def result(**changes: Any) -> Json:
    numbers = {"completed": 1000, "failed": 0, "p95_ttft_ms": 2500.0, "p99_itl_ms": 100.0}
    return {**numbers, **changes}


def searched(capacity: int, most: int = 1024) -> list[int]:
    """What a search tries where the objectives are kept up to so many."""
    finding = driver.search(most)
    tried = [next(finding)]
    while True:
        try:
            tried.append(finding.send(tried[-1] <= capacity))
        except StopIteration:
            return tried


@pytest.mark.parametrize(
    ("capacity", "tried"),
    [
        (0, [1]),
        (1, [1, 2]),
        (3, [1, 2, 4, 3]),
        (100, [1, 2, 4, 8, 16, 32, 64, 128, 96, 112, 104]),
    ],
)
def test_a_search_doubles_and_then_halves(capacity: int, tried: list[int]) -> None:
    assert searched(capacity) == tried


def test_a_search_ends_at_the_most() -> None:
    assert searched(10_000, most=48) == [1, 2, 4, 8, 16, 32, 48]


@pytest.mark.parametrize("capacity", [*range(1, 300), 511, 700, 1023, 1024])
def test_a_search_comes_near(capacity: int) -> None:
    tried = searched(capacity)
    best = max(number for number in tried if number <= capacity)
    assert capacity <= max(best * driver.CLOSE_ENOUGH, best + 1)
    assert len(tried) <= 14
    assert len(set(tried)) == len(tried)


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, []),
        ({"p95_ttft_ms": 2500.1}, ["ttft"]),
        ({"p99_itl_ms": 101}, ["itl"]),
        ({"completed": 999, "failed": 1}, []),
        ({"completed": 998, "failed": 2}, ["errors"]),
        ({"completed": 0, "failed": 5}, ["errors", "ttft", "itl"]),
    ],
)
def test_an_objective_is_kept_where_its_percentile_is_within_the_limit(changes: Json, missed: list[str]) -> None:
    assert driver.missed(result(**changes), SLO) == missed


@pytest.mark.parametrize(
    ("share", "name"), [(0.95, "p95"), (0.99, "p99"), (0.995, "p99.5"), (0.57, "p57"), (0.9999, "p99.99")]
)
def test_percentiles_are_named_as_the_tool_does(share: float, name: str) -> None:
    assert driver.percentile("ttft", share) == f"{name}_ttft_ms"


def test_a_step_lasts_as_long_as_it_is_to() -> None:
    assert driver.requests_for({"concurrency": 32}, PLAN, answer_seconds=4) == 32 * 15
    assert driver.requests_for({"rate": 2.5}, PLAN, answer_seconds=4) == 150
    assert driver.requests_for({"concurrency": 1}, PLAN, answer_seconds=50) == driver.LEAST_REQUESTS
    assert driver.requests_for({"concurrency": 100}, PLAN, answer_seconds=500) == 100 * driver.LEAST_ROUNDS
    assert driver.requests_for({"concurrency": 100}, {**PLAN, "requests": 5}, answer_seconds=1) == 5


def words(step: Json, **changes: Any) -> list[str]:
    told: Json = {"requests": 100, "answer_seconds": 4, "seed": 9, "folder": "/tmp/x"}
    return driver.command(step, {**PLAN, **changes}, **told)


def test_the_call_of_the_tool() -> None:
    call = words({"concurrency": 32}, slo={**SLO, "ttft": [1, 0.995]}, flags=["--insecure"])
    assert call[:3] == ["vllm", "bench", "serve"]
    assert {"--max-concurrency=32", "--request-rate=16.0", "--seed=9", "--num-prompts=100", "--insecure"} <= {*call}
    assert "--metric-percentiles=50,95,99,99.5" in call
    assert call[-3:] == ["--goodput", "ttft:1000", "tpot:100"]


def test_a_rate_is_an_open_loop() -> None:
    call = words({"rate": 2.5})
    assert "--request-rate=2.5" in call
    assert not [word for word in call if word.startswith("--max-concurrency")]


# -- with a tool --------------------------------------------------------------------------------------------


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Json]]:
    bench_tool.write(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("BENCH_CALLS", str(tmp_path / "calls"))

    def run(**changes: Any) -> list[Json]:
        """What the program says, run as in the pod: by its source alone."""
        source = Path(driver.__file__).read_text()
        command = [sys.executable, "-I", "-c", source, json.dumps({**PLAN, **changes})]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        assert said.stderr == ""
        return [json.loads(line) for line in said.stdout.splitlines()]

    return run


def test_a_search_of_an_engine_with_64_slots(drive: Callable[..., list[Json]], tmp_path: Path) -> None:
    said = drive()
    steps = [document["step"] for document in said if "step" in document]
    kept = [step["concurrency"] for step in steps if not step["missed"]]
    assert said[-1] == {"done": True}
    # 1.95 · (100 ms + 4 s · (n - 64) ÷ 64) is 2.5 s at 82.9.
    assert max(kept) == 80
    assert [step["concurrency"] for step in steps] == [1, 2, 4, 8, 16, 32, 64, 128, 96, 80, 88]
    seeds = [word for line in (tmp_path / "calls").read_text().splitlines() for word in json.loads(line)[0]]
    seeds = [word for word in seeds if word.startswith("--seed=")]
    assert len(set(seeds)) == len(steps) + 1


def test_steps_that_are_named(drive: Callable[..., list[Json]]) -> None:
    said = drive(steps=[{"rate": 1.5}, {"rate": 30}], requests=20)
    assert [document["step"]["rate"] for document in said if "step" in document] == [1.5, 30]
    assert said[0] == {"began": {"warm-up": driver.WARM_UP_REQUESTS}}
    assert {"began": {"rate": 1.5}, "requests": 20} in said


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"tokenizer": "org/nowhere"}, "ended with 1: OSError: We couldn't connect"),
        ({"input_tokens": 9000}, "no request was answered: Error 0: Bad Request"),
        ({"flags": ["--unknown"]}, "ended with 2: .*unrecognized arguments: --unknown"),
    ],
)
def test_what_the_tool_says_of_an_error(drive: Callable[..., list[Json]], changes: Json, error: str) -> None:
    *_, last = drive(**changes)
    with pytest.raises(AssertionError, match=error):
        raise AssertionError(last["error"])


def test_an_image_without_vllm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[Any] = []
    driver.main(PLAN, said.append)
    assert said == [{"error": "the image has no command vllm: name one that has with --image"}]


def test_progress_is_told(drive: Callable[..., list[Json]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setenv("BENCH_PAUSE", "0.02")
    said: list[Any] = []
    driver.main({**PLAN, "steps": [{"concurrency": 2}], "requests": 6}, said.append)
    assert {"progress": "3/6"} in said
