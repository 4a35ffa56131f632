"""Keeps the adapters of a running engine as a list says, without a restart: the sidecar of `lora.reload`.

The list is a ConfigMap, which the kubelet brings up to date within two minutes. An adapter whose path has changed is
loaded in the place of the old one: vLLM loads it first and then swaps, so that no request finds nothing under the name
(lora/worker_manager.py:290 of 0.33), and keeps the caches of both apart by their paths (v1/core/kv_cache_utils.py:590).
After the engine has restarted, the pod is not ready before all are back. A change of the list never takes a pod out of
the Service: what is broken is named in the log, and everything else goes on. Standard library, and `adapters.py` and
`pre_stop.py` beside it.
"""

import argparse
import contextlib
import http.client
import json
import os
import secrets
import signal
import ssl
import sys
import threading
import time
from pathlib import Path

import adapters
import pre_stop

# The readiness probe looks for it.
READY = Path("/tmp/vllm-adapters-ready")
# Between two looks at the engine, and at most between two comparisons with the list, in seconds.
PAUSE, COMPARE = 1, 30
# Before what failed is tried again: doubled each time.
FIRST_RETRY, LAST_RETRY = 10, 300
# Seconds for an answer: loading waits for the step that the engine is at, and reads the adapter from its volume.
LOAD_TIMEOUT, TIMEOUT = 300, 10


class GoneError(Exception):
    """Nobody listens: the engine is starting, or has ended."""


class SilentError(Exception):
    """It does not answer now, or says nothing of use: nothing follows from it."""


class Engine:
    """The engine in this pod."""

    def __init__(self, port, scheme, key, token):
        self.port, self.scheme = port, scheme
        self.headers = {"X-Adapter-Token": token, "Content-Type": "application/json", "Connection": "close"}
        self.context = ssl.create_default_context()  # its own address: no name for a certificate to prove
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        if key:
            self.headers["Authorization"] = f"Bearer {key}"

    def ask(self, method, path, body=None, timeout=TIMEOUT):
        """Its answer: the status, and the JSON or text of the body."""
        host = pre_stop.answering(self.port, TIMEOUT)
        if host is None:
            raise GoneError("nobody listens")
        if self.scheme == "https":
            connection = http.client.HTTPSConnection(host, self.port, timeout=timeout, context=self.context)
        else:
            connection = http.client.HTTPConnection(host, self.port, timeout=timeout)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, json.dumps(body) if body else None, self.headers)
                response = connection.getresponse()
                text = response.read().decode(errors="replace")
            except ConnectionError as error:
                raise GoneError(str(error)) from error
            except (OSError, http.client.HTTPException) as error:
                raise SilentError(str(error)) from error
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def served(self):
        """The adapters that it serves, in its order: {name: path}. The model's own names have no parent
        (entrypoints/openai/models/serving.py, show_available_models)."""
        status, answer = self.ask("GET", "/v1/models")
        if status != 200 or not isinstance(answer, dict):
            raise SilentError(f"/v1/models: HTTP {status}: {complaint(answer)}")
        return {model["id"]: model["root"] for model in answer["data"] if model.get("parent")}

    def load(self, adapter, replace):
        body = {"lora_name": adapter["name"], "lora_path": adapter["path"], "load_inplace": replace}
        status, answer = self.ask("POST", "/v1/load_lora_adapter", body, LOAD_TIMEOUT)
        if status != 200:
            raise adapters.BrokenError(f"the engine does not load it: HTTP {status}: {complaint(answer)}")

    def unload(self, name):
        status, answer = self.ask("POST", "/v1/unload_lora_adapter", {"lora_name": name})
        if status not in (200, 404):
            raise SilentError(f"{name} is not unloaded: HTTP {status}: {complaint(answer)}")


