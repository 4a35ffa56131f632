"""Asks a service for completions, and records what became of each. Nothing is retried.

This file runs by itself wherever there is Python, such as in a pod of a bare image, so it takes nothing but the
standard library:

    python3 asker.py '{"url": "http://llm-vllm.models.svc", "clients": 12, "duration_seconds": 60}'

prints a line of JSON per answer. SIGTERM ends the asking; what was asked is still waited for. What a client does about
connections is what those of Python's own world do (urllib3, httpx): a connection that the server closed while it lay
idle is found out and not used again. What is left is the race that HTTP/1.1 cannot exclude: the server closes while the
next request is on its way. That is `RESET_IDLE`, counted by itself.
"""

import collections
import dataclasses
import functools
import http.client
import io
import itertools
import json
import math
import os
import queue
import random
import select
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

API_KEY_VARIABLE = "VLLM_API_KEY"
PROMPTS = (
    "San Francisco is a",
    "The quick brown fox",
    "Explain to a child why the sky is blue.",
    "Write a short story about a lighthouse keeper who receives a letter.",
    "List the planets of the solar system, and something about each of them.",
    "A train leaves the station at nine and travels at eighty kilometres an hour. When does it arrive, and where?",
    "Translate into French: the weather is fine today, and we will go to the sea.",
    "Summarize what a Kubernetes Deployment does when its pod template changes.",
)
_WORDS = " ".join(PROMPTS).split()

OK = "ok"
REFUSED = "refused"
UNREACHABLE = "unreachable"
RESET_IDLE = "reset-idle"
RESET = "reset"
RESET_MID_ANSWER = "reset-mid-answer"
TRUNCATED = "truncated"
TIMEOUT = "timeout"
WRONG = "wrong-answer"
HTTP = "http-"
"""With the status: "http-503"."""

# A server that closes an idle connection does not hold the request for long before it resets: later is a lost answer.
_IDLE_RESET_SECONDS = 1.0
# A client in a closed loop whose connection is refused would ask thousands of times a second.
_PAUSE_AFTER_FAILURE_SECONDS = 1.0
_BLOCK_BYTES = 65536
# What the last answer weighs among all before it: a service that gets slower is noticed after some ten answers.
_WEIGHT_OF_THE_LAST = 0.1
# An idle engine may be so fast that its answers would not fit its context.
_GROWTH = 64


@dataclasses.dataclass(frozen=True)
class Options:
    """What is asked, how, and how often. Times are in seconds, shares between 0 and 1."""

    url: str
    """Base URL; a `/v1` at its end may be there."""
    model: str = ""
    """Empty: the first that the service lists."""
    clients: int = 8
    """Closed loop: each of them asks when its last answer has come."""
    rate: float = 0.0
    """Open loop if above 0: requests per second, at random times (Poisson), whatever becomes of earlier ones."""
    duration_seconds: float = 60.0
    """How long requests are sent; what is under way then still counts."""
    requests: int = 0
    """The most requests; 0 for no limit."""
    streaming: float = 0.5
    """Share of requests whose answer is streamed."""
    fresh: float = 0.5
    """Share of requests with a connection of their own; the others share connections that are kept alive."""
    prompt_words: int = 0
    """How many words come before each question, so that it takes long to read. No two questions have the same ones, and
    no prefix cache knows them."""
    max_tokens: int = 128
    """Tokens of each answer, exactly."""
    answer_seconds: float = 0.0
    """If above 0, answers get as many tokens as take so long, by the speed of those before; `max_tokens` begins it."""
    timeout_seconds: float = 120.0
    """For each answer in full."""
    think_seconds: float = 0.0
    """Closed loop: a client's pause between an answer and its next question."""
    verify_tls: bool = True


@dataclasses.dataclass(frozen=True)
class Record:
    """What became of one request. Times are in seconds."""

    number: int
    """In the order of asking, from 0."""
    started: float
    """When, since the epoch."""
    seconds: float
    """Until the end of the answer, or the failure."""
    kind: str
    """`OK`, or the kind of failure."""
    streamed: bool
    reused: bool
    """Whether it went over a connection that had carried an answer before."""
    first_token_seconds: float | None = None
    """Until the first piece of a streamed answer."""
    asked_to_close: bool = False
    """Whether the server ended a connection that was to be kept alive, with `Connection: close`."""
    detail: str = ""
    """Of a failure."""

    @property
    def ended(self) -> float:
        """When, since the epoch."""
        return self.started + self.seconds


