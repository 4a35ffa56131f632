"""Typed, counted access to what a chart rendered.

The text is read by the YAML library that Helm and Kubernetes themselves use, so that `1e3`, `y` or `0o7` mean
here what they mean to an API server (PyYAML reads them differently); PyYAML only looks for duplicate keys,
which that library lets pass.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import helm_python
import yaml

if TYPE_CHECKING:  # it takes as long to import as everything else here
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")
T = TypeVar("T")


class ManifestError(Exception):
    """A manifest can't be read, or is not there; the text names it."""


class Object(dict[str, Any]):
    """One Kubernetes object, as the plain mapping that it is, and the template that it came from."""

    def __init__(self, data: Mapping[str, Any], source: str = "") -> None:
        super().__init__(data)
        self.source = source

    @property
    def kind(self) -> str:
        return str(self.get("kind", ""))

    @property
    def metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = self.get("metadata") or {}
        return metadata

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def namespace(self) -> str:
        return str(self.metadata.get("namespace", ""))

    @property
    def spec(self) -> dict[str, Any]:
        """Its spec; empty where it is left out, as Kubernetes takes it to be."""
        spec: dict[str, Any] = self.get("spec") or {}
        return spec

    @property
    def where(self) -> str:
        """The object as a person names it: "Service/llm-vllm"."""
        return f"{self.kind}/{self.name}"

    @property
    def is_extra(self) -> bool:
        """Whether it is the user's own, of `extraObjects`."""
        return self.source.endswith("/extra-objects.yaml")


class Manifests(Sequence[Object]):
    """Every object of one render, in the order rendered, and the text of NOTES.txt where there is one."""

    def __init__(self, objects: Sequence[Object], notes: str = "") -> None:
        self._objects = tuple(objects)
        self.notes = notes

    @classmethod
    def parse(cls, text: str) -> "Manifests":
        """Read the documents that `helm template` prints. Raises ManifestError."""
        return cls(list(_objects(text)))

    @classmethod
    def from_templates(cls, rendered: Mapping[str, str]) -> "Manifests":
        """Read one rendered text per template path. Raises ManifestError."""
        notes = [path for path in rendered if path.endswith("/NOTES.txt")]
        objects = [o for path in sorted(rendered.keys() - notes) for o in _objects(rendered[path], path)]
        # Helm shows the notes of the chart itself only, never those of its dependencies.
        return cls(objects, "".join(rendered[path] for path in notes if "/charts/" not in path))

    @overload
    def all(self, kind: str) -> list[Object]: ...
    @overload
    def all(self, kind: type[Model]) -> list[Model]: ...
    def all(self, kind: str | type[Model]) -> list[Object] | list[Model]:
        """Every object of a kind.

        The kind is a name ("Service"), or a model of the `kubernetes` client (`V1Service`) that the
        objects are returned as: strictly, so a field that it does not know raises pydantic's ValidationError.
        """
        if isinstance(kind, str):
            return [object_ for object_ in self if object_.kind == kind]
        return [_typed(object_, kind) for object_ in self.all(_kind_name(kind))]

    @overload
    def maybe(self, kind: str, name: str | None = None) -> Object | None: ...
    @overload
    def maybe(self, kind: type[Model], name: str | None = None) -> Model | None: ...
    def maybe(self, kind: str | type[Model], name: str | None = None) -> Object | Model | None:
        """The only object of a kind (and name), or None. Raises ManifestError when there are several."""
        kind_name = kind if isinstance(kind, str) else _kind_name(kind)
        candidates = [candidate for candidate in self.all(kind_name) if name in (None, candidate.name)]
        if len(candidates) > 1:
            raise ManifestError(f"{len(candidates)} of kind {kind_name}, want one; {self._listing()}")
        if not candidates:
            return None
        return candidates[0] if isinstance(kind, str) else _typed(candidates[0], kind)

    @overload
    def one(self, kind: str, name: str | None = None) -> Object: ...
    @overload
    def one(self, kind: type[Model], name: str | None = None) -> Model: ...
    def one(self, kind: str | type[Model], name: str | None = None) -> Object | Model:
        """The only object of a kind (and name). Raises ManifestError, which lists what there is."""
        object_ = self.maybe(kind, name)
        if object_ is None:
            wanted = kind if isinstance(kind, str) else _kind_name(kind)
            raise ManifestError(f"no {wanted}{f'/{name}' if name else ''}; {self._listing()}")
        return object_

    def decoded(self) -> "Manifests":
        """The same as an API server reads them, to which a null is a field left out, and in a list an empty item."""
        return Manifests([Object(_decoded(dict(one)), one.source) for one in self], self.notes)

    def inventory(self) -> list[str]:
        """What was rendered, sorted: `["ConfigMap/llm-vllm", "Service/llm-vllm"]`."""
        return sorted(object_.where for object_ in self)

    def _listing(self) -> str:
        return f"rendered: {', '.join(self.inventory()) or 'nothing'}"

    @overload
    def __getitem__(self, index: int) -> Object: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Object]: ...
    def __getitem__(self, index: int | slice) -> Object | Sequence[Object]:
        return self._objects[index]

    def __len__(self) -> int:
        return len(self._objects)

    def __eq__(self, other: object) -> bool:
        """The same objects, in whatever order: the command sorts them by kind, the renderer by template."""
        if not isinstance(other, Manifests):
            return NotImplemented
        return sorted(map(_canonical, self)) == sorted(map(_canonical, other))

    def __repr__(self) -> str:
        return f"Manifests({', '.join(self.inventory())})"


