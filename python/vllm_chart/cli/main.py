"""The command `vllm-chart`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click

from vllm_chart import checks, helm
from vllm_chart.checks import schemas
from vllm_chart.checks.invariants import INVARIANTS
from vllm_chart.checks.podsecurity import Level
from vllm_chart.cli.load import command as load
from vllm_chart.cli.options import (
    API_VERSION,
    EXIT_CODES,
    RELEASE,
    URL,
    cluster_options,
    namespace_option,
    output_option,
    values_options,
)
from vllm_chart.cli.plan import command as plan
from vllm_chart.findings import Exit, Finding, UnavailableError, exit_code, has_errors, to_human, to_json
from vllm_chart.helm import HelmError


class Commands(click.Group):
    """A group whose commands end in a message and an exit code where a user's mistake ends them."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UnavailableError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(Exit.ENVIRONMENT)
        except (HelmError, OSError) as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(Exit.USAGE)


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vllm-chart")
def main() -> None:
    """Prove what the vLLM chart promises: before an install, and on the live service.

    \b
    Before an install:
      vllm-chart validate -f prod.yaml            would Helm take these values?
      vllm-chart check -f prod.yaml               … and would a cluster take what they render?
      vllm-chart plan -f prod.yaml --gpu l40s     does the model fit, and how much will it serve?
      vllm-chart preflight -f prod.yaml -n models has this cluster what the release needs?
    \b
    After it:
      vllm-chart smoke --release llm -n models    does it answer, and with the right model?
      vllm-chart diagnose --release llm -n models why is it not ready?
      vllm-chart load --release llm -n models     is an answer lost while it is changed?
    """


@main.command(epilog=EXIT_CODES)
@values_options
@output_option
@click.pass_context
def validate(ctx: click.Context, /, output: str, **options: Any) -> None:
    """Hold values against the chart's schema and rules, without Helm or a cluster.

    The verdict is Helm's own, whose library is built in: files and --set are merged as `helm install` merges
    them. Every mistake is told, and for a key that the chart does not know the right one that is nearest.

    \b
    Examples:
      vllm-chart validate -f values/llama3.yaml
      vllm-chart validate -f base.yaml -f prod.yaml --set replicaCount=4
      vllm-chart validate -f prod.yaml --output json | jq '.findings[].where'
    """
    _report(ctx, checks.validate(**options), output, "fine: the chart takes these values")


