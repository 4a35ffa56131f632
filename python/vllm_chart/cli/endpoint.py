"""The command `vllm-chart endpoint` and its own command."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from vllm_chart.cli.options import EXIT_CODES, cluster_options, output_option
from vllm_chart.cli.output import finish, say


@click.group("endpoint", epilog=EXIT_CODES)
def command() -> None:
    """Write values of the chart vllm-endpoint.

    \b
    Example:
      vllm-chart endpoint values -n models > endpoint.yaml
    """


@command.command("values", epilog=EXIT_CODES)
@cluster_options
@click.option("-A", "--all-namespaces", is_flag=True, help="The releases of all namespaces, instead of one.")
@click.option(
    "--clients-secret",
    metavar="NAME",
    default="llm-clients",
    show_default=True,
    help='Written as clients.secretName, which the chart needs; "" leaves it to another file.',
)
@output_option
def values(
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    all_namespaces: bool,
    clients_secret: str,
    output: str,
) -> None:
    """Write the models of an endpoint, out of the releases of the chart vllm that there are.

    Each release is a model by the first name that it serves; its other names are aliases, its LoRA adapters adapters. A
    headless Service is taken before another. What is wrong or could be better is told on standard error. Names that two
    releases serve are an error, and nothing is written then.

    \b
    Examples:
      vllm-chart endpoint values --namespace models > endpoint.yaml
      vllm-chart endpoint values --all-namespaces | vllm-chart check --chart vllm-endpoint -f -
      vllm-chart endpoint values -n models --clients-secret "" > models.yaml
    """
    from vllm_chart import yaml_text
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.endpoint import found
    from vllm_chart.findings import UnavailableError, has_errors, to_human

    with Cluster(kubeconfig, context) as cluster:
        releases = found.ask(cluster, "" if all_namespaces else namespace)
    if not releases.served and not releases.unreachable:
        where = "in any namespace" if all_namespaces else f"in namespace {namespace}"
        raise UnavailableError(f"there is no release of the chart vllm {where}: `helm list --all-namespaces`")
    findings = list(found.explain(releases))
    written: dict[str, Any] = {} if has_errors(findings) else {"models": found.values(releases)}
    if written and clients_secret:
        written["clients"] = {"secretName": clients_secret}
    if findings and output == "human":
        say(to_human(findings))
    document = {
        "ok": not has_errors(findings),
        "values": written,
        "findings": [dataclasses.asdict(finding) for finding in findings],
    }
    finish(
        findings,
        output,
        human=lambda: yaml_text.dump(written).rstrip() if written else "",
        machine=lambda: json.dumps(document, indent=2, ensure_ascii=False),
        is_file=True,
    )
