"""Smoke test of a live endpoint: does it answer, is it the right model, and how long does it take.

    smoke.run(smoke.Endpoint("https://llm.example.com"))
    smoke.run(smoke.Release("llm", "default"))

What an endpoint offers follows from its answers: vLLM registers only the routes of the model's tasks, and
says so itself when a model has no chat template. A check that does not apply is skipped, with the reason.
"""

import contextlib
import dataclasses
import json
import warnings
from collections.abc import Callable

import requests
from requests.auth import AuthBase
from urllib3.exceptions import InsecureRequestWarning

from vllm_chart.findings import has_errors
from vllm_chart.live.smoke import endpoint
from vllm_chart.live.smoke.answers import NotOfferedError, WrongAnswerError, judge, read_stream, sse_data
from vllm_chart.live.smoke.checks import Checks, Result, SmokeReport, Status
from vllm_chart.live.smoke.endpoint import EndpointChecks
from vllm_chart.live.smoke.reach import Inside, Release, forwarded, inside
from vllm_chart.load.asker import API_KEY_VARIABLE, given_key

__all__ = [
    "API_KEY_VARIABLE",
    "Endpoint",
    "Inside",
    "NotOfferedError",
    "Release",
    "Result",
    "SmokeReport",
    "Status",
    "Target",
    "WrongAnswerError",
    "forwarded",
    "inside",
    "judge",
    "read_stream",
    "run",
    "sse_data",
    "to_human",
    "to_json",
]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """An endpoint by its base URL, without `/v1`. The API key, if it asks for one, is `$VLLM_API_KEY`."""

    url: str


Target = Endpoint | Release


def run(
    target: Target, *, model: str = "", timeout_seconds: float = 60, asking: Callable[[str], None] = lambda _: None
) -> SmokeReport:
    """Check a live endpoint.

    model: the name to ask for; empty for the first that the endpoint lists.
    timeout_seconds: how long each answer may take.
    asking: is told the path of each question before it is asked.
    Raises `UnavailableError` when there is no endpoint: no cluster, no ready pod, no connection.
    """
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(requests.Session())
        if isinstance(target, Release):
            url, api_key, adapters = stack.enter_context(forwarded(target))
            # The way is our own port-forward: no proxy, and no name for a certificate to prove.
            session.trust_env = session.verify = False
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", InsecureRequestWarning)
        else:
            # Clients want the address with /v1, where this begins with the host.
            url, api_key = target.url.rstrip("/").removesuffix("/v1"), given_key()
            adapters = ()
        session.auth = _BearerKey(api_key)
        url = url.rstrip("/")
        kind = EndpointChecks if endpoint.is_one(url, session, timeout_seconds) else Checks
        return kind(url, session, timeout_seconds, asking, adapters).report(model)


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


class _BearerKey(AuthBase):
    """An API key in the Authorization header. As an `auth` object it keeps a .netrc file from replacing it."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._api_key:
            request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request
