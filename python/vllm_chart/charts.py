"""The charts of this project: the one place that knows which there are, and what belongs to each.

Generated files, `validate`, `check`, the linter and the pytest plugin go over all of them. A new chart is a folder in
`charts/`, a values model and an entry here.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vllm_chart import facts, network, support
from vllm_chart.endpoint import alerts as endpoint_alerts
from vllm_chart.endpoint import versions as envoy_versions
from vllm_chart.findings import Check, Finding, WrongCallError
from vllm_chart.helm import AnyChart, LoadedChart, chart_folder, load
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.sizing import check as sizing_check
from vllm_chart.sizing import ranks
from vllm_chart.vllm_args import chat_template, compiling, scaling, surroundings, telling
from vllm_chart.vllm_args import check as engine_check
from vllm_chart.vllm_args import schema as engine_schema
from vllm_chart.vllm_args.owned import OWNED_FLAGS

if TYPE_CHECKING:
    from vllm_chart.live.preflight.own import Own
    from vllm_chart.values.base import Block

Examination = Callable[[Manifests, Mapping[str, Any], str], Iterable[Finding]]
"""Checks that know what a chart's values mean: they get what it renders, the merged values and its appVersion."""


@dataclasses.dataclass(frozen=True)
class Chart:
    """A chart of this project.

    name: as in its Chart.yaml, and of its folder in `charts/`.
    model: gives the model that its values.yaml, its schema and the table in its README are written from; those who only
        check values spare themselves its import.
    checks: the checks that it has beside those of every chart; their findings come from `examinations`, and those about
        an upgrade from `--upgrade-from`.
    asks_kubernetes: whether it may render otherwise for another version of Kubernetes with these merged values, where a
        template of it asks for the version at all.
    reads: keys of its values without which those can't be run: a chart of another's, of the same name, lacks them.
    preflight: gives what its releases need of a cluster beside what all do; None where `preflight` is not about them.
    examples: the folder in the repository with values files to try it with, "" for none.
    path: where it lies, if not where this project's charts do.

    For its generated files:
    title: what it is the chart of, in sentences.
    hint: the first line of its values.yaml. introduction: what stands in its README before the values.
    facts: what its templates and this package both know, by the name of the file in `files/generated` (.json or .yaml).
    schema: what its schema has beside what follows from `values`, given its appVersion; `$defs` are merged.
    """

    name: str
    model: "Callable[[], type[Block]]"
    checks: tuple[Check, ...] = ()
    examinations: tuple[Examination, ...] = ()
    asks_kubernetes: Callable[[Mapping[str, Any]], bool] = lambda values: True
    reads: frozenset[str] = frozenset()
    preflight: "Callable[[], Own] | None" = None
    examples: str = ""
    path: Path | None = None
    title: str = ""
    hint: str = ""
    introduction: str = ""
    facts: Mapping[str, Callable[[], Any]] = dataclasses.field(default_factory=dict)
    schema: Callable[[str], dict[str, Any]] = lambda _: {}

    @property
    def values(self) -> "type[Block]":
        """The model of its values."""
        return self.model()

    @property
    def folder(self) -> Path:
        """Where it lies. Raises UnavailableError where it is not beside this package."""
        return self.path or chart_folder(self.name)

    def examine(self, manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
        """What the checks of its own find."""
        return [finding for examine in self.examinations for finding in examine(manifests, values, app_version)]


def _vllm_values() -> "type[Block]":
    from vllm_chart.values.vllm.root import Values

    return Values


def _block(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A block of values that nobody has checked yet: what is written in its place is refused later."""
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _asks_kubernetes(values: Mapping[str, Any]) -> bool:
    """What newer versions only do: an HPA that scales to zero (validate/_autoscaling.tpl), images as volumes
    (_model_image.tpl). No other template asks."""
    autoscaling = _block(values, "autoscaling")
    to_zero = autoscaling.get("kind") == "HPA" and not autoscaling.get("minReplicas")
    image = _block(_block(values, "model"), "image")
    return (bool(autoscaling.get("enabled")) and to_zero) or bool(image.get("reference"))


def _vllm_schema(app_version: str) -> dict[str, Any]:
    return {"$defs": engine_schema.definitions(OWNED_FLAGS), **engine_schema.by_version(app_version)}


def _engine_preflight() -> "Own":
    from vllm_chart.live.preflight import engine

    return engine.OWN


def _endpoint_preflight() -> "Own":
    from vllm_chart.live.preflight import endpoint

    return endpoint.OWN


VLLM = Chart(
    "vllm",
    model=_vllm_values,
    checks=(
        *engine_check.CHECKS,
        *chat_template.CHECKS,
        *surroundings.CHECKS,
        *scaling.CHECKS,
        *telling.CHECKS,
        *compiling.CHECKS,
        *network.CHECKS,
        *sizing_check.CHECKS,
        *ranks.CHECKS,
    ),
    examinations=(
        engine_check.check_release,
        chat_template.check_release,
        surroundings.check_release,
        scaling.check_release,
        telling.check_release,
        network.check_release,
        sizing_check.check,
    ),
    asks_kubernetes=_asks_kubernetes,
    preflight=_engine_preflight,
    reads=frozenset(("model", "hub", "engine", "gpu", "parallelism", "resources", "image")),
    examples="values",
    title="vLLM",
    hint="Every value and its default. A model that fits one GPU needs model.id and nothing else.",
    introduction=f"""\
    helm install llm ./charts/vllm --set model.id=Qwen/Qwen3-8B

One release is one model. What is refused, and why, is said by `helm install` itself; `vllm-chart check -f mine.yaml`
(the package of the chart's repository) says more. That repository also has examples (`values/`), and pages on upgrades,
on what happens to requests while pods come and go, and on sizes (`docs/`).

The live tests run vLLM {support.VLLM_LIVE}, its CPU build. vLLM {support.VLLM_DEFAULT}, the default, is known by its
own parser of arguments, and its image has not been run by this project.""",
    facts={"facts.json": facts.facts, "flags.json": engine_schema.rendering},
    schema=_vllm_schema,
)


def _endpoint_values() -> "type[Block]":
    from vllm_chart.values.endpoint.root import Values

    return Values


ENDPOINT = Chart(
    "vllm-endpoint",
    model=_endpoint_values,
    checks=(*network.CHECKS, *envoy_versions.CHECKS),
    examinations=(network.check_endpoint, envoy_versions.check_release),
    reads=frozenset(("models", "clients", "paths")),
    preflight=_endpoint_preflight,
    examples="values/endpoint",
    title="Envoy",
    hint="Every value and its default. It needs models and clients.secretName.",
    introduction="""\
    helm install llm-endpoint ./charts/vllm-endpoint -f values/endpoint/two-models.yaml

One address in front of releases of charts/vllm. What is refused, and why, is said by `helm install` itself;
`vllm-chart check --chart vllm-endpoint -f mine.yaml` (the package of the chart's repository) says more. That repository
also has an example (`values/endpoint/`), and a page on what the endpoint does and how its clients are written
(`docs/endpoint.md`).""",
    facts={"alerts.json": endpoint_alerts.facts},
)

#: Every chart by its name.
CHARTS: dict[str, Chart] = {chart.name: chart for chart in (VLLM, ENDPOINT)}


def of(chart: AnyChart = None) -> Chart | None:
    """Which of this project's charts a directory or archive holds; None for another's.

    Raises HelmError for what is no chart.
    """
    loaded: LoadedChart = load(chart)
    ours = CHARTS.get(loaded.name)
    return ours if ours and ours.reads <= loaded.defaults.keys() else None


def require(chart: AnyChart, command: str, wanted: Chart = VLLM) -> LoadedChart:
    """The chart, where it is one that a command knows the values of.

    Raises WrongCallError where it is another, HelmError for what is no chart.
    """
    loaded = load(chart)
    if of(loaded) is not wanted:
        raise WrongCallError(f"{loaded.path} is not the chart {wanted.name}, which `{command}` is about: see `check`")
    return loaded


def having(chart: AnyChart, command: str, key: str) -> LoadedChart:
    """The chart, where it is one of this project's with such a key in its values, which a command is about.

    Raises WrongCallError where it is not, HelmError for what is no chart.
    """
    loaded = load(chart)
    if of(loaded) is None or key not in loaded.defaults:
        raise WrongCallError(f"{loaded.path} has no {key} among its values, which `{command}` is about: see `check`")
    return loaded
