"""Ask the release for a real answer: what `helm test` runs, in the engine's image, with the standard library only."""

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request

URL = os.environ["VLLM_URL"]
MODEL = os.environ["VLLM_MODEL"]
PROMPT = os.environ["VLLM_PROMPT"]
EXPECT = os.environ["VLLM_EXPECT"]
TIMEOUT = float(os.environ["VLLM_TIMEOUT"])

# Inside the cluster there is no proxy, and an engine's own certificate is rarely signed for the Service's name.
CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=CONTEXT))


def ask(path, body=None):
    """The parsed answer of the engine; leaves the program with what it said if it is an error."""
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("VLLM_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(URL + path, json.dumps(body).encode() if body else None, headers)
    begin = time.monotonic()
    try:
        with OPENER.open(request, timeout=TIMEOUT) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        if error.code == 404 and "does not exist" not in said:
            return None  # no such route: an embedding model has no completions
        sys.exit(f"{path}: HTTP {error.code}: {said}")
    except (OSError, ValueError) as error:
        sys.exit(f"{URL}{path}: {error}")
    print(f"{path}: {time.monotonic() - begin:.2f} s")
    return answer


served = [model["id"] for model in ask("/v1/models")["data"]]
if MODEL not in served:
    sys.exit(f"/v1/models: {MODEL} is not served here, but {', '.join(served)}")

if completion := ask("/v1/completions", {"model": MODEL, "prompt": PROMPT, "max_tokens": 32, "temperature": 0}):
    text = completion["choices"][0]["text"]
    print(f"{PROMPT}{text}")
    if EXPECT not in text:
        sys.exit(f"/v1/completions: the answer does not contain {EXPECT!r}")
elif embedding := ask("/v1/embeddings", {"model": MODEL, "input": PROMPT}):
    print(f"an embedding of {len(embedding['data'][0]['embedding'])} numbers")
else:
    sys.exit("neither /v1/completions nor /v1/embeddings: this model can be asked for neither")
