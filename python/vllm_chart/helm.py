"""Helm, twice: the command, and its own library in process (about 1 ms a render, where the command takes 40).

The library is helm-python-sdk, which holds Helm 4. Files and expressions are read, values coalesced and
templates rendered by Helm's own code, so that nothing here can drift from what `helm install` does.
"""

import dataclasses
import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import helm_python
from helm_python import _native

from vllm_chart.findings import UnavailableError
from vllm_chart.manifests import Manifests

StrPath = str | os.PathLike[str]

MINIMUM_HELM = (3, 18)


class HelmError(Exception):
    """Helm refused; the text is Helm's own message. `output` is what the command had printed until then."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class ValuesOptions(TypedDict, total=False):
    """The values of one call, in Helm's order of precedence: each beats the one before."""

    values_files: Sequence[StrPath]
    """`--values`: files, the later one beats the earlier one."""
    values: Mapping[str, Any]
    """One more file, given as a mapping."""
    set_: Sequence[str]
    """`--set`: expressions, "gpu.count=2" or "tolerations[0].key=gpu"."""
    set_string: Sequence[str]
    """`--set-string`: the same, where every value is text."""


def default_chart() -> Path:
    """The chart this package belongs to: `chart/` in an installed package, `charts/vllm` in the repository.

    Raises UnavailableError when there is neither.
    """
    here = Path(__file__).resolve()
    for candidate in (here.parent / "chart", here.parents[2] / "charts" / "vllm"):
        if (candidate / "Chart.yaml").is_file():
            return candidate
    raise UnavailableError("the vllm chart is not beside this package: name its directory with --chart")


# In process


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


# The command


@dataclasses.dataclass(frozen=True)
class Helm:
    """The helm command, of a version that the chart supports.

    command: the program; by default what `HELM` names, else `helm` on PATH.
    kubeconfig, context: the cluster; by default what the command itself would take.

    Every method raises HelmError with Helm's message when Helm refuses.
    """

    command: str = dataclasses.field(default_factory=lambda: os.environ.get("HELM", "helm"))
    kubeconfig: StrPath | None = None
    context: str | None = None

    def __post_init__(self) -> None:
        """Raises UnavailableError when there is no such command, or when it is too old."""
        if not shutil.which(self.command):
            raise UnavailableError(
                f"no command {self.command!r}: install Helm (https://helm.sh/docs/intro/install), "
                "or name it in the environment variable HELM"
            )
        if self.version < MINIMUM_HELM:
            found, wanted = (".".join(map(str, version)) for version in (self.version, MINIMUM_HELM))
            raise UnavailableError(f"{self.command} is Helm {found}, the chart needs {wanted} or later")

    @functools.cached_property
    def version(self) -> tuple[int, int]:
        """Major and minor version, (4, 3)."""
        found = re.match(r"v?(\d+)\.(\d+)", self._run("version", "--template", "{{ .Version }}"))
        if not found:
            raise UnavailableError(f"{self.command} does not tell its version: is it Helm?")
        return int(found[1]), int(found[2])

    def template(
        self,
        release: str,
        chart: StrPath,
        *,
        namespace: str = "default",
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
        **options: Unpack[ValuesOptions],
    ) -> Manifests:
        """Render a chart, its hooks included. No cluster is asked."""
        flags = [*_flag("--kube-version", kube_version), *(f"--api-versions={api}" for api in api_versions)]
        return Manifests.parse(self._run("template", release, chart, "-n", namespace, *flags, **options))

    def lint(self, chart: StrPath, **options: Unpack[ValuesOptions]) -> str:
        """Lint a chart, warnings being refusals; what Helm printed."""
        return self._run("lint", "--strict", chart, **options)

    def install(
        self,
        release: str,
        chart: StrPath,
        *,
        namespace: str = "default",
        wait: bool = False,
        timeout: int = 300,
        create_namespace: bool = False,
        **options: Unpack[ValuesOptions],
    ) -> str:
        """Install a release; what Helm printed, NOTES.txt included. timeout: seconds of each wait."""
        flags = [*_wait(wait, timeout), *(["--create-namespace"] if create_namespace else [])]
        return self._run("install", release, chart, "-n", namespace, *flags, **options)

    def upgrade(
        self,
        release: str,
        chart: StrPath,
        *,
        namespace: str = "default",
        wait: bool = False,
        timeout: int = 300,
        install: bool = False,
        **options: Unpack[ValuesOptions],
    ) -> str:
        """Upgrade a release (`install`: or install it) to exactly these values; what Helm printed."""
        flags = [*_wait(wait, timeout), *(["--install"] if install else [])]
        return self._run("upgrade", release, chart, "-n", namespace, *flags, **options)

    def rollback(
        self,
        release: str,
        revision: int = 0,
        *,
        namespace: str = "default",
        wait: bool = False,
        timeout: int = 300,
    ) -> str:
        """Go back to a revision, 0 being the one before the current one."""
        return self._run("rollback", release, str(revision), "-n", namespace, *_wait(wait, timeout))

    def uninstall(self, release: str, *, namespace: str = "default", wait: bool = False, timeout: int = 300) -> str:
        """Remove a release."""
        return self._run("uninstall", release, "-n", namespace, *_wait(wait, timeout))

    def test(self, release: str, *, namespace: str = "default", timeout: int = 300, logs: bool = True) -> str:
        """Run the release's test hooks; what Helm printed, with the logs of the test pods."""
        flags = [f"--timeout={timeout}s", *(["--logs"] if logs else [])]
        return self._run("test", release, "-n", namespace, *flags)

    def status(self, release: str, *, namespace: str = "default") -> dict[str, Any]:
        """The release as Helm knows it: its `info`, `version` (revision) and `config`."""
        status: dict[str, Any] = json.loads(self._run("status", release, "-n", namespace, "-o", "json"))
        return status

    def get_values(self, release: str, *, namespace: str = "default", all_values: bool = False) -> dict[str, Any]:
        """The values of a release: the user's, or (`all_values`) with the chart's defaults under them."""
        flags = ["-o", "json", *(["--all"] if all_values else [])]
        values: dict[str, Any] | None = json.loads(self._run("get", "values", release, "-n", namespace, *flags))
        return values or {}

    def _run(self, *arguments: StrPath, **options: Unpack[ValuesOptions]) -> str:
        command = [self.command, *(os.fspath(argument) for argument in arguments)]
        command += [*_flag("--kubeconfig", self.kubeconfig), *_flag("--kube-context", self.context)]
        command += [f"--values={os.fspath(file)}" for file in options.get("values_files", ())]
        command += ["--values=-"] if "values" in options else []
        command += [f"--set={expression}" for expression in options.get("set_", ())]
        command += [f"--set-string={expression}" for expression in options.get("set_string", ())]
        stdin = json.dumps(options.get("values", {}))
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            message = done.stderr.strip().removeprefix("Error: ")
            raise HelmError(message or f"helm ended with {done.returncode}", output=done.stdout)
        return done.stdout


def _flag(name: str, value: StrPath | None) -> list[str]:
    return [f"{name}={os.fspath(value)}"] if value else []


def _wait(wait: bool, timeout: int) -> list[str]:
    return [f"--timeout={timeout}s", *(["--wait"] if wait else [])]
