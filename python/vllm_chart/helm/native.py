"""Helm in process: its own library, which helm-python-sdk holds (Helm 4).

Files and expressions are read, values coalesced and templates rendered by Helm's own code, so that nothing here can
drift from what `helm install` does.
"""

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import helm_python
from helm_python import _native

from vllm_chart.findings import UnavailableError
from vllm_chart.helm.options import HelmError, StrPath, ValuesOptions
from vllm_chart.rendered.manifests import Manifests


def default_chart() -> Path:
    """The chart this package belongs to: `chart/` in an installed package, `charts/vllm` in the repository.

    Raises UnavailableError when there is neither.
    """
    here = Path(__file__).resolve()
    for candidate in (here.parents[1] / "chart", here.parents[3] / "charts" / "vllm"):
        if (candidate / "Chart.yaml").is_file():
            return candidate
    raise UnavailableError("the vllm chart is not beside this package: name its directory with --chart")


def user_values(**options: Unpack[ValuesOptions]) -> dict[str, Any]:
    """What the user gave, merged as Helm merges it, without the chart's defaults.

    Raises HelmError for a malformed file or expression, OSError for an unreadable file.
    """
    merged: dict[str, Any] = {}
    for file in options.get("values_files", ()):
        try:
            merged = _merge(merged, helm_python.values_from_yaml(Path(file).read_text()))
        except (helm_python.HelmError, UnicodeDecodeError) as error:
            raise HelmError(f"{os.fspath(file)}: {error}") from error
    merged = _merge(merged, options.get("values", {}))
    for expression in options.get("set_", ()):
        merged = _set(merged, "--set", expression)
    for expression in options.get("set_string", ()):
        merged = _set(merged, "--set-string", expression)
    return merged


def merged_values(chart: StrPath | None = None, **options: Unpack[ValuesOptions]) -> dict[str, Any]:
    """The values that the chart's templates see: its defaults under the user's. Raises as `user_values`."""
    return _load(chart).merge_values(user_values(**options))


def app_version(chart: StrPath | None = None) -> str:
    """The chart's appVersion: vLLM's version where `image.tag` is empty. Raises HelmError if it is no chart."""
    return str(_load(chart).metadata.get("appVersion", ""))


def values_schema(chart: StrPath | None = None) -> dict[str, Any]:
    """The chart's values.schema.json; an empty schema where it has none."""
    return _load(chart).schema or {}


def render(
    *,
    chart: StrPath | None = None,
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
    loaded = _load(chart)
    if loaded.dependencies:
        # The library renders them without looking at their `condition`.
        raise HelmError(f"chart {loaded.name} has dependencies: render it with the command, Helm().template")
    target: dict[str, object] = {"name": release, "namespace": namespace, "api_versions": list(api_versions)}
    if kube_version:
        target["kube_version"] = kube_version
    values = json.dumps(user_values(**options))
    try:
        helm_python.validate_release_name(release)
        # Chart.render does not hand on kube_version and api_versions, which the library itself takes.
        rendered = _native.call_string("helm_render", loaded._raw(), values, json.dumps(target))
    except helm_python.HelmError as error:
        raise HelmError(str(error).strip()) from error
    return Manifests.from_templates(json.loads(rendered))


def _load(chart: StrPath | None) -> helm_python.Chart:
    path = Path(chart) if chart else default_chart()
    if not path.is_file() and not (path / "Chart.yaml").is_file():
        raise HelmError(f"{path} is not a chart: there is no Chart.yaml in it")
    changes = [file.stat().st_mtime_ns for file in (path, *path.rglob("*"))]
    return _load_state(path, (max(changes), len(changes)))


@functools.lru_cache(maxsize=8)
def _load_state(path: Path, _state: tuple[int, int]) -> helm_python.Chart:
    """Loading costs as much as eight renders; the state makes an edited chart another one."""
    try:
        return helm_python.Chart.load(path)
    except helm_python.HelmError as error:
        raise HelmError(f"{path}: {error}") from error


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Helm's merge of values files (its `loader.MergeMaps`): maps merge, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


#: A private character, that no value has.
_STAND_IN = "\ue000"


def _set(base: Mapping[str, Any], flag: str, expression: str) -> dict[str, Any]:
    """Apply one `--set` expression to values.

    "a[1].b=c" changes one element of a list that is there already, so Helm's parser has to see that list; but
    the library parses an expression on its own. So the values are spelt as an expression before the user's,
    with a text in the place of each scalar, which is put back afterwards.
    """
    parse = {"--set": helm_python.parse_set_string, "--set-string": helm_python.parse_set_string_values}[flag]
    scalars: dict[str, Any] = {}

    def spell(value: Any, path: str) -> list[str]:
        if isinstance(value, dict):
            # One key more, so that an empty map is spelt too.
            keys = {_STAND_IN: 0, **value}.items()
            return [part for key, inner in keys for part in spell(inner, f"{path}.{_escape(key)}")]
        if isinstance(value, list) and value:
            return [part for index, inner in enumerate(value) for part in spell(inner, f"{path}[{index}]")]
        if value == [] and "[" not in path:
            return []  # there is no spelling that an index could follow; the merge below puts it back
        scalars[text := f"{_STAND_IN}{len(scalars)}"] = value
        return [f"{path.removeprefix('.')}={text}"]

    def restore(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: restore(inner) for key, inner in value.items() if key != _STAND_IN}
        if isinstance(value, list):
            return [restore(inner) for inner in value]
        return scalars.get(value, value) if isinstance(value, str) else value

    try:
        parse(expression)  # on its own first, for an error message without the stand-ins
        parsed = parse(",".join([*spell(base, ""), expression]))
    except helm_python.HelmError as error:
        raise HelmError(f"{flag} {expression}: {str(error).replace(_STAND_IN, '')}") from error
    return _merge(base, restore(parsed))


def _escape(key: str) -> str:
    return re.sub(r"([\\.,=\[])", r"\\\1", key)
