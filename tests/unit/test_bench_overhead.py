"""The bench of what vllm-chart adds to vLLM's tool: its program, run as in its pod, and the numbers it comes to."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import bench_tool
from tests.bench import bench_overhead
from tests.bench.overhead_program import ALONE, DRIVER

Json = dict[str, Any]

PLAN: Json = {
    "url": "http://llm-vllm.models.svc:80",
    "model": "llama",
    "tokenizer": "/models/llama",
    "revision": "",
    "flags": [],
    "input_tokens": 32,
    "output_tokens": 64,
    "spread": 0,
    "requests": 8,
    "seed": 7,
    "slo": {"errors": 0.999, "ttft": [2.5, 0.95], "itl": [0.1, 0.99]},
    "pairs": 2,
    "step": {"concurrency": 4},
}


def run(how: str, **numbers: float) -> Json:
    return {"run": how, "seconds": 10.0, "own_seconds": 0.0, "rate": 1.0, "ttft_ms": 1.0, "itl_ms": 1.0, **numbers}


def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[Json]:
    """What the program says, run as in the pod: by its source alone."""
    bench_tool.write(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("BENCH_CALLS", str(tmp_path / "calls"))
    told = {**PLAN, **changes}
    made = bench_overhead.manifest(told, {"spec": {"containers": [{"name": "bench"}]}})
    (container,) = made["spec"]["containers"]
    command = [sys.executable, "-I", *container["command"][1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pairs_take_turns_and_call_the_tool_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = said(tmp_path, monkeypatch)
    assert documents.pop() == {"done": True}
    assert [document["run"] for document in documents] == [ALONE, DRIVER, DRIVER, ALONE]
    calls = [json.loads(line)[0] for line in (tmp_path / "calls").read_text().splitlines()]
    assert len(calls) == 1 + len(documents)
    same = {tuple(word for word in call if not word.startswith(("--seed=", "--result-dir="))) for call in calls}
    assert len(same) == 1
    seeds = {word for call in calls for word in call if word.startswith("--seed=")}
    assert len(seeds) == len(calls), "the prefix cache would know the prompts"


def test_a_tool_that_fails_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (document,) = said(tmp_path, monkeypatch, tokenizer="org/nowhere")
    assert "vllm" in document["error"]


def test_the_numbers() -> None:
    runs = [
        run(ALONE, rate=2.0),
        run(DRIVER, rate=1.9, own_seconds=0.01),
        run(DRIVER, rate=2.1, own_seconds=0.03),
        run(ALONE, rate=2.0),
    ]
    found = bench_overhead.ratio(runs, "rate")
    assert (found.mean, found.least, found.most) == pytest.approx((1.0, 0.95, 1.05))
    assert found.error == pytest.approx(math.sqrt(0.005) / math.sqrt(2))
    assert bench_overhead.share(runs) == pytest.approx(0.002)
    text = bench_overhead.table(runs, 0.001)
    assert "0.200% in the pod, 0.100% where the command runs" in text
    assert "| requests a second | 1.000 | 0.050 | 0.950 | 1.050 |" in text
