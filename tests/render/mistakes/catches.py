"""The ways in which a mistake is caught. Each runs its check and returns what that says, or raises MissedError."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from helm_python import values_from_yaml

from tests.render.view import View
from vllm_chart import checks
from vllm_chart.findings import Finding
from vllm_chart.helm import HelmError, app_version, merged_values, render, values_schema, verdict
from vllm_chart.live import diagnose, preflight, smoke
from vllm_chart.live.diagnose import Snapshot
from vllm_chart.sizing import check as sizing
from vllm_chart.sizing.memory import gpus


class MissedError(Exception):
    """The check says nothing of the mistake; the text says what it says instead."""


class Catch(Protocol):
    """`by` is who catches, as the table of the documentation names it."""

    by: ClassVar[str]

    def said(self) -> str:
        """What the user is told. Raises MissedError."""


@dataclasses.dataclass(frozen=True)
class Values:
    """Values as a user writes them: a file, or expressions of --set. A model is filled in unless they are about it."""

    text: str = "{}"
    set_: Sequence[str] = ()

    @property
    def options(self) -> Any:
        values: dict[str, Any] = values_from_yaml(self.text)
        model = values.get("model", {})
        model = {"id": "org/name"} | model if isinstance(model, dict) else model
        return {"values": values | {"model": model}, "set_": self.set_}


def pick(findings: Iterable[Finding], where: str, words: str) -> str:
    """The finding at a place, whose message or remedy has these words."""
    findings = list(findings)
    for finding in findings:
        if where in finding.where and words in f"{finding.message}: {finding.remedy}":
            return ": ".join(part for part in (finding.where, finding.message, finding.remedy) if part)
    raise MissedError(f"nothing about {where!r} says {words!r}: {[str(finding) for finding in findings]}")


@dataclasses.dataclass(frozen=True)
class Refused:
    """Helm alone refuses the values: no command of ours is needed."""

    by: ClassVar[str] = "Helm"
    values: str
    where: str
    words: str
    set_: Sequence[str] = ()

    def said(self) -> str:
        try:
            render(**Values(self.values, self.set_).options)
        except HelmError as refused:
            return pick(verdict.findings(str(refused), values_schema()), self.where, self.words)
        raise MissedError("Helm takes it")


@dataclasses.dataclass(frozen=True)
class Checked:
    """`vllm-chart check` finds it in what Helm takes: vLLM's own parser, the plan's arithmetic, the invariants."""

    by: ClassVar[str] = "check"
    values: str
    where: str
    words: str

    def said(self) -> str:
        return pick(checks.check(kubernetes=["1.37"], **Values(self.values).options), self.where, self.words)


@dataclasses.dataclass(frozen=True)
class Planned:
    """`vllm-chart plan --gpu …` finds it."""

    by: ClassVar[str] = "plan"
    values: str
    gpu: str
    where: str
    words: str

    def said(self) -> str:
        options = Values(self.values).options
        findings = sizing.check(render(**options), merged_values(**options), app_version(), gpus.find(self.gpu))
        return pick(findings, self.where, self.words)


@dataclasses.dataclass(frozen=True)
class Mended:
    """The chart renders it right, whatever the user leaves out."""

    by: ClassVar[str] = "the chart itself"
    words: str
    fact: Callable[[View], bool]
    values: str = "{}"

    def said(self) -> str:
        if not self.fact(View(render(**Values(self.values).options))):
            raise MissedError(f"not so: {self.words}")
        return self.words


@dataclasses.dataclass(frozen=True)
class Preflighted:
    """`vllm-chart preflight` finds it in a cluster, before anything is installed."""

    by: ClassVar[str] = "preflight"
    values: str
    cluster: preflight.Snapshot
    where: str
    words: str

    def said(self) -> str:
        options = Values(self.values).options
        manifests, values = render(**options), merged_values(**options)
        return pick(preflight.explain(manifests, values, app_version(), self.cluster), self.where, self.words)


@dataclasses.dataclass(frozen=True)
class Diagnosed:
    """`vllm-chart diagnose` finds it in what a cluster says of the release."""

    by: ClassVar[str] = "diagnose"
    snapshot: Snapshot
    where: str
    words: str

    def said(self) -> str:
        return pick(diagnose.explain(self.snapshot), self.where, self.words)


@dataclasses.dataclass(frozen=True)
class Answered:
    """`vllm-chart smoke` finds it in an answer of the live service."""

    by: ClassVar[str] = "smoke"
    status: int
    body: str
    path: str
    words: str

    def said(self) -> str:
        try:
            smoke.judge(self.status, self.body, self.path)
        except smoke.WrongAnswerError as wrong:
            return pick([Finding("smoke", self.path, str(wrong), wrong.remedy)], self.path, self.words)
        except smoke.NotOfferedError as skipped:
            return pick([Finding("smoke", self.path, str(skipped))], self.path, self.words)
        raise MissedError("the answer is taken as right")


@dataclasses.dataclass(frozen=True)
class Explained:
    """Only words help: a text of the project says it."""

    by: ClassVar[str] = "words"
    file: str
    words: str

    def said(self) -> str:
        if self.words not in Path(self.file).read_text():
            raise MissedError(f"{self.file} does not say {self.words!r}")
        return f"{self.words} ({self.file})"


@dataclasses.dataclass(frozen=True)
class Documented:
    """Install commands of the documentation name a chart that is there."""

    by: ClassVar[str] = "a test"
    files: Sequence[str] = ("README.md", "charts/vllm/README.md")

    def said(self) -> str:
        text = "\n".join(Path(file).read_text() for file in self.files)
        charts = re.findall(r"^ +helm (?:install|upgrade|template) \S+ (\S+)", text, re.MULTILINE)
        missing = [chart for chart in charts if not Path(chart, "Chart.yaml").is_file()]
        if missing or not charts:
            raise MissedError(f"of the charts {charts} these are not there: {missing}")
        return f"the commands of {' and '.join(self.files)} name charts that are there"


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """It is made with something that this chart does not have."""

    by: ClassVar[str] = "not in this chart"
    part: str

    def said(self) -> str:
        return self.part