class NoAnswerError(Exception):
    """The service does not say which models it serves."""


class _FailureError(Exception):
    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def given_key() -> str:
    """The key that the environment gives, without a line's end that came along; empty for none."""
    return os.environ.get(API_KEY_VARIABLE, "").strip()


def can_send(api_key: str) -> bool:
    """Whether a header can carry it as it is."""
    return api_key == api_key.rstrip() and api_key.isascii() and api_key.isprintable()


class Asker:
    """Asks until the options' end, or until `stop` is set. `records` is to be called once."""

    def __init__(self, options: Options, api_key: str = "") -> None:
        self.stop = threading.Event()
        self._options = options
        self._url = urllib.parse.urlsplit(options.url)
        self._path = self._url.path.rstrip("/").removesuffix("/v1")
        self._tls = ssl.create_default_context() if self._url.scheme == "https" else None
        if self._tls and not options.verify_tls:
            self._tls.check_hostname = False
            self._tls.verify_mode = ssl.CERT_NONE
        self._sendable = can_send(api_key)
        authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._headers = {"Content-Type": "application/json", **authorization}
        self._idle: collections.deque[http.client.HTTPConnection] = collections.deque()
        self._records: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._end = 0.0
        self._model = options.model
        self._length = _Length(options)

    def records(self) -> Iterator[Record]:
        """Ask, and yield the record of every answer as it ends.

        Raises `NoAnswerError` where no model is named and the service lists none, and for a key that can't be sent.
        """
        if not self._sendable:
            raise NoAnswerError("the API key ends in white space or is not plain text, so that no header can carry it")
        self._model = self._model or self._first_model()
        self._end = time.monotonic() + self._options.duration_seconds
        work = [self._ask_at_a_rate] if self._options.rate else [self._ask_in_turn] * self._options.clients
        for ask in work:
            threading.Thread(target=ask, daemon=True).start()
        for _ in work:
            yield from iter(self._records.get, None)
        for connection in self._idle:
            connection.close()

    def _first_model(self) -> str:
        connection = self._new_connection()
        seconds_left = _deadline(time.perf_counter(), self._options.timeout_seconds)
        connection.response_class = functools.partial(_Response, seconds_left)  # type: ignore[assignment]
        try:
            connection.request("GET", f"{self._path}/v1/models", headers=self._headers)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise NoAnswerError(f"{self._options.url}/v1/models answers {response.status}: {_complaint(body)}")
            return str(json.loads(body)["data"][0]["id"])
        except TimeoutError as error:
            seconds = self._options.timeout_seconds
            raise NoAnswerError(f"{self._options.url}/v1/models did not answer in {seconds:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(f"{self._options.url} does not answer: {error}") from error
        except (ValueError, LookupError, TypeError) as error:
            raise NoAnswerError(f"{self._options.url}/v1/models lists no model") from error
        finally:
            connection.close()

    # -- when ---------------------------------------------------------------------------------------------------

    def _next_number(self) -> int | None:
        """The number of the next request; None when there is to be no more."""
        if self.stop.is_set() or time.monotonic() >= self._end:
            return None
        number = next(self._numbers)
        return number if number < self._options.requests or not self._options.requests else None

    def _ask_in_turn(self) -> None:
        """Closed loop: one client's life."""
        try:
            while (number := self._next_number()) is not None:
                record = self._ask(number)
                self._records.put(record)
                failed = record.kind != OK
                self.stop.wait(_PAUSE_AFTER_FAILURE_SECONDS if failed else self._options.think_seconds)
        finally:
            self._records.put(None)

    def _ask_at_a_rate(self) -> None:
        """Open loop: each request has a thread of its own, and its time is drawn beforehand."""
        draw = random.Random(0)
        asking = []
        due = time.monotonic()
        try:
            while (number := self._next_number()) is not None:
                asking.append(threading.Thread(target=lambda n=number: self._records.put(self._ask(n)), daemon=True))
                asking[-1].start()
                due += draw.expovariate(self._options.rate)
                self.stop.wait(max(0.0, due - time.monotonic()))
            for thread in asking:
                thread.join()
        finally:
            self._records.put(None)

    # -- one request --------------------------------------------------------------------------------------------

    def _ask(self, number: int) -> Record:
        draw = random.Random(number)
        prompt, streamed = draw.choice(PROMPTS), draw.random() < self._options.streaming
        fresh = draw.random() < self._options.fresh
        prompt = " ".join([*draw.choices(_WORDS, k=self._options.prompt_words), prompt])
        started = time.time()
        tokens = self._length.next()
        request = _Request(prompt, streamed, tokens, self._options, self._model, self._headers)
        connection = None if fresh else self._take_idle()
        reused = connection is not None
        connection = connection or self._new_connection()
        kind, detail = OK, ""
        try:
            request.send(connection, f"{self._path}/v1/completions", reused, fresh)
        except _FailureError as failure:
            kind, detail = failure.kind, str(failure)
        if kind == OK and not fresh and not request.asked_to_close:
            self._idle.append(connection)
        else:
            connection.close()
        seconds = time.perf_counter() - request.began
        if kind == OK:
            self._length.learn(tokens, seconds)
        return Record(
            number,
            started,
            seconds,
            kind,
            request.streamed,
            reused,
            request.first_token_seconds,
            request.asked_to_close and not fresh,
            detail,
        )

    def _new_connection(self) -> http.client.HTTPConnection:
        host, port, seconds = self._url.hostname or "", self._url.port, self._options.timeout_seconds
        if self._tls:
            return http.client.HTTPSConnection(host, port, timeout=seconds, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=seconds)

    def _take_idle(self) -> http.client.HTTPConnection | None:
        """The connection that was used last, of those that the server has not closed."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            poll = select.poll()
            poll.register(connection.sock, select.POLLIN)
            if not poll.poll(0):
                return connection
            connection.close()


class _Length:
    """How many tokens answers are to have."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._per_token = 0.0  # seconds, a moving average: of two engines, the slow one weighs more

    def next(self) -> int:
        """Tokens of the next answer."""
        if not self._options.answer_seconds or not self._per_token:
            return self._options.max_tokens
        return min(math.ceil(self._options.answer_seconds / self._per_token), _GROWTH * self._options.max_tokens)

    def learn(self, tokens: int, seconds: float) -> None:
        """An answer of so many tokens took so long."""
        self._per_token += (seconds / tokens - self._per_token) * (_WEIGHT_OF_THE_LAST if self._per_token else 1)


class _Response(http.client.HTTPResponse):
    """An answer whose every read waits as long as the whole of it may still take: a server may send a byte at a time.

    seconds_left: raises TimeoutError when there is none left.
    """

    def __init__(self, seconds_left: Callable[[], float], sock: socket.socket, **options: Any) -> None:
        super().__init__(sock, **options)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, seconds_left))


