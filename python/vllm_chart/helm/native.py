"""Helm in process: its own library, which helm-python-sdk holds (Helm 4).

Files and expressions are read, values coalesced and templates rendered by Helm's own code, so that nothing here can
drift from what `helm install` does.
"""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import helm_python
from helm_python import _native

from vllm_chart.findings import UnavailableError
from vllm_chart.helm.options import HelmError, StrPath, ValuesOptions
from vllm_chart.helm.values import user_values
from vllm_chart.rendered.manifests import Manifests


def chart_folder(name: str) -> Path:
    """A chart that this package belongs to: within the package where it is installed, `charts/` in the repository.

    Raises UnavailableError when it is in neither.
    """
    here = Path(__file__).resolve()
    for charts in (here.parents[1] / "data" / "charts", here.parents[3] / "charts"):
        if (charts / name / "Chart.yaml").is_file():
            return charts / name
    raise UnavailableError(f"the chart {name} is not beside this package: name its directory with --chart")


def default_chart() -> Path:
    """The chart that is taken where none is named. Raises as `chart_folder`."""
    return chart_folder("vllm")


@dataclasses.dataclass(frozen=True)
class LoadedChart:
    """A chart as it was read once, for whoever needs it more than once. Every function here takes it for a path."""

    path: Path
    chart: helm_python.Chart = dataclasses.field(repr=False)

    @functools.cached_property
    def about(self) -> dict[str, Any]:
        """Its Chart.yaml."""
        return self.chart.metadata

    @property
    def name(self) -> str:
        return str(self.about.get("name", ""))

    @property
    def app_version(self) -> str:
        """The version of what it runs: for the chart vllm, vLLM's where `image.tag` is empty."""
        return str(self.about.get("appVersion", ""))

    @functools.cached_property
    def schema(self) -> dict[str, Any]:
        """Its values.schema.json; an empty schema where it has none."""
        return self.chart.schema or {}

    def merged(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values that its templates see: its defaults under the user's."""
        return self.chart.merge_values(dict(values))


AnyChart = StrPath | LoadedChart | None
"""Which chart: its directory or archive, or one that was read already; None for `default_chart`."""


def load(chart: AnyChart = None) -> LoadedChart:
    """Read a chart. Raises HelmError for what is no chart."""
    if isinstance(chart, LoadedChart):
        return chart
    path = Path(chart) if chart else default_chart()
    if not path.is_file() and not (path / "Chart.yaml").is_file():
        raise HelmError(f"{path} is not a chart: there is no Chart.yaml in it")
    changes = [file.lstat().st_mtime_ns for file in (path, *path.rglob("*"))]
    return _load_state(path, (max(changes), len(changes)))


@functools.lru_cache(maxsize=8)
def _load_state(path: Path, _state: tuple[int, int]) -> LoadedChart:
    """Loading costs as much as eight renders; the state makes an edited chart another one."""
    try:
        return LoadedChart(path, helm_python.Chart.load(path))
    except helm_python.HelmError as error:
        raise HelmError(f"{path}: {error}") from error


def merged_values(chart: AnyChart = None, **options: Unpack[ValuesOptions]) -> dict[str, Any]:
    """The values that the chart's templates see: its defaults under the user's. Raises as `user_values`."""
    return load(chart).merged(user_values(**options))


def app_version(chart: AnyChart = None) -> str:
    """The chart's appVersion. Raises HelmError if it is no chart."""
    return load(chart).app_version


def values_schema(chart: AnyChart = None) -> dict[str, Any]:
    """The chart's values.schema.json; an empty schema where it has none."""
    return load(chart).schema


def render(
    *,
    chart: AnyChart = None,
    release: str = "llm",
    namespace: str = "default",
    kube_version: str | None = None,
    api_versions: Sequence[str] = (),
    **options: Unpack[ValuesOptions],
) -> Manifests:
    """Render a chart (default: ours) in process, as `helm template` does.

    kube_version: the Kubernetes to render for, "1.34"; None is the library's newest.
    api_versions: APIs that the cluster has beside the built-in ones, "monitoring.coreos.com/v1".

    Raises HelmError with Helm's message when the schema or a template refuses, OSError for an unreadable
    file, ManifestError when what was rendered is no Kubernetes manifest.
    """
    loaded = load(chart)
    _refuse_dependencies(loaded)
    target: dict[str, object] = {"name": release, "namespace": namespace, "api_versions": list(api_versions)}
    if kube_version:
        target["kube_version"] = kube_version
    values = json.dumps(user_values(**options))
    try:
        helm_python.validate_release_name(release)
        # Chart.render does not hand on kube_version and api_versions, which the library itself takes.
        rendered = _native.call_string("helm_render", loaded.chart._raw(), values, json.dumps(target))
    except helm_python.HelmError as error:
        raise HelmError(str(error).strip()) from error
    return Manifests.from_templates(json.loads(rendered))


def _refuse_dependencies(loaded: LoadedChart) -> None:
    """Raises HelmError for a dependency that this library does not render as Helm does: it looks at no `condition`,
    no `tags` and no `import-values`. Templates that are only shared (type: library) are rendered alike."""
    libraries = {chart["name"] for chart in loaded.chart.dependencies if chart.get("type") == "library"}
    names = {chart["name"] for chart in loaded.chart.dependencies}
    for declared in loaded.about.get("dependencies") or ():
        if declared["name"] not in names:
            raise HelmError(f"{loaded.path}: charts/{declared['name']} is missing: call `helm dependency build` first")
        if {"condition", "tags", "import-values"} & declared.keys():
            libraries.discard(declared["name"])
    if others := sorted(names - libraries):
        raise HelmError(
            f"chart {loaded.name} depends on {', '.join(others)}, which may be switched off by its values: "
            "render it with the command, Helm().template"
        )
