"""What of an upgrade makes vLLM compile anew."""

from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.preflights import preflight
from vllm_chart.findings import Finding
from vllm_chart.helm import render
from vllm_chart.live.preflight.compiling import COMPILE
from vllm_chart.rendered.workload import Workload, engine

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