def present(value: T | None) -> T:
    """The value, which must be there: narrows the client's Optional fields. Raises ManifestError."""
    if value is None:
        raise ManifestError("a field that must be set is not")
    return value


def duplicate_keys(document: str) -> Iterator[tuple[str, int]]:
    """Every key that one mapping of a YAML text has twice, with its line. Raises yaml.YAMLError."""
    pending = [node for node in yaml.compose_all(document, yaml.CBaseLoader) if node]
    visited: set[int] = set()  # an alias may lead to what it stands in, or to the same node a billion times
    while pending:
        node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue  # a map or a list as a key, which Kubernetes' YAML refuses
                if key.value in seen:
                    yield key.value, key.start_mark.line + 1
                seen.add(key.value)
                pending.append(value)


def what_breaks(error: yaml.YAMLError) -> tuple[int, str]:
    """The line on which a text is no YAML, 0 where it is not known, and what is wrong with it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return mark.line + 1, f"{error.problem or error.context} (column {mark.column + 1})"
    if isinstance(error, yaml.reader.ReaderError):
        return 0, f"the character #x{int(error.character):04x} is in it"
    return 0, str(error)


#: As Go's JSON calls what is no map.
_GO_TYPES = {"array": "a list", "string": "a text", "number": "a number", "bool": "a truth value"}


def _kind_name(model: "type[BaseModel]") -> str:
    """The kind of a model of the client: HorizontalPodAutoscaler of V2HorizontalPodAutoscaler."""
    return re.sub(r"^V\d+((Alpha|Beta)\d+)?", "", model.__name__)


def _typed(object_: Object, model: type[Model]) -> Model:
    return model.model_validate(answered(dict(object_)))


def answered(value: Any, key: str = "", parent: str = "") -> Any:
    """An object as an API server gives it back, which takes `cpu: 2` and answers `cpu: "2"`: all the client knows."""
    if isinstance(value, dict):
        return {name: answered(inner, name, key) for name, inner in value.items()}
    if isinstance(value, list):
        return [answered(inner) for inner in value]
    is_quantity = parent in ("limits", "requests") or key == "sizeLimit"
    return str(value) if is_quantity and isinstance(value, int | float) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _decoded(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        empty: object = "" if any(isinstance(item, str) for item in value) else {}
        return [empty if item is None else _decoded(item) for item in value]
    return value


def _canonical(object_: Object) -> str:
    return json.dumps(object_, sort_keys=True)


def _objects(text: str, source: str = "") -> Iterator[Object]:
    """The objects of a multi-document text; documents with nothing but comments are left out."""
    line = 0
    for document in re.split(r"^---(?=\s|$)", text, flags=re.MULTILINE):
        comment = re.search(r"^# Source: (.*)$", document, flags=re.MULTILINE)
        origin = source or (comment[1] if comment else "rendered text")
        try:
            twice, read = _read(document)
        except yaml.YAMLError as error:
            at, problem = what_breaks(error)
            where = f"{origin}, line {line + at}" if at else origin
            raise ManifestError(f"{where}: not a YAML mapping: {problem}") from error
        except helm_python.HelmValuesError as error:
            other = re.search(r"cannot unmarshal (\w+) into Go value", str(error))
            problem = f"its outermost level is {_GO_TYPES.get(other[1], other[1])}" if other else str(error)
            raise ManifestError(f"{origin}: not a YAML mapping: {problem}") from error
        if twice:
            key, at = twice
            raise ManifestError(f"{origin}, line {line + at}: the key {key!r} is there twice")
        if data := json.loads(read):
            yield Object(data, origin)
        line += document.count("\n")


@functools.lru_cache(maxsize=256)
def _read(document: str) -> tuple[tuple[str, int] | None, str]:
    """The first key that a document has twice, with its line; or None, and the document as JSON.

    Of what a chart renders most is the same at the next render, and JSON is read in a twentieth of the time.
    """
    if twice := next(duplicate_keys(document), None):
        return twice, ""
    return None, json.dumps(helm_python.values_from_yaml(document))
