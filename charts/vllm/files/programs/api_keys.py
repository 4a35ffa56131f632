"""An ASGI middleware (`--middleware=api_keys.ApiKeys`) that lets in more than one API key.

vLLM reads one key from `VLLM_API_KEY`, and several from its command line only, where `ps` and /proc show them
(entrypoints/serve/middleware/register.py:33 of 0.33). The guard stays vLLM's own: a request with another of the keys
goes on with the first one in its place. Without this middleware all but the first are refused, as they would be if they
were wrong. Standard library only.
"""

import hashlib
import hmac
import os

FIRST = "VLLM_API_KEY"
# The others: OTHER_API_KEY_2, OTHER_API_KEY_3, … A name that begins with VLLM_ would be taken for a setting of vLLM's.
OTHERS = "OTHER_API_KEY_"


def digest(key):
    return hashlib.sha256(key).digest()


def read(environment):
    """The first key, as the header carries it, and the digests of the others.

    Ends the start with what is wrong: vLLM takes an empty first key for no key at all, and would let everybody in.
    """
    keys = {name: value for name, value in environment.items() if name == FIRST or name.startswith(OTHERS)}
    for name, key in keys.items():
        if not key or key != key.strip() or not key.isascii():
            raise SystemExit(f"api_keys: the Secret behind {name} holds no key: write ASCII characters without blanks")
    first = keys.pop(FIRST).encode()
    return b"Bearer " + first, [digest(key.encode()) for key in keys.values()]


def translated(name, value):
    """A header's value, with the first key in the place of another one."""
    scheme, _, key = value.partition(b" ")
    if name.lower() != b"authorization" or scheme.lower() != b"bearer":
        return value
    found = digest(key)
    # Every key is compared, so that the time says nothing of which one it was.
    return HEADER if sum([hmac.compare_digest(found, other) for other in DIGESTS]) else value


# Read as vLLM imports this, so that it ends of what is wrong: what its start-up hooks raise, uvicorn only logs.
HEADER, DIGESTS = read(os.environ)


class ApiKeys:
    """Only the Authorization header is changed, and only where it carries one of the keys."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] in ("http", "websocket"):
            scope = {**scope, "headers": [(name, translated(name, value)) for name, value in scope["headers"]]}
        await self.app(scope, receive, send)
