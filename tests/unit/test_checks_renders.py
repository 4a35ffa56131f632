"""What a check reads and renders: each once, and for every Kubernetes for which it may be something else."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import helm_python
import pytest

from vllm_chart import charts, checks, helm
from vllm_chart.checks import files
from vllm_chart.findings import Finding
from vllm_chart.helm import loading
from vllm_chart.rendered.manifests import Manifests

VERSIONS = ["1.30", "1.34", "1.37"]
GOOD = {"model": {"id": "org/name"}}


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The versions of Kubernetes that are rendered for, as they are."""
    asked: list[str | None] = []
    render: Callable[..., Manifests] = helm.render

    def noting(**options: Any) -> Manifests:
        asked.append(options.get("kube_version"))
        return render(**options)

    monkeypatch.setattr(helm, "render", noting)
    return asked


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A chart whose template is the test's to write."""
    helm_python.Chart.create("other", tmp_path)
    for file in (tmp_path / "other" / "templates").rglob("*.*"):
        file.unlink()
    return tmp_path / "other"


def write(chart: Path, data: str) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: b}}\ndata: {{x: {data}}}\n"
    (chart / "templates" / "map.yaml").write_text(text)


def test_a_chart_that_never_asks_for_the_version_is_rendered_twice(rendered: list[str | None]) -> None:
    checks.check(values=GOOD, kubernetes=VERSIONS)

    assert rendered == ["1.37", "1.37"]  # twice, because it has to be the same twice


@pytest.mark.parametrize(
    "data",
    ["{{ .Capabilities.KubeVersion.Minor | quote }}", '{{ tpl "{{ .Capabilities.KubeVersion.Minor }}" $ | quote }}'],
)
def test_one_that_asks_is_rendered_for_each(data: str, rendered: list[str | None], other: Path) -> None:
    write(other, data)
    checks.check(other, kubernetes=VERSIONS)

    assert rendered == ["1.37", "1.30", "1.34", "1.37"]


@pytest.mark.parametrize("data", ["as in _helpers.tpl", '{{ .Capabilities.APIVersions.Has "a/v1" }}'])
def test_what_follows_from_no_version_does_not_count(rendered: list[str | None], other: Path, data: str) -> None:
    write(other, data)
    checks.check(other, kubernetes=VERSIONS)

    assert rendered == ["1.37", "1.37"]


def test_what_is_refused_for_one_version_names_it(other: Path) -> None:
    write(other, '{{ if semverCompare "<1.34-0" .Capabilities.KubeVersion.Version }}{{ fail "too old" }}{{ end }}a')
    report = checks.check(other, kubernetes=VERSIONS)

    [finding] = [finding for finding in report.findings if finding.check == "render"]
    assert "too old" in finding.message
    assert finding.message.endswith("(Kubernetes 1.30)")


def test_examples_are_rendered_alike_for_every_kubernetes() -> None:
    examples = sorted((Path(__file__).parents[2] / "values").glob("*.yaml"))
    assert examples
    for file in examples:
        if charts.VLLM.asks_kubernetes(helm.merged_values(values_files=[file])):
            assert file.stem == "image-volume"
            continue
        oldest, newest = (helm.render(values_files=[file], kube_version=version) for version in ("1.30", "1.37"))
        assert list(oldest) == list(newest)


ZERO = {
    "model": {"id": "org/name"},
    "autoscaling": {
        "enabled": True,
        "kind": "HPA",
        "minReplicas": 0,
        "maxReplicas": 2,
        "wakeUp": {
            "metrics": [{"type": "External", "external": {"metric": {"name": "a"}, "target": {"type": "Value"}}}]
        },
    },
}


def test_values_that_depend_on_the_version_are_rendered_for_each(rendered: list[str | None]) -> None:
    checks.check(values=ZERO, kubernetes=VERSIONS)

    assert rendered == ["1.37", "1.30", "1.34", "1.37"]


def test_few_templates_ask_for_the_version() -> None:
    """`asks_kubernetes` of the chart says for which values: another template has to be in it, too."""
    asking = [
        path.name
        for path in (charts.VLLM.folder / "templates").rglob("*.*")
        if re.search(r"Capabilities\b(?!\.APIVersions\b)", path.read_text())
    ]
    assert sorted(asking) == ["_autoscaling.tpl", "_model_image.tpl"]


def test_charts_and_files_are_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("model: {id: org/name}\n")
    read: list[str] = []
    change, check = loading._changed, files.check

    def changed(path: Path | str) -> int:
        read.append(Path(path).name)
        return change(path)

    def check_file(path: Path) -> list[Finding]:
        read.append(path.name)
        return check(path)

    monkeypatch.setattr(loading, "_changed", changed)
    monkeypatch.setattr(files, "check", check_file)
    checks.check(values_files=[file], kubernetes=VERSIONS)

    assert (read.count("Chart.yaml"), read.count(file.name)) == (1, 1)


IMAGE_VOLUME = {
    "model": {"id": "/models/a", "servedModelName": ["a"]},
    "volumes": [{"name": "m", "image": {"reference": "registry.example/a:v1"}}],
    "volumeMounts": [{"name": "m", "mountPath": "/models/a", "readOnly": True}],
}
CLAIM = {
    "model": {"id": "org/name"},
    "gpu": {"count": 0},
    "resourceClaims": [{"name": "gpus", "resourceClaimName": "of-the-team"}],
    "resources": {"claims": [{"name": "gpus"}]},
}


@pytest.mark.parametrize("values", [IMAGE_VOLUME, CLAIM], ids=["an image as a volume", "a pod's claim"])
def test_a_field_that_came_later_refuses_only_versions_that_were_asked_for(values: dict[str, Any]) -> None:
    [told] = checks.check(values=values).findings
    [asked] = checks.check(values=values, kubernetes=["1.30", "1.37"]).findings

    assert told.severity == "info"
    assert told.message.endswith("(Kubernetes 1.30)")
    assert told.remedy == "run it on Kubernetes 1.31 or later; --kube-versions says which are yours"
    assert asked.severity == "error"
    assert not checks.check(values=values, kubernetes=["1.31"]).findings


def test_what_every_version_refuses_stays_an_error() -> None:
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "dat": {"a": "b"}}
    report = checks.check(values={"model": {"id": "org/name"}, "extraObjects": [extra]})

    assert any(finding.check == "kubernetes-schema" and finding.severity == "error" for finding in report.findings)
