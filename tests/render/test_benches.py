"""The benches that need no cluster run, as their sessions call them, and print their numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("bench_render", [r"in process +[\d.]+ /s", r"helm [\d.]+ template +[\d.]+ /s", r"schema of vLLM's flags"]),
        (
            "bench_endpoint",
            [
                r"envoy --mode validate +[\d.]+ s",
                r"added by the endpoint +p50",
                r"of it without them +[\d.]+$",
                r"ended whole +50$",
            ],
        ),
        ("bench_prefixes", [r"at random: hits.* 0\.\d+", r"of those at random +[1-9]\.\d+"]),
        ("bench_check", [r"vllm-chart check -f values/llama3\.yaml: [\d.]+ s of CPU", r"argument lists parsed: \d+"]),
    ],
)
def test_a_bench_runs_in_its_short_form(name: str, lines: list[str]) -> None:
    session = (ROOT / "noxfile.py").read_text()
    assert f'session.run("python", "-m", "tests.bench.{name}", *session.posargs)' in session

    command = [sys.executable, "-m", f"tests.bench.{name}", "--short"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    for line in lines:
        assert re.search(line, done.stdout, re.MULTILINE), done.stdout
