"""Asks through a gateway: runs in an application's pod.

Argument: JSON list of {"address", "host", "path", "headers", "body", "filler"}, the last of them being how many bytes
are added to the body. All are sent at once. Prints a JSON list of {"status", "headers", "text", "whole", "seconds"}:
whether the answer came to its end, and how long it took; status 0 if there is none.
"""

import concurrent.futures
import http.client
import json
import sys
import time
from typing import Any

CONNECT_SECONDS, SECONDS = 5, 100


def ask(asked: dict[str, Any]) -> dict[str, Any]:
    """What became of a request."""
    headers = {"Host": asked["host"], "Content-Type": "application/json", **asked["headers"]}
    body = json.dumps(asked["body"] | ({"filler": "-" * asked["filler"]} if asked["filler"] else {}))
    began = time.perf_counter()
    connection = http.client.HTTPConnection(asked["address"], timeout=CONNECT_SECONDS)
    whole = True
    try:
        connection.connect()
        connection.sock.settimeout(SECONDS)
        connection.request("POST", asked["path"], body, headers)
        response = connection.getresponse()
        try:
            said = response.read()
        except http.client.IncompleteRead as cut:
            said, whole = cut.partial, False
    except OSError as error:  # its Service may be younger than the node's rules
        return {"status": 0, "headers": {}, "text": str(error), "whole": False, "seconds": time.perf_counter() - began}
    finally:
        connection.close()
    return {
        "status": response.status,
        "headers": {name.lower(): text for name, text in response.headers.items()},
        "text": said.decode(),
        "whole": whole,
        "seconds": time.perf_counter() - began,
    }


requests = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(len(requests)) as pool:
    print(json.dumps(list(pool.map(ask, requests))))
