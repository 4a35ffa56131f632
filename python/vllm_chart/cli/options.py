"""Options that several commands of `vllm-chart` share, and the text about exit codes that ends their help."""

import contextlib
import re
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    Text = click.ParamType[str]
else:  # before click 8.4 it took no type
    Text = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])

EXIT_CODES = """\b
Exit codes:
  0  nothing is wrong (there may be warnings)
  1  refused: at least one error was found
  2  the call itself is wrong: an unknown option, a file that isn't there
  3  something is missing that the call needs: a cluster, a tool, an answer
"""


class _ValuesFile(click.Path):
    """A file that is there, or "-" for standard input."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if re.match(r"https?://", str(value)):
            self.fail(f"{value} is an address, and no file: fetch it, as by `curl {value} | … -f -`", param, ctx)
        return super().convert(value, param, ctx)


FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
VALUES_FILE = _ValuesFile()


class _Matching(Text):
    """A text that matches a pattern. example: what to write instead, where {} is the text."""

    def __init__(self, name: str, pattern: str, example: str) -> None:
        self.name = name
        self._pattern = re.compile(pattern)
        self._example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not self._pattern.fullmatch(value):
            self.fail(f"{value!r} is no {self.name}: write {self._example.format(value)}", param, ctx)
        return str(value)


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_OF_A_LABEL = "at most {} lower-case letters, digits and dashes, the first and last no dash"
NAMESPACE = _Matching("name of a namespace", f"(?=.{{1,63}}$){_LABEL}", _OF_A_LABEL.format(63))
RELEASE = _Matching("name of a release", rf"(?=.{{1,53}}$){_LABEL}(\.{_LABEL})*", _OF_A_LABEL.format(53))
API_VERSION = _Matching("API", "[-a-z0-9.]+/v[a-z0-9]+(/[A-Za-z]+)?", "monitoring.coreos.com/v1")


class _Url(Text):
    """The address of a service, with a host that has a name and a port that there is."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return _checked_url(str(value))
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


def _checked_url(text: str) -> str:
    """A URL as it may be asked for. Raises ValueError with what is wrong, and what to write instead."""
    if not re.match("https?://", text, re.IGNORECASE):
        raise ValueError(f"is no URL: write http://{text.rpartition('://')[2]}")
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError(f"has white space in it: write {re.sub(r'[^!-~]+', '', text)}")
    example = "write http://localhost:8000, or http://[::1]:8000"
    try:
        url = urllib.parse.urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError as error:
        raise ValueError(f"is no URL: {error}: {example}") from error
    if not _is_host(host):
        raise ValueError(f"names no host that could be looked up: {example}")
    if port == 0:
        raise ValueError(f"names port 0, where nothing listens: {example}")
    return url._replace(path=urllib.parse.quote(url.path, safe="/%:@!$&'()*+,;=~")).geturl()


def _is_host(host: str) -> bool:
    """Whether it can be looked up: a name whose labels have 1 to 63 characters, or an address."""
    try:
        return bool(host.removesuffix(".").encode("idna"))
    except UnicodeError:
        return False


URL = _Url()


def _readable_files(ctx: click.Context, parameter: click.Parameter, expressions: Sequence[str]) -> Sequence[str]:
    """A file of --set-file that isn't there makes a wrong call, as one of --values does."""
    from vllm_chart.helm import strvals

    def find(file: str) -> str:
        VALUES_FILE.convert(file, parameter, ctx)
        return file

    for expression in expressions:
        # What else is wrong with it depends on the values that it is set into.
        with contextlib.suppress(strvals.ExpressionError):
            strvals.set_read(expression, {}, find)
    return expressions


