"""An ASGI middleware (`--middleware=liveness.Liveness`) that has /health tell of an engine that hangs.

vLLM's own /health says that the engine's process is there. One that is stuck in a kernel or a collective is there too:
requests wait for ever, and /health stays 200. Here the engine's main loop is asked a trifle, over and over. It answers
between two steps, however many requests it has, so what counts is how long a step may take and not how busy it is.
Standard library only.
"""

import asyncio
import os
import time

# An engine that says nothing for so long, in seconds, is taken for hung.
PATIENCE = float(os.environ.get("HANG_SECONDS", "300"))
PAUSE = 5


class Liveness:
    """Everything but /health is passed on as it is, and so is /health while the engine answers."""

    def __init__(self, app):
        self.app = app
        self.asked = None  # when, while an answer is awaited

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            engine = getattr(getattr(scope.get("app"), "state", None), "engine_client", None)
            asking = asyncio.create_task(self.ask(engine))
            try:
                await self.app(scope, receive, send)
            finally:
                asking.cancel()
        elif scope["type"] == "http" and scope["path"] == "/health" and self.silence() > PATIENCE:
            said = f"liveness: the engine has not answered for {self.silence():.0f} s"
            print(said, flush=True)
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": said.encode()})
        else:
            await self.app(scope, receive, send)

    def silence(self):
        return time.monotonic() - self.asked if self.asked is not None else 0

    async def ask(self, engine):
        """Whether it sleeps is what the engine itself has to say, on each of its data-parallel ranks."""
        if not hasattr(
            engine, "is_sleeping"
        ):  # nor has vLLM's before 0.8; an error would end the engine's own lifespan as well
            print("liveness: no engine at app.state.engine_client: one that hangs is not noticed", flush=True)
        while hasattr(engine, "is_sleeping"):
            self.asked = time.monotonic()
            try:
                await engine.is_sleeping()
            except Exception as error:  # an answer, too: of a dead engine vLLM tells by itself
                print(f"liveness: {error!r}", flush=True)
            self.asked = None
            await asyncio.sleep(PAUSE)
