"""An ASGI middleware (`--middleware=draining.Draining`) that moves clients off a pod that is going to stop, and tells
those that a full queue turns away when to come again.

A Service balances connections, not requests: a client that keeps its connection alive stays with a terminating pod and
sends it requests to the very end. `Connection: close` is HTTP's way to tell it to come back on a new connection, which
leads to another pod. A connection at rest gets no answer that could say so: it is closed before the engine stops
working, while after that a request on it would be lost. Standard library only.
"""

import asyncio
import contextlib
import os
import time

MARK = "/tmp/vllm-draining"  # pre_stop.py makes it
# A connection that rests for this long, in seconds, between two looks is not about to be used.
REST = 5
# Seconds; vLLM itself does not say it. Clients add a random part of their own.
RETRY_AFTER = b"5"


class Draining:
    """Answers are passed on as they come, streams and WebSockets too; only the head of an answer is changed."""

    def __init__(self, app):
        self.app = app
        with contextlib.suppress(FileNotFoundError):
            # Of a container before this one: the pod's /tmp outlives it. One of several API servers may come here when
            # the hook has marked this container already.
            if os.path.getmtime(MARK) < container_start():
                os.remove(MARK)

    async def __call__(self, scope, receive, send):
        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if message["status"] == 503 and not any(name.lower() == b"retry-after" for name, _ in headers):
                    headers.append((b"retry-after", RETRY_AFTER))
                if os.path.exists(MARK):
                    headers = [header for header in headers if header[0].lower() != b"connection"]
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        if scope["type"] == "http" and scope["path"] == "/health" and os.path.exists(MARK):
            # Without another pod, a Service goes on sending to one that terminates, as long as that says it is ready.
            await send_with_headers({"type": "http.response.start", "status": 503})
            await send({"type": "http.response.body", "body": b"draining"})
        elif scope["type"] == "http":
            await self.app(scope, receive, send_with_headers)
        elif scope["type"] == "lifespan":
            closing = asyncio.create_task(close_resting(open_connections(scope)))
            try:
                await self.app(scope, receive, send)
            finally:
                closing.cancel()
        else:
            await self.app(scope, receive, send)


def container_start():
    """When the container's first process started, in seconds since the epoch; now, where the kernel doesn't say."""
    try:
        with open("/proc/1/stat") as stat:
            ticks = int(stat.read().rpartition(")")[2].split()[19])  # since the boot: proc_pid_stat(5), starttime
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.time()


def open_connections(scope):
    """uvicorn's own set of its connections, which vLLM keeps at app.state.server (entrypoints/launchers/launcher.py:228
    of 0.33); an empty one where that is otherwise: an error here would end the engine's own lifespan as well."""
    server = getattr(getattr(scope.get("app"), "state", None), "server", None)
    connections = getattr(getattr(server, "server_state", None), "connections", None)
    if connections is None:
        print("draining: no connections at app.state.server: those that rest stay open", flush=True)
    return set() if connections is None else connections


async def close_resting(connections):
    """Close what rests, from the mark on. connections: uvicorn's own set of its protocols, each a connection."""
    while not os.path.exists(MARK):
        await asyncio.sleep(1)
    before = set()
    while True:
        # A cycle is a request with its answer. A connection without one is new: its first request is on the way.
        cycles = {(connection, getattr(connection, "cycle", None)) for connection in connections}
        resting = {(connection, cycle) for connection, cycle in cycles if cycle and cycle.response_complete}
        for connection, _ in resting & before:
            connection.shutdown()
        before = resting
        await asyncio.sleep(REST)
