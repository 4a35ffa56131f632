"""The checks of one endpoint: what is asked, in which order."""

import contextlib
import dataclasses
import functools
import io
import itertools
import queue
import threading
import time
import wave
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NoReturn, TypeVar

import requests
from pydantic import BaseModel, ValidationError

from vllm_chart.cluster.api import root_cause
from vllm_chart.findings import Finding, UnavailableError
from vllm_chart.live.smoke import answers
from vllm_chart.live.smoke.answers import (
    TOOLS_ARE_OFF,
    NotOfferedError,
    WrongAnswerError,
    judge,
    read_stream,
    sse_data,
)

PROMPT = "San Francisco is a"
_MESSAGES = [{"role": "user", "content": PROMPT}]
_GREEDY: dict[str, Any] = {"max_tokens": 16, "temperature": 0}
_TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]


def _silence() -> bytes:
    """A second of it, as a WAV file."""
    audio = io.BytesIO()
    with wave.open(audio, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(32000))
    return audio.getvalue()


#: By which answers of two models are compared: the check that has to have passed, and what is asked then.
_COMPARED: Sequence[tuple[str, str, type[answers.Scored], dict[str, Any]]] = (
    ("completion", "/v1/completions", answers.ScoredCompletion, {"prompt": PROMPT, "logprobs": 1, **_GREEDY}),
    ("chat", "/v1/chat/completions", answers.ScoredChat, {"messages": _MESSAGES, "logprobs": True, **_GREEDY}),
    ("embedding", "/v1/embeddings", answers.Embeddings, {"input": PROMPT}),
)


Status = Literal["passed", "failed", "skipped"]

_Answer = TypeVar("_Answer", bound=BaseModel)
_Said = TypeVar("_Said")


def within(seconds: float, question: Callable[[], _Said]) -> _Said:
    """What a question gives or raises, if it does so in time. Raises queue.Empty where it does not.

    requests' own timeout is for each read, and a server may send a byte at a time for ever; so the question runs in a
    thread, which is left behind where it hangs.
    """
    ended: queue.SimpleQueue[Callable[[], _Said]] = queue.SimpleQueue()

    def run() -> None:
        try:
            said = question()
        except Exception as error:
            ended.put(functools.partial(_raise, error))
        else:
            ended.put(lambda: said)

    threading.Thread(target=run, daemon=True).start()
    return ended.get(timeout=seconds)()


def _raise(error: Exception) -> NoReturn:
    raise error


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


