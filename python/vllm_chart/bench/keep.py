"""The folder in which a bench is kept: what was asked, of what, and what was answered."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vllm_chart.bench import plot, report
from vllm_chart.bench.report import Report, Step
from vllm_chart.bench.subject import Subject
from vllm_chart.redaction import cleaned

Json = Mapping[str, Any]


class Folder:
    """Written while it goes on, so that what is there when it breaks off is not lost. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)

    def begin(self, subject: Subject, pod: Json) -> None:
        """What is measured, and by what."""
        # The program's source is that of the package.
        (container,) = pod["spec"]["containers"]
        shown = {**container, "command": [*container["command"][:2], "…", container["command"][3]]}
        # The folder is passed around.
        self._write("pod.json", cleaned({**pod, "spec": {**pod["spec"], "containers": [shown]}}).value)
        if subject.values is not None:
            self._write("values.json", cleaned(subject.values, perhaps=True).value)

    def metrics(self, when: str, pages: Mapping[str, str]) -> None:
        """What each engine says of itself. when: "before" or "after"."""
        folder = self.path / "metrics"
        folder.mkdir(exist_ok=True)
        for name, text in pages.items():
            (folder / f"{name}-{when}.txt").write_text(text, encoding="utf-8")

    def step(self, number: int, step: Step) -> None:
        """What the tool itself wrote."""
        folder = self.path / "steps"
        folder.mkdir(exist_ok=True)
        ((name, value),) = step.asked.items()
        self._write(f"steps/{number:02}-{name}-{value:g}.json", step.result)

    def end(self, done: Report) -> str:
        """The summary, the table and the plot. What is to be said of a plot that there is none of, else ""."""
        self._write("summary.json", report.document(done))
        (self.path / "table.txt").write_text(report.to_human(done) + "\n", encoding="utf-8")
        if not done.steps:
            return ""
        try:
            plot.write(done, self.path / "plot.svg")
        except plot.NoPlotError as error:
            return str(error)
        return ""

    def _write(self, name: str, document: object) -> None:
        (self.path / name).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
