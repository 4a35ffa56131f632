"""Two ways to a pod's page of metrics: through the API server, or by a port-forward of kubectl.

The first needs no process of its own, and a role that may get `pods/proxy`. It can't hand on an API key: the API server
takes the `Authorization` header for itself. vLLM asks for none at /metrics, but what stands before it may. So the
second is taken where the first is refused, by the one or the other.
"""

import contextlib
import json
import threading
import urllib.parse
from collections.abc import Mapping
from typing import Any

import urllib3
from kubernetes import client

from vllm_chart.cluster.api import Cluster, root_cause
from vllm_chart.findings import UnavailableError
from vllm_chart.live.smoke.reach import api_key_of
from vllm_chart.live.top.pods import Replica
from vllm_chart.load.asker import API_KEY_VARIABLE, given_key

PATH = "metrics"


class NoAnswerError(Exception):
    """An engine could not be asked; the text says why."""


class Ways:
    """How the pods of a namespace are reached. Leaving the context ends the port-forwards."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        timeout_seconds: float,
        path: str = PATH,
        query: Mapping[str, str] | None = None,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._timeout = timeout_seconds
        self._path = path
        self._query = query or {}
        self._answered: set[str] = set()
        self._forwards: dict[str, _Forward] = {}
        self._lock = threading.Lock()
        self._refused: dict[str, str] = {}
        """By the pods that can't be asked through the API server: why not."""

    def __enter__(self) -> "Ways":
        return self

    def __exit__(self, *exception: object) -> None:
        self.keep(())

    def keep(self, uids: "Mapping[str, Any] | tuple[()]") -> None:
        """End the port-forwards to pods that are no more."""
        with self._lock:
            gone = [self._forwards.pop(uid) for uid in [*self._forwards] if uid not in uids]
            for uid in [uid for uid in self._refused if uid not in uids]:
                del self._refused[uid]
        for forward in gone:
            forward.close()

    def page(self, replica: Replica) -> str:
        """An engine's page. Raises NoAnswerError."""
        if replica.uid not in self._refused:
            try:
                page = self._through_the_api_server(replica)
            except _RefusedError as refused:
                self._refused[replica.uid] = str(refused)
            except NoAnswerError as silent:
                # The API server is no neighbour of the pod: a NetworkPolicy may keep it out, and never keeps out a
                # kubelet, which the second way goes through.
                if replica.uid in self._answered:
                    raise
                self._refused[replica.uid] = str(silent)
            else:
                self._answered.add(replica.uid)
                return page
        try:
            return self._by_forward(replica)
        except UnavailableError as error:
            raise NoAnswerError(f"{self._refused.get(replica.uid, '')}; {error}") from error

    def _by_forward(self, replica: Replica) -> str:
        """By a port-forward; by another one where that has ended. Raises NoAnswerError, and UnavailableError."""
        try:
            return self._forward_to(replica).page(self._timeout)
        except _EndedError:
            with self._lock:
                ended = self._forwards.pop(replica.uid, None)
            if ended:
                ended.close()
            return self._forward_to(replica).page(self._timeout)

    def _through_the_api_server(self, replica: Replica) -> str:
        scheme = "https:" if replica.tls else ""
        pod = f"/api/v1/namespaces/{self._namespace}/pods/{scheme}{replica.name}:{replica.port}"
        try:
            url = f"{pod}/proxy/{self._path}"
            return self._cluster.get(url, timeout_seconds=self._timeout, **self._query).decode(errors="replace")
        except client.ApiException as error:
            said = _said(error)
            if error.status in (401, 403):
                raise _RefusedError(said) from error
            raise NoAnswerError(said) from error
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswerError(_silence(error)) from error

    def _forward_to(self, replica: Replica) -> "_Forward":
        with self._lock:
            found = self._forwards.get(replica.uid)
        if found is None:
            question = f"?{urllib.parse.urlencode(self._query)}" if self._query else ""
            found = _Forward(self._cluster, self._namespace, replica, f"{self._path}{question}")
            with self._lock:
                self._forwards[replica.uid] = found
        return found


class _RefusedError(Exception):
    """Not this way: the API server lets the caller ask no pod, or the engine wants a key."""


class _EndedError(NoAnswerError):
    """Nobody listens where a port-forward was: its kubectl has ended."""


class _Forward:
    """A port-forward to one pod, and what is asked through it."""

    def __init__(self, cluster: Cluster, namespace: str, replica: Replica, path: str) -> None:
        """Raises UnavailableError."""
        self._stack = contextlib.ExitStack()
        try:
            key = given_key() or api_key_of(cluster, namespace, replica.containers)
        except (client.ApiException, UnavailableError):  # the engine will say whether it wants one
            key = ""
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        address = self._stack.enter_context(cluster.port_forward(namespace, replica.name, replica.port, kind="pod"))
        self._url = f"{'https' if replica.tls else 'http'}://{address}/{path}"
        # The certificate is the Service's, and not that of 127.0.0.1: who answers is the API server's word.
        self._pool = urllib3.PoolManager(cert_reqs="CERT_NONE", retries=False)

    def page(self, timeout_seconds: float) -> str:
        """Raises NoAnswerError, and of it _EndedError."""
        try:
            answer = self._pool.request("GET", self._url, headers=self._headers, timeout=timeout_seconds)
        except urllib3.exceptions.NewConnectionError as error:
            raise _EndedError(_silence(error)) from error
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswerError(_silence(error)) from error
        if answer.status != 200:
            raise NoAnswerError(f"/{PATH} is answered {answer.status}{_KEY if answer.status in (401, 403) else ''}")
        return answer.data.decode(errors="replace")

    def close(self) -> None:
        self._pool.clear()
        self._stack.close()


_KEY = f": write its key in {API_KEY_VARIABLE}"


def _said(error: client.ApiException) -> str:
    """What the API server said, or else the engine behind it."""
    try:
        answer = json.loads(error.body or "")
    except ValueError:
        answer = {}
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return str(answer.get("message") or error.reason)
    return f"/{PATH} is answered {error.status}"


def _silence(error: urllib3.exceptions.HTTPError) -> str:
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return f"no answer from /{PATH} in time"
    cause = root_cause(error)
    return f"no answer from /{PATH}: {getattr(cause, 'strerror', None) or cause}"