class _Chart(click.Path):
    """A chart's directory or archive; or the name of one that this package brings."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and re.fullmatch(_LABEL, value) and not Path(value).exists():
            from vllm_chart import charts

            if value in charts.CHARTS:
                return charts.CHARTS[value].folder
            self.fail(f"{value!r} does not exist, and is none of {', '.join(charts.CHARTS)}", param, ctx)
        return super().convert(value, param, ctx)


def values_options(command: Command) -> Command:
    """The options of a command that takes values, of any chart."""
    chart = click.option(
        "--chart",
        type=_Chart(exists=True, path_type=Path),
        help="Directory or archive of a chart, or the name of one that comes with this command. Default: vllm.",
    )
    return own_values_options(chart(command))


def own_values_options(command: Command) -> Command:
    """The options for values, as Helm has them; each beats those before it, wherever it stands."""
    return _all(
        command,
        click.option(
            "-f",
            "--values",
            "values_files",
            multiple=True,
            metavar="FILE",
            type=VALUES_FILE,
            help="A values file, or - for standard input; may be repeated, later files win.",
        ),
        click.option(
            "--set-json",
            multiple=True,
            metavar="KEY=JSON",
            help='As helm\'s --set-json: KEY=JSON, or (Helm 4) a whole object, {"KEY": …}.',
        ),
        click.option("--set", "set_", multiple=True, metavar="KEY=VALUE", help="As helm's --set."),
        click.option("--set-string", multiple=True, metavar="KEY=VALUE", help="As helm's --set-string."),
        click.option(
            "--set-file",
            multiple=True,
            metavar="KEY=FILE",
            callback=_readable_files,
            help="As helm's --set-file: the file's text is the value.",
        ),
        click.option(
            "--set-literal",
            multiple=True,
            metavar="KEY=TEXT",
            help="As helm's --set-literal: no character of the text means anything.",
        ),
    )


def release_option(command: Command) -> Command:
    """The name of a release that need not be there yet."""
    return click.option(
        "--release", type=RELEASE, metavar="NAME", default="llm", show_default=True, help="Name of the release."
    )(command)


def endpoint_option(command: Command) -> Command:
    """The name of an endpoint's release in a cluster."""
    return click.option(
        "--release",
        type=RELEASE,
        metavar="NAME",
        default="llm-endpoint",
        show_default=True,
        help="Name of the endpoint's release.",
    )(command)


def kubeconfig_options(command: Command) -> Command:
    """The options that name a cluster."""
    return _all(
        command,
        click.option(
            "--kubeconfig",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Default: $KUBECONFIG, else ~/.kube/config, as for kubectl.",
        ),
        click.option("--context", help="Context in the kubeconfig, instead of its current one."),
    )


def cluster_options(command: Command) -> Command:
    """The options that name a cluster and a namespace in it."""
    return kubeconfig_options(namespace_option(command))


def namespace_option(command: Command) -> Command:
    return click.option(
        "-n",
        "--namespace",
        type=NAMESPACE,
        metavar="NAME",
        default="default",
        show_default=True,
        help="Namespace of the release.",
    )(command)


def progress_option(command: Command) -> Command:
    """Whether a command that may take long says how it stands: the argument of `output.Progress`."""
    return click.option(
        "--progress/--no-progress",
        default=None,
        help="Say on standard error how it stands.  [default: on a terminal]",
    )(command)


def output_option(command: Command) -> Command:
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["human", "json"]),
        default="human",
        show_default=True,
        help="json: one document on standard output.",
    )(command)


def _names(_ctx: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    from vllm_chart.checks import registry

    try:
        return registry.ignorable(names)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def ignore_option(command: Command) -> Command:
    """The checks whose findings don't count; what they let pass is told."""
    return click.option(
        "--ignore",
        multiple=True,
        callback=_names,
        metavar="NAME",
        help="A check whose findings don't count: they are told apart. `check --list` has the names. May be repeated.",
    )(command)


def _all(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


class _KeySecret(click.ParamType[tuple[str, str]]):
    """A Secret's name and one of its keys."""

    name = "NAME[/KEY]"

    def convert(
        self, value: str | tuple[str, str], parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, _, key = value.partition("/")
        if not name or "/" in key:
            self.fail(f"{value!r} is not NAME or NAME/KEY", parameter, context)
        return name, key or "api-key"


def key_secret_option(command: Command) -> Command:
    """`--key-secret`: whose API key is shown."""
    return click.option(
        "--key-secret",
        type=_KeySecret(),
        help="With --release: a Secret of the namespace with the API key to show, a client's of an endpoint. "
        "[default key: api-key]",
    )(command)
