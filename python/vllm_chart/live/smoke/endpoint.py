"""The checks of charts/vllm-endpoint: who is let in and to what, and each of its models."""

import contextlib
import queue
from collections.abc import Iterator

import requests

from vllm_chart.live.smoke.answers import NotOfferedError, WrongAnswerError
from vllm_chart.live.smoke.checks import Checks, SmokeReport, within
from vllm_chart.load.asker import API_KEY_VARIABLE

#: How the chart's Envoy names itself in every answer (`server_name`).
SERVER = "vllm-endpoint"
#: What an engine tells of itself at paths that change nothing, and an endpoint tells nobody.
CLOSED = ("/metrics", "/version", "/server_info", "/openapi.json")


def is_one(url: str, session: requests.Session, timeout_seconds: float) -> bool:
    """Whether an endpoint of the chart's answers there; False where nobody does in time, which the checks say."""

    def name() -> str | None:
        with session.get(f"{url}/health", timeout=timeout_seconds, stream=True) as answer:
            return answer.headers.get("server")

    try:
        return within(timeout_seconds, name) == SERVER
    except (queue.Empty, requests.RequestException):
        return False


class EndpointChecks(Checks):
    """The checks of one endpoint in front of models."""

    def report(self, model: str) -> SmokeReport:
        self._model = model
        self._answering: dict[str, str] = {}
        self._check_all([("refusal", self._refusal), ("closed", self._closed), ("models", self._models)])
        if self._has_passed("models"):
            for name in [model] if model else [*self._names]:
                self._model = name
                self._check_all([("model", self._one)])
            self._model = next(iter(self._answering), self._model)
            self._check_all([("streaming", self._streaming)])
        return SmokeReport(self._results, self._findings)

    def _refusal(self) -> str:
        """Who shows no key is refused."""
        self._path = "/v1/models"
        self._asking(self._path)
        with self._answered(auth=lambda request: request) as answer:
            if answer.status_code != 401:
                message = f"HTTP {answer.status_code} without a key: everybody is let in"
                raise WrongAnswerError(message, "see what stands in front of it, and clients.secretName")
        return "without a key: 401"

    def _closed(self) -> str:
        """What tells of an engine is told nobody, with a key neither."""
        for path in CLOSED:
            self._path = path
            self._asking(path)
            with self._answered() as answer:
                if answer.status_code not in (401, 404, 405):
                    message = f"{path} is answered {answer.status_code}: it is not to be reached"
                    raise WrongAnswerError(message, "see what stands in front of it")
        return f"{', '.join(CLOSED)}: not served"

    @contextlib.contextmanager
    def _answered(self, **options: object) -> Iterator[requests.Response]:
        """Whatever is answered to GET of the path."""
        try:
            with self._session.get(
                self._url + self._path,
                timeout=self._timeout,
                stream=True,
                **options,  # type: ignore[arg-type]
            ) as answer:
                yield answer
        except requests.RequestException as error:
            raise WrongAnswerError(f"{self._path} broke off: {error}") from error

    def _models(self) -> str:
        try:
            return super()._models()
        except WrongAnswerError as wrong:
            if "HTTP 401" not in str(wrong):
                raise
            remedy = (
                f"write a client's in the environment variable {API_KEY_VARIABLE}, or name a Secret in --key-secret"
            )
            raise WrongAnswerError(str(wrong), f"{remedy}; `vllm-chart clients add` makes one") from wrong

    def _one(self) -> str:
        """What a model answers, to the first question that it takes."""
        for kind, ask in (("completion", self._completion), ("chat", self._chat), ("embedding", self._embedding)):
            with contextlib.suppress(NotOfferedError):
                said = ask()
                self._answering[self._model] = kind
                return f"{self._model}: {said}"
        raise NotOfferedError(f"{self._model} answers nothing that is asked here")

    def _has_passed(self, *names: str) -> bool:
        return self._answering.get(self._model) in names or super()._has_passed(*names)
