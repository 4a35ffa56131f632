"""A cluster as the live checks need it: its API, what belongs to a release, a port-forward, a wait for a condition."""

import collections
import contextlib
import http
import json
import math
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

import urllib3
import yaml
from kubernetes import client, config, watch

from vllm_chart.findings import UnavailableError

FORWARD_SECONDS = 10
CONNECT_SECONDS = 10
SILENT_SECONDS = 60
"""How long an API server may say nothing: by itself it ends what takes longer (--request-timeout of kube-apiserver).

https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
"""
WATCH_MARGIN_SECONDS = 10
"""What a watch may be silent beyond the time after which the API server ends it."""

Listed = TypeVar("Listed")


class _Retry(urllib3.Retry):
    """Tries again what was refused or cut, as urllib3 does by itself, and not what was waited for in vain: that makes
    four waits of one."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: urllib3.BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: urllib3.connectionpool.ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if isinstance(error, urllib3.exceptions.TimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


class _Api(client.ApiClient):
    """The client's own, which waits for an answer without an end where it is not told otherwise."""

    def call_api(
        self,
        method: Any,
        url: Any,
        header_params: Any = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: Any = None,
    ) -> Any:
        limits = _request_timeout or (CONNECT_SECONDS, SILENT_SECONDS)
        return super().call_api(method, url, header_params, body, post_params, limits)


class Cluster(contextlib.AbstractContextManager["Cluster"]):
    """The cluster that a kubeconfig's context points at. Leaving the context closes its connections.

    Without a path the kubeconfig is found as kubectl finds it: `$KUBECONFIG`, else `~/.kube/config`.
    Raises `UnavailableError` when there is none, it can't be read, or it has no such context.
    """

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        self.kubeconfig = kubeconfig
        self.context = context
        path = str(kubeconfig) if kubeconfig else None
        configuration = client.Configuration(retries=_Retry(total=3))
        try:
            config.load_kube_config(config_file=path, context=context, client_configuration=configuration)
            self._api: Any = _Api(configuration)
        except (config.ConfigException, OSError, yaml.YAMLError) as error:
            raise _no_cluster(str(error)) from error
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            # The client takes the file to be as it should.
            raise _no_cluster(f"{path or 'the kubeconfig'} is not a kubeconfig") from error
        self.core = client.CoreV1Api(self._api)
        self.apps = client.AppsV1Api(self._api)
        self.storage = client.StorageV1Api(self._api)
        self.node = client.NodeV1Api(self._api)
        self.scheduling = client.SchedulingV1Api(self._api)
        self.authorization = client.AuthorizationV1Api(self._api)
        self.custom = client.CustomObjectsApi(self._api)

    def __exit__(self, *exception: object) -> None:
        self._api.close()

    def get(self, path: str, *, timeout_seconds: float, **query: str) -> bytes:
        """What the API server answers at a path, as it is: to make the client's objects of a list of pods takes ten
        times as long as to read its JSON.

        Raises `kubernetes.client.ApiException` for an answer that is no success, `urllib3.exceptions.HTTPError` for
        none.
        """
        asked = self._api.param_serialize("GET", path, query_params=[*query.items()], auth_settings=["BearerToken"])
        answer = self._api.call_api(*asked, _request_timeout=timeout_seconds)
        body: bytes = answer.read()
        if not 200 <= answer.status <= 299:
            raise client.ApiException(status=answer.status, reason=answer.reason, body=body.decode(errors="replace"))
        return body

    @contextlib.contextmanager
    def port_forward(self, namespace: str, service: str, port: str | int, *, kind: str = "service") -> Iterator[str]:
        """Yield the address (`127.0.0.1:<a free port>`) of a port-forward to a Service, or to a pod (`kind="pod"`).

        kubectl does the forwarding: it picks a ready pod, and ends where that goes or its node can't reach the port
        (client-go, tools/portforward/portforward.go). The Python client's own `portforward` drops what is in flight
        when the other side closes.
        Raises `UnavailableError` when kubectl is missing or can't forward (no ready pod, no permission).
        """
        target = (f"--namespace={namespace}", f"{kind}/{service}", f":{port}")
        options = ("--address=127.0.0.1", f"--pod-running-timeout={FORWARD_SECONDS}s")
        command = self.kubectl("port-forward", *options, *target)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
        ) as process:
            assert process.stdout is not None
            # kubectl prints a line for every connection: a full pipe would stop it.
            drain = threading.Thread(target=collections.deque, args=(process.stdout, 0), daemon=True)
            try:
                local_port = _forwarded_port(process.stdout, f"{kind} {namespace}/{service}")
                drain.start()
                yield f"127.0.0.1:{local_port}"
            finally:
                process.terminate()
                if drain.is_alive():
                    drain.join()

    def wait_for(
        self,
        list_call: Callable[..., Any],
        *args: str,
        until: Callable[[Listed], bool],
        timeout_seconds: int,
        **selectors: str,
    ) -> Listed:
        """Watch what `list_call` lists and return the first object that satisfies `until`.

        A watch that is cut before its time (a load balancer's limit, an API server that is replaced) is begun again.
        Raises `TimeoutError` when none did in `timeout_seconds`.
        """
        end = time.monotonic() + timeout_seconds
        while (left := end - time.monotonic()) > 0:
            seconds = math.ceil(left)
            limits = {
                "timeout_seconds": seconds,
                "_request_timeout": (CONNECT_SECONDS, seconds + WATCH_MARGIN_SECONDS),
            }
            begun = time.monotonic()
            with contextlib.closing(watch.Watch().stream(list_call, *args, **limits, **selectors)) as stream:
                for event in _until_cut(stream):
                    listed: Listed = event["object"]
                    if event["type"] != "DELETED" and until(listed):
                        return listed
            # What ends each watch at once is not asked without a pause.
            time.sleep(max(0.0, min(1.0, end - time.monotonic(), begun + 1 - time.monotonic())))
        raise TimeoutError(f"{list_call.__name__}({', '.join(args)}): condition not met in {timeout_seconds} s")

    def kubectl(self, *arguments: str) -> list[str]:
        """The command line of a kubectl call to this very cluster. Raises `UnavailableError` if there is no kubectl."""
        program = shutil.which("kubectl")
        if program is None:
            raise UnavailableError("kubectl is not on PATH: install it")
        command = [program]
        if self.kubeconfig:
            command.append(f"--kubeconfig={self.kubeconfig}")
        if self.context:
            command.append(f"--context={self.context}")
        return [*command, *arguments]


