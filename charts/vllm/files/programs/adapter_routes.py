"""An ASGI middleware (`--middleware=adapter_routes.AdapterRoutes`) that keeps the routes which load and unload adapters
for this pod.

With VLLM_ALLOW_RUNTIME_LORA_UPDATING vLLM opens them to every client that has the key, to load any path and any
repository of the Hub: "This should ONLY be used for local development!" (entrypoints/serve/lora/api_router.py:34 of
0.33). `/adapters`, SageMaker's name for the same (sagemaker/lora/routes.py of model-hosting-container-standards), it
opens to those without a key as well, which guards /v1, /v2, /inference and /cohere alone
(entrypoints/serve/middleware/authenticate.py:11). Standard library only.
"""

import hmac
import ipaddress
import os

# Wherever it stands: a root path (`--root-path`) goes before it.
ROUTES = {"load_lora_adapter", "unload_lora_adapter", "adapters"}
# Where sync_adapters.py writes what it sends along; the chart sets it if there is such a sidecar. A mesh's proxy makes
# all clients look like the pod itself, and FORWARDED_ALLOW_IPS lets them say who they are.
TOKEN_FILE = os.environ.get("ADAPTER_TOKEN_FILE", "")
TOKEN_HEADER = b"x-adapter-token"
ANSWER = b'{"error": {"message": "adapters are loaded from inside the pod alone: write lora.adapters, and lora.reload: \
true", "type": "Forbidden", "param": null, "code": 403}}'


def from_inside(scope):
    """Whether a connection comes from the pod itself: from a loopback address, or from the one that it came to."""
    client, server = (scope.get(end) or [""] for end in ("client", "server"))
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or client[0] == server[0]


def has_token(scope):
    """Whether a request carries what only a container of this pod can read."""
    try:
        with open(TOKEN_FILE, "rb") as file:
            token = file.read()
    except OSError:
        return False
    sent = dict(scope["headers"]).get(TOKEN_HEADER, b"")
    return bool(token) and hmac.compare_digest(sent, token)


class AdapterRoutes:
    """Everything else is passed on as it is."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        managing = scope["type"] == "http" and ROUTES.intersection(scope["path"].split("/"))
        if managing and not (from_inside(scope) and (not TOKEN_FILE or has_token(scope))):
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": ANSWER})
        else:
            await self.app(scope, receive, send)
