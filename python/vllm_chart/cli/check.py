"""The command `vllm-chart check`."""

import dataclasses
import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from vllm_chart import support
from vllm_chart.cli.options import (
    API_VERSION,
    EXIT_CODES,
    FILE,
    VALUES_FILE,
    ignore_option,
    namespace_option,
    output_option,
    release_option,
    values_options,
)
from vllm_chart.cli.output import finish

if TYPE_CHECKING:
    from vllm_chart.checks.podsecurity import Level
    from vllm_chart.checks.reach import Answer
    from vllm_chart.findings import Check, Report

#: As `vllm_chart.checks.podsecurity.Level` has them, which is dear to import.
LEVELS = ("privileged", "baseline", "restricted")


def _kubernetes_versions(_ctx: click.Context, _parameter: click.Parameter, text: str) -> Sequence[str]:
    if not text:
        return ()
    from vllm_chart.checks import schemas

    try:
        return schemas.versions(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("check", epilog=EXIT_CODES)
@values_options
@click.option(
    "--kube-versions",
    "kubernetes",
    default="",
    show_default="all that the chart supports",
    callback=_kubernetes_versions,
    metavar="RANGE",
    help='Kubernetes versions to render for: "{0}", "{0}-{1}", "{0},{1}".'.format(
        support.KUBERNETES[0], support.KUBERNETES[-1]
    ),
)
@click.option(
    "--pod-security",
    type=click.Choice(LEVELS),
    default="restricted",
    show_default=True,
    help="The Pod Security Standard that the namespace enforces.",
)
@click.option(
    "--api-versions",
    multiple=True,
    type=API_VERSION,
    metavar="GROUP/VERSION",
    help="An API that the cluster has beside Kubernetes' own.",
)
@click.option(
    "--reach",
    type=FILE,
    metavar="TABLE",
    help="A table of who reaches what, to hold the NetworkPolicies against: docs/network.md.",
)
@click.option(
    "--upgrade-from",
    type=VALUES_FILE,
    metavar="MANIFESTS",
    help="What `helm get manifest` prints of the release as it is: what of the upgrade makes vLLM compile anew.",
)
@release_option
@namespace_option
@ignore_option
@click.option("--list", "listing", is_flag=True, help="Say what each check promises and why, and check nothing.")
@output_option
def command(
    chart: Path | None,
    kubernetes: Sequence[str],
    pod_security: "Level",
    reach: Path | None,
    upgrade_from: Path | None,
    ignore: Sequence[str],
    listing: bool,
    output: str,
    **options: Any,
) -> None:
    """Validate values, render them, and check what was rendered for all that can be known without a cluster.

    That is Kubernetes' own schemas for each version, strictly; the chart's invariants, such as that probes
    reach a port and that /dev/shm fits in the memory limit; and the Pod Security Standard.

    \b
    Examples:
      vllm-chart check -f values/llama3.yaml
      vllm-chart check -f prod.yaml --kube-versions 1.33-1.35 --pod-security baseline
      vllm-chart check -f prod.yaml --release llama3 --namespace models
      vllm-chart check -f prod.yaml --ignore images-are-pinned
      vllm-chart check -f prod.yaml --reach reach.yaml
      helm get manifest llama3 | vllm-chart check -f prod.yaml --upgrade-from -
      vllm-chart check --list
    """
    from vllm_chart import charts, checks, helm
    from vllm_chart.checks import reach as reached
    from vllm_chart.helm.values import is_standard_input
    from vllm_chart.vllm_args import compiling

    loaded = helm.load(chart)
    known = checks.registry.of_chart(charts.of(loaded))
    if listing:
        finish([], output, human=lambda: _human(known.values()), machine=lambda: _machine(known.values()))
    if upgrade_from and charts.of(loaded) is not charts.VLLM:
        raise click.BadParameter(f"{loaded.name} compiles nothing: leave it out", param_hint="--upgrade-from")
    if upgrade_from and is_standard_input(upgrade_from) and any(map(is_standard_input, options["values_files"])):
        raise click.BadParameter(
            "standard input has the values already: give one of the two as a file", param_hint="--upgrade-from"
        )
    before = compiling.installed(upgrade_from) if upgrade_from else None
    report = checks.check(loaded, kubernetes=kubernetes, pod_security=pod_security, ignore=ignore, **options)
    invariants = sum(check.name in checks.invariants.INVARIANTS for check in known.values())
    versions = kubernetes or support.KUBERNETES
    fine = f"fine: Kubernetes {', '.join(versions)}; {invariants} invariants; Pod Security Standard {pod_security}"
    if not (reach or before) or report.stops_at_values:
        finish(report.findings, output, ignored=report.ignored, fine=fine)
    rendered = helm.render(chart=loaded, kube_version=versions[-1], **options)
    manifests = checks.readable(rendered, charts.of(loaded))
    if before:
        changed = compiling.of_render(before, manifests, helm.merged_values(loaded, **options))
        report = dataclasses.replace(report, renders=[*report.renders, *changed])
    if reach is None:
        finish(report.findings, output, ignored=report.ignored, fine=fine)
    answers = reached.answer(reached.read(reach, options["namespace"]), manifests)
    _finish_with_table(report, answers, output, fine)


def _finish_with_table(report: "Report", answers: Sequence["Answer"], output: str, fine: str) -> NoReturn:
    """End with what was found, the table of `--reach` included, and all rows of that table."""
    from vllm_chart.checks import reach
    from vllm_chart.findings import has_errors, to_human, to_json

    report = dataclasses.replace(report, renders=[*report.renders, *reach.findings(answers)])
    good = "" if has_errors(report.findings) else fine
    words = [reach.table(answers), to_human(report.findings), good, to_human([], report.ignored)]
    document = json.loads(to_json(report.findings, report.ignored)) | {"reach": reach.document(answers)}
    finish(
        report.findings,
        output,
        human=lambda: "\n".join(filter(None, words)),
        machine=lambda: json.dumps(document, indent=2, ensure_ascii=False),
    )


def _human(checks: Iterable["Check"]) -> str:
    lines: list[str] = []
    topic = ""
    for check in checks:
        if check.topic != topic:
            topic = check.topic
            lines += [*([""] if lines else []), topic]
        fixed = f" It can't be ignored: {check.unwaivable}." if check.unwaivable else ""
        words = textwrap.fill(f"{check.promise} {check.reason}{fixed}", 100)
        lines += [f"  {check.name}", textwrap.indent(words, " " * 6)]
    return "\n".join(lines)


def _machine(checks: Iterable["Check"]) -> str:
    rows = [{**dataclasses.asdict(check), "ignorable": not check.unwaivable} for check in checks]
    return json.dumps({"ok": True, "checks": rows}, indent=2, ensure_ascii=False)
