"""What is noted of an autoscaler beside the engine's own limits, and what a plan says that its target be."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from helm_python import values_from_yaml

from vllm_chart.cli.main import main
from vllm_chart.helm import app_version, merged_values, render
from vllm_chart.vllm_args import scaling

ON = "autoscaling: {enabled: true, maxReplicas: 2, prometheus: {address: 'http://prometheus:9090'}, %s}"
SCRAPED = "serviceMonitor: {enabled: true}"
RANKS = "gpu: {count: 2}, parallelism: {dataParallelSize: 2}"


def noted(text: str) -> list[str]:
    values = {"model": {"id": "org/name"}} | values_from_yaml(text)
    found = scaling.check_release(render(values=values), merged_values(values=values), app_version())
    assert {one.severity for one in found} <= {"info"}
    return [f"{one.check}: {one.message}: {one.remedy}" for one in found]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{{{ON % 'requestsPerReplica: 100'}, {SCRAPED}, engine: {{args: {{max-num-seqs: 64}}}}}}", "that 36 wait"),
        (f"{{{ON % 'requestsPerReplica: 100'}, {SCRAPED}, engine: {{args: {{max-num-seqs: 64}}}}}}", "write 48, if"),
        (f"{{{ON % 'requestsPerReplica: 100'}, {SCRAPED}, engine: {{extraArgs: [--max_num_seqs, '64']}}}}", "write 48"),
        (f"{{{ON % 'requestsPerReplica: 64'}, {SCRAPED}, engine: {{args: {{max-num-seqs: 64}}}}}}", ""),
        (f"{{{ON % 'requestsPerReplica: 100'}, {SCRAPED}, {RANKS}, engine: {{args: {{max-num-seqs: 64}}}}}}", ""),
        (
            f"{{{ON % 'requestsPerReplica: 200'}, {SCRAPED}, {RANKS}, engine: {{args: {{max-num-seqs: 64}}}}}}",
            "runs 128",
        ),
        (f"{{{ON % 'requestsPerReplica: 200'}, {SCRAPED}}}", ""),
        (f"{{{ON % ''}, podMonitor: {{enabled: true}}}}", ""),
        (f"{{{ON % ''}, scrapeAnnotations: {{enabled: true}}}}", ""),
        (f"{{{ON % ''}}}", "scaling-source: nothing in these values has Prometheus scrape the pods"),
        ("replicaCount: 2", ""),
    ],
)
def test_what_is_noted(text: str, said: str) -> None:
    notes = noted(text)
    assert len(notes) == bool(said), notes
    assert all(said in note for note in notes)


def planned(folder: Path, text: str, gpu: str = "h100-80gb") -> dict[str, str]:
    """The advice of a plan, by its keys: the value and why."""
    file = folder / "values.yaml"
    file.write_text(json.dumps({"model": {"id": "meta-llama/Llama-3.1-8B"}} | values_from_yaml(text)))
    done = CliRunner().invoke(main, ["plan", "--offline", "-f", str(file), "--gpu", gpu, "--output", "json"])
    return {tip["key"]: f"{tip['value']}: {tip['why']}" for tip in json.loads(done.stdout)["advice"]}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        # 455,312 tokens of KV cache hold 222 requests of 2,048 tokens.
        ("", "166: three quarters of 222 requests of 2,048 tokens"),
        ("engine: {args: {max-num-seqs: 64}}", "48: three quarters of max-num-seqs, 64"),
        ("engine: {args: {max-num-seqs: 1}}", "1: three quarters of max-num-seqs, 1"),
        ("engine: {args: {max-model-len: 1024}}", "333: three quarters of 444 requests of 1,024 tokens"),
        (
            "engine: {args: {max-num-seqs: 64}}, gpu: {count: 2}, parallelism: {dataParallelSize: 2}",
            "96: three quarters of max-num-seqs, 64, for each of 2 ranks",
        ),
    ],
)
def test_a_plan_says_the_target(more: str, said: str, tmp_path: Path) -> None:
    advice = planned(tmp_path, f"{{{ON % ''}{', ' if more else ''}{more}}}")
    assert advice["autoscaling.requestsPerReplica"].startswith(said)


def test_a_plan_without_autoscaling_says_none(tmp_path: Path) -> None:
    assert "autoscaling.requestsPerReplica" not in planned(tmp_path, "{}")