class _TimedReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, seconds_left: Callable[[], float]) -> None:
        self._raw = raw
        self._sock = sock
        self._seconds_left = seconds_left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._seconds_left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _deadline(began: float, seconds: float) -> Callable[[], float]:
    """What tells how many seconds are left of those since `began` (time.perf_counter), and raises TimeoutError after
    them."""

    def left() -> float:
        rest = seconds - (time.perf_counter() - began)
        if rest <= 0:
            raise TimeoutError
        return rest

    return left


class _Request:
    """One request over a connection, and what has come of it so far."""

    def __init__(
        self, prompt: str, streamed: bool, tokens: int, options: Options, model: str, headers: dict[str, str]
    ) -> None:
        self.streamed = streamed
        self.first_token_seconds: float | None = None
        self.asked_to_close = False
        self._max_tokens = tokens
        self._timeout = options.timeout_seconds
        self._headers = headers
        self._body: dict[str, Any] = {
            "model": model,
            "prompt": prompt,
            "max_tokens": tokens,
            "ignore_eos": True,
            "temperature": 0,
        }
        if streamed:
            self._body |= {"stream": True, "stream_options": {"include_usage": True}}
        self.began = time.perf_counter()
        self._seconds_left = _deadline(self.began, options.timeout_seconds)

    def send(self, connection: http.client.HTTPConnection, path: str, reused: bool, fresh: bool) -> None:
        """Ask, and read the answer to its end. Raises `_FailureError` for anything but a whole answer."""
        if not reused:
            self._connect(connection)
        sent = time.perf_counter()
        try:
            connection.sock.settimeout(self._seconds_left())
            connection.response_class = functools.partial(_Response, self._seconds_left)  # type: ignore[assignment]
            headers = self._headers | ({"Connection": "close"} if fresh else {})
            connection.request("POST", path, json.dumps(self._body), headers)
            response = connection.getresponse()
        except TimeoutError as error:
            raise _FailureError(TIMEOUT, f"no answer in {self._timeout:g} s") from error
        except OSError as error:
            seconds = time.perf_counter() - sent
            idle = reused and seconds < _IDLE_RESET_SECONDS
            raise _FailureError(
                RESET_IDLE if idle else RESET, f"{_reason(error)} {seconds:.2f} s after asking"
            ) from error
        except http.client.HTTPException as error:
            raise _FailureError(WRONG, f"not HTTP: {_reason(error)}") from error
        self.asked_to_close = response.will_close
        body = _Body(self.streamed)
        try:
            while block := response.read1(_BLOCK_BYTES):
                body.add(block)
                if body.events and self.first_token_seconds is None:
                    self.first_token_seconds = time.perf_counter() - self.began
                if response.isclosed():  # with the socket, in newer Pythons
                    break
        except TimeoutError as error:
            raise _FailureError(TIMEOUT, f"no whole answer in {self._timeout:g} s, {body.size} bytes of it") from error
        except OSError as error:
            raise _FailureError(RESET_MID_ANSWER, f"{_reason(error)} after {body.size} bytes") from error
        except http.client.HTTPException as error:
            raise _FailureError(TRUNCATED, f"the answer ended after {body.size} bytes, within a chunk") from error
        response.close()  # frees the connection for the next request; read1 does not where the length is known
        if response.status != 200:
            raise _FailureError(f"{HTTP}{response.status}", _complaint(body.rest))
        if response.length:
            raise _FailureError(TRUNCATED, f"the answer ended {response.length} bytes before its end")
        body.judge(self._max_tokens)

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except ConnectionRefusedError as error:
            raise _FailureError(REFUSED, "connection refused") from error
        except OSError as error:
            raise _FailureError(UNREACHABLE, f"no connection: {_reason(error)}") from error


