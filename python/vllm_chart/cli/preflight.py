"""The command `vllm-chart preflight`."""

from pathlib import Path
from typing import Any

import click

from vllm_chart.cli.options import EXIT_CODES, cluster_options, output_option, release_option, values_options
from vllm_chart.cli.output import finish
from vllm_chart.findings import has_errors


@click.command("preflight", epilog=EXIT_CODES)
@values_options
@release_option
@cluster_options
@click.option("--autoscaled", is_flag=True, help="Nodes come when pods ask for them: too few now is a warning.")
@output_option
def command(
    release: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    autoscaled: bool,
    output: str,
    chart: Path | None,
    **options: Any,
) -> None:
    """Hold values against a cluster before an install or an upgrade; nothing in it is changed.

    Does a node take the pods, by labels, taints, GPUs and memory; is there room for all of them, and for those that a
    rollout starts beside the old ones; do the namespace's LimitRanges and ResourceQuotas let them in; are the Secrets,
    ConfigMaps, claims and classes there that the values name; do model and KV cache fit the GPU that the nodes' labels
    tell, and is their driver new enough. A Secret's value is looked at and never shown.

    \b
    Examples:
      vllm-chart preflight -f prod.yaml --release llm --namespace models
      vllm-chart preflight -f prod.yaml --autoscaled --context prod
    """
    from vllm_chart import checks, helm
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.live import preflight

    if has_errors(wrong := checks.validate(chart, **options)):
        finish(wrong, output)
    manifests = helm.render(chart=chart, release=release, namespace=namespace, **options)
    values, version = helm.merged_values(chart, **options), helm.app_version(chart)
    with Cluster(kubeconfig, context) as cluster:
        findings = preflight.release(manifests, values, version, cluster, autoscaled=autoscaled)
    finish([*wrong, *findings], output, fine=f"fine: the cluster has what release {release} needs")
