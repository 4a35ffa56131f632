"""How a chart's schema answers keys that people write by mistake.

Apart from the blocks, because whoever only checks values need not import pydantic.
"""

from collections.abc import Mapping
from typing import Any


def remedied(schema: dict[str, Any], remedies: Mapping[str, str]) -> dict[str, Any]:
    """A map's schema that answers keys which people write by mistake with what to write instead.

    Of a key that a map does not have, Helm only says that it is not allowed. But it prints what `dependentRequired`
    misses (`dependencies` in draft 7, as which `ci.schema_form` writes it): "properties 'write replicaCount' required,
    if 'replicas' exists". A property with a `const` would be plainer, and costs each install a schema of its own for
    each of some 500 mistakes (docs/design.md).
    """
    if not remedies:
        return schema
    required = {key: [remedy] for key, remedy in remedies.items()}
    return schema | {"dependentRequired": schema.get("dependentRequired", {}) | required}
