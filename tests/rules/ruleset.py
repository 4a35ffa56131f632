"""The rules that the chart renders, one by one, with what each needs of the others."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from helm_python import values_from_yaml

from tests.rules.scenario import NAMESPACE
from vllm_chart.helm import render

#: Release `llm`: with the chart's name, the names and the job of scenario.py.
RELEASE = "llm"
VALUES = """
model: {id: meta-llama/Llama-3.1-8B-Instruct}
prometheusRule: {enabled: true}
autoscaling: {enabled: true, maxReplicas: 4, prometheus: {address: "http://prometheus:9090"}}
"""

NAMES = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True)
class Rule:
    """A rule as it stands in a rule file, and its group's name."""

    group: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.body.get("alert") or self.body["record"])

    @property
    def is_alert(self) -> bool:
        return "alert" in self.body

    @property
    def title(self) -> str:
        """The name, and for one of several recording rules of that name, its labels."""
        labels = "" if self.is_alert else ",".join(f'{k}="{v}"' for k, v in self.body.get("labels", {}).items())
        return f"{self.name}{{{labels}}}" if labels else self.name

    @property
    def names(self) -> set[str]:
        """All words of the expression: the metrics that it asks for are among them."""
        return set(NAMES.findall(re.sub(r'"(\\.|[^"])*"', '""', self.body["expr"])))

    def changed(self, **body: Any) -> "Rule":
        return replace(self, body={**self.body, **body})


@dataclass(frozen=True)
class RuleSet:
    """Rules in the order in which Prometheus evaluates them."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, groups: list[dict[str, Any]]) -> "RuleSet":
        return cls(tuple(Rule(group["name"], rule) for group in groups for rule in group["rules"]))

    @cached_property
    def alerts(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.is_alert)

    @cached_property
    def records(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if not rule.is_alert)

    def closure(self, wanted: Collection[str]) -> "RuleSet":
        """The rules of these names and those that they are computed from."""
        needed, more = set(), set(wanted)
        while more:
            needed |= more
            used = {name for rule in self.rules if rule.name in more for name in rule.names}
            more = (used & {rule.name for rule in self.records}) - needed
        return RuleSet(tuple(rule for rule in self.rules if rule.name in needed))

    def dependents(self, name: str) -> set[str]:
        """The rules that are computed from this one, and itself."""
        found, before = {name}, 0
        while len(found) > before:
            before = len(found)
            found |= {rule.name for rule in self.rules if rule.names & found}
        return found

    def exchanged(self, old: Rule, new: Rule | None) -> "RuleSet":
        """Another rule, or none, in place of `old`."""
        swapped = [new if rule is old else rule for rule in self.rules]
        return RuleSet(tuple(rule for rule in swapped if rule is not None))

    @property
    def expressions(self) -> dict[str, str]:
        return {rule.name: str(rule.body["expr"]) for rule in self.rules}

    @property
    def names(self) -> set[str]:
        """All words of all expressions."""
        return {name for rule in self.rules for name in rule.names}

    @property
    def groups(self) -> list[str]:
        return list(dict.fromkeys(rule.group for rule in self.rules))

    def file(self, annotations: bool = True) -> dict[str, Any]:
        """The content of a rule file. Without annotations, tests needn't know their text."""
        return {"groups": [{"name": group, "rules": list(self._bodies(group, annotations))} for group in self.groups]}

    def _bodies(self, group: str, annotations: bool) -> Iterator[dict[str, Any]]:
        for rule in self.rules:
            if rule.group == group:
                yield {key: value for key, value in rule.body.items() if annotations or key != "annotations"}


def rendered(values: str = VALUES) -> RuleSet:
    """What the chart renders for the release of the cases. Raises HelmError."""
    manifests = render(values=values_from_yaml(values), release=RELEASE, namespace=NAMESPACE)
    return RuleSet.of(manifests.one("PrometheusRule")["spec"]["groups"])
