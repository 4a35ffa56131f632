"""What a model costs before it is in memory: bytes, disk, time, requests of the Hub, and volumes that are too small."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helm_python import values_from_yaml

from vllm_chart import helm
from vllm_chart.cli.main import main
from vllm_chart.findings import Exit, Finding
from vllm_chart.sizing import delivery, sources
from vllm_chart.sizing.check import check
from vllm_chart.sizing.sources import Source

LLAMA = "meta-llama/Llama-3.1-8B"
#: total_size in the Hub's model.safetensors.index.json of meta-llama/Llama-3.1-8B.
LLAMA_BYTES = 16_060_522_496
SHARED = "persistence: {enabled: true, accessModes: [ReadWriteMany]%s}"


def test_the_computed_size_is_that_of_the_files() -> None:
    assert delivery.checkpoint_bytes(sources.shipped()[LLAMA]) == (LLAMA_BYTES, LLAMA_BYTES)


def test_the_files_own_size_goes_before_a_formula() -> None:
    assert delivery.checkpoint_bytes(Source({}, "an index", "config", 5)) == (5, 5)


def test_a_family_that_is_not_known_for_sure_has_a_spread() -> None:
    config = {**sources.shipped()[LLAMA].config, "model_type": "nobody-knows"}
    sized = delivery.checkpoint_bytes(Source(config, "a config", "config"))
    assert sized is not None
    assert sized[1] == round(sized[0] * 0.9)


def test_what_has_no_formula_has_no_size() -> None:
    assert delivery.checkpoint_bytes(Source({"model_type": "x"}, "a config", "config")) is None


@pytest.fixture
def values(tmp_path: Path) -> Path:
    return tmp_path / "values.yaml"


def plan(file: Path, text: str, *options: str) -> Any:
    file.write_text(json.dumps({"model": {"id": LLAMA}} | values_from_yaml(f"{{{text}}}")))
    result = CliRunner().invoke(main, ["plan", "--offline", "-f", str(file), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("options", [(), ("--gpu", "h100-80gb")])
def test_the_plan_has_bytes_times_disk_and_requests(values: Path, options: tuple[str, ...]) -> None:
    found = json.loads(plan(values, "", *options, "--output", "json").stdout)["delivery"]
    assert found["bytes"] == found["leastBytes"] == LLAMA_BYTES
    assert found["seconds"] == {"1 Gb/s": 128.5, "10 Gb/s": 12.8}
    assert found["disk"]["image"] == found["disk"]["volume, while a revision changes"] == 2 * LLAMA_BYTES
    assert found["hubRequestsPerStart"] == 10
    assert found["startsPerFiveMinutes"]["no token"] == 50
    said = plan(values, "", *options).stdout
    assert "to fetch          14.96 GiB: 128 s at 1 Gb/s, 13 s at 10 Gb/s" in said
    assert "Hub requests      10 of the API a start; in 5 minutes 50 with no token" in said


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        ("persistence: {enabled: true}", 9),
        ("persistence: {enabled: true, ephemeral: true}", 10),
        ("gpu: {count: 2}", 14),
        (f"{SHARED % ''}, download: {{enabled: true}}", 0),
        ("hub: {offline: true}, persistence: {enabled: true}", 0),
        (f"model: {{id: {LLAMA}, image: {{reference: 'a.example/b:1'}}}}", 0),
    ],
)
def test_requests_follow_from_who_asks(values: Path, text: str, requests: int) -> None:
    found = json.loads(plan(values, text, "--output", "json").stdout)["delivery"]
    assert found["hubRequestsPerStart"] == requests
    assert bool(found["startsPerFiveMinutes"]) == bool(requests)


DRAFT = "engine: {args: {speculative-config: {model: %s, num_speculative_tokens: 4}}}"
SMALL = "Qwen/Qwen3-0.6B"
#: Computed from its config, of which the embedding is the output layer too.
SMALL_BYTES = 1_192_099_840


def test_a_draft_is_fetched_too(values: Path) -> None:
    found = json.loads(plan(values, DRAFT % SMALL, "--output", "json").stdout)["delivery"]
    assert (found["bytes"], found["draftBytes"], found["uncounted"]) == (LLAMA_BYTES + SMALL_BYTES, SMALL_BYTES, [])
    assert found["disk"]["volume, while a revision changes"] == 2 * LLAMA_BYTES + SMALL_BYTES
    assert found["disk"]["image"] == 2 * LLAMA_BYTES
    said = plan(values, DRAFT % SMALL).stdout
    assert "to fetch          16.07 GiB: " in said
    assert f"of it             {LLAMA} has 14.96 GiB of weights, and its draft {SMALL} 1.11 GiB" in said


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (DRAFT % "nobody/knows", ["nobody/knows"]),
        ("lora: {adapters: [{name: a, source: acme/a}, {name: b, source: acme/a}]}", ["acme/a"]),
        (DRAFT % LLAMA, []),
        (
            "engine: {args: {speculative-config: {method: eagle3, model: AngelSlim/Qwen3-8B_eagle3, "
            "num_speculative_tokens: 3}}}",
            ["AngelSlim/Qwen3-8B_eagle3"],
        ),
    ],
    ids=["a draft that is not known", "adapters", "the model itself", "layers of a draft"],
)
def test_what_is_not_counted_is_named(values: Path, text: str, names: list[str]) -> None:
    found = json.loads(plan(values, text, "--output", "json").stdout)["delivery"]
    assert (found["bytes"], found["uncounted"]) == (LLAMA_BYTES, names)
    said = plan(values, text).stdout
    assert ("not counted       " + ", ".join(names) in said) == bool(names)


def test_a_download_that_has_too_little_time_is_told_how_much(values: Path) -> None:
    result = plan(values, f"{SHARED % ''}, download: {{enabled: true, budgetSeconds: 60}}", "--gpu", "h100-80gb")
    assert "download.budgetSeconds: 300" in result.stdout


def found(text: str) -> list[Finding]:
    options: dict[str, Any] = {"values": {"model": {"id": LLAMA}} | values_from_yaml(f"{{{text}}}")}
    findings = check(helm.render(**options), helm.merged_values(**options), "0.33.0")
    return [finding for finding in findings if finding.check == delivery.VOLUME]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("persistence: {enabled: true, size: 10Gi}", "persistence.size"),
        ("persistence: {enabled: true, ephemeral: true, size: 10Gi}", "persistence.size"),
        (f"{SHARED % ', size: 10Gi'}, download: {{enabled: true}}", "persistence.size"),
        ("resources: {limits: {ephemeral-storage: 10Gi}}", "resources.limits.ephemeral-storage"),
        (
            "volumes: [{name: a, emptyDir: {sizeLimit: 10Gi}}], volumeMounts: [{name: a, mountPath: /w}], "
            "engine: {args: {download-dir: /w/models}}",
            "volumes",
        ),
    ],
)
def test_a_volume_that_does_not_hold_the_weights_is_refused(text: str, key: str) -> None:
    (finding,) = found(text)
    assert (finding.where, finding.severity) == (key, "error")
    assert "has 14.96 GiB of weights" in finding.message
    assert finding.remedy == "write at least 17Gi"


@pytest.mark.parametrize(
    "text",
    [
        "persistence: {enabled: true, size: 15Gi}",
        "persistence: {enabled: true, existingClaim: models, size: 1Gi}",
        "persistence: {enabled: false}",
        "persistence: {enabled: true, size: 1Gi}, model: {id: /cache/llama, servedModelName: [a]}",
        "persistence: {enabled: true, size: 1Gi}, model: {id: nobody/knows}",
        f"persistence: {{enabled: true, size: 1Gi}}, model: {{id: {LLAMA}, image: {{reference: 'a.example/b:1'}}}}",
        "volumes: [{name: a, emptyDir: {sizeLimit: 1Gi}}], volumeMounts: [{name: a, mountPath: /w}]",
        f"{SHARED % ', size: 40Gi'}, download: {{enabled: true, nextRevision: v2}}",
    ],
)
def test_what_is_large_enough_or_not_known_passes(text: str) -> None:
    assert found(text) == []


def test_a_volume_without_room_for_the_draft_is_refused() -> None:
    (finding,) = found(f"{SHARED % ', size: 16Gi'}, download: {{enabled: true}}, {DRAFT % SMALL}")
    assert finding.severity == "error"
    assert f"{LLAMA} has 14.96 GiB of weights, and its draft {SMALL} 1.11 GiB" in finding.message
    assert finding.remedy == "write at least 18Gi"


def test_a_volume_for_one_revision_alone_is_warned_of() -> None:
    (finding,) = found(f"{SHARED % ', size: 20Gi'}, download: {{enabled: true, nextRevision: v2}}")
    assert finding.severity == "warning"
    assert finding.remedy == "write at least 32Gi"


def test_the_plan_refuses_it_too(values: Path) -> None:
    result = plan(values, "persistence: {enabled: true, size: 10Gi}", "--gpu", "h100-80gb")
    assert result.exit_code == Exit.REFUSED
    assert "persistence.size" in result.stdout
