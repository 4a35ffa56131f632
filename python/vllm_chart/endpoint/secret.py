"""The Secret of an endpoint's clients in a cluster: read, and changed so that nothing of another writer is lost."""

import dataclasses
import random
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubernetes import client
from kubernetes.client import V1ObjectMeta, V1Secret

from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.endpoint import clients
from vllm_chart.endpoint.clients import Credential, DocumentError
from vllm_chart.findings import UnavailableError

#: How often a change is tried that another writer's came before.
TRIES = 20

#: The names in the chart's pods: of Envoy's container, and of the volume of the clients.
CONTAINER, VOLUME = "envoy", "clients"

Json = Mapping[str, Any]
Change = Callable[[Sequence[Credential]], list[Credential]]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the document is: a Secret of a namespace, and a key of it (clients.secretName, clients.key)."""

    namespace: str
    secret: str
    key: str

    def __str__(self) -> str:
        return f"Secret {self.secret} in namespace {self.namespace}"


def place_in(spec: Json, namespace: str) -> Place | None:
    """Where the clients are that a pod's specification mounts; None where it is no endpoint's."""
    volumes = spec.get("volumes") or []
    secrets = [volume["secret"] for volume in volumes if volume.get("name") == VOLUME and volume.get("secret")]
    if not secrets or not envoy_of(spec):
        return None
    items = secrets[0].get("items") or [{}]
    return Place(namespace, str(secrets[0].get("secretName")), str(items[0].get("key", "clients.yaml")))


def envoy_of(spec: Json) -> Json | None:
    """Envoy's container of a pod's specification; None where it is no endpoint's."""
    return next((one for one in spec.get("containers") or [] if one.get("name") == CONTAINER), None)


def read(cluster: Cluster, place: Place) -> list[Credential]:
    """The clients that there are. Raises UnavailableError where there is no such Secret, or no document of clients."""
    with asking_the_api_server():
        found = _get(cluster, place)
    if found is None:
        raise _missing(place)
    return _credentials(found, place)


def change(cluster: Cluster, place: Place, make: Change, *, may_create: bool = False) -> list[Credential]:
    """Put what `make` makes of the clients in their place, and give it.

    The API server takes it only for the version that was read (resourceVersion): where another writer came in between,
    it is made anew out of what that one wrote.

    Raises UnavailableError where there is no Secret (unless it may be created) or no document of clients, where it may
    not be written, or others never cease to write it; and what `make` raises.
    """
    for _ in range(TRIES):
        with asking_the_api_server():
            found = _get(cluster, place)
        if found is None and not may_create:
            raise _missing(place)
        if found is not None and found.immutable:
            raise UnavailableError(f"the {place} is immutable: make it anew without `immutable: true`")
        made = make(_credentials(found, place) if found is not None else [])
        with asking_the_api_server():
            if _put(cluster, place, found, clients.write(made)):
                return made
        time.sleep(random.uniform(0, 0.2))
    raise UnavailableError(f"the {place} was changed by somebody else {TRIES} times meanwhile: try again")


def owners(cluster: Cluster, place: Place) -> list[str]:
    """Who owns the Secret, and may write it again: "ExternalSecret/llm-clients"."""
    with asking_the_api_server():
        found = _get(cluster, place)
    metadata = found.metadata if found else None
    return [f"{owner.kind}/{owner.name}" for owner in (metadata.owner_references if metadata else None) or []]


def _get(cluster: Cluster, place: Place) -> V1Secret | None:
    try:
        return cluster.core.read_namespaced_secret(place.secret, place.namespace)
    except client.ApiException as error:
        if error.status == 404:
            return None
        raise


def _put(cluster: Cluster, place: Place, found: V1Secret | None, document: str) -> bool:
    """Whether it was taken: False where another writer came before."""
    encoded = b64encode(document.encode()).decode()
    try:
        if found is None:
            made = V1Secret(metadata=V1ObjectMeta(name=place.secret), type="Opaque", data={place.key: encoded})
            cluster.core.create_namespaced_secret(place.namespace, made)
        else:
            found.data = {**(found.data or {}), place.key: encoded}
            cluster.core.replace_namespaced_secret(place.secret, place.namespace, found)
    except client.ApiException as error:
        if error.status == 409:
            return False
        raise
    return True


def _credentials(found: V1Secret, place: Place) -> list[Credential]:
    """Those of the document; none where the Secret lacks its key, as one does that was made for it to be written."""
    encoded = (found.data or {}).get(place.key)
    if encoded is None:
        return []
    try:
        return clients.of_secret(encoded)
    except DocumentError as error:
        raise UnavailableError(
            f"{place}, {place.key}: {error}: docs/endpoint.md shows what it has to be, and `vllm-chart clients add` "
            "makes one where there is none"
        ) from None


def _missing(place: Place) -> UnavailableError:
    return UnavailableError(f"there is no {place}: `vllm-chart clients add NAME` makes it, with its first client")
