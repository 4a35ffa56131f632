"""The command `vllm-chart check`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from vllm_chart.cli.options import (
    API_VERSION,
    EXIT_CODES,
    namespace_option,
    output_option,
    release_option,
    values_options,
)
from vllm_chart.cli.output import finish

if TYPE_CHECKING:
    from vllm_chart.checks.podsecurity import Level

#: As `vllm_chart.checks.podsecurity.Level` has them, which is dear to import.
LEVELS = ("privileged", "baseline", "restricted")


def _kubernetes_versions(_ctx: click.Context, _parameter: click.Parameter, text: str) -> Sequence[str]:
    from vllm_chart.checks import schemas

    if not text:
        return schemas.SUPPORTED_VERSIONS
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
    help='Kubernetes versions to render for: "1.34", "1.30-1.37", "1.30,1.37".',
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
@release_option
@namespace_option
@output_option
def command(output: str, kubernetes: Sequence[str], pod_security: "Level", **options: Any) -> None:
    """Validate values, render them, and hold what was rendered against all that can be known without a cluster.

    That is Kubernetes' own schemas for each version, strictly; the chart's invariants, such as that probes
    reach a port and that /dev/shm fits in the memory limit; and the Pod Security Standard.

    \b
    Examples:
      vllm-chart check -f values/llama3.yaml
      vllm-chart check -f prod.yaml --kube-versions 1.33-1.35 --pod-security baseline
      vllm-chart check -f prod.yaml --release llama3 --namespace models
    """
    from vllm_chart import checks
    from vllm_chart.checks.invariants import INVARIANTS

    findings = checks.check(kubernetes=kubernetes, pod_security=pod_security, **options).findings
    fine = (
        f"fine: Kubernetes {', '.join(kubernetes)}; {len(INVARIANTS)} invariants; Pod Security Standard {pod_security}"
    )
    finish(findings, output, fine=fine)
