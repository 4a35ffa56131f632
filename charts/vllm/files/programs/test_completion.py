"""Ask the release for a real answer: what `helm test` runs, in the engine's image, with the standard library only.

What a model can be asked follows from its answers: vLLM has only the routes of the model's tasks
(entrypoints/launchers/api_server/routers.py of 0.33), and older ones say of the others that the model does not support
them.
"""

import io
import json
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import wave

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

# Where policies are enforced, a pod may be kept out until the network plugin has learnt of its address.
KNOWN_SECONDS = 30

# What is no fault of the engine's: it has no such route, or its model takes another kind of question.
OTHER_QUESTION = (400, 404, 405, 415, 422, 501)


class UnansweredError(Exception):
    """The model cannot be asked this; the text says what the engine said, `no_route` whether it knows the path."""

    def __init__(self, said, no_route):
        super().__init__(said)
        self.no_route = no_route


def wait_until_let_in():
    """Connect, for a while if need be. Whoever is still kept out then is told why by the first question."""
    where = urllib.parse.urlsplit(URL)
    port = where.port or {"http": 80, "https": 443}[where.scheme]
    end = time.monotonic() + KNOWN_SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection((where.hostname, port), timeout=5).close()
            return
        except OSError:
            time.sleep(1)


def ask(path, data=None, kind="application/json"):
    """The parsed answer of the engine. Ends the program with what it said if it is a fault."""
    headers = {"Content-Type": kind}
    if key := os.environ.get("VLLM_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    begin = time.monotonic()
    try:
        with OPENER.open(urllib.request.Request(URL + path, data, headers), timeout=TIMEOUT) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        body = error.read().decode(errors="replace")
        complaint = f"{path}: HTTP {error.code}: {body}"
        if data and error.code in OTHER_QUESTION:
            # Of a path that is not there FastAPI speaks, and not vLLM.
            raise UnansweredError(complaint, error.code == 404 and '"error"' not in body) from error
        sys.exit(complaint)
    except (OSError, ValueError) as error:
        sys.exit(f"{URL}{path}: {error}")
    print(f"{path}: {time.monotonic() - begin:.2f} s")
    return answer


def ask_json(path, **body):
    return ask(path, json.dumps({"model": MODEL, **body}).encode())


def said(text):
    """Print what the model answered; ends the program if it is not what is expected."""
    print(f"{PROMPT}{text}")
    if EXPECT not in (text or ""):
        sys.exit(f"the answer does not contain {EXPECT!r}")


def completion():
    said(ask_json("/v1/completions", prompt=PROMPT, max_tokens=32, temperature=0)["choices"][0]["text"])


def chat():
    messages = [{"role": "user", "content": PROMPT}]
    answer = ask_json("/v1/chat/completions", messages=messages, max_tokens=32, temperature=0)
    said(answer["choices"][0]["message"].get("content"))


def transcription():
    """A second of silence, in a form with a file as browsers send it."""
    audio = io.BytesIO()
    with wave.open(audio, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(32000))
    head = '--part\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + MODEL
    file = '\r\n--part\r\nContent-Disposition: form-data; name="file"; filename="silence.wav"\r\n\r\n'
    form = (head + file).encode() + audio.getvalue() + b"\r\n--part--\r\n"
    text = ask("/v1/audio/transcriptions", form, "multipart/form-data; boundary=part")["text"]
    print(f"a second of silence is transcribed as {text!r}")


def embedding():
    answer = ask_json("/v1/embeddings", input=PROMPT)["data"][0]["embedding"]
    print(f"an embedding of {len(answer)} numbers")


def ranking():
    results = ask_json("/rerank", query=PROMPT, documents=[PROMPT, "Bread is baked."])["results"]
    print(f"{len(results)} documents ranked, the best with {results[0]['relevance_score']:.3f}")


def classification():
    print(f"classified: {ask_json('/classify', input=PROMPT)['data'][0]}")


def pooling():
    print(f"{len(ask_json('/pooling', input=PROMPT)['data'])} pooled")


def answer():
    """Ask until the model answers. Ends the program if it answers nothing that this can ask."""
    words = (completion, chat)
    refused = []
    for question in (*words, transcription, embedding, ranking, classification, pooling):
        try:
            question()
        except UnansweredError as error:
            refused.append(error)
        else:
            if EXPECT and question not in words:
                sys.exit(f"test.expect: this model answers without words: leave it empty instead of {EXPECT!r}")
            return
    if not all(error.no_route for error in refused):
        sys.exit("\n".join(["none of these is answered:", *(str(error) for error in refused if not error.no_route)]))
    print("the model is served, and has no route that this test can ask")


wait_until_let_in()
served = [model["id"] for model in ask("/v1/models")["data"]]
if MODEL not in served:
    sys.exit(f"/v1/models: {MODEL} is not served here, but {', '.join(served)}")
answer()
