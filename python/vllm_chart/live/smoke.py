"""Smoke test of a live endpoint: does it answer, is it the right model, and how long does it take.

    smoke.run(smoke.Endpoint("https://llm.example.com"))
    smoke.run(smoke.Release("llm", "default"))

What an endpoint offers follows from its answers: vLLM registers only the routes of the model's tasks, and
says so itself when a model has no chat template. A check that does not apply is skipped, with the reason.
"""

import contextlib
import dataclasses
import itertools
import json
import os
import time
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import requests
from kubernetes.client import V1Container, V1Deployment, V1SecretKeySelector, V1Service
from pydantic import BaseModel, Field, FiniteFloat, ValidationError
from requests.auth import AuthBase

from vllm_chart.cluster.api import Cluster, asking_the_api_server, root_cause
from vllm_chart.findings import Finding, UnavailableError, has_errors

API_KEY_VARIABLE = "VLLM_API_KEY"
PROMPT = "San Francisco is a"
_MESSAGES = [{"role": "user", "content": PROMPT}]
_GREEDY: dict[str, Any] = {"max_tokens": 16, "temperature": 0}
_TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """An endpoint by its base URL, without `/v1`. The API key, if it asks for one, is `$VLLM_API_KEY`."""

    url: str


@dataclasses.dataclass(frozen=True)
class Release:
    """A release in a cluster: its Service is reached by a port-forward, its API key read from its own Secret."""

    name: str
    namespace: str
    kubeconfig: Path | None = None
    context: str | None = None


Target = Endpoint | Release
Status = Literal["passed", "failed", "skipped"]


@dataclasses.dataclass(frozen=True)
class Result:
    """What one check found. `seconds` is how long the answer took in full, None if none was asked for."""

    check: str
    status: Status
    detail: str
    seconds: float | None = None


@dataclasses.dataclass(frozen=True)
class SmokeReport:
    """Every check's result, and a finding for each that failed."""

    results: list[Result]
    findings: list[Finding]


def run(target: Target, *, model: str = "", timeout_seconds: float = 60) -> SmokeReport:
    """Check a live endpoint.

    model: the name to ask for; empty for the first that the endpoint lists.
    timeout_seconds: how long each answer may take.
    Raises `UnavailableError` when there is no endpoint: no cluster, no ready pod, no connection.
    """
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(requests.Session())
        if isinstance(target, Release):
            url, api_key = stack.enter_context(forwarded(target))
            # The way is our own port-forward: no proxy, and no name for a certificate to prove.
            session.trust_env = session.verify = False
        else:
            # Clients want the address with /v1, where this begins with the host.
            url, api_key = target.url.rstrip("/").removesuffix("/v1"), os.environ.get(API_KEY_VARIABLE, "")
        session.auth = _BearerKey(api_key)
        return _Smoke(url.rstrip("/"), session, timeout_seconds).report(model)


def to_human(report: SmokeReport) -> str:
    """The results for a person: a line each, and what to do about those that failed."""
    lines = []
    for result in report.results:
        seconds = f"{result.seconds:7.2f} s" if result.seconds is not None else " " * 9
        lines.append(f"{result.status:<7} {seconds}  {result.check:<10}  {result.detail}")
    return "\n".join([*lines, *map(str, report.findings)])


def to_json(report: SmokeReport) -> str:
    """The report for a machine: `{"ok": bool, "results": [{check, status, detail, seconds}], "findings": […]}`."""
    document = {"ok": not has_errors(report.findings), **dataclasses.asdict(report)}
    return json.dumps(document, indent=2, ensure_ascii=False)


# -- reaching a release -------------------------------------------------------------------------------------


@contextlib.contextmanager
def forwarded(release: Release) -> Iterator[tuple[str, str]]:
    """Yield the base URL of a release and its API key, empty if it asks for none.

    Raises `UnavailableError` when there is no cluster, no such release, or no pod of it that is ready.
    """
    with Cluster(release.kubeconfig, release.context) as cluster:
        with asking_the_api_server():
            service, deployment = _find_front(cluster, release)
            api_key = os.environ.get(API_KEY_VARIABLE) or _api_key(cluster, release.namespace, deployment)
        if not (deployment.status and deployment.status.ready_replicas):
            raise UnavailableError(
                f"no pod of release {release.name} is ready: "
                f"`vllm-chart diagnose --release {release.name} --namespace {release.namespace}` says why"
            )
        scheme = "https" if _serves_tls(deployment) else "http"
        with cluster.port_forward(release.namespace, _name(service), "http") as address:
            yield f"{scheme}://{address}", api_key


@dataclasses.dataclass(frozen=True)
class Inside:
    """A release as pods of its cluster see it."""

    url: str
    labels: dict[str, str]
    """What its Service selects pods by."""
    api_key_secret: dict[str, str] | None
    """Name and key of the Secret with the API key, None if it asks for none."""


