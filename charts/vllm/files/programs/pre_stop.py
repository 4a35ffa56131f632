"""preStop: lets the engine finish what it has before Kubernetes sends SIGTERM.

From SIGTERM on vLLM answers new requests with 500, and with several API servers it drops those under way as well. So
by then nobody may be asking any more: traffic has moved to other pods, and what was taken is answered. The kubelet
starts this hook in the engine's container; whatever goes wrong in it, SIGTERM follows. Standard library only.
"""

import argparse
import contextlib
import http.client
import math
import os
import re
import signal
import socket
import ssl
import time
import urllib.request
from pathlib import Path

# While this file is there, every answer carries `Connection: close`: see draining.py.
MARK = Path("/tmp/vllm-draining")
# What the container's first process writes to, its log.
LOG = "/proc/1/fd/1"
GAUGES = ("vllm:num_requests_running", "vllm:num_requests_waiting")
# Clients that hold a connection without using it are waited for this long, in seconds, once the engine is idle: longer
# than vLLM takes to fetch an image or a video for a request that the gauges do not count yet.
IDLE_CONNECTIONS = 30


def say(message):
    """Write to the container's log: the kubelet keeps a hook's own output to itself."""
    try:
        with open(LOG, "a") as log:  # it may be a file, which must not lose what it has
            print(f"preStop: {message}", file=log)
    except OSError:
        print(f"preStop: {message}", flush=True)


def listening(port, timeout):
    """Whether the engine takes connections: it does so only once the model is loaded."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        pass  # a queue that is full is somebody's
    return True


def end_loading():
    """End an engine that is still loading, which takes no notice of SIGTERM.

    A process cannot send SIGKILL to PID 1 of its own namespace, so it has to go by itself: SIGINT interrupts Python
    before there are engine processes; once there are, it goes when they are gone, because the start has failed.
    """
    if os.getppid() != 0:  # only what enters a container from outside has no parent in it
        raise SystemExit("preStop: not in a container: nothing is killed")
    say("still loading: nothing to finish")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        os.kill(1, signal.SIGINT)
        with contextlib.suppress(ProcessLookupError):  # nothing but this process and PID 1, which are left out
            os.kill(-1, signal.SIGKILL)
        time.sleep(0.25)


def requests(url, opener, timeout):
    """Requests in the engine, of all its API servers and data-parallel ranks; None if it doesn't say."""
    try:
        with opener.open(url, timeout=timeout) as response:
            lines = response.read().decode().splitlines()
    except (OSError, ValueError, http.client.HTTPException):
        return None  # busy, or not to be asked without a client's certificate
    try:
        counts = [sample(line) for line in lines if re.split("[{ ]", line, maxsplit=1)[0] in GAUGES]
    except (ValueError, IndexError):
        return None
    # NaN, before the engine has said anything, is no number of requests.
    return int(sum(counts)) if counts and all(map(math.isfinite, counts)) else None


def sample(line):
    """The value in a line of metrics: a name, labels or none, the value, and perhaps when it was taken."""
    return float(line.rpartition("}")[2].split()[0] if "{" in line else line.split()[1])


def connections(port):
    """Established connections of clients, from the kernel's own table."""
    count = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue  # no IPv6
        for row in rows:
            _, local, _, state, *_ = row.split()
            count += state == "01" and int(local.rpartition(":")[2], 16) == port
    return count


def drain(port, scheme, deadline):
    """Wait until nothing is left to answer and no client is left that could ask, or until the deadline."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    idle_since = None
    quiet = 0
    left = clients = "?"
    while (rest := deadline - time.monotonic()) > 0:
        patience = max(1, min(10, rest))  # a busy engine answers late
        if not listening(port, patience):
            return "the engine is gone"
        left, clients = requests(f"{scheme}://127.0.0.1:{port}/metrics", opener, patience), connections(port)
        # An engine that does not say what it does is idle when nobody is connected.
        if left or (left is None and clients):
            idle_since, quiet = None, 0
        else:
            idle_since = idle_since or time.monotonic()
            quiet = 0 if clients else quiet + 1
            if quiet == 2:
                return "idle"
            if time.monotonic() - idle_since > IDLE_CONNECTIONS:
                return f"idle, with {clients} connections that nobody uses"
        time.sleep(1)
    return f"time is up: requests left: {left}, connections: {clients}"


def main():
    parser = argparse.ArgumentParser(description="Drain the engine of this container.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scheme", choices=("http", "https"), default="http")
    parser.add_argument("--propagation", type=int, required=True, help="seconds")
    parser.add_argument("--drain", type=int, required=True, help="seconds")
    options = parser.parse_args()
    if not listening(options.port, timeout=5):
        end_loading()
        return
    MARK.touch()
    begin = time.monotonic()
    say(f"waiting {options.propagation} s until the cluster has stopped sending requests")
    time.sleep(options.propagation)
    outcome = drain(options.port, options.scheme, time.monotonic() + options.drain)
    say(f"{outcome}, after {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