def _until_cut(stream: Iterable[Any]) -> Iterator[Any]:
    """The events of a watch, up to the end that it, or its connection, has."""
    try:
        yield from stream
    except urllib3.exceptions.ProtocolError:
        return
    except client.ApiException as error:
        if error.status != http.HTTPStatus.GONE:  # it fell behind: what is there now, the next one lists
            raise


def _forwarded_port(output: IO[str], target: str) -> int:
    """Read kubectl's output up to the line that names the local port."""
    said: list[str] = []
    for line in output:
        if match := re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", line):
            return int(match[1])
        said.append(line)
    raise UnavailableError(f"can't forward a port to {target}: {''.join(said).strip()}")


@contextlib.contextmanager
def asking_the_api_server() -> Iterator[None]:
    """Turn what the API server refuses, or its silence, into an `UnavailableError`."""
    try:
        yield
    except client.ApiException as error:
        raise UnavailableError(f"the API server refused ({error.status}): {refusal(error)}") from error
    except urllib3.exceptions.HTTPError as error:
        raise UnavailableError(f"the API server does not answer: {root_cause(error)}") from error


def refusal(error: client.ApiException) -> str:
    """The API server's own words, out of the `Status` that it answers."""
    detail = str(error.body or error.reason).strip()
    match = re.search(r'"message":\s*("(?:[^"\\]|\\.)*")', detail)
    return str(json.loads(match[1], strict=False)) if match else detail


def unless_hidden(question: Callable[[], Any]) -> Any:
    """What the API server answers; None where that is not allowed, or not there. Raises `client.ApiException`."""
    try:
        return question()
    except client.ApiException as error:
        if error.status in (403, 404):
            return None
        raise


def root_cause(error: BaseException) -> BaseException:
    """What an HTTP library's error began with: "Connection refused" instead of a pool's retries of a URL."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def _no_cluster(why: str) -> UnavailableError:
    return UnavailableError(
        f"no cluster to talk to: {why.rstrip('.')}. Name a kubeconfig with --kubeconfig (and --context)."
    )
