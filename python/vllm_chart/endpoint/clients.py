"""The document in the clients' Secret: who they are, and the SHA-256 of each key by which they are known.

It is what Envoy reads itself, the settings of its filter `api_key_auth`, wrapped as a resource that it takes out of a
file: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/api_key_auth_filter
What that filter compares is what files/keys.lua of the chart makes of the key that a request shows.
"""

import base64
import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from vllm_chart import yaml_text

#: The name of the filter in the chart's configuration, the header in which it is given a digest, and the one in which
#: it hands the client's name on. No client can send either.
FILTER, KEY_HEADER, CLIENT_HEADER = "api-keys", "x-llm-key", "x-llm-client"
_FILTER_TYPE = "type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth"
_RESOURCE_TYPE = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"


class DocumentError(ValueError):
    """A document that is none of clients; the text says what is wrong, and never what a key is."""


@dataclasses.dataclass(frozen=True)
class Credential:
    """What a client is known by; one may have several."""

    client: str
    digest: str
    """The SHA-256 of the key, in hexadecimal. A key is random and long, so that nobody finds it from this."""


def digest(key: str) -> str:
    """What of a key is in the Secret."""
    return hashlib.sha256(key.encode()).hexdigest()


def document(keys: Mapping[str, str]) -> str:
    """The YAML document for clients, each with its key.

    Raises ValueError for a client or a key that is empty, and for a key that two clients have: it would tell nobody.
    """
    if empty := sorted(client for client, key in keys.items() if not client or not key):
        raise ValueError(f"a client needs a name and a key: {', '.join(map(repr, empty))}")
    return write([Credential(client, digest(key)) for client, key in keys.items()])


def write(credentials: Sequence[Credential]) -> str:
    """The YAML document. Raises ValueError where two clients have the same key."""
    if len({one.digest for one in credentials}) < len(credentials):
        raise ValueError("two clients have the same key")
    settings: dict[str, Any] = {
        "@type": _FILTER_TYPE,
        "credentials": [{"client": one.client, "key": one.digest} for one in credentials],
        "key_sources": [{"header": KEY_HEADER}],
        "forwarding": {"header": CLIENT_HEADER, "hide_credentials": True},
    }
    resource = {"@type": _RESOURCE_TYPE, "name": FILTER, "typed_config": settings}
    whole = {"version_info": version(credentials), "resources": [resource]}
    return yaml_text.dump(whole)


def version(credentials: Sequence[Credential]) -> str:
    """What a replica of the endpoint calls these credentials in its metrics, once it goes by them."""
    text = json.dumps([dataclasses.astuple(one) for one in credentials])
    return hashlib.sha256(text.encode()).hexdigest()


def of_secret(encoded: str | bytes) -> list[Credential]:
    """The credentials of a document as a Secret's data have it, in base64. Raises DocumentError as `read` does."""
    try:
        return read(base64.b64decode(encoded).decode())
    except UnicodeDecodeError:
        raise DocumentError("it is no text") from None


def read(text: str) -> list[Credential]:
    """The credentials of a document, in its order. Raises DocumentError for what Envoy or the chart would not take."""
    try:
        whole = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise DocumentError(f"it is no YAML{f' (line {mark.line + 1})' if mark else ''}") from None
    try:
        [resource] = whole["resources"]
        settings = resource["typed_config"]
        credentials = [Credential(str(one["client"]), str(one["key"])) for one in settings["credentials"] or []]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise DocumentError("it is no resource with the settings of api_key_auth") from None
    if resource.get("name") != FILTER or settings.get("key_sources") != [{"header": KEY_HEADER}]:
        raise DocumentError(f"its name is not {FILTER}, or its key_sources are not [{{header: {KEY_HEADER}}}]")
    if plain := [one.client for one in credentials if not re.fullmatch("[0-9a-f]{64}", one.digest)]:
        raise DocumentError(f"what it has of {plain[0]!r} is no SHA-256 of a key: 64 of 0-9 and a-f")
    return credentials
