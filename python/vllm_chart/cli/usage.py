"""The command `vllm-chart usage`."""

import contextlib
from pathlib import Path
from typing import Any

import click

from vllm_chart.cli.options import EXIT_CODES, URL, Text, cluster_options, endpoint_option, output_option
from vllm_chart.cli.output import finish


class _Duration(Text):
    """A duration as Prometheus writes it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from vllm_chart.endpoint import usage

        try:
            usage.seconds(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


@click.command("usage", epilog=EXIT_CODES)
@endpoint_option
@cluster_options
@click.option("--since", type=_Duration(), metavar="DURATION", default="1h", show_default=True, help="30m, 6h, 1d, 2w.")
@click.option(
    "--prometheus",
    "url",
    type=URL,
    metavar="URL",
    help="Default: that of prometheus-operator in the cluster which scrapes the endpoint.",
)
@click.option(
    "--job", default="", metavar="TEXT", help="The job of its targets. Default: NAMESPACE/NAME-OF-ITS-OBJECTS."
)
@output_option
def command(
    release: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    since: str,
    url: str | None,
    job: str,
    output: str,
) -> None:
    """Say what each client of an endpoint used of each model: requests, errors, input and output tokens.

    Prometheus is asked for the counters of all replicas, those that are gone included. A Service of the cluster
    (http://NAME.NAMESPACE.svc:9090) is reached through the API server; another URL straight, with the bearer token of
    PROMETHEUS_TOKEN if there is one. With a URL and a --job no cluster is needed. An error is an answer of 4xx or 5xx,
    or a request that its client gave up before an answer.

    \b
    Examples:
      vllm-chart usage --namespace models
      vllm-chart usage -n models --since 1d --output json | jq '.usage[] | select(.client == "app-one")'
      vllm-chart usage -n models --prometheus http://prometheus.monitoring.svc:9090
    """
    from vllm_chart.cluster import promql
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.endpoint import replicas, usage

    with contextlib.ExitStack() as stack:
        opened: list[Cluster] = []

        def cluster() -> Cluster:
            if not opened:
                opened.append(stack.enter_context(Cluster(kubeconfig, context)))
            return opened[0]

        if not job:
            workload = replicas.workload_of(cluster(), release, namespace)
            job = f"{workload.namespace}/{workload.name}"
        chosen = (
            promql.at(url, cluster)
            if url
            else promql.first_with(promql.of_operator(cluster()), usage.targets(job, since))
        )
        found = usage.read(chosen.ask, job, since, chosen.name)
    finish(found.findings, output, human=lambda: usage.to_human(found), machine=lambda: usage.to_json(found))