def _kubernetes_versions(_ctx: click.Context, _parameter: click.Parameter, text: str) -> list[str]:
    try:
        return schemas.versions(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@main.command(epilog=EXIT_CODES)
@values_options
@click.option(
    "--kube-versions",
    "kubernetes",
    default=f"{schemas.SUPPORTED_VERSIONS[0]}-{schemas.SUPPORTED_VERSIONS[-1]}",
    show_default=True,
    callback=_kubernetes_versions,
    metavar="RANGE",
    help='Kubernetes versions to render for: "1.34", "1.30-1.37", "1.30,1.37".',
)
@click.option(
    "--pod-security",
    type=click.Choice(get_args(Level)),
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
@click.option("--release", type=RELEASE, metavar="NAME", default="llm", show_default=True, help="Name of the release.")
@namespace_option
@output_option
@click.pass_context
def check(ctx: click.Context, /, output: str, kubernetes: Sequence[str], pod_security: Level, **options: Any) -> None:
    """Validate values, render them, and hold what was rendered against all that can be known without a cluster.

    That is Kubernetes' own schemas for each version, strictly; the chart's invariants, such as that probes
    reach a port and that /dev/shm fits in the memory limit; and the Pod Security Standard.

    \b
    Examples:
      vllm-chart check -f values/llama3.yaml
      vllm-chart check -f prod.yaml --kube-versions 1.33-1.35 --pod-security baseline
      vllm-chart check -f prod.yaml --release llama3 --namespace models
    """
    findings = checks.check(kubernetes=kubernetes, pod_security=pod_security, **options)
    fine = (
        f"fine: Kubernetes {', '.join(kubernetes)}; {len(INVARIANTS)} invariants; Pod Security Standard {pod_security}"
    )
    _report(ctx, findings, output, fine)


@main.command("preflight", epilog=EXIT_CODES)
@values_options
@click.option("--release", type=RELEASE, metavar="NAME", default="llm", show_default=True, help="Name of the release.")
@cluster_options
@click.option("--autoscaled", is_flag=True, help="Nodes come when pods ask for them: too few now is a warning.")
@output_option
@click.pass_context
def preflight_(
    ctx: click.Context,
    /,
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
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.live import preflight

    if has_errors(wrong := checks.validate(chart, **options)):
        _report(ctx, wrong, output, "")
    manifests = helm.render(chart=chart, release=release, namespace=namespace, **options)
    values, version = helm.merged_values(chart, **options), helm.app_version(chart)
    with Cluster(kubeconfig, context) as cluster:
        findings = preflight.release(manifests, values, version, cluster, autoscaled=autoscaled)
    _report(ctx, [*wrong, *findings], output, f"fine: the cluster has what release {release} needs")


@main.command("smoke", epilog=EXIT_CODES)
@click.argument("url", required=False, type=URL)
@click.option(
    "--release",
    type=RELEASE,
    metavar="NAME",
    help="A release in a cluster, instead of a URL; it is reached by a port-forward.",
)
@cluster_options
@click.option("--model", default="", help="Name of the model to ask for. Default: the first that is served.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    metavar="SECONDS",
    show_default=True,
    help="How long each answer may take.",
)
@output_option
@click.pass_context
def smoke_(
    ctx: click.Context,
    url: str | None,
    release: str | None,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    model: str,
    timeout_seconds: float,
    output: str,
) -> None:
    """Ask a live service: health, models, completion, chat, embeddings, streaming; with the time of each.

    What the model does not offer is skipped. Nothing is changed in the cluster. The API key is read from
    VLLM_API_KEY, or from the Secret that the release names.

    \b
    Examples:
      vllm-chart smoke http://localhost:8000
      vllm-chart smoke --release llm --namespace models
      VLLM_API_KEY=… vllm-chart smoke https://llm.example.com --model llama3 --output json
    """
    from vllm_chart.live import smoke  # half a second of the Kubernetes client's models, which only live commands need

    if (url is None) == (release is None):
        raise click.UsageError("name either a URL or a --release")
    target: smoke.Target = (
        smoke.Release(release, namespace, kubeconfig, context) if release else smoke.Endpoint(str(url))
    )
    report = smoke.run(target, model=model, timeout_seconds=timeout_seconds)
    click.echo(smoke.to_json(report) if output == "json" else smoke.to_human(report))
    ctx.exit(exit_code(report.findings))


@main.command("diagnose", epilog=EXIT_CODES)
@click.option("--release", type=RELEASE, metavar="NAME", required=True, help="Name of the release.")
@cluster_options
@output_option
@click.pass_context
def diagnose_(
    ctx: click.Context, release: str, namespace: str, kubeconfig: Path | None, context: str | None, output: str
) -> None:
    """Say why a release is not ready, out of its pods, their events and the engine's log.

    \b
    Examples:
      vllm-chart diagnose --release llm --namespace models
    """
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.live import diagnose

    with Cluster(kubeconfig, context) as cluster:
        findings = diagnose.release(release, namespace, cluster)
    # A start that is under way is no error, but not ready either.
    _report(ctx, findings, output, "" if findings else f"fine: release {release} is ready")


def _report(ctx: click.Context, findings: Sequence[Finding], output: str, fine: str) -> None:
    """Print findings and end with their exit code. fine: what a person reads where nothing is wrong."""
    code = exit_code(findings)
    if output == "json":
        click.echo(to_json(findings))
    else:
        if findings:
            click.echo(to_human(findings))
        if code == Exit.OK and fine:
            click.echo(fine)
    ctx.exit(code)


main.add_command(plan)
main.add_command(load)
