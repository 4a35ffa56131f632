"""Finds every PromQL expression of this project, wherever it stands."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from vllm_chart.helm import default_chart, render

ROOT = Path(__file__).parents[2]
EVERYTHING = ROOT / "tests" / "render" / "everything.yaml"
ON = {"enabled": True}
#: Values that together render every expression: what each block has by itself, and everything at once.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "defaults": {
        "model": {"id": "org/name"},
        **dict.fromkeys(("serviceMonitor", "prometheusRule", "dashboards"), ON),
        "autoscaling": {**ON, "maxReplicas": 3, "prometheus": {"address": "http://prometheus:9090"}},
    },
    "several servers and an HPA": {
        "model": {"id": "org/name"},
        **dict.fromkeys(("podMonitor", "prometheusRule", "dashboards"), ON),
        "autoscaling": {**ON, "kind": "HPA", "maxReplicas": 3},
        "engine": {"args": {"api-server-count": 2}},
    },
}
FILES = (EVERYTHING, *sorted((ROOT / "values").glob("*.yaml")))
NAME = re.compile(r"\b(?:vllm|vllm_release):[a-zA-Z_][\w:]*")
#: What follows a name that goes on: a placeholder of some language, or "…".
_GOES_ON = re.compile(r"[$*<…]|\{[\w.]+\}")
#: Text in which a name stands that is no expression: what is said of all of them.
ALL_OF_THEM = re.compile(r"^vllm(?:_release)?:(?:\*|…|\.\.\.)?$")


@dataclass(frozen=True)
class Found:
    """An expression and where it stands, for a person."""

    where: str
    text: str
    mention: bool = False
    """A series alone is no question here, but a name in a sentence."""

    def __str__(self) -> str:
        return self.where


@dataclass(frozen=True)
class Rule(Found):
    """The expression of a rule: what it records as, "" of an alert, and the labels that it adds."""

    record: str = field(default="", kw_only=True)
    alert: str = field(default="", kw_only=True)
    labels: frozenset[str] = field(default=frozenset(), kw_only=True)


def rules() -> list[Rule]:
    """Those that the chart renders. They come first, because others ask for what they record."""
    found: dict[str, Rule] = {}
    for where, manifest in _rendered():
        if manifest.get("kind") == "PrometheusRule":
            for rule in rules_of(manifest["spec"], where):
                found.setdefault(rule.text, rule)
    return list(found.values())


def rules_of(spec: Mapping[str, Any], where: str) -> Iterator[Rule]:
    """The rules of a rule file, or of a PrometheusRule's spec."""
    for group in spec["groups"]:
        for rule in group["rules"]:
            record, alert = rule.get("record", ""), rule.get("alert", "")
            labels = frozenset(rule.get("labels", {}))
            yield Rule(f"{where}: {record or alert}", rule["expr"], record=record, alert=alert, labels=labels)


def expressions() -> list[Found]:
    """Every other one: panels, triggers, documentation."""
    found = [*_in_objects(), *_in_dashboards(), *_in_documentation()]
    return list({(each.where, each.text): each for each in found}.values())


def names() -> Iterator[tuple[str, str]]:
    """Every name of a metric of vLLM's or the chart's in any text that people or programs read, and where it stands."""
    for path in _texts():  # a name that goes on in a placeholder is the beginning of several
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for match in NAME.finditer(line):
                if match[0][-1] not in "_:" and not _GOES_ON.match(line, match.end()):
                    yield f"{path.relative_to(ROOT)}:{number}", match[0]


# Rendered objects


def _rendered() -> Iterator[tuple[str, dict[str, Any]]]:
    renders = {title: render(values=values) for title, values in VARIANTS.items()}
    renders |= {path.name: render(values_files=[path]) for path in FILES}
    for title, manifests in renders.items():
        for manifest in manifests:
            yield f"{title}: {manifest['kind']}/{manifest['metadata']['name']}", dict(manifest)


def _in_objects() -> Iterator[Found]:
    for where, manifest in _rendered():
        if manifest["kind"] == "PrometheusRule":
            continue
        yield from _queries(manifest.get("spec"), where)
        if manifest["kind"] == "ConfigMap":
            for key, text in (manifest.get("data") or {}).items():
                document = json.loads(text) if key.endswith(".json") else None
                if isinstance(document, Mapping):  # a list is another thing's: adapters'
                    yield from dashboard(document, f"{where}: {key}")