def inside(cluster: Cluster, release: Release) -> Inside:
    """The release as pods of its cluster see it. Raises `UnavailableError` when there is no such release."""
    with asking_the_api_server():
        service, deployment = _find_front(cluster, release)
    assert service.spec
    (port,) = (port.port for port in service.spec.ports or [] if port.name == "http")
    scheme = "https" if _serves_tls(deployment) else "http"
    secret = _api_key_reference(deployment)
    return Inside(
        f"{scheme}://{_name(service)}.{release.namespace}.svc:{port}",
        service.spec.selector or {},
        {"name": secret.name, "key": secret.key} if secret and secret.name else None,
    )


def _find_front(cluster: Cluster, release: Release) -> tuple[V1Service, V1Deployment]:
    selector = f"app.kubernetes.io/instance={release.name}"
    services = cluster.core.list_namespaced_service(release.namespace, label_selector=selector).items
    deployments = cluster.apps.list_namespaced_deployment(release.namespace, label_selector=selector).items
    return _front(release, services, deployments)


def _name(service: V1Service) -> str:
    return (service.metadata.name if service.metadata else None) or ""


def _front(
    release: Release, services: Iterable[V1Service], deployments: Iterable[V1Deployment]
) -> tuple[V1Service, V1Deployment]:
    """A release's Service, and the Deployment behind it."""
    for service in services:
        ports = (service.spec.ports if service.spec else None) or []
        selector = ((service.spec.selector if service.spec else None) or {}).items()
        for deployment in deployments:
            pods = deployment.spec.template.metadata
            labels = ((pods.labels if pods else None) or {}).items()
            if any(port.name == "http" for port in ports) and selector and selector <= labels:
                return service, deployment
    raise UnavailableError(
        f"there is no release {release.name!r} of the chart in namespace {release.namespace}: "
        "`helm list --all-namespaces` shows what there is"
    )


def _containers(deployment: V1Deployment) -> list[V1Container]:
    spec = deployment.spec.template.spec
    return list(spec.containers) if spec else []


def _api_key(cluster: Cluster, namespace: str, deployment: V1Deployment) -> str:
    """The key that the engine itself was given, out of the Secret that its environment names."""
    reference = _api_key_reference(deployment)
    if not reference or not reference.name:
        return ""
    secret = cluster.core.read_namespaced_secret(reference.name, namespace)
    return b64decode((secret.data or {}).get(reference.key, "")).decode()


def _api_key_reference(deployment: V1Deployment) -> V1SecretKeySelector | None:
    for variable in (variable for container in _containers(deployment) for variable in container.env or []):
        if variable.name == API_KEY_VARIABLE and variable.value_from:
            return variable.value_from.secret_key_ref
    return None


def _serves_tls(deployment: V1Deployment) -> bool:
    """The kubelet asks the engine as everybody has to: by the scheme of the readiness probe."""
    probes = (container.readiness_probe for container in _containers(deployment))
    return any(probe and probe.http_get and probe.http_get.scheme == "HTTPS" for probe in probes)


