"""Renders per second: in process, and by the helm command; and what the schema of vLLM's flags costs a `helm template`.

python -m tests.bench.bench_render [--short] [values file]
"""

import argparse
import functools
import json
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ci import tools
from vllm_chart import checks, helm

SECONDS = 3.0
RUNS = 40

#: What the schema of vLLM's flags may cost a `helm template`.
FLAGS_BUDGET_MS = 25


def measure(what: str, call: Callable[[], object], least: float) -> None:
    """Call again and again for `least` seconds; print the rate, and the call that a busy machine slowed least."""
    call()
    times: list[float] = []
    while not times or sum(times) < least:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    print(f"{what:<42} {len(times) / sum(times):7.1f} /s {min(times) * 1000:9.1f} ms at best")


def without_flags(chart: Path, folder: Path) -> Path:
    """A copy of the chart whose schema takes any `engine.args`."""
    copy = folder / chart.name
    shutil.copytree(chart, copy)
    schema = json.loads((copy / "values.schema.json").read_text())
    schema["definitions"] = {name: one for name, one in schema["definitions"].items() if not name.startswith("vllm.")}
    for keyword in ("if", "then", "else"):
        del schema[keyword]
    (copy / "values.schema.json").write_text(json.dumps(schema))
    return copy


def cpu_ms(call: Callable[[], object]) -> float:
    """The CPU time of the commands that a call runs: what else the machine does, does not count."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    begun = spent()
    call()
    return (spent() - begun) * 1000


def flags_cost(command: helm.Helm, chart: Path, example: Path, runs: int) -> None:
    """Print the CPU time of `helm template` with the schema of vLLM's flags and without, run in turns."""
    with tempfile.TemporaryDirectory() as folder:
        charts = {"with": chart, "without": without_flags(chart, Path(folder))}
        times: dict[str, list[float]] = {name: [] for name in charts}
        for _ in range(runs):
            for name, each in charts.items():
                call = functools.partial(command.template, "llm", each, values_files=[example])
                times[name].append(cpu_ms(call))
    least, middle = ({name: of(found) for name, found in times.items()} for of in (min, statistics.median))
    print(
        f"schema of vLLM's flags, of helm template: {least['with'] - least['without']:.0f} ms of CPU at best "
        f"({least['with']:.0f} - {least['without']:.0f}), {middle['with'] - middle['without']:.0f} ms in the middle; "
        f"the budget is {FLAGS_BUDGET_MS} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="one run: shows that it works, and no numbers to rely on")
    parser.add_argument("example", nargs="?", type=Path, default="values/llama3.yaml", help="(default: %(default)s)")
    options = parser.parse_args()
    example, least, runs = (options.example, 0.0, 1) if options.short else (options.example, SECONDS, RUNS)
    chart = helm.default_chart()
    command = helm.Helm(str(tools.helm()))
    print(f"{example}")
    measure("in process", lambda: helm.render(values_files=[example]), least)
    measure(
        f"helm {'.'.join(map(str, command.version))} template",
        lambda: command.template("llm", chart, values_files=[example]),
        least,
    )
    measure("vllm-chart check, Kubernetes 1.30-1.37", lambda: checks.check(values_files=[example]), least)
    flags_cost(command, chart, example, runs)


if __name__ == "__main__":
    main()
