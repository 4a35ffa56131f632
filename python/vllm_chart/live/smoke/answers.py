"""What a right answer looks like, and what a wrong one says."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, Field, FiniteFloat

from vllm_chart.load.asker import API_KEY_VARIABLE


class ModelList(BaseModel):
    class Model(BaseModel):
        id: str
        #: Of an adapter: the name of the model that it belongs to.
        parent: str | None = None

    data: list[Model] = Field(min_length=1)


class _Usage(BaseModel):
    completion_tokens: int = Field(ge=1)


class Completion(BaseModel):
    class Choice(BaseModel):
        text: str

    choices: list[Choice] = Field(min_length=1)
    usage: _Usage


class ChatCompletion(BaseModel):
    class Choice(BaseModel):
        class Message(BaseModel):
            # A reasoning model may not have come to its content yet.
            content: str | None = None

        message: Message

    choices: list[Choice] = Field(min_length=1)
    usage: _Usage


Scores = list[tuple[str, float]]
"""Each token of an answer, and its log-probability; or a name of each number, and the number."""


class Scored(BaseModel):
    """An answer that can be compared with another one."""

    def scores(self) -> Scores:
        raise NotImplementedError


class ScoredCompletion(Scored):
    class Choice(BaseModel):
        class Logprobs(BaseModel):
            tokens: list[str] = Field(min_length=1)
            token_logprobs: list[FiniteFloat]

        logprobs: Logprobs

    choices: list[Choice] = Field(min_length=1)

    def scores(self) -> Scores:
        logprobs = self.choices[0].logprobs
        return list(zip(logprobs.tokens, logprobs.token_logprobs, strict=True))


class ScoredChat(Scored):
    class Choice(BaseModel):
        class Logprobs(BaseModel):
            class Token(BaseModel):
                token: str
                logprob: FiniteFloat

            content: list[Token] = Field(min_length=1)

        logprobs: Logprobs

    choices: list[Choice] = Field(min_length=1)

    def scores(self) -> Scores:
        return [(token.token, token.logprob) for token in self.choices[0].logprobs.content]


class Embeddings(Scored):
    class Embedding(BaseModel):
        #: Of a model that embeds each token: one for each.
        embedding: list[FiniteFloat] | list[list[FiniteFloat]] = Field(min_length=1)

    data: list[Embedding] = Field(min_length=1)

    def scores(self) -> Scores:
        rows = [row if isinstance(row, list) else [row] for row in self.data[0].embedding]
        return [(f"{at}", number) for at, number in enumerate(itertools.chain.from_iterable(rows))]


class Transcription(BaseModel):
    text: str


class Ranking(BaseModel):
    class Result(BaseModel):
        index: int
        relevance_score: FiniteFloat

    results: list[Result] = Field(min_length=1)


class Classification(BaseModel):
    class Class(BaseModel):
        label: str | None = None
        probs: list[FiniteFloat] = Field(min_length=1)

    data: list[Class] = Field(min_length=1)


class Pooling(BaseModel):
    data: list[dict[str, Any]] = Field(min_length=1)


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
    if (status in (404, 405) and (not complaint or PATH_NOT_FOUND in body)) or status == 501:
        raise NotOfferedError(f"the endpoint has no {path}")
    if status == 400 and _NOT_A_TASK.search(complaint):  # vLLM 0.8 to 0.17
        raise NotOfferedError(f"the model has no {path}")
    if status == 400 and "chat template" in complaint:
        raise NotOfferedError("the model has no chat template: write one in model.chatTemplate, if it is to chat")
    message = f"HTTP {status}: {complaint or body[:200].strip()}"
    if complaint:
        for words, remedy in _COMPLAINTS.items():
            if words in complaint:
                raise WrongAnswerError(message, remedy)
    elif status in _OF_PROXIES:
        raise WrongAnswerError(message, _OF_PROXIES[status])
    raise WrongAnswerError(message)


#: The code of an endpoint's error for a path that it does not serve (charts/vllm-endpoint, envoy/_routes.tpl).
PATH_NOT_FOUND = '"path_not_found"'
_NOT_A_TASK = re.compile("The model does not support .* API")

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
