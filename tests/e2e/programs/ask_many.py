"""Asks an endpoint for many completions, at once and by many names: runs in an application's pod.

Argument: JSON with `url`, `key` (or `key_file`, the file that holds it), `names`, `prompt`, `count` and `workers`.
Every second round of the names is streamed, and each request goes over a connection of its own. Prints a JSON list of
`{"name", "status", "model", "text", "seconds", "error", "again"}`, the last of them being Retry-After.
"""

import concurrent.futures
import http.client
import json
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

ASKED = json.loads(sys.argv[1])
URL = urllib.parse.urlsplit(ASKED["url"])
KEY = Path(ASKED["key_file"]).read_text() if "key_file" in ASKED else ASKED["key"]


def ask(number: int) -> dict[str, Any]:
    """What became of a request."""
    name, streamed = ASKED["names"][number % len(ASKED["names"])], number // len(ASKED["names"]) % 2
    body = {"model": name, "prompt": ASKED["prompt"], "temperature": 0, "max_tokens": 64, "stream": bool(streamed)}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    began = time.perf_counter()
    connection = http.client.HTTPConnection(URL.netloc, timeout=100)
    try:
        connection.request("POST", "/v1/completions", json.dumps(body), headers)
        response = connection.getresponse()
        said = response.read().decode()
    finally:
        connection.close()
    result = {"name": name, "status": response.status, "model": "", "text": "", "error": "", "again": None}
    if response.status != 200:
        result |= {"error": json.loads(said)["error"]["code"], "again": response.headers["Retry-After"]}
    elif streamed:
        chunks = [line.removeprefix("data: ") for line in said.splitlines() if line.startswith("data: ")]
        assert chunks.pop() == "[DONE]", said
        parts = [json.loads(chunk) for chunk in chunks]
        result["model"] = parts[0]["model"]
        result["text"] = "".join(choice["text"] for part in parts for choice in part["choices"])
    else:
        whole = json.loads(said)
        result |= {"model": whole["model"], "text": whole["choices"][0]["text"]}
    return result | {"seconds": time.perf_counter() - began}


with concurrent.futures.ThreadPoolExecutor(ASKED["workers"]) as pool:
    print(json.dumps(list(pool.map(ask, range(ASKED["count"])))))