class _Body:
    """An answer's body as it arrives: server-sent events are read one by one, anything else is kept."""

    def __init__(self, streamed: bool) -> None:
        self.size = 0
        self.events = 0
        self.rest = b""
        self._streamed = streamed
        self._whole = not streamed
        self._finish_reason: object = None
        self._tokens: object = None

    def add(self, block: bytes) -> None:
        self.size += len(block)
        self.rest += block
        if self._streamed:
            *events, self.rest = self.rest.replace(b"\r\n", b"\n").split(b"\n\n")
            for event in events:
                self._read_event(event)

    def judge(self, max_tokens: int) -> None:
        """Raises `_FailureError` unless the answer came to its end, with all of its tokens."""
        if not self._whole:
            raise _FailureError(TRUNCATED, f"the stream ended after {self.size} bytes, before [DONE]")
        if not self._streamed:
            self._read(self.rest)
        # An engine that is stopped ends answers properly, wherever they are: with [DONE], and "abort" as the reason.
        if not self._finish_reason or self._tokens != max_tokens:
            reason = f"finish_reason {self._finish_reason}"
            raise _FailureError(TRUNCATED, f"the answer has {self._tokens} of {max_tokens} tokens, {reason}")

    def _read_event(self, event: bytes) -> None:
        if event.startswith(b"data:"):
            self.events += 1
            data = event.removeprefix(b"data:").strip()
            if data == b"[DONE]":
                self._whole = True
            else:
                self._read(data)

    def _read(self, data: bytes) -> None:
        try:
            document = json.loads(data)
            if "error" in document:
                raise _FailureError(WRONG, f"the answer carries an error: {_complaint(data)}")
            for choice in document["choices"]:
                self._finish_reason = choice["finish_reason"] or self._finish_reason
            self._tokens = (document.get("usage") or {}).get("completion_tokens", self._tokens)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise _FailureError(WRONG, f"not a completion: {data[:80]!r}") from error


def _complaint(body: bytes) -> str:
    """The message of an error in OpenAI's form, else the beginning of the body."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return body[:200].decode(errors="replace").strip()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def main() -> None:
    """Print a record per line, as `{"record": {…}}`, and `{"asked": number}` or `{"error": text}` as the last."""
    asker = Asker(Options(**json.loads(sys.argv[1])), os.environ.get(API_KEY_VARIABLE, ""))
    signal.signal(signal.SIGTERM, lambda *_: asker.stop.set())
    asked = 0
    try:
        for record in asker.records():
            asked += 1
            print(json.dumps({"record": dataclasses.asdict(record)}), flush=True)
    except NoAnswerError as error:
        print(json.dumps({"error": str(error)}), flush=True)
    else:
        print(json.dumps({"asked": asked}), flush=True)


if __name__ == "__main__":
    main()
