"""What the dashboards are made of: Grafana's variables, rows and panels, by its own library."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
#: That of Grafana 10.0. Newer ones migrate it, older ones don't know newer ones.
SCHEMA_VERSION = 38
#: Lists the releases: every engine has it, a loading or an idle one too once it has been up.
ALWAYS_THERE = "vllm:num_requests_running"
#: Of a line that others are compared with.
REFERENCE = "^(SLO|target)$"
DASHES: list[dict[str, Any]] = [
    {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}},
    {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}},
    {"id": "custom.fillOpacity", "value": 0},
    {"id": "custom.stacking", "value": {"mode": "none"}},
]

Panel = Builder[model.Panel]


@dataclass(frozen=True)
class Query:
    """An expression, and what its series are called, with Grafana's `{{label}}` in it."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """A dashboard.

    name: of its file. tag: which it is found by among others. chart: in which it lies. with_variables: whether what is
    chosen in it is so in those that it leads to, which are those of releases of charts/vllm.
    """

    name: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Builder[model.VariableModel]] = field(default_factory=list)
    tag: str = "vllm"
    chart: str = "vllm"
    with_variables: bool = True

    def build(self) -> model.Dashboard:
        board = (
            dashboard.Dashboard(self.title)
            .uid(f"vllm-{self.name}")
            .description(self.description)
            .tags([self.tag])
            .time("now-1h", "now")
            .refresh("30s")
            .timezone("browser")
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .link(
                dashboard.DashboardLink("vLLM")
                .type(model.DashboardLinkType.DASHBOARDS)
                .tags(["vllm"])
                .as_dropdown(True)
                .include_vars(self.with_variables)
                .keep_time(True)
            )
        )
        for variable in self.variables:
            board.with_variable(variable)
        for row in self.rows:
            board.with_row(dashboard.Row(row.title))
            for panel in row.panels:
                board.with_panel(panel)
        built = board.build()
        built.schema_version = SCHEMA_VERSION
        for place, placed in enumerate(built.panels or [], 1):
            placed.id_val = place
        return built


# -- variables ---------------------------------------------------------------------------------------------


def datasource() -> Builder[model.VariableModel]:
    return dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def namespace(series: str = ALWAYS_THERE) -> Builder[model.VariableModel]:
    """series: what every release has, and nobody else."""
    return _found("namespace", "Namespace", f"label_values({series}, namespace)")


def release(series: str = ALWAYS_THERE) -> Builder[model.VariableModel]:
    """The name of the release's objects: the part of `job` after the namespace, whatever it is made of."""
    name, _, matchers = series.partition("{")
    where = ",".join(filter(None, ['namespace="$namespace"', matchers.removesuffix("}")]))
    query = f"label_values({name}{{{where}}}, job)"
    return _found("release", "Release", query).regex("/^[^/]+\\/(.+)$/")


def pod() -> Builder[model.VariableModel]:
    query = f'label_values({ALWAYS_THERE}{{namespace="$namespace",job="$namespace/$release"}}, pod)'
    all_of_them = model.VariableOption(text="All", value="$__all", selected=True)
    return _found("pod", "Pod", query).multi(True).include_all(True).all_value(".*").current(all_of_them)


def _found(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query({"query": query, "refId": name, "qryType": 5})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )


def number(name: str, label: str, value: str, *, hidden: bool = False) -> Builder[model.VariableModel]:
    """A number that can be typed in. The chart writes a release's own into its dashboards: `vllm.dashboards.numbers`.

    hidden: said by the values and seldom looked at; `?var-NAME=` in the address changes it.
    """
    option = model.VariableOption(text=value, value=value, selected=True)
    variable = dashboard.TextBoxVariable(name).label(label).default_value(value).current(option).options([option])
    return variable.hide(model.VariableHide.HIDE_VARIABLE) if hidden else variable


# -- panels ------------------------------------------------------------------------------------------------


def graph(
    title: str,
    unit: str,
    description: str,
    *queries: Query,
    width: int = 8,
    stacked: bool = False,
    steps: bool = False,
    most: float | None = None,
) -> Panel:
    """Lines over time, from zero on. stacked: they add up to something. most: the axis' end."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .min(0)
        .fill_opacity(30 if stacked else 5)
        .show_points(options.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI).sort(options.SortOrder.DESCENDING))
        .height(8)
        .span(width)
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL))
    if steps:
        panel.line_interpolation(options.LineInterpolation.STEP_AFTER)
    if most is not None:
        panel.max(most)
    if any(query.legend in ("SLO", "target") for query in queries):
        panel.override_by_regexp(REFERENCE, [model.DynamicConfigValue(**dash) for dash in _dashes()])
    for target in _targets(queries):
        panel.with_target(target)
    return panel


def _legend() -> common.VizLegendOptions:
    """The library hides it otherwise."""
    legend = common.VizLegendOptions().show_legend(True)
    return legend.display_mode(options.LegendDisplayMode.LIST).placement(options.LegendPlacement.BOTTOM)


def _dashes() -> Iterable[dict[str, Any]]:
    return ({"id_val": dash["id"], "value": dash["value"]} for dash in DASHES)


def value(
    title: str,
    unit: str,
    description: str,
    *queries: Query,
    width: int = 4,
    good_from: float | None = None,
    decimals: int | None = None,
) -> Panel:
    """Numbers of now, or of the range shown. good_from: below it they are red."""
    steps = [model.Threshold(value=None, color="red" if good_from is not None else "blue")]
    if good_from is not None:
        steps.append(model.Threshold(value=good_from, color="green"))
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .no_value("-")
        .thresholds(dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
        .graph_mode(options.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .height(4)
        .span(width)
    )
    if decimals is not None:
        panel.decimals(decimals)
    for target in _targets(queries):
        panel.with_target(target.instant())
    return panel


def heat(title: str, unit: str, description: str, query: Query, width: int = 8) -> Panel:
    """How a histogram's observations spread over its buckets, over time."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit("reqps")
        .calculate(False)
        .show_value(options.VisibilityMode.NEVER)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .height(8)
        .span(width)
        .with_target(next(_targets([query])).format(PromQueryFormat.HEATMAP))
    )


def states(title: str, description: str, query: Query, names: dict[str, tuple[str, str]], width: int = 8) -> Panel:
    """Which state something was in, over time. names: the text and the colour of each value."""
    texts = {value: model.ValueMappingResult(text=text, color=color) for value, (text, color) in names.items()}
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit("none")
        .mappings([model.ValueMap(options=texts)])
        .show_value(options.VisibilityMode.NEVER)
        .height(8)
        .span(width)
        .with_target(next(_targets([query])))
    )


def _targets(queries: Iterable[Query]) -> Iterator[prometheus.Dataquery]:
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        yield prometheus.Dataquery().ref_id(letter).expr(query.expression).legend_format(query.legend)