class Checks:
    """The checks of one endpoint, in order: a later one may build on what an earlier one found."""

    def __init__(
        self,
        url: str,
        session: requests.Session,
        timeout_seconds: float,
        asking: Callable[[str], None],
        adapters: Sequence[str] = (),
    ) -> None:
        """adapters: the names of those that it is known to have; it may tell of more."""
        self._url = url
        self._session = session
        self._timeout = timeout_seconds
        self._asking = asking
        self._expected = adapters
        self._adapters: dict[str, str] = {}
        self._model = ""
        self._names: Sequence[str] = ()
        self._path = ""
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
                self._check_other_tasks()
            self._check_adapters()
        return SmokeReport(self._results, self._findings)

    def _check_other_tasks(self) -> None:
        """Ask what has neither words nor embeddings, until it answers: one of these is what it is for."""
        others: list[tuple[str, Callable[[], str]]] = [
            ("transcription", self._transcription),
            ("ranking", self._ranking),
            ("classification", self._classification),
            ("pooling", self._pooling),
        ]
        for name, check in others:
            self._check_all([(name, check)])
            if self._has_passed(name):
                return
        if not self._findings:
            message = f"model {self._model} answers nothing that is asked here: only its health is checked"
            self._findings.append(Finding("smoke-tasks", self._url, message, severity="warning"))

    def _check_adapters(self) -> None:
        """That each is served, and has an effect."""
        for name in (name for name in self._expected if name not in self._adapters):
            message = f"{name} is in lora.adapters, and not served"
            remedy = "`kubectl logs POD -c adapters` says what is wrong with it"
            self._results.append(Result("adapters", "failed", message))
            self._findings.append(Finding("smoke-adapters", self._url, message, remedy))
        self._check_all(
            ("adapters", functools.partial(self._adapter, name, base)) for name, base in self._adapters.items()
        )

    def _check_all(self, checks: Iterable[tuple[str, Callable[[], str]]]) -> None:
        for name, check in checks:
            start = time.perf_counter()
            try:
                detail = self._in_time(check)
            except NotOfferedError as skipped:
                self._results.append(Result(name, "skipped", str(skipped)))
            except WrongAnswerError as failed:
                self._results.append(Result(name, "failed", str(failed), time.perf_counter() - start))
                self._findings.append(Finding(f"smoke-{name}", self._url, str(failed), failed.remedy))
            else:
                self._results.append(Result(name, "passed", detail, time.perf_counter() - start))

    def _in_time(self, check: Callable[[], str]) -> str:
        """What a check says, if it does so while an answer may take."""
        try:
            return within(self._timeout, check)
        except queue.Empty:
            raise self._too_late() from None

    def _too_late(self) -> WrongAnswerError:
        message = f"{self._path} did not answer in {self._timeout:g} s"
        return WrongAnswerError(message, "the engine may hang: see its log")

    def _has_passed(self, *names: str) -> bool:
        return any(result.check in names and result.status == "passed" for result in self._results)

    def _health(self) -> str:
        with self._asked("GET", "/health"):
            return "the engine is alive"

    def _models(self) -> str:
        models = self._answer("GET", "/v1/models", answers.ModelList).data
        names = [model.id for model in models]
        self._adapters = {model.id: model.parent for model in models if model.parent}
        if self._model and self._model not in names:
            raise WrongAnswerError(f"it serves {', '.join(names)}, not {self._model}", "correct model.servedModelName")
        self._names = names
        self._model = self._model or names[0]
        return f"it serves {', '.join(names)}"

    def _completion(self) -> str:
        answer = self._answer("POST", "/v1/completions", answers.Completion, prompt=PROMPT, **_GREEDY)
        return f"{PROMPT!r} -> {answer.choices[0].text!r}"

    def _chat(self) -> str:
        answer = self._answer("POST", "/v1/chat/completions", answers.ChatCompletion, messages=_MESSAGES, **_GREEDY)
        return f"{PROMPT!r} -> {answer.choices[0].message.content!r}"

    def _embedding(self) -> str:
        answer = self._answer("POST", "/v1/embeddings", answers.Embeddings, input=PROMPT)
        one = answer.data[0].embedding
        many = [first for first in one[:1] if isinstance(first, list)]
        return f"{len(one)} embeddings, each of {len(many[0])} dimensions" if many else f"{len(one)} dimensions"

    def _transcription(self) -> str:
        silence = {"file": ("silence.wav", _silence(), "audio/wav")}
        with self._asked("POST", "/v1/audio/transcriptions", files=silence, model=self._model) as response:
            text = answers.Transcription.model_validate_json(response.content).text
        return f"a second of silence -> {text!r}"

    def _ranking(self) -> str:
        question: dict[str, Any] = {"query": PROMPT, "documents": [f"{PROMPT} city.", "Bread is baked."]}
        answer = self._answer("POST", "/rerank", answers.Ranking, **question)
        return f"{len(answer.results)} documents, the best {answer.results[0].relevance_score:.3f}"

    def _classification(self) -> str:
        answer = self._answer("POST", "/classify", answers.Classification, input=PROMPT)
        return f"{PROMPT!r} -> {answer.data[0].label or answer.data[0].probs}"

    def _pooling(self) -> str:
        return f"{len(self._answer('POST', '/pooling', answers.Pooling, input=PROMPT).data)} pooled"

    def _adapter(self, name: str, base: str) -> str:
        """Whether an adapter has an effect. One whose weights have the names of another model's modules is loaded and
        listed, and changes nothing (vllm-project/vllm#34186): its log-probabilities are then the base's to 4 digits."""
        if self._scores(name) == self._scores(base):
            raise WrongAnswerError(
                f"{name} answers as the base model does",
                "its weights name modules that the model does not have, or are 0: leave it out of lora.adapters, or "
                "write one that was trained for this model",
            )
        return f"{name} has an effect: it answers otherwise than {base}"

    def _scores(self, model: str) -> answers.Scores:
        """What a model answers, and how likely it holds that to be, to 4 digits."""
        for check, path, form, question in _COMPARED:
            if self._has_passed(check):
                try:
                    scores = self._answer("POST", path, form, **{**question, "model": model}).scores()
                except WrongAnswerError as wrong:
                    if "greater than max allowed" in str(wrong):  # vllm/sampling_params.py:934 of 0.33
                        message = "the engine tells no log-probabilities: engine.args.max-logprobs is 0"
                        raise NotOfferedError(message) from wrong
                    raise
                return [(token, round(score, 4)) for token, score in scores]
        raise NotOfferedError(f"{model}: it has no answers to compare")

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
            self._answer("POST", "/v1/chat/completions", answers.ChatCompletion, **question, **_GREEDY)
        except WrongAnswerError as wrong:
            if TOOLS_ARE_OFF in str(wrong):
                raise NotOfferedError(f"tool calls are off: {wrong.remedy}") from wrong
            raise
        return "a chat may call tools"

    def _answer(self, method: str, path: str, form: type[_Answer], **body: Any) -> _Answer:
        """Ask, and read the answer in the form it should have."""
        asked: dict[str, Any] = {"model": self._model, **body} if body else {}
        with self._asked(method, path, **asked) as response:
            try:
                return form.model_validate_json(response.content)
            except ValidationError as error:
                problem = error.errors()[0]
                place = ".".join(map(str, problem["loc"])) or "the body"
                raise WrongAnswerError(f"{path} answers in another form: {place}: {problem['msg']}") from error

    @contextlib.contextmanager
    def _asked(
        self, method: str, path: str, *, files: dict[str, Any] | None = None, **body: Any
    ) -> Iterator[requests.Response]:
        """Ask, and yield an answer of status 200. It is read while it arrives. The body is JSON, with files a form."""
        self._path = path
        self._asking(path)
        try:
            with self._session.request(
                method,
                self._url + path,
                json=(body or None) if not files else None,
                data=body if files else None,
                files=files,
                timeout=self._timeout,
                stream=True,
            ) as response:
                judge(response.status_code, "" if response.ok else response.text, path)
                yield response
        except requests.Timeout as error:
            raise self._too_late() from error
        except requests.RequestException as error:
            if not self._results:
                raise UnavailableError(f"{self._url} does not answer: {root_cause(error)}") from error
            raise WrongAnswerError(f"{path} broke off: {root_cause(error)}") from error
