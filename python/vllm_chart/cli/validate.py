"""The command `vllm-chart validate`."""

from collections.abc import Sequence
from typing import Any

import click

from vllm_chart.cli.options import EXIT_CODES, ignore_option, output_option, values_options
from vllm_chart.cli.output import finish


@click.command("validate", epilog=EXIT_CODES)
@values_options
@ignore_option
@output_option
def command(output: str, ignore: Sequence[str], **options: Any) -> None:
    """Check values against the chart's schema and rules, without Helm or a cluster.

    The verdict is Helm's own, whose library is built in; files and --set are merged as `helm install` merges
    them. Every mistake is reported, and for an unknown key the nearest right one.

    \b
    Examples:
      vllm-chart validate -f values/llama3.yaml
      vllm-chart validate -f base.yaml -f prod.yaml --set replicaCount=4
      sops --decrypt prod.yaml | vllm-chart validate -f -
      vllm-chart validate -f prod.yaml --output json | jq '.findings[].where'
    """
    from vllm_chart import checks
    from vllm_chart.findings import Report

    report = Report(checks.validate(**options), ignore=ignore)
    finish(report.findings, output, ignored=report.ignored, fine="fine: the chart takes these values")