class _BearerKey(AuthBase):
    """An API key in the Authorization header. As an `auth` object it keeps a .netrc file from replacing it."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._api_key:
            request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


# -- what a right answer looks like -------------------------------------------------------------------------


class _ModelList(BaseModel):
    class Model(BaseModel):
        id: str

    data: list[Model] = Field(min_length=1)


class _Usage(BaseModel):
    completion_tokens: int = Field(ge=1)


class _Completion(BaseModel):
    class Choice(BaseModel):
        text: str

    choices: list[Choice] = Field(min_length=1)
    usage: _Usage


class _ChatCompletion(BaseModel):
    class Choice(BaseModel):
        class Message(BaseModel):
            # A reasoning model may not have come to its content yet.
            content: str | None = None

        message: Message

    choices: list[Choice] = Field(min_length=1)
    usage: _Usage


class _Embeddings(BaseModel):
    class Embedding(BaseModel):
        embedding: list[FiniteFloat] = Field(min_length=1)

    data: list[Embedding] = Field(min_length=1)


_Answer = TypeVar("_Answer", bound=BaseModel)


class NotOfferedError(Exception):
    """The check does not apply to this endpoint; the text says why."""


class WrongAnswerError(Exception):
    """The endpoint answered wrongly; the texts say how, and what to do."""

    def __init__(self, message: str, remedy: str = "the engine's log says more") -> None:
        super().__init__(message)
        self.remedy = remedy


def judge(status: int, body: str, path: str) -> None:
    """Judge an HTTP answer by its status; the body is looked at where vLLM says more in it.

    Raises `NotOfferedError` for what the endpoint does not offer, `WrongAnswerError` where it should have answered.
    """
    if status == 200:
        return
    if status in (401, 403):
        raise WrongAnswerError(
            f"HTTP {status}: the endpoint wants another API key",
            f"write it in the environment variable {API_KEY_VARIABLE}, as in the Secret of auth.apiKeySecretRef",
        )
    complaint = _complaint(body)
    if (status in (404, 405) and not complaint) or status == 501:
        raise NotOfferedError(f"the endpoint has no {path}")
    if status == 400 and "chat template" in complaint:
        raise NotOfferedError(
            "the model has no chat template: write one in engine.args.chat-template, if it is to chat"
        )
    message = f"HTTP {status}: {complaint or body[:200].strip()}"
    if complaint:
        for words, remedy in _COMPLAINTS.items():
            if words in complaint:
                raise WrongAnswerError(message, remedy)
    elif status in _OF_PROXIES:
        raise WrongAnswerError(message, _OF_PROXIES[status])
    raise WrongAnswerError(message)


TOOLS_ARE_OFF = "--tool-call-parser to be set"

#: What vLLM says of a request that other values would have let it answer (vllm/entrypoints/), and those values.
_COMPLAINTS = {
    TOOLS_ARE_OFF: "write engine.args.enable-auto-tool-choice: true and engine.args.tool-call-parser",
    "does not exist": "ask for a name that /v1/models lists, or write it in model.servedModelName",
    "maximum context length": "ask for less, or raise engine.args.max-model-len",
    "may be provided in one prompt": "raise the number in engine.args.limit-mm-per-prompt",
    "is not a multimodal model": "write a model.id that sees or hears",
}

#: What a proxy in front answers in the engine's place.
_OF_PROXIES = {
    413: "raise the limit of a request's body in the proxy in front",
    502: "a pod closed a connection that the proxy in front still kept: raise traffic.keepAliveSeconds above its own",
    503: "no pod is ready behind it: `vllm-chart diagnose` says why",
    504: "raise the timeouts of the proxy in front above your longest answer; traffic.streamKeepAliveSeconds: 30 keeps "
    "streams from falling silent",
}


def _complaint(body: str) -> str:
    """The message of an error in OpenAI's form; empty for another body, such as FastAPI's own 404."""
    try:
        error = json.loads(body).get("error")
        return str(error["message"])
    except (ValueError, AttributeError, TypeError, KeyError):
        return ""


def sse_data(lines: Iterable[str]) -> Iterator[str]:
    """The data of server-sent events, one per line as OpenAI's API writes them; comments are left out."""
    for line in lines:
        if line.startswith("data:"):
            yield line.removeprefix("data:").strip()


def read_stream(events: Iterable[str]) -> list[dict[str, Any]]:
    """Read the chunks of a streamed answer up to `[DONE]`.

    Raises `WrongAnswerError` where the stream breaks off, carries an error, or comes in one piece.
    """
    chunks: list[dict[str, Any]] = []
    for data in events:
        if data == "[DONE]":
            break
        if complaint := _complaint(data):
            raise WrongAnswerError(f"the stream carries an error: {complaint}")
        try:
            chunks.append(json.loads(data))
        except ValueError as error:
            raise WrongAnswerError(f"the stream carries something other than JSON: {data[:80]}") from error
    else:
        raise WrongAnswerError(f"the stream broke off after {len(chunks)} chunks, before [DONE]")
    if len(chunks) < 2:
        raise WrongAnswerError("the stream came in one piece", "switch off the buffering of the proxy in front")
    return chunks


# -- the checks ---------------------------------------------------------------------------------------------