def _queries(value: Any, where: str) -> Iterator[Found]:
    """The values of the keys that hold expressions in Kubernetes' objects."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("expr", "query") and isinstance(inner, str):
                yield Found(f"{where}: {key}", inner)
            elif key == "seriesQuery" and isinstance(inner, str):
                yield Found(f"{where}: {key}", inner, mention=True)
            elif key == "metricsQuery" and isinstance(inner, str):
                yield Found(f"{where}: {key}", _of_adapter(inner, value.get("seriesQuery", "")))
            else:
                yield from _queries(inner, where)
    elif isinstance(value, list):
        for inner in value:
            yield from _queries(inner, where)


def _of_adapter(query: str, series: str) -> str:
    """A rule of prometheus-adapter, as it asks for a namespace's:
    https://github.com/kubernetes-sigs/prometheus-adapter/blob/v0.12.0/docs/config.md#querying
    """
    filled = {
        "<<.Series>>": series.partition("{")[0],
        "<<.LabelMatchers>>": 'namespace="a"',
        "<<.GroupBy>>": "namespace",
    }
    for placeholder, text in filled.items():
        query = query.replace(placeholder, text)
    return re.sub(r"<<[^>]*>>", "a", query)  # a label's value


# Dashboards


def _in_dashboards() -> Iterator[Found]:
    for path in sorted((default_chart() / "files" / "dashboards").glob("*.json")):
        yield from dashboard(json.loads(path.read_text()), path.name)


def dashboard(document: Mapping[str, Any], where: str) -> Iterator[Found]:
    """The expressions of a dashboard: of its panels, its annotations, and the variables that ask Prometheus."""
    variables = document.get("templating", {}).get("list", ())
    for variable in variables:
        query = variable.get("query") or ""
        text = query if isinstance(query, str) else query.get("query", "")
        yield from (Found(f"{where}: variable {variable['name']}", each, mention=True) for each in _of_variable(text))
    for panel in _panels(document):
        for target in panel.get("targets", ()):
            if "expr" in target:
                yield Found(f"{where}: {panel.get('title')}", _filled(target["expr"], variables))
    for annotation in document.get("annotations", {}).get("list", ()):
        if "expr" in annotation:
            yield Found(f"{where}: annotation {annotation.get('name')}", _filled(annotation["expr"], variables))


def _filled(text: str, variables: Iterable[Mapping[str, Any]]) -> str:
    """With the values that its variables have at first, where they do not come from Prometheus."""
    for variable in variables:
        if variable.get("type") in ("textbox", "constant", "custom"):
            value = str((variable.get("current") or {}).get("value") or variable.get("query"))
            text = re.sub(rf"\$(?:{variable['name']}\b|\{{{variable['name']}(?::\w+)?\}})", lambda _: value, text)  # noqa: B023
    return text


def _panels(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for panel in document.get("panels", ()):
        yield panel
        yield from _panels(panel)


def _of_variable(text: str) -> Iterator[str]:
    """What a variable asks Prometheus: label_values wants a label of a selector, which is here a grouping by it.

    https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/
    """
    if match := re.fullmatch(r"label_values\((.+),\s*(\w+)\)", text):
        yield f"group by ({match[2]}) ({match[1]})"
    elif match := re.fullmatch(r"query_result\((.+)\)", text):
        yield match[1]


# Text


def _in_documentation() -> Iterator[Found]:
    for path in _pages():
        yield from of_page(path.read_text(), str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "docs").rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield from _queries(document, str(path.relative_to(ROOT)))


def of_page(text: str, where: str) -> Iterator[Found]:
    """The expressions of a page of Markdown: in blocks of PromQL and YAML, and in spans of code."""
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        yield from _of_block(language, block, where)
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose):
        if NAME.search(span) and not ALL_OF_THEM.match(span):
            whole = re.sub(r",?\s*…\s*(?=\})", "", span)  # labels that are left out
            yield Found(f"{where}: `{span}`", whole, mention=True)


def _of_block(language: str, block: str, where: str) -> Iterator[Found]:
    if language in ("promql", "text") and (language == "promql" or NAME.search(block)):
        for part in re.split(r"\n\s*\n", re.sub(r"^\s*#.*\n", "", block, flags=re.MULTILINE)):
            if part.strip():
                yield Found(f"{where}: block", part)
    elif language in ("yaml", "yml"):
        for document in yaml.safe_load_all(block):
            yield from _queries(document, f"{where}: block")


def _pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "charts").glob("*/README.md"))]


def _texts() -> Iterable[Path]:
    """All that is read or run: pages, examples, the chart, the package, and what asks live engines."""
    yield from _pages()
    for folder, patterns in (
        ("values", ("*.yaml",)),
        ("charts", ("*.tpl", "*.yaml", "*.txt", "*.py", "*.json")),
        ("python", ("*.py",)),
        ("ci", ("*.py", "*.yaml")),
        ("tests/e2e", ("*.py", "*.yaml")),
        ("tests/bench", ("*.py",)),
        ("tests/rules", ("*.py", "*.yaml", "*.yml")),
    ):
        for pattern in patterns:
            yield from sorted((ROOT / folder).rglob(pattern))
