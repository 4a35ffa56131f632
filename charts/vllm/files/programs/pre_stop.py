"""preStop: lets the engine finish what it has before Kubernetes sends SIGTERM.

From SIGTERM on vLLM answers new requests with 500, and with several API servers it drops those under way as well. So
by then nobody may be asking any more: traffic has moved to other pods, and what was taken is answered. The kubelet
starts this hook in the engine's container; whatever goes wrong in it, SIGTERM follows. Standard library only.
"""

import argparse
import contextlib
import errno
import http.client
import math
import os
import re
import signal
import socket
import ssl
import sys
import time
import urllib.error
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
# https://github.com/torvalds/linux/blob/master/include/net/tcp_states.h
ESTABLISHED, LISTEN = "01", "0A"
# Nothing listens there, or the pod has no such address.
NOBODY = (errno.ECONNREFUSED, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENETUNREACH)


def say(message):
    """Write to the container's log: the kubelet keeps a hook's own output to itself."""
    try:
        with open(LOG, "a") as log:  # it may be a file, which must not lose what it has
            print(f"preStop: {message}", file=log)
    except OSError:
        print(f"preStop: {message}", flush=True)


def sockets(port):
    """The kernel's own table of sockets on a port: the local address of each, and its state in the kernel's code."""
    for family, table in ((socket.AF_INET, "/proc/net/tcp"), (socket.AF_INET6, "/proc/net/tcp6")):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue  # no IPv6
        for row in rows:
            _, local, _, state, *_ = row.split()
            address, _, number = local.rpartition(":")
            if int(number, 16) == port:
                words = [bytes.fromhex(address[at : at + 8]) for at in range(0, len(address), 8)]
                # A word is in the byte order of the machine.
                packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
                yield socket.inet_ntop(family, packed), state


def hosts(port):
    """Where the engine may be asked from inside its pod: it may listen on one address only, or on IPv6 only."""
    loopback = ["127.0.0.1", "::1"]  # an engine that listens on :: takes both, unless the node says otherwise
    listening = [address for address, state in sockets(port) if state == LISTEN]
    return [address for address in listening if address not in ("0.0.0.0", "::")] or loopback


def answering(port, timeout):
    """The address at which the engine takes connections, which it does only once the model is loaded; or None."""
    for host in hosts(port):
        try:
            socket.create_connection((host, port), timeout).close()
        except OSError as error:
            if error.errno in NOBODY:
                continue
            # A queue that is full belongs to an engine that runs.
        return host
    return None


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
    except urllib.error.HTTPError as error:
        error.close()  # or its connection would be counted among the clients'
        return None
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
    """Established connections of clients."""
    return sum(state == ESTABLISHED for _, state in sockets(port))


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
        host = answering(port, patience)
        if host is None:
            return "the engine is gone"
        authority = f"[{host}]" if ":" in host else host
        left, clients = requests(f"{scheme}://{authority}:{port}/metrics", opener, patience), connections(port)
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
    if answering(options.port, timeout=5) is None:
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
