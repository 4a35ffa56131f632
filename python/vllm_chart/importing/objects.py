"""Manifests as text: the objects in it, and what is no manifest of Kubernetes."""

import re
from collections.abc import Iterator
from typing import Any

from vllm_chart.findings import WrongCallError
from vllm_chart.importing.source import Ledger, Part, type_of
from vllm_chart.rendered.manifests import ManifestError, Manifests

Json = Any

#: What Helm alone has. Rules of Prometheus, templates of Alertmanager and runtimes of KServe have the rest of Go's
#: templates in their texts, `{{ .CommonLabels.Values }}` among it, and templates of chats have Jinja's.
_TEMPLATE = re.compile(
    r"""
    \{\{-?\s*(include|tpl|required|toYaml)\s+[".$(]
    | \{\{[^{}]*?(\|\s*nindent\s|(?<!\w)\.(Values|Release|Chart|Files|Capabilities|Template)\.)
    """,
    re.VERBOSE,
)


def read(text: str, name: str) -> list[Json]:
    """The documents of a file, as an API server reads them; lists of objects are taken apart.

    name: of the file, for messages. Raises WrongCallError for what is not YAML, or a template.
    """
    if found := _TEMPLATE.search(text):
        line = text[: found.start()].count("\n") + 1
        message = f"line {line} is of a template: render it first: helm template … | vllm-chart import -"
        raise WrongCallError(f"{name}: {message}")
    try:
        documents = [dict(one) for one in Manifests.parse(text)]
    except ManifestError as error:
        raise WrongCallError(
            f"{name}: {' '.join(str(error).removeprefix('rendered text').lstrip(': ,').split())}"
        ) from error
    found_objects = [one for document in documents for one in _objects(document)]
    if not found_objects:
        raise WrongCallError(f"{name}: nothing is in it")
    for one in found_objects:
        if not isinstance(one, dict):
            raise WrongCallError(f"{name}: a map is expected, and there is {type_of(one)}")
    return found_objects


def _objects(document: Json) -> Iterator[Json]:
    if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
        yield from document["items"]
    else:
        yield document


class Object(Part):
    """An object of Kubernetes."""

    @property
    def kind(self) -> str:
        return str(self.value.get("kind") or "")

    @property
    def name(self) -> str:
        return str(self.value_of("metadata", "name") or self.value_of("metadata", "generateName") or "")

    @property
    def labels(self) -> dict[str, Json]:
        return dict(self.value_of("metadata", "labels") or {})

    @property
    def namespace(self) -> str:
        return str(self.value_of("metadata", "namespace") or "")


def objects(ledger: Ledger, documents: list[Json]) -> list[Object]:
    """The objects of a file, each called by its kind and name."""
    found: list[Object] = []
    for document in documents:
        kind, metadata = document.get("kind"), document.get("metadata") or {}
        name = f"{kind}/{metadata.get('name') or '?'}" if kind else "values"
        names = {one.path[0] for one in found}
        if name in names:
            name = f"{name} ({sum(str(one).startswith(name) for one in names) + 1})"
        found.append(Object(ledger, (name,), document))
    return found


#: What the API server writes into an object.
_LIVE = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "ownerReferences")
_LIVE_ANNOTATIONS = re.compile(
    r"kubectl\.kubernetes\.io/|deployment\.kubernetes\.io/|pv\.kubernetes\.io/|volume\.\S*kubernetes\.io/"
)
LIVE = "the API server's own"


#: Of objects that Helm runs once at a step of a release, its tests among them.
HOOK = "helm.sh/hook"

#: Why a field is not told of one by one: there is nothing to know.
NOTHING = "what it is"


def cover_metadata(one: Object, named: str = "the release names its objects") -> dict[str, Part]:
    """Tell of what every object has. named: why its name is not carried. Returns its annotations that people wrote."""
    one.cover(NOTHING, "apiVersion", "kind")
    one.cover(LIVE, "status")
    metadata = one.get("metadata")
    if metadata is None:
        return {}
    metadata.cover(LIVE, *_LIVE)
    metadata.cover(named, "name", "generateName")
    metadata.cover("`helm install --namespace`", "namespace")
    annotations = metadata.get("annotations")
    for key, annotation in (annotations.fields() if annotations else {}).items():
        if _LIVE_ANNOTATIONS.match(key):
            annotation.covered(LIVE)
    return {
        key: part
        for key, part in (annotations.fields() if annotations else {}).items()
        if not _LIVE_ANNOTATIONS.match(key)
    }
