"""What of an upgrade makes vLLM compile anew."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from helm_python import values_from_yaml

from tests.commands import run
from tests.preflights import preflight
from vllm_chart.findings import Exit, Finding
from vllm_chart.helm import render
from vllm_chart.rendered.workload import Workload, engine
from vllm_chart.vllm_args.compiling import COMPILE

KEPT = "persistence: {enabled: true}\n"


def live(text: str = "") -> Workload:
    values: dict[str, Any] = values_from_yaml("model: {id: org/name}\n" + KEPT + text)
    return engine(render(values=values))


def found(text: str, installed: Workload | None, kept: str = KEPT) -> list[Finding]:
    return [finding for finding in preflight(kept + text, live=installed) if finding.check == COMPILE]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("image: {tag: v0.32.0}", "image"),
        ("env: {VLLM_USE_AOT_COMPILE: 0}", "env.VLLM_USE_AOT_COMPILE"),
        ("engine: {args: {dtype: float16}}", "engine.args.dtype"),
        ("gpu: {count: 2}", "gpu.count"),
        ("model: {id: org/name, revision: v2}", "model.revision"),
        ("hub: {offline: true}", "hub.offline, or download"),
    ],
)
def test_what_is_in_the_key_is_named(text: str, key: str) -> None:
    (finding,) = found(text, live())
    assert f"compiled anew: {key} is in the key" in finding.message
    assert finding.severity == "info"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "env: {VLLM_LOGGING_LEVEL: DEBUG, OTHER: a}",
        "replicaCount: 1",
        "model: {id: org/name, servedModelName: [chat]}",
        "engine: {args: {enforce-eager: true, dtype: float16}}",
    ],
)
def test_what_is_not_is_not(text: str) -> None:
    assert found(text, live()) == []


def test_nothing_is_said_where_nothing_is_kept_or_there_is_no_release() -> None:
    assert found("image: {tag: v0.32.0}", None) == []
    assert found("image: {tag: v0.32.0}", live(), kept="") == []


# `check --upgrade-from`


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """As `helm get manifest` prints them."""
    file = tmp_path / "installed.yaml"
    objects = render(values=values_from_yaml("model: {id: org/name}\n" + KEPT))
    file.write_text("\n".join(f"---\n{json.dumps(each)}" for each in objects))
    return file


def check(manifests: Path, *set_: str) -> Result:
    values = [f"--set={each}" for each in ("model.id=org/name", "persistence.enabled=true", *set_)]
    return run("check", "--kube-versions=1.37", f"--upgrade-from={manifests}", *values)


def test_check_tells_of_an_upgrade_without_a_cluster(manifests: Path) -> None:
    result = check(manifests, "engine.args.dtype=float16", "image.tag=v0.32.0")
    assert result.exit_code == Exit.OK
    assert "compiled anew: image, engine.args.dtype is in the key of the compile cache" in result.stdout
    assert f"[{COMPILE}]" in result.stdout
    assert COMPILE not in check(manifests, "image.tag=v0.32.0", "persistence.enabled=false").stdout


def test_an_upgrade_that_keeps_the_key_is_told_nothing(manifests: Path) -> None:
    assert COMPILE not in check(manifests, "replicaCount=1").stdout


def test_it_can_be_ignored_as_any_check(manifests: Path) -> None:
    result = run("check", "--upgrade-from", manifests, "--set=model.id=org/name", "--ignore", COMPILE)
    assert f"ignored: {COMPILE}" in result.stdout


def test_what_is_no_release_is_a_wrong_call(manifests: Path) -> None:
    manifests.write_text("kind: Service\napiVersion: v1\nmetadata: {name: a}\n")
    result = check(manifests)
    assert result.exit_code == Exit.USAGE
    assert "no workload with a container vllm; rendered: Service/a: write what `helm get manifest" in result.stderr


def test_the_endpoint_compiles_nothing(manifests: Path) -> None:
    result = run("check", "--chart=vllm-endpoint", f"--upgrade-from={manifests}")
    assert result.exit_code == Exit.USAGE
    assert "vllm-endpoint compiles nothing" in result.stderr


def test_standard_input_is_read_once() -> None:
    result = run("check", "--values=-", "--upgrade-from=-", given="model: {id: org/name}\n")
    assert result.exit_code == Exit.USAGE
    assert "--upgrade-from: standard input has the values already" in result.stderr
