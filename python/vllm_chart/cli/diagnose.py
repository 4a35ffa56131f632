"""The command `vllm-chart diagnose`."""

from pathlib import Path

import click

from vllm_chart.cli.options import EXIT_CODES, RELEASE, cluster_options, output_option, progress_option
from vllm_chart.cli.output import Progress, finish


@click.command("diagnose", epilog=EXIT_CODES)
@click.option("--release", type=RELEASE, metavar="NAME", required=True, help="Name of the release.")
@cluster_options
@progress_option
@output_option
def command(
    release: str, namespace: str, kubeconfig: Path | None, context: str | None, progress: bool | None, output: str
) -> None:
    """Say why a release is not ready, out of its pods, their events and the engine's log; and why it does not scale.

    Of the chart vllm-endpoint: whether its clients' document can be read, and which of its models nobody serves.

    \b
    Examples:
      vllm-chart diagnose --release llm --namespace models
      vllm-chart diagnose --release llm-endpoint --namespace models
    """
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.live import diagnose

    with Cluster(kubeconfig, context) as cluster, Progress(progress).during(lambda: "asking the cluster"):
        findings = diagnose.release(release, namespace, cluster)
    # A start that is under way is no error, but not ready either.
    finish(findings, output, fine="" if findings else f"fine: release {release} is ready")
