"""A bench's steps as a picture: how long callers wait, and how much is done, by how many ask."""

from pathlib import Path

from vllm_chart.bench.report import Report

INSTALL = "pip install 'vllm-chart[bench]'"


class NoPlotError(Exception):
    """There is nothing to plot with; the text says what to install."""


def write(report: Report, file: Path) -> None:
    """Write an SVG. Raises NoPlotError without matplotlib."""
    try:
        from matplotlib import use
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPlotError(f"matplotlib is not installed: {INSTALL}") from error
    use("svg")
    steps = sorted(report.steps, key=lambda step: step.load)
    loads = [step.load for step in steps]
    figure = Figure(figsize=(9, 8), layout="constrained")
    first, further, done = figure.subplots(3, 1, sharex=True)
    for axes, metric, name, (limit, share) in (
        (first, "ttft", "first token", report.objectives.ttft),
        (further, "itl", "further token", report.objectives.itl),
    ):
        axes.plot(loads, [step.seconds(metric, share) for step in steps], "o-", label=f"p{share * 100:g}")
        axes.plot(loads, [step.seconds(metric, 0.5) for step in steps], "o:", label="p50")
        axes.axhline(limit, color="#c4162a", linestyle="--", label=f"objective: {limit:g} s")
        axes.set(ylabel=f"{name}, seconds", yscale="log")
    done.plot(loads, [step.result["request_throughput"] for step in steps], "o-", label="answered")
    done.plot(loads, [step.result["request_goodput"] or 0 for step in steps], "o:", label="answered in time")
    done.set(ylabel="requests per second", xlabel="requests at a time")
    for axes in (first, further, done):
        if report.knee:
            axes.axvline(report.knee.load, color="#37872d", label=f"keeps them up to {report.knee.load:.0f}")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.suptitle(f"{report.release} in {report.namespace}: {report.replicas} replica(s)")
    # Without a date, two files of the same numbers are the same.
    figure.savefig(file, metadata={"Date": None})
