"""Asks an engine for everything that its metrics tell apart, and takes the page while it is busy."""

import contextlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from ci.metrics.situations import ADAPTER, API_KEY, MODEL, Situation
from ci.shell import HarnessError, wait_until
from vllm_chart.observe import metrics, page
from vllm_chart.observe.page import Page

#: More than run (2 a rank) and may wait (4 of each API server) together, so that some are turned away.
CLIENTS = 16
ANSWER_SECONDS = 120
LOAD_SECONDS = 240

#: What the page has to show before it is taken.
SHOWN: dict[str, Callable[[Page], bool]] = {
    "a request runs": lambda found: bool(found.total(metrics.RUNNING.name)),
    "a request waits": lambda found: bool(found.total(metrics.WAITING.name)),
    "one was answered": lambda found: bool(found.total(metrics.FINISHED.name, finished_reason="length")),
    "one was given up": lambda found: _begun(found) > _ended(found),
    "one was turned away": lambda found: bool(found.total(metrics.REJECTIONS.name)),
    "one was preempted": lambda found: bool(found.total(metrics.PREEMPTIONS.name)),
    "a prompt was in the cache": lambda found: bool(found.total(metrics.PREFIX_HITS.name)),
    "an answer was 2xx": lambda found: bool(found.total(metrics.HTTP_REQUESTS.name, status="2xx")),
    "an answer was 4xx": lambda found: bool(found.total(metrics.HTTP_REQUESTS.name, status="4xx")),
    "an answer was 5xx": lambda found: bool(found.total(metrics.HTTP_REQUESTS.name, status="5xx")),
}
_ADAPTER_SHOWN = {"an adapter is in use": lambda found: bool(found.of(metrics.ADAPTERS_IN_USE.name))}


def _begun(found: Page) -> float:
    return found.total(f"{metrics.TIME_TO_FIRST_TOKEN.name}_count") or 0


def _ended(found: Page) -> float:
    """Requests that ended, and those still in the engine: a client that hangs up is in neither."""
    return sum(found.total(metric.name) or 0 for metric in (metrics.FINISHED, metrics.RUNNING, metrics.WAITING))


def page_under_load(url: str, situation: Situation) -> str:
    """The page, once it shows all of `SHOWN`. Raises HarnessError: it does not within the time."""
    _ask_for_everything(url, situation)
    enough = threading.Event()
    clients = [
        threading.Thread(target=_client, args=(url, situation, number, enough), daemon=True)
        for number in range(CLIENTS * situation.ranks)
    ]
    for client in clients:
        client.start()
    texts: list[str] = []
    conditions = SHOWN | (_ADAPTER_SHOWN if situation.adapter else {})
    try:
        wait_until("the page shows all", lambda: _shows(url, conditions, texts), LOAD_SECONDS, interval=0.2)
    finally:
        enough.set()
        for client in clients:
            client.join()
    return texts[-1]


def _shows(url: str, conditions: dict[str, Callable[[Page], bool]], texts: list[str]) -> bool:
    text = _get(f"{url}/metrics")
    found = page.read(text)
    if missing := [what for what, shown in conditions.items() if not shown(found)]:
        raise HarnessError(f"it does not show that {', '.join(missing)}")
    texts.append(text)
    return True


def _ask_for_everything(url: str, situation: Situation) -> None:
    for _ in range(3):  # the first fills the cache of prefixes
        _ask(url, situation, {"max_tokens": 8, "prompt": "San Francisco is a " * 20})
    _ask(
        url, situation, {"max_tokens": 8, "messages": [{"role": "user", "content": "Who are you?"}]}, "chat/completions"
    )
    if situation.adapter:
        _ask(url, situation, {"model": ADAPTER, "max_tokens": 8})
    _ask(url, situation, {"model": "nobody"})  # 404
    _ask(url, situation, {"max_tokens": "many"})  # 400
    _ask(url, situation, {}, "nothing")  # 404, of no route
    _ask(url, situation, {}, "models")  # 405
    if situation.key:
        _ask(url, Situation("", ""), {})  # 401


def _client(url: str, situation: Situation, number: int, enough: threading.Event) -> None:
    """Ask for as much as goes, over and over; every fourth client hangs up in the middle."""
    model = ADAPTER if situation.adapter and number % 2 else MODEL
    body = {"model": model, "max_tokens": 440, "ignore_eos": True, "stream": True, "prompt": f"{number} San Francisco"}
    while not enough.is_set():
        status = _ask(url, situation, body, lines=20 if number % 4 == 0 else None, enough=enough)
        if status != 200:
            enough.wait(0.5)


def _ask(
    url: str,
    situation: Situation,
    body: dict[str, Any],
    path: str = "completions",
    lines: int | None = None,
    enough: threading.Event | None = None,
) -> int:
    """Ask, and read the answer, or so many lines of it; the status, or 0 where the engine hung up."""
    words = {"model": MODEL, **({} if "messages" in body else {"prompt": "San Francisco is a"}), **body}
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {API_KEY}"} if situation.key else {})
    request = urllib.request.Request(f"{url}/v1/{path}", json.dumps(words).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            for number, _ in enumerate(answer):
                if number == lines or (enough is not None and enough.is_set()):
                    break
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            return error.code
    except OSError:
        return 0


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            return str(answer.read().decode())
    except OSError as error:
        raise HarnessError(f"{url}: {error}") from error