def complaint(answer):
    """The message of an error in OpenAI's form, on one line."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return " ".join(str(error.get("message", error) if isinstance(error, dict) else error).split())[:500]


class Keeper:
    """Compares the list with what the engine serves, and brings the one to the other."""

    def __init__(self, engine, look, clock=time.monotonic):
        """look: fetches an adapter and looks at it; raises BrokenError or LaterError, returns what is odd."""
        self.engine, self.look, self.clock = engine, look, clock
        self.failed = {}  # by the adapter's text: how often, and when to try again
        self.told = set()
        self.ready = False
        self.losses = 0

    def tell(self, adapter, message):
        """Once for each adapter and message: this goes on for as long as the pod."""
        if (adapter["name"], adapter["path"], str(message)) not in self.told:
            self.told.add((adapter["name"], adapter["path"], str(message)))
            adapters.say(adapter, message)

    def keep(self, wanted):
        """One comparison. Ready is who serves all that can be served, since the engine was lost for the last time."""
        losses = self.losses
        served = self.engine.served()
        names = [adapter["name"] for adapter in wanted]
        for name in [name for name in served if name not in names]:
            self.engine.unload(name)
            adapters.say({"name": name}, "no longer in the list: unloaded")
        waiting = False
        for adapter in wanted:
            if served.get(adapter["name"]) != adapter["path"]:
                waiting |= not self.bring(adapter, replace=adapter["name"] in served)
        if losses == self.losses and not waiting:
            self.ready = True

    def bring(self, adapter, replace):
        """Load one. Returns whether it is over with: it is served, or cannot be."""
        key = json.dumps(adapter, sort_keys=True)
        times, again, settled = self.failed.get(key, (0, 0, False))
        if self.clock() < again:
            return settled
        try:
            odd = self.look(adapter)
            self.engine.load(adapter, replace)
        except (adapters.BrokenError, adapters.LaterError) as error:
            settled = isinstance(error, adapters.BrokenError)
            delay = min(FIRST_RETRY * 2**times, LAST_RETRY)
            self.failed[key] = times + 1, self.clock() + delay, settled
            self.tell(adapter, adapters.told(error))
            return settled
        self.failed.pop(key, None)
        adapters.say(adapter, f"loaded from {adapter['path']}" + (f": {odd}" if odd else ""))
        return True

    def lost(self):
        """The engine has ended: the next one has none of them. Another thread says so."""
        self.losses += 1
        self.ready = False
        self.failed = {}


def watch(keeper, port, ended):
    """Notice an engine that ends, however long the fetching of an adapter takes. For a thread of its own."""
    while not ended.wait(PAUSE):
        if pre_stop.answering(port, TIMEOUT) is None:
            keeper.lost()
        if keeper.ready:
            READY.touch()
        else:
            READY.unlink(missing_ok=True)


def run(keeper, path, ended):
    """Compare as soon as the list has changed, and now and then; until all are there, over and over."""
    wanted = compared = None
    at = 0
    while not ended.wait(PAUSE):
        wanted = read(path, wanted)
        if wanted is not None and (wanted != compared or not keeper.ready or time.monotonic() > at + COMPARE):
            try:
                keeper.keep(wanted)
                compared, at = wanted, time.monotonic()
            except GoneError:
                pass
            except SilentError as error:
                keeper.tell({"name": "all", "path": ""}, error)


def read(path, before):
    """The list; `before` while the kubelet is writing it, or where it is not to be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        print(f"lora.adapters: {path} cannot be read: {error}", flush=True)
        return before


def write_token(path):
    """A new token for adapter_routes.py, for this user alone to read."""
    token = secrets.token_hex(32)
    fresh = Path(f"{path}.new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(token)
    fresh.replace(path)
    return token


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scheme", choices=["http", "https"], required=True)
    adapters.arguments(parser)
    options = parser.parse_args()
    ended = threading.Event()

    def end(*_):
        ended.set()
        sys.exit(0)

    # The first process of a container takes no signal that it has no handler for.
    signal.signal(signal.SIGTERM, end)
    READY.unlink(missing_ok=True)

    def look(adapter):
        adapters.fetch(adapter)
        return adapters.look_at(adapter, options.max_rank, [options.model, *options.served], options.folder)

    token = write_token(os.environ["ADAPTER_TOKEN_FILE"])
    engine = Engine(options.port, options.scheme, os.environ.get("VLLM_API_KEY", ""), token)
    keeper = Keeper(engine, look)
    threading.Thread(target=watch, args=(keeper, options.port, ended), daemon=True).start()
    run(keeper, options.list, ended)


if __name__ == "__main__":
    main()
