"""Every supported Helm renders the same objects, and so does the library in process."""

from pathlib import Path
from typing import Any

import pytest

from ci import tools
from tests.render.conftest import EXAMPLES, versions
from vllm_chart import helm, support
from vllm_chart.helm import HelmError, ValuesOptions

CHART = helm.default_chart()

#: Named, because each Helm has a default of its own.
KUBERNETES = f"{support.KUBERNETES[-1]}.0"


@pytest.fixture(scope="module", params=["helm-3.18", "helm-3", "helm"])
def command(request: pytest.FixtureRequest) -> helm.Helm:
    """The oldest supported Helm, the last 3, and 4."""
    return helm.Helm(str(tools.TOOLS[request.param]()))


def test_every_helm_renders_an_example_alike(command: helm.Helm, example: Path) -> None:
    """Two versions of Kubernetes by turns: the version is the same text to each Helm, and decides in templates."""
    kubernetes = KUBERNETES if EXAMPLES.index(example) % 2 else f"{versions(example)[0]}.0"
    options: Any = {"kube_version": kubernetes, "namespace": "models", "values_files": [example]}

    assert command.template("llm", CHART, **options) == helm.render(release="llm", **options)


# Where the readings of a value could part: numbers, nulls, lists, dots in keys.
GIVEN: list[ValuesOptions] = [
    {"set_": ["model.id=org/name", "replicaCount=2,service.port=8080"]},
    {"set_": ["model.id=org/name", "engine.args.max-model-len=10000000", "engine.args.gpu-memory-utilization=0.9"]},
    {"set_": ["model.id=org/name", r"podAnnotations.example\.com/a=1", "podLabels.x=true"]},
    {"set_": ["model.id=org/name", "tolerations[0].key=gpu,tolerations[0].operator=Exists", "podLabels=null"]},
    {"set_": ["model.id=org/name"], "set_string": ["podLabels.number=0123,podAnnotations.flag=true"]},
    {"values": {"model": {"id": "org/name"}, "env": {"A": 10000000, "B": 0.5, "C": True, "D": None, "E": "1e3"}}},
    {
        "values": {"model": {"id": "org/name"}, "tolerations": [{"key": "a"}]},
        "set_": ["tolerations[0].effect=NoExecute"],
    },
    {"values": {"model": {"id": "org/name"}, "env": {"HOSTILE": "a: b # {{ c }} $(d) '\"\n---\n\ttab é\u2028"}}},
]


@pytest.mark.parametrize("options", GIVEN, ids=range(len(GIVEN)))
def test_every_helm_reads_values_alike(command: helm.Helm, options: ValuesOptions) -> None:
    rendered = command.template("llm", CHART, kube_version=KUBERNETES, **options)

    assert rendered == helm.render(kube_version=KUBERNETES, **options)


@pytest.mark.parametrize("values", [{}, {"model": {"id": "org/name"}, "replicas": 2}], ids=["rule", "schema"])
def test_every_helm_refuses_alike(command: helm.Helm, values: dict[str, Any]) -> None:
    with pytest.raises(HelmError) as from_command:
        command.template("llm", CHART, kube_version=KUBERNETES, values=values)
    with pytest.raises(HelmError) as in_process:
        helm.render(values=values)

    def told(refused: pytest.ExceptionInfo[HelmError]) -> list[str]:
        return [line.strip() for line in str(refused.value).splitlines() if line.lstrip().startswith("- ")]

    assert told(in_process)
    assert told(from_command) == told(in_process)
