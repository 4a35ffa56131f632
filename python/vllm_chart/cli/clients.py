"""The command `vllm-chart clients` and its own commands."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from vllm_chart.cli.options import (
    EXIT_CODES,
    Command,
    cluster_options,
    endpoint_option,
    output_option,
    own_values_options,
    progress_option,
)
from vllm_chart.cli.output import Progress, finish, goes_on, say
from vllm_chart.findings import Finding, UnavailableError, WrongCallError, to_human

if TYPE_CHECKING:
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.endpoint.replicas import Seen
    from vllm_chart.endpoint.secret import Change, Place

TIMEOUT_SECONDS = 150.0


@click.group("clients", epilog=EXIT_CODES)
def command() -> None:
    """Add, list, rotate and revoke the clients of an endpoint, in the Secret that its values name.

    The Secret has of each key its SHA-256 alone. It is that of a release of the chart vllm-endpoint in the cluster, or
    before an install that of values (-f); `add` makes it where there is none. Two who change it at a time lose nothing.

    \b
    Examples:
      vllm-chart clients add app-one -n models > app-one.key
      vllm-chart clients add app-one -n models -f endpoint.yaml     before an install
      vllm-chart clients list -n models
      vllm-chart clients rotate app-one -n models --keep-old        both keys are taken …
      vllm-chart clients rotate app-one -n models --revoke-old      … until now
      vllm-chart clients revoke app-one -n models
    """


def _where_options(command: Command) -> Command:
    """Which Secret is meant."""
    return own_values_options(endpoint_option(cluster_options(command)))


def _change_options(command: Command) -> Command:
    """Which client, and how long its change is waited for."""
    timeout = click.option(
        "--timeout",
        "timeout_seconds",
        type=click.FloatRange(min=0),
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        show_default=True,
        help="How long to wait for the endpoint's replicas; 0: not at all.",
    )
    return click.argument("client", metavar="NAME")(_where_options(timeout(progress_option(output_option(command)))))


@dataclasses.dataclass
class _Where:
    """The options of `_where_options`, and what they lead to."""

    release: str
    namespace: str
    kubeconfig: Path | None
    context: str | None
    values: dict[str, Any]

    def cluster(self) -> "Cluster":
        from vllm_chart.cluster.api import Cluster

        return Cluster(self.kubeconfig, self.context)

    def place(self, cluster: "Cluster") -> "Place":
        """The Secret of the values, where there are any, else of the release in the cluster."""
        from vllm_chart import charts, helm
        from vllm_chart.endpoint import replicas, secret

        if not any(self.values.values()):
            try:
                return replicas.place_of(cluster, self.release, self.namespace)
            except UnavailableError as error:
                raise UnavailableError(f"{error}; before an install, name its values with -f") from error
        clients = helm.merged_values(charts.ENDPOINT.folder, **self.values).get("clients") or {}
        if not clients.get("secretName"):
            raise WrongCallError("clients.secretName: the values name no Secret: write the name that it is to have")
        return secret.Place(self.namespace, str(clients["secretName"]), str(clients.get("key") or "clients.yaml"))


def _where(options: dict[str, Any]) -> _Where:
    """Take the options of `_where_options` out of those of a command."""
    own = {name: options.pop(name) for name in ("release", "namespace", "kubeconfig", "context")}
    return _Where(**own, values=options)


@command.command("add", epilog=EXIT_CODES)
@_change_options
def add(client: str, timeout_seconds: float, progress: bool | None, output: str, **options: Any) -> None:
    """Make a client with a key of its own, which standard output has alone, once: it is kept nowhere.

    The key is written as soon as the Secret has the client, and then the endpoint's replicas are waited for.

    \b
    Example:
      vllm-chart clients add app-one --namespace models | vault kv put secret/app-one key=-
    """
    from vllm_chart.endpoint import changes

    key = changes.new_key()
    _change(
        _where(options),
        _Told(client, "add", key, "takes the key of"),
        lambda there: changes.add(there, client, key),
        timeout_seconds,
        progress,
        output,
    )


@command.command("list", epilog=EXIT_CODES)
@_where_options
@output_option
def list_(output: str, **options: Any) -> None:
    """List the clients, and how many keys each has.

    \b
    Example:
      vllm-chart clients list --namespace models
    """
    from vllm_chart.endpoint import changes, secret

    where = _where(options)
    with where.cluster() as cluster:
        place = where.place(cluster)
        counted = changes.counted(secret.read(cluster, place))
    width = max(map(len, ("CLIENT", *counted)))
    rows = [("CLIENT", "KEYS"), *((name, str(number)) for name, number in counted.items())]
    document = {"ok": True, "secret": place.secret, "namespace": place.namespace}
    listed = [{"client": name, "keys": number} for name, number in counted.items()]
    finish(
        [],
        output,
        human=lambda: (
            "\n".join(f"{name:{width}}  {number:>4}" for name, number in rows) if counted else f"none: {place}"
        ),
        machine=lambda: _json({**document, "clients": listed, "findings": []}),
    )


@command.command("rotate", epilog=EXIT_CODES)
@_change_options
@click.option("--keep-old", is_flag=True, help="Take the old key too, until --revoke-old.")
@click.option("--revoke-old", is_flag=True, help="Make no key: revoke all of the client's but its last.")
def rotate(
    client: str,
    timeout_seconds: float,
    progress: bool | None,
    output: str,
    keep_old: bool,
    revoke_old: bool,
    **options: Any,
) -> None:
    """Give a client another key, which standard output has alone, once, and revoke its old one.

    \b
    Without a moment in which neither is taken:
      vllm-chart clients rotate app-one --namespace models --keep-old > app-one.key
      vllm-chart clients rotate app-one --namespace models --revoke-old
    """
    from vllm_chart.endpoint import changes

    if keep_old and revoke_old:
        raise click.UsageError("name either --keep-old or --revoke-old")
    key = "" if revoke_old else changes.new_key()
    told = "refuses the old keys of" if revoke_old else "takes the new key of"
    _change(
        _where(options),
        _Told(client, "rotate", key, told),
        (lambda there: changes.revoke_old(there, client))
        if revoke_old
        else (lambda there: changes.rotate(there, client, key, keep_old=keep_old)),
        timeout_seconds,
        progress,
        output,
    )


@command.command("revoke", epilog=EXIT_CODES)
@_change_options
@click.option("--last", is_flag=True, help="Even the last client: nobody can ask then.")
def revoke(client: str, timeout_seconds: float, progress: bool | None, output: str, last: bool, **options: Any) -> None:
    """Refuse a client from now on. Streams that it has begun run on to their end.

    \b
    Example:
      vllm-chart clients revoke app-one --namespace models
    """
    from vllm_chart.endpoint import changes

    _change(
        _where(options),
        _Told(client, "revoke", "", "refuses"),
        lambda there: changes.revoke(there, client, last=last),
        timeout_seconds,
        progress,
        output,
    )


@dataclasses.dataclass(frozen=True)
class _Told:
    """What is told of a change: what was done to whom, the key that came of it, and what a replica does then."""

    client: str
    action: str
    key: str
    does: str

    def sentence(self, seen: "Seen", place: "Place", *, waited: bool) -> str:
        if not waited:
            return f"the {place} has the change; replicas follow within two minutes"
        if not seen.of:
            return f"the {place} has the change; no running replica of the release reads it"
        replicas = "the one replica" if seen.of == 1 else f"each of {seen.of} replicas"
        return f"{replicas} {self.does} {self.client!r}"


def _change(
    where: _Where, told: _Told, make: "Change", timeout_seconds: float, progress: bool | None, output: str
) -> NoReturn:
    from vllm_chart.endpoint import clients, secret
    from vllm_chart.endpoint.replicas import Seen

    with where.cluster() as cluster:
        place = where.place(cluster)
        made = secret.change(cluster, place, make, may_create=told.action == "add")
        if told.key and output == "human":  # before anything else can go wrong: it is kept nowhere
            goes_on(f"{told.key}\n")
        findings = [_owned(place, owner) for owner in secret.owners(cluster, place)]
        seen = Seen()
        if timeout_seconds:
            seen = _wait(cluster, where.release, place, clients.version(made), timeout_seconds, Progress(progress))
    findings += seen.findings
    taken = not [finding for finding in findings if finding.severity == "error"]
    lines = [to_human(findings), told.sentence(seen, place, waited=bool(timeout_seconds)) if taken else ""]
    text = "\n".join(filter(None, lines))
    if told.key and output == "human":
        say(text)
        finish(findings, output, human=lambda: "")
    finish(findings, output, human=lambda: text, machine=lambda: _document(told, place, seen, findings, ok=taken))


def _wait(
    cluster: "Cluster", release: str, place: "Place", version: str, timeout_seconds: float, progress: Progress
) -> "Seen":
    from vllm_chart.endpoint import replicas

    stands = ["the endpoint's replicas are asked"]

    def tell(text: str) -> None:
        stands[0] = text

    try:
        with progress.during(lambda: stands[0]):
            return replicas.wait(cluster, release, place, version, timeout_seconds, tell)
    except UnavailableError as error:  # the Secret is changed all the same, and that has to be told
        message = f"the Secret is changed, and whether replicas have taken it up is not known: {error}"
        return replicas.Seen(findings=[Finding("clients-taken", f"release {release}", message)])


def _owned(place: "Place", owner: str) -> Finding:
    message = f"it belongs to {owner}, which may write it again as it was"
    return Finding("clients-taken", f"Secret/{place.secret}", message, "change it there", "warning")


def _document(told: _Told, place: "Place", seen: "Seen", findings: Sequence[Finding], *, ok: bool) -> str:
    return _json(
        {
            "ok": ok,
            "client": told.client,
            "action": told.action,
            **({"key": told.key} if told.key else {}),
            "secret": place.secret,
            "namespace": place.namespace,
            "replicas": {"taken": seen.taken, "of": seen.of},
            "findings": [dataclasses.asdict(finding) for finding in findings],
        }
    )


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
