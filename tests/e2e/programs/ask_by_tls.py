"""Asks for a completion by TLS, and checks who answers: runs in an application's pod.

Argument: JSON with `url`, `authority` (PEM), `key` and `body`. Prints JSON of `{"status", "answer"}`.
"""

import json
import ssl
import sys
import urllib.error
import urllib.request

ASKED = json.loads(sys.argv[1])
HEADERS = {"Content-Type": "application/json", "Authorization": f"Bearer {ASKED['key']}"}
REQUEST = urllib.request.Request(ASKED["url"], json.dumps(ASKED["body"]).encode(), HEADERS)
CONTEXT = ssl.create_default_context(cadata=ASKED["authority"])
try:
    with urllib.request.urlopen(REQUEST, timeout=100, context=CONTEXT) as response:
        print(json.dumps({"status": response.status, "answer": json.loads(response.read())}))
except urllib.error.HTTPError as error:
    print(json.dumps({"status": error.code, "answer": json.loads(error.read())}))
