"""Asks a model for many short answers to prompts that begin alike: runs in an application's pod.

Argument: JSON with `urls`, `key`, `model`, `salt`, `prefixes` (how many beginnings), `letters` (of each), `part`,
`count`, `workers`, `tokens` (of an answer) and `order`: "shuffled", or "each" for every beginning once at each URL, one
after the other. The same salt makes the same beginnings, whatever the part. Requests go to the URLs in turn, and each
over a connection of its own. Prints a JSON list of `{"prefix", "url", "status", "id", "seconds"}`, the id being
X-Request-Id.
"""

import concurrent.futures
import http.client
import json
import random
import string
import sys
import time
import urllib.parse
from typing import Any

ASKED = json.loads(sys.argv[1])


def beginning(prefix: int) -> str:
    """Letters that no other beginning has, and no model knows: a token has few of them."""
    chooser = random.Random(f"{ASKED['salt']}-{prefix}")
    return "".join(chooser.choices(string.ascii_letters, k=ASKED["letters"]))


BEGINNINGS = [beginning(prefix) for prefix in range(ASKED["prefixes"])]


def ask(number: int, prefix: int, url: str) -> dict[str, Any]:
    """What became of a request."""
    prompt = f"{BEGINNINGS[prefix]} {ASKED['part']} {number}"
    body = {"model": ASKED["model"], "prompt": prompt, "max_tokens": ASKED["tokens"], "ignore_eos": True}
    sent = f"{ASKED['salt']}-{ASKED['part']}-{number}"
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {ASKED['key']}",
        "X-Request-Id": sent,
        "Connection": "close",
    }
    began = time.perf_counter()
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=100)
    try:
        connection.request("POST", "/v1/completions", json.dumps(body), headers)
        response = connection.getresponse()
        response.read()
    finally:
        connection.close()
    seconds = time.perf_counter() - began
    return {"prefix": prefix, "url": url, "status": response.status, "id": sent, "seconds": seconds}


def planned() -> list[tuple[int, int, str]]:
    """Number, beginning and URL of each request."""
    urls = ASKED["urls"]
    if ASKED["order"] == "each":
        pairs = [(prefix, url) for prefix in range(ASKED["prefixes"]) for url in urls]
    else:
        prefixes = [number % ASKED["prefixes"] for number in range(ASKED["count"])]
        random.Random(f"{ASKED['salt']}-{ASKED['part']}").shuffle(prefixes)
        pairs = [(prefix, urls[number % len(urls)]) for number, prefix in enumerate(prefixes)]
    return [(number, *pair) for number, pair in enumerate(pairs)]


with concurrent.futures.ThreadPoolExecutor(1 if ASKED["order"] == "each" else ASKED["workers"]) as pool:
    print(json.dumps([*pool.map(lambda one: ask(*one), planned())]))
