"""How much a client may ask."""

from typing import Annotated

from pydantic import Field

from vllm_chart.values.base import Block, Empty, KeyedMap, Port
from vllm_chart.values.endpoint.models import NAME, NAME_REMEDY, Namespace, ServiceName

#: What fits the 32 bits of a token bucket in Envoy, and of a limit in the rate-limit service.
Amount = Annotated[int, Field(ge=1, le=2**32 - 1)]


class Limit(Block):
    """What a client may use in a minute."""

    remedies = {
        "requests": "write requestsPerMinute",
        "tokens": "write tokensPerMinute",
        "rpm": "write requestsPerMinute",
        "tpm": "write tokensPerMinute",
        "requestsPerSecond": "write requestsPerMinute",
    }

    requests_per_minute: Amount | Empty = Field(
        "",
        description="Requests in a minute. Each replica of the endpoint counts for itself: with `replicaCount: 2`, a "
        "client that asks both may send up to twice as many. With `rateLimitService` it counts over all replicas.",
    )
    tokens_per_minute: Amount | Empty = Field(
        "",
        description="Input and output tokens in a minute, over all replicas. Needs `rateLimitService`. They are known "
        "when an answer ends, so that what runs by then goes over the limit, and the minute's next request is refused.",
    )


class RateLimitService(Block):
    """Envoy's rate-limit service (github.com/envoyproxy/ratelimit), which counts over all replicas. It is not part of
    this chart; what it has to know of the limits is in the ConfigMap `<fullname>-limits`. While it does not answer,
    requests pass, and `requestsPerMinute` holds for each replica."""

    remedies = {
        "url": "write service, namespace and port",
        "host": "write service and namespace",
        "address": "write service, namespace and port",
    }

    service: ServiceName = Field("", description="Its Service.")
    namespace: Namespace = Field("", description="Namespace of the Service. Empty: this release's.")
    port: Port = Field(8081, description="Port of the Service for gRPC.")


class Limits(Block):
    """How much a client may ask. What is more is answered 429 with `Retry-After`, and reaches no engine."""

    remedies = {
        "requestsPerMinute": "write limits.default.requestsPerMinute",
        "tokensPerMinute": "write limits.default.tokensPerMinute",
        "clients": "write limits.byClient",
    }

    default: Limit = Field(Limit(), description="Of each client that is not named in byClient.")
    by_client: Annotated[dict[str, Limit], KeyedMap(NAME, NAME_REMEDY)] = Field(
        {},
        description="Of certain clients, in place of the default: `{batch: {requestsPerMinute: 600}, app: {}}`. What "
        "is left out there has no limit.",
    )
    rate_limit_service: RateLimitService = Field(RateLimitService(), description=RateLimitService.__doc__)
