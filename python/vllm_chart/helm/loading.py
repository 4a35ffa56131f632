"""Charts from disk, each read and its schema compiled once for as long as its files don't change."""

import dataclasses
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import helm_python

from vllm_chart.findings import UnavailableError
from vllm_chart.helm.compiled import compiled
from vllm_chart.helm.options import HelmError, StrPath

if TYPE_CHECKING:
    from vllm_chart.helm.compiled import Validator

SCHEMA = "values.schema.json"


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

    @functools.cached_property
    def validator(self) -> "Validator | None":
        """Its schema, compiled; None where what that says might not be what Helm does."""
        return compiled(self.schema)

    def accepts(self, merged: Mapping[str, Any]) -> bool:
        """Whether its schema surely takes merged values: where not, `helm.refusal` asks Helm."""
        return self.validator is not None and self.validator.is_valid(merged)

    @functools.cached_property
    def without_schema(self) -> helm_python.Chart:
        """The same chart, which takes any values: its templates alone decide."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / self.name
            if self.path.is_file():
                helm_python.expand(folder, os.fspath(self.path))
            else:
                shutil.copytree(self.path, copy, ignore=shutil.ignore_patterns(".git"))
            (copy / SCHEMA).unlink(missing_ok=True)
            return helm_python.Chart.load(copy)

    @functools.cached_property
    def asks_kubernetes(self) -> bool:
        """Whether it may render otherwise for another version of Kubernetes: a template asks `.Capabilities` for more
        than `.APIVersions` (which Helm is told, and which follow from no version), or renders a text of the values
        (`tpl`) that may. For a chart with others in it, that is not looked into."""
        asks = re.compile(r"\bCapabilities\b(?!\.APIVersions\b)|(?<!\.)\btpl\b")
        return bool(self.chart.dependencies) or any(asks.search(file["data"]) for file in self.chart.templates)

    @functools.cached_property
    def defaults(self) -> dict[str, Any]:
        """Its values, where the user gives none."""
        return self.merged({})

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
    changes = [_changed(path), *map(_changed, _inside(path))]
    return _load_state(path, (max(changes), len(changes)))


def _inside(folder: Path) -> Iterator[str]:
    """All that is in a folder, at every depth: `Path.rglob`, in a third of the time, which each render takes."""
    for here, folders, files in os.walk(folder):
        yield from (f"{here}{os.sep}{name}" for name in (*folders, *files))


def _changed(file: StrPath) -> int:
    """When a file changed, in nanoseconds; 0 for a link to nothing, and for what went while the directory was read."""
    try:
        return os.stat(file).st_mtime_ns
    except FileNotFoundError:
        return 0


@functools.lru_cache(maxsize=8)
def _load_state(path: Path, _state: tuple[int, int]) -> LoadedChart:
    """Loading costs as much as eight renders; the state makes an edited chart another one."""
    try:
        return LoadedChart(path, helm_python.Chart.load(path))
    except helm_python.HelmError as error:
        if dangling := next(_dangling(path), None):
            raise HelmError(
                f"{dangling} is a link to nothing, with which Helm loads no chart: remove it (an editor's lock file "
                "goes when the editor closes the file)"
            ) from error
        raise HelmError(f"{path}: {error}") from error


def _dangling(path: Path) -> Iterator[Path]:
    return (file for file in path.rglob("*") if file.is_symlink() and not file.exists())


def refuse_dependencies(loaded: LoadedChart) -> None:
    """Raises UnavailableError for a dependency that is missing, or that this library does not render as Helm does: it
    looks at no `condition`, no `tags` and no `import-values`. Templates that are only shared (type: library) are
    rendered alike."""
    libraries = {chart["name"] for chart in loaded.chart.dependencies if chart.get("type") == "library"}
    names = {chart["name"] for chart in loaded.chart.dependencies}
    for declared in loaded.about.get("dependencies") or ():
        if declared["name"] not in names:
            raise UnavailableError(
                f"{loaded.path}: charts/{declared['name']} is missing: call `helm dependency build` first"
            )
        if {"condition", "tags", "import-values"} & declared.keys():
            libraries.discard(declared["name"])
    if others := sorted(names - libraries):
        folder = loaded.path / "charts" / others[0]
        raise UnavailableError(
            f"chart {loaded.name} depends on {', '.join(others)}, which may be switched off by its values: the helm "
            "command alone renders it (in a program: Helm().template). Put the values of one of them in a file, and "
            f"check them with that chart: --chart {folder if folder.is_dir() else others[0]} -f FILE"
        )
