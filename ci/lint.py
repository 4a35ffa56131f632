"""Hold every chart and its examples against `helm lint --strict`."""

import subprocess
import sys
from pathlib import Path

from ci import tools
from ci.shell import main
from vllm_chart.charts import CHARTS, Chart


def lint() -> None:
    """Exits with 1 after all of them, so that one run shows everything."""
    faults = {chart.name: _faults(chart) for chart in CHARTS.values()}
    for chart, said in faults.items():
        print("".join(said), end="", file=sys.stderr)
        print(f"helm lint --strict: {chart} and {len(examples(CHARTS[chart]))} examples {'FAILED' if said else 'fine'}")
    sys.exit(any(faults.values()))


def examples(chart: Chart) -> list[Path]:
    """The values files in the repository that are examples of a chart."""
    return sorted(Path(chart.examples).glob("*.yaml")) if chart.examples else []


def _faults(chart: Chart) -> list[str]:
    """What Helm says of the chart alone and with each example, where it says anything."""
    found = []
    folder = chart.path or Path("charts", chart.name)
    for example in [None, *examples(chart)]:
        values = [] if example is None else ["--values", str(example)]
        command = [str(tools.helm()), "lint", "--strict", "--quiet", str(folder), *values]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            found.append(f"helm lint --strict {chart.name}, {example or 'defaults'}:\n{done.stdout}{done.stderr}")
    return found


if __name__ == "__main__":
    main(lint)
