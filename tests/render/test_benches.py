"""The benches that need no cluster run, as their sessions call them, and print their numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import bench_endpoint

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


def whole_bench(monkeypatch: pytest.MonkeyPatch, measured: dict[str, float]) -> None:
    """The bench of the endpoint in full, which finds these numbers and takes no time."""
    for name in ("at_scale", "processor", "burst"):
        monkeypatch.setattr(bench_endpoint, name, lambda *_: None)
    for name in ("a_request", "flood", "first_chunk", "streams", "moved"):
        monkeypatch.setattr(bench_endpoint, name, lambda *_: dict(measured))
    monkeypatch.setattr(sys, "argv", ["bench_endpoint"])
    bench_endpoint.main()


@pytest.mark.parametrize("what", bench_endpoint.MOST)
def test_the_endpoints_bench_fails_beyond_a_bound(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    whole_bench(monkeypatch, bench_endpoint.MOST)
    with pytest.raises(SystemExit) as ended:
        whole_bench(monkeypatch, bench_endpoint.MOST | {what: bench_endpoint.MOST[what] * 1.1})
    assert str(ended.value.code).startswith(f"{what}: ")


def test_no_bound_of_the_endpoints_bench_goes_unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    for what in bench_endpoint.MOST:
        with pytest.raises(KeyError):
            whole_bench(monkeypatch, {name: 0 for name in bench_endpoint.MOST if name != what})
