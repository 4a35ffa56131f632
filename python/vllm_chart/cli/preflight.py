"""The command `vllm-chart preflight`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vllm_chart.cli.options import (
    EXIT_CODES,
    cluster_options,
    ignore_option,
    output_option,
    progress_option,
    release_option,
    values_options,
)
from vllm_chart.cli.output import Progress, finish
from vllm_chart.findings import Report, WrongCallError, has_errors


@click.command("preflight", epilog=EXIT_CODES)
@values_options
@release_option
@cluster_options
@click.option("--autoscaled", is_flag=True, help="Nodes come when pods ask for them: too few now is a warning.")
@ignore_option
@progress_option
@output_option
def command(
    release: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    autoscaled: bool,
    ignore: Sequence[str],
    progress: bool | None,
    output: str,
    chart: Path | None,
    **options: Any,
) -> None:
    """Check values against a cluster before an install or an upgrade; nothing in it is changed.

    Does a node take the pods, by labels, taints, GPUs and memory; is there room for all of them, and for those that a
    rollout starts beside the old ones or an autoscaler may ask for; do the namespace's LimitRanges and ResourceQuotas,
    and OpenShift's SecurityContextConstraints, let them in; are the Secrets, ConfigMaps, claims and classes there that
    the values name; is there what the autoscaler needs: KEDA, or who else serves external metrics, and an answer of
    Prometheus to its queries; do model and KV cache fit the GPU that the nodes' labels tell, and is their driver new
    enough. A Secret's value is looked at and never shown.

    Of the chart vllm-endpoint: is the clients' document one that Envoy reads, and are the Services of its models there,
    with the ports that it asks and pods behind them.

    \b
    Examples:
      vllm-chart preflight -f prod.yaml --release llm --namespace models
      vllm-chart preflight -f prod.yaml --autoscaled --context prod
      vllm-chart preflight --chart vllm-endpoint -f endpoint.yaml --release llm-endpoint --namespace models
    """
    from vllm_chart import charts, checks, helm
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.live import preflight

    loaded = helm.load(chart)
    ours = charts.of(loaded)
    if ours is None or ours.preflight is None:
        raise WrongCallError(f"{loaded.path} is not a chart of this project, which `preflight` is about: see `check`")
    wrong = Report(checks.validate(loaded, **options), ignore=ignore)
    if has_errors(wrong.findings):
        finish(wrong.findings, output, ignored=wrong.ignored)
    manifests = helm.render(chart=loaded, release=release, namespace=namespace, **options)
    values, version = helm.merged_values(loaded, **options), loaded.app_version
    with Cluster(kubeconfig, context) as cluster, Progress(progress).during(lambda: "asking the cluster"):
        findings = preflight.release(manifests, values, version, cluster, autoscaled=autoscaled, own=ours.preflight())
    report = Report(wrong.values, findings, ignore)
    fine = f"fine: the cluster has what release {release} needs"
    finish(report.findings, output, ignored=report.ignored, fine=fine)