class _Smoke:
    """The checks of one endpoint, in order: a later one may build on what an earlier one found."""

    def __init__(self, url: str, session: requests.Session, timeout_seconds: float) -> None:
        self._url = url
        self._session = session
        self._timeout = timeout_seconds
        self._model = ""
        self._results: list[Result] = []
        self._findings: list[Finding] = []

    def report(self, model: str) -> SmokeReport:
        self._model = model
        checks: list[tuple[str, Callable[[], str]]] = [("health", self._health), ("models", self._models)]
        self._check_all(checks)
        if any(result.check == "models" and result.status == "skipped" for result in self._results):
            message = "it has no /v1/models: this is not vLLM's OpenAI server"
            self._findings.append(Finding("smoke-models", self._url, message, "run `vllm serve`: leave command empty"))
        if self._has_passed("models"):
            checks = [("completion", self._completion), ("chat", self._chat), ("embedding", self._embedding)]
            self._check_all([*checks, ("streaming", self._streaming), ("tools", self._tools)])
            if not self._has_passed("completion", "chat", "embedding") and not self._findings:
                self._findings.append(
                    Finding(
                        "smoke-tasks",
                        self._url,
                        f"model {self._model} completes no text, holds no chat and gives no embeddings: only its "
                        "health is checked",
                        severity="warning",
                    )
                )
        return SmokeReport(self._results, self._findings)

    def _check_all(self, checks: Iterable[tuple[str, Callable[[], str]]]) -> None:
        for name, check in checks:
            start = time.perf_counter()
            try:
                detail = check()
            except NotOfferedError as skipped:
                self._results.append(Result(name, "skipped", str(skipped)))
            except WrongAnswerError as failed:
                self._results.append(Result(name, "failed", str(failed), time.perf_counter() - start))
                self._findings.append(Finding(f"smoke-{name}", self._url, str(failed), failed.remedy))
            else:
                self._results.append(Result(name, "passed", detail, time.perf_counter() - start))

    def _has_passed(self, *names: str) -> bool:
        return any(result.check in names and result.status == "passed" for result in self._results)

    def _health(self) -> str:
        with self._asked("GET", "/health"):
            return "the engine is alive"

    def _models(self) -> str:
        names = [model.id for model in self._answer("GET", "/v1/models", _ModelList).data]
        if self._model and self._model not in names:
            raise WrongAnswerError(f"it serves {', '.join(names)}, not {self._model}", "correct model.servedModelName")
        self._model = self._model or names[0]
        return f"it serves {', '.join(names)}"

    def _completion(self) -> str:
        answer = self._answer("POST", "/v1/completions", _Completion, prompt=PROMPT, **_GREEDY)
        return f"{PROMPT!r} -> {answer.choices[0].text!r}"

    def _chat(self) -> str:
        answer = self._answer("POST", "/v1/chat/completions", _ChatCompletion, messages=_MESSAGES, **_GREEDY)
        return f"{PROMPT!r} -> {answer.choices[0].message.content!r}"

    def _embedding(self) -> str:
        answer = self._answer("POST", "/v1/embeddings", _Embeddings, input=PROMPT)
        return f"{len(answer.data[0].embedding)} dimensions"

    def _streaming(self) -> str:
        question: dict[str, Any]
        if self._has_passed("completion"):
            path, question = "/v1/completions", {"prompt": PROMPT}
        elif self._has_passed("chat"):
            path, question = "/v1/chat/completions", {"messages": _MESSAGES}
        else:
            raise NotOfferedError("nothing to stream")
        start = time.perf_counter()
        with self._asked("POST", path, model=self._model, stream=True, **question, **_GREEDY) as response:
            response.encoding = "utf-8"
            events = sse_data(response.iter_lines(decode_unicode=True))
            first = list(itertools.islice(events, 1))
            seconds_to_first = time.perf_counter() - start
            chunks = read_stream(itertools.chain(first, events))
        return f"{len(chunks)} chunks, the first after {seconds_to_first:.2f} s"

    def _tools(self) -> str:
        if not self._has_passed("chat"):
            raise NotOfferedError("there is no chat in which to call tools")
        question = {"messages": _MESSAGES, "tools": _TOOLS, "tool_choice": "auto"}
        try:
            self._answer("POST", "/v1/chat/completions", _ChatCompletion, **question, **_GREEDY)
        except WrongAnswerError as wrong:
            if TOOLS_ARE_OFF in str(wrong):
                raise NotOfferedError(f"tool calls are off: {wrong.remedy}") from wrong
            raise
        return "a chat may call tools"

    def _answer(self, method: str, path: str, form: type[_Answer], **body: Any) -> _Answer:
        """Ask, and read the answer in the form it should have."""
        with self._asked(method, path, **({"model": self._model} if body else {}), **body) as response:
            try:
                return form.model_validate_json(response.content)
            except ValidationError as error:
                problem = error.errors()[0]
                place = ".".join(map(str, problem["loc"])) or "the body"
                raise WrongAnswerError(f"{path} answers in another form: {place}: {problem['msg']}") from error

    @contextlib.contextmanager
    def _asked(self, method: str, path: str, **body: Any) -> Iterator[requests.Response]:
        """Ask, and yield an answer of status 200. It is read while it arrives."""
        try:
            with self._session.request(
                method, self._url + path, json=body or None, timeout=self._timeout, stream=True
            ) as response:
                judge(response.status_code, "" if response.ok else response.text, path)
                yield response
        except requests.Timeout as error:
            raise WrongAnswerError(
                f"{path} did not answer in {self._timeout:g} s", "the engine may hang: see its log"
            ) from error
        except requests.RequestException as error:
            if not self._results:
                raise UnavailableError(f"{self._url} does not answer: {root_cause(error)}") from error
            raise WrongAnswerError(f"{path} broke off: {root_cause(error)}") from error
