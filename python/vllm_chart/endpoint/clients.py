"""The document in the clients' Secret: who they are, and by which keys they are known.

It is what Envoy reads itself, the settings of its filter `api_key_auth`, wrapped as a resource that it takes out of a
file: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/api_key_auth_filter
"""

from collections.abc import Mapping
from typing import Any

import yaml

#: The name of the filter in the chart's configuration, and the header in which it hands the client's name on.
FILTER, HEADER = "api-keys", "x-llm-client"


def document(keys: Mapping[str, str]) -> str:
    """The YAML document for clients, each with its key.

    Raises ValueError for a client or a key that is empty, and for a key that two clients have: it would tell nobody.
    """
    if empty := sorted(client for client, key in keys.items() if not client or not key):
        raise ValueError(f"a client needs a name and a key: {', '.join(map(repr, empty))}")
    if len({*keys.values()}) < len(keys):
        raise ValueError("two clients have the same key")
    settings: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
        "credentials": [{"client": client, "key": key} for client, key in keys.items()],
        "key_sources": [{"header": "authorization"}],
        "forwarding": {"header": HEADER, "hide_credentials": True},
    }
    extension = {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": FILTER}
    return yaml.safe_dump({"resources": [extension | {"typed_config": settings}]}, sort_keys=False)
